"""What of a kubelet's own API the API server needs: the logs of containers, over TLS, on loopback.

Only the API server gets in, by its client certificate. What is read is found in ``testing.kubelet.logs``.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from testing.controlplane.certificates import KeyPair
from testing.kubelet.logs import NoLogError

Read = Callable[[str, str, str, bool, int | None, int | None], str | None]
"""Namespace, pod, container, whether of the previous run, how many last lines, how many bytes. None where
there is no such pod."""


class LogServer:
    """Serves from creation to :meth:`close`. ``read`` is the kubelet's."""

    def __init__(self, own: KeyPair, ca: str) -> None:
        self.read: Read = lambda *_: None  # until there is a kubelet
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate, own.key)
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.1,), name="kubelet-logs", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return self._http.server_port

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: LogServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who has no certificate is not worth a line."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        kind, *rest = [unquote(part) for part in url.path.strip("/").split("/")]
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        lines, size = (int(query[key]) if key in query else None for key in ("tailLines", "limitBytes"))
        text = None
        try:
            if kind == "containerLogs" and len(rest) == 3:
                namespace, pod, name = rest
                previous = query.get("previous") == "true"
                text = self.server.owner.read(namespace, pod, name, previous, lines, size)
        except NoLogError as error:
            self._answer(400, str(error))
            return
        if text is None:
            self._answer(404, "not found")
        else:
            self._answer(200, text)

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
