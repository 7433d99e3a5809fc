"""A proxy on loopback between the command and the API server: counts writes, kills at one, does faults.

The command speaks plain HTTP to it, under a path that is good for one run only: what a killed one had
already sent is so told apart from what the next one sends. To the API server it speaks as the kubeconfig
says.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from testing.chaos.faults import STATUS, Asked, Fault, Plan, peace
from testing.client import tls_of
from testing.kubeconfig import Access

LOOPBACK = "127.0.0.1"
CUT_AFTER = 0.5
"""Seconds a watch lives where watches are cut."""
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "authorization"}


@dataclass
class Trap:
    """Kills the process at its ``write``-th write, before the server sees it or after it has answered.

    Only writes that took effect count: one that met a conflict is made again, and would shift the rest.
    """

    write: int
    before: bool
    kill: Callable[[], None]


class Proxy:
    """Serves from creation to :meth:`close`."""

    def __init__(self, upstream: Access, tls: ssl.SSLContext | None = None) -> None:
        """``tls``: speak HTTPS, without which the command shows no token to anybody."""
        self.upstream = upstream
        self._scheme = "http" if tls is None else "https"
        self.plan: Plan = peace
        self.trap: Trap | None = None
        self.sprung = False
        """Whether the trap has killed."""
        self.writes = 0
        """Those that took effect."""
        self.log: list[str] = []
        """The writes that reached the server: method, path and the answer's status."""
        self.met: Counter[Fault] = Counter()
        """The faults there were."""
        self._alive: set[str] = set()
        """The runs that may speak; whoever else does is a process that is no more."""
        self.stale_tokens: set[str] = set()
        """Answered with 401, as expired ones are."""
        self.on_write: Callable[[int], None] = lambda _number: None
        """Called after each write that took effect, with its number."""
        self.streams: set[socket.socket] = set()
        """Watches at the API server."""
        self._away_until = 0.0
        self._writing = threading.RLock()
        self._runs = 0
        self._http = _Server((LOOPBACK, 0), _Handler)
        self._http.proxy = self
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="proxy", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://{LOOPBACK}:{self._http.server_port}"

    def new_run(self) -> str:
        """The address for the next process. The ones before count as dead; writes count from 1 again."""
        with self._writing:
            self._alive.clear()
            self.writes, self.log, self.trap, self.sprung = 0, [], None, False
            return self.join_run()

    def join_run(self) -> str:
        """The address for a process beside those there are."""
        with self._writing:
            self._runs += 1
            self._alive.add(f"run-{self._runs}")
            return f"{self.url}/run-{self._runs}"

    def is_alive(self, run: str) -> bool:
        return run in self._alive

    def go_away(self, seconds: float) -> None:
        """For so long no connection stands, watches included."""
        self._away_until = time.monotonic() + seconds
        self.end_connections()

    @property
    def is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def end_connections(self) -> None:
        """Of processes that are no more: their watches above all, which nobody reads."""
        self._http.end_connections()
        for connection in list(self.streams):
            _hang_up(connection)

    def close(self) -> None:
        self._http.shutdown()
        self.end_connections()
        self._http.server_close()
        self._thread.join(5)

    # --- one write ---

    def carry_out(self, asked: Asked, forward: Callable[[], int]) -> bool:
        """Forward a write, one at a time, and count it. False where its client is dead by now."""
        with self._writing:
            if self.sprung:
                return False
            number, trap = self.writes + 1, self.trap
            if trap is not None and trap.write == number and trap.before:
                self._spring(trap)
                return False
            status = forward()
            self.log.append(f"{asked.method} {urlsplit(asked.target).path} {status}")
            if status >= 400:
                return True
            self.writes = number
            if trap is not None and trap.write == number:
                self._spring(trap)
                return False
        self.on_write(number)
        return True

    def _spring(self, trap: Trap) -> None:
        self.sprung = True
        self._alive.clear()
        trap.kill()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    proxy: Proxy

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Either side may hang up whenever it likes."""

    def end_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.upstream: http.client.HTTPConnection | None = None
        self.wire: socket.socket | None = None

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the proxy's own log tells."""

    def handle_any(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, run, target = self.path.split("/", 2)
        asked = Asked(self.command, "/" + target, body)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if proxy.is_away:
            self._reset()
        elif token in proxy.stale_tokens:
            self._answer_status(Fault.UNAUTHORIZED)
        elif not proxy.is_alive(run):
            self._reset()
        else:
            self._serve(asked, proxy.plan(asked))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - named by the base class

    def _serve(self, asked: Asked, fault: Fault | None) -> None:
        proxy = self.server.proxy
        if fault is not None:
            proxy.met[fault] += 1
        if fault is Fault.RESET or (asked.is_watch and fault in (Fault.LOST, Fault.HALF)):
            self._reset()
        elif asked.is_watch and fault in (
            Fault.CUT,
            Fault.GONE_LATER,
            Fault.SILENT,
            Fault.HELD,
            None,
            Fault.SLOW,
        ):
            self._watch(asked, fault)
        elif fault in STATUS:
            self._answer_status(fault)
        elif not asked.is_write:
            self._answer(*self._forward(asked), fault)
        else:
            answer: list[tuple[http.client.HTTPResponse, bytes]] = []

            def forward() -> int:
                answer.append(self._forward(asked))
                return answer[0][0].status

            if proxy.carry_out(asked, forward):
                self._answer(*answer[0], fault)
            else:
                self._reset()

    # --- to the API server ---

    def _send(self, asked: Asked) -> http.client.HTTPResponse:
        proxy = self.server.proxy
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if proxy.upstream.token:
            headers["Authorization"] = "Bearer " + proxy.upstream.token
        if self.upstream is None:
            self.upstream = _connection(proxy.upstream)
        self.upstream.request(asked.method, asked.target, body=asked.body or None, headers=headers)
        self.wire = self.upstream.sock
        return self.upstream.getresponse()

    def _forward(self, asked: Asked) -> tuple[http.client.HTTPResponse, bytes]:
        try:
            response = self._send(asked)
            return response, response.read()
        except (OSError, http.client.HTTPException):
            if self.upstream is not None:
                self.upstream.close()
            self.upstream = None
            raise ConnectionResetError from None  # the API server is away: so is the proxy

    # --- to the command ---

    def _answer(self, response: http.client.HTTPResponse, body: bytes, fault: Fault | None) -> None:
        if fault is Fault.LOST:
            self._reset()
            return
        if fault is Fault.SLOW:
            time.sleep(1.0)
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP and name.lower() not in ("date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault is Fault.HALF else body)
        if fault is Fault.HALF:
            self._reset(hard=False)

    def _answer_status(self, fault: Fault) -> None:
        code, reason, message = STATUS[fault]
        body = json.dumps(_status(code, reason, message)).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if fault is Fault.THROTTLED:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    def _watch(self, asked: Asked, fault: Fault | None) -> None:
        """Pass a watch on, event by event."""
        if fault is Fault.GONE_LATER:
            self._begin_chunks()
            event = {"type": "ERROR", "object": _status(*STATUS[fault])}
            self._chunk(json.dumps(event).encode() + b"\n")
            self._chunk(b"")
            return
        try:
            response = self._send(asked)
        except (OSError, http.client.HTTPException):
            raise ConnectionResetError from None
        if response.status != 200:
            self._answer(response, response.read(), None)
            return
        if fault is not Fault.HELD:
            self._begin_chunks()
        connection, wire = self.upstream, self.wire
        assert connection is not None
        assert wire is not None
        self.upstream = None  # a stream left in the middle: no further use
        self.server.proxy.streams.add(wire)
        try:
            if fault is Fault.CUT:
                timer = threading.Timer(CUT_AFTER, _hang_up, [wire])
                timer.daemon = True
                timer.start()
            while chunk := response.read1(65536):
                if fault not in (Fault.SILENT, Fault.HELD):
                    self._chunk(chunk)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            self.server.proxy.streams.discard(wire)
            response.close()
            connection.close()
        self._reset(hard=False)

    def _begin_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _reset(self, *, hard: bool = True) -> None:
        """End the connection without an answer; ``hard`` with RST."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            if hard:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            else:
                self.connection.shutdown(socket.SHUT_RDWR)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    body.update(code=code, reason=reason, message=message)
    if code == 429:
        body["details"] = {"retryAfterSeconds": 1}
    return body


def _connection(access: Access) -> http.client.HTTPConnection:
    parts = urlsplit(access.server)
    host, port = parts.hostname or LOOPBACK, parts.port
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=120)
    return http.client.HTTPSConnection(host, port, timeout=120, context=tls_of(access))
