"""What of a kubelet's own API the API server needs: the logs of containers, over TLS, on loopback.

Only the API server gets in, by its client certificate. Which run of a container is meant is found here, in
the words of a kubelet; what the container has printed is what its image is said to print.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from testing.controlplane.certificates import KeyPair
from testing.controlplane.pod_status import Container, State

_PULLS = {
    State.PULL_FAILED: "image can't be pulled",
    State.PULL_BACK_OFF: "trying and failing to pull image",
}
Find = Callable[[str, str], tuple[Container, ...] | None]
"""The containers of a pod, by namespace and name; None where there is no such pod."""


class NoLogError(Exception):
    """There is no such run; the text is the kubelet's."""


def check_run(pod: str, name: str, containers: tuple[Container, ...], *, previous: bool) -> Container:
    """The container whose log it is. Raises NoLogError."""
    where = f'container "{name}" in pod "{pod}"'
    container = next((each for each in containers if each.name == name), None)
    if container is None:
        raise NoLogError(f"{where} is not available")
    if previous and not container.has_ended:
        raise NoLogError(f"previous terminated {where} not found")
    if not container.has_ended and container.state not in (State.READY, State.UNREADY):
        reason = _PULLS.get(container.state, container.state.value)
        raise NoLogError(f"{where} is waiting to start: {reason}")
    return container


class LogServer:
    """Serves from creation to :meth:`close`. ``printed``: what a container of an image has printed."""

    def __init__(self, own: KeyPair, ca: str) -> None:
        self.find: Find = lambda namespace, pod: None  # noqa: ARG005 - until there is a kubelet
        self.printed: Callable[[str], str] = str
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
        owner = self.server.owner
        containers = owner.find(rest[0], rest[1]) if kind == "containerLogs" and len(rest) == 3 else None
        if containers is None:
            self._answer(404, "not found")
            return
        try:
            container = check_run(rest[1], rest[2], containers, previous=query.get("previous") == "true")
        except NoLogError as error:
            self._answer(400, str(error))
            return
        text = owner.printed(container.image)
        if "tailLines" in query:
            lines = int(query["tailLines"])
            text = "".join(text.splitlines(keepends=True)[-lines:] if lines else [])
        content = text.encode()[: int(query["limitBytes"])] if "limitBytes" in query else text.encode()
        self._answer(200, content.decode(errors="ignore"))

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
