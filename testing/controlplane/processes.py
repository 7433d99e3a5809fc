"""The owner's end of the keeper: a private folder and server processes that vanish together.

What the servers are and how they are started is :mod:`testing.controlplane.plane`'s affair.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from testing.controlplane import keeper

_ENOUGH_MEMORY_FOLDER = 512 * 1024 * 1024
"""Bytes free in /dev/shm from which on etcd may live there (containers often have 64 MiB)."""


class ServerExited(Exception):  # noqa: N818
    """A server ended although nobody asked it to; ``log_tail`` is the end of what it wrote."""

    def __init__(self, name: str, status: int | None, log_tail: str) -> None:
        super().__init__(f"{name} exited with status {status}; the end of its log:\n{log_tail}")
        self.log_tail = log_tail


class Processes:
    """A folder in memory where there is enough, and the processes in it, kept by a keeper process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rollupdate-plane-", dir=memory_folder()))
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.started: list[str] = []
        """Names of the servers that should be running."""
        self._lock = threading.Lock()
        try:
            self._keeper = subprocess.Popen(
                # -I and -S: standard library only, and it starts in 20 ms.
                [sys.executable, "-I", "-S", keeper.__file__, str(self.folder), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def keeper_pid(self) -> int:
        """Process id of the keeper."""
        return self._keeper.pid

    def start(self, name: str, argv: Sequence[str]) -> int:
        """Start a server whose output goes to its log; gives the process id."""
        answer = self._ask(do="start", name=name, argv=list(argv), log=str(self.log(name)))
        self.started.append(name)
        return int(answer["pid"])

    def stop(self, name: str, *, kill: bool = False) -> None:
        """End one server and wait until it is gone."""
        self.started.remove(name)
        self._ask(do="stop", name=name, signal=int(signal.SIGKILL if kill else signal.SIGTERM))

    def stop_all(self) -> None:
        """End all servers at once, for a fresh attempt on other ports."""
        for name in reversed(self.started.copy()):
            self.stop(name, kill=True)
            self.log(name).unlink()  # or the next attempt seems to fail as this one did

    def pid(self, name: str) -> int:
        """Process id of a server."""
        return int(self._ask(do="status", name=name)["pid"])

    def check(self, name: str) -> None:
        """Raise :class:`ServerExited` unless the server is running."""
        answer = self._ask(do="status", name=name)
        if answer["exit"] is not None:
            raise ServerExited(name, answer["exit"], tail(self.log(name)))

    def log(self, name: str) -> Path:
        """Where a server's output goes."""
        return self.logs / f"{name}.log"

    def tails(self) -> str:
        """The ends of all logs, for an error message."""
        return "\n".join(f"--- {name}\n{tail(self.log(name))}" for name in self.started)

    def close(self) -> None:
        """End everything and remove the folder. May be called more than once."""
        assert self._keeper.stdin is not None
        with contextlib.suppress(OSError):
            self._keeper.stdin.close()
        try:
            self._keeper.wait(30)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, **command: Any) -> dict[str, Any]:
        stdin, stdout = self._keeper.stdin, self._keeper.stdout
        assert stdin is not None and stdout is not None
        with self._lock:
            try:
                stdin.write(json.dumps(command).encode() + b"\n")
                stdin.flush()
                line = stdout.readline()
            except (OSError, ValueError) as error:
                raise RuntimeError("the process that keeps the control plane is gone") from error
        if not line:
            raise RuntimeError("the process that keeps the control plane is gone")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(str(answer["error"]))
        return answer


def memory_folder() -> str | None:
    """A folder in memory for etcd's data (each write waits for fsync), or None for the usual temp folder."""
    candidate = Path("/dev/shm")
    with contextlib.suppress(OSError):
        if (
            os.access(candidate, os.W_OK | os.X_OK)
            and shutil.disk_usage(candidate).free > _ENOUGH_MEMORY_FOLDER
        ):
            return str(candidate)
    return None


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now. Another process may take one before its server does: retry then."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for bound in sockets:
            bound.bind(("127.0.0.1", 0))
        return [int(bound.getsockname()[1]) for bound in sockets]


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a text file; empty where it can't be read."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
