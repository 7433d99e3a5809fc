"""A relay on loopback that counts the bytes between a client and the API server, as they are on the wire.

It knows nothing of what it passes on: TLS goes through it, and with it whatever is compressed.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass


@dataclass
class Bytes:
    """From the server, and to it."""

    received: int = 0
    sent: int = 0


class Relay:
    """Serves from creation to :meth:`close`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
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
            while data := source.recv(65536):
                with self._lock:
                    if outwards:
                        self.total.sent += len(data)
                    else:
                        self.total.received += len(data)
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
