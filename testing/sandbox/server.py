"""The sandbox over HTTP/1.1, on loopback only: bytes in, bytes out, and a log of what was asked.

What is answered is decided in ``api``.
"""

from __future__ import annotations

import hmac
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from testing import kubeconfig
from testing.sandbox import statuses, tables
from testing.sandbox.faults import DroppedError
from testing.sandbox.messages import Request, Response, target_of
from testing.sandbox.patches import MERGE_PATCH
from testing.sandbox.world import Sandbox

_LOOPBACK = "127.0.0.1"
_LARGEST_BODY = 3 * 1024 * 1024
"""Bytes, as the real server's limit."""


@dataclass(frozen=True)
class Asked:
    """One request as it came; ``impersonation`` are its ``Impersonate-*`` headers; status 0: no answer."""

    method: str
    path: str
    query: dict[str, str]
    user_agent: str
    impersonation: dict[str, str]
    status: int


class Server:
    """Serves from creation to :meth:`close`, or as a context manager. The sandbox runs in real time.

    ``token`` is required of every request, where there is one.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0, *, token: str = "") -> None:
        self.requests: list[Asked] = []
        self.token = token
        self.sandbox = sandbox
        self._closed = threading.Event()
        self._http = _HttpServer((_LOOPBACK, port), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-http", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self._http.server_port}"

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig (mode 0600) and give its path back."""
        return kubeconfig.write(path, kubeconfig.Access(server=self.url, token=self.token))

    def close(self) -> None:
        """Stop listening and end all connections. May be called more than once."""
        if not self._closed.is_set():
            self._closed.set()
            self._http.shutdown()
            self._http.end_connections()
            self._http.server_close()
            self._thread.join(5)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: Server

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may hang up whenever they like."""

    def end_connections(self) -> None:
        for connection in tuple(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept in ``Server.requests`` instead."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        path = unquote(url.path)
        try:
            response, request = self._answer(path, query)
        except DroppedError:
            self._log(path, query, 0)
            self.close_connection = True
            return
        self._log(path, query, response.status)
        if response.watch is not None and request is not None:
            self._stream(response, request)
        else:
            self._send(response)

    def _answer(self, path: str, query: dict[str, str]) -> tuple[Response, Request | None]:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY:
            self.close_connection = True
            error = statuses.status(413, "request entity too large", "RequestEntityTooLarge")
            return Response(413, error.body), None
        content = self.rfile.read(length)
        owner = self.server.owner
        if owner.token:
            given = self.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {owner.token}".encode()):
                return Response(401, statuses.unauthorized().body), None
        content_type = (self.headers.get("Content-Type") or "").partition(";")[0].strip()
        try:
            body = _decoded(content, content_type)
        except (ValueError, yaml.YAMLError) as error:
            message = (
                f"the object provided is unrecognized: couldn't get version/kind; json parse error: {error}"
            )
            if content_type == MERGE_PATCH:
                return Response(500, statuses.internal("Invalid JSON Patch").body), None
            if self.command == "DELETE":
                return Response(500, statuses.internal(message).body), None
            return Response(400, statuses.bad_request(message).body), None
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path, query, body, content_type, headers)
        return owner.sandbox.handle(request), request

    def _log(self, path: str, query: dict[str, str], status: int) -> None:
        impersonation = {n: v for n, v in self.headers.items() if n.lower().startswith("impersonate-")}
        agent = self.headers.get("User-Agent", "")
        asked = Asked(self.command, path, query, agent, impersonation, status)
        self.server.owner.requests.append(asked)

    def _send(self, response: Response) -> None:
        if isinstance(response.body, str):
            content, kind = response.body.encode(), "text/plain; charset=utf-8"
        else:
            content, kind = json.dumps(response.body, separators=(",", ":")).encode(), "application/json"
        self.send_response(response.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _stream(self, response: Response, request: Request) -> None:
        """Send a watch's events as chunks, one JSON object a line, until one side ends it."""
        watch, owner = response.watch, self.server.owner
        assert watch is not None
        target = target_of(request.path, owner.sandbox.verbs.served)
        encode = tables.event_encoder(target.resource, request, owner.sandbox.clock.wall)
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            while not owner.is_closed:
                event = watch.next(timeout=0.2)
                if event is not None:
                    line = json.dumps(encode(event), separators=(",", ":")).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                elif watch.closed:
                    break
                elif self._hung_up():
                    self.close_connection = True
                    return
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            watch.close()

    def _hung_up(self) -> bool:
        """Whether the client is gone: it has nothing more to say, so what can be read is the end."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


def _decoded(content: bytes, content_type: str) -> Any:
    if not content:
        return None
    if content_type.endswith("yaml"):
        return yaml.safe_load(content)
    if content_type and not content_type.endswith("json"):
        return None  # not understood: refused later, where it matters
    return json.loads(content)
