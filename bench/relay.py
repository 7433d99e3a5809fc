"""A relay on loopback between a client and the API server: it counts the bytes, as they are on the wire, and
can be as far away as a link of some round trip time makes it.

It knows nothing of what it passes on: TLS goes through it, and with it whatever is compressed. Its link
delays and does nothing else: it is as wide as loopback and loses nothing.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Bytes:
    """From the server, and to it."""

    received: int = 0
    sent: int = 0


class Relay:
    """Serves from creation to :meth:`close`. ``round_trip``: seconds, half of them in each direction; opening
    a connection takes one round trip, as TCP does."""

    def __init__(self, host: str, port: int, *, round_trip: float = 0.0) -> None:
        self._target = (host, port)
        self.round_trip = round_trip
        self.total = Bytes()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def reset(self) -> None:
        with self._lock:
            self.total = Bytes()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, outwards in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass, args=(source, sink, outwards), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, outwards: bool) -> None:
        with contextlib.suppress(OSError):
            if self.round_trip:
                if outwards:
                    time.sleep(self.round_trip)  # the client could not send before
                self._delayed(source, sink, outwards)
            else:
                self._copy(source, sink.sendall, outwards)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _copy(self, source: socket.socket, put: Callable[[bytes], None], outwards: bool) -> None:
        while data := source.recv(65536):
            with self._lock:
                if outwards:
                    self.total.sent += len(data)
                else:
                    self.total.received += len(data)
            put(data)

    def _delayed(self, source: socket.socket, sink: socket.socket, outwards: bool) -> None:
        """What comes later is on its way already: one thread takes it, another gives it when it is due."""
        way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        one_way = self.round_trip / 2

        def arrive() -> None:
            while True:
                due, data = way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    return
                with contextlib.suppress(OSError):
                    sink.sendall(data)

        arriving = threading.Thread(target=arrive, daemon=True)
        arriving.start()

        def send(data: bytes) -> None:
            way.put((time.monotonic() + one_way, data))

        try:
            self._copy(source, send, outwards)
        finally:
            send(b"")
            arriving.join()
