"""A small process that owns the server processes of one plane, so that nothing outlives whoever started it.

It runs as a script of its own (standard library only, see :mod:`testing.controlplane.processes` for the
other end) and reads one JSON command a line from standard input: ``{"do": "start", "name", "argv", "log"}``,
``{"do": "stop", "name", "signal"}``, ``{"do": "status", "name"}``; each is answered by one JSON line. When
its standard input ends or its parent is gone (the owner was killed, even with SIGKILL), it ends the servers
and removes their folder.

Why a process and not a signal handler in the owner: no handler survives SIGKILL. Why not only
PR_SET_PDEATHSIG in the owner: it fires when the *thread* that started the child ends, which a test can't
promise; here there is only one thread. It is used below for the case that the keeper itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_PARENT_CHECK = 0.5
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The owner decides when it is over, not the terminal."""


class Keeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command; what went wrong is told in the answer's ``error``."""
        name = command["name"]
        if command["do"] == "start":
            return self._start(name, command["argv"], command["log"])
        child = self._children.get(name)
        if child is None:
            return {"error": f"{name} was never started"}
        if command["do"] == "stop":
            end([child], command.get("signal", signal.SIGTERM))
        return {"pid": child.pid, "exit": child.poll()}

    def close(self) -> None:
        """End the servers, the API server and its clients before etcd, and remove the folder."""
        children = list(self._children.values())
        # Nothing they hold is worth a graceful shutdown: the data goes with the folder.
        end(list(reversed(children)), signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, name: str, argv: list[str], log: str) -> dict[str, Any]:
        try:
            with Path(log).open("ab") as stream:
                self._children[name] = child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    cwd=self._folder,
                    preexec_fn=self._prepare_child,
                )
        except OSError as error:
            return {"error": f"{argv[0]}: {error.strerror}"}
        return {"pid": child.pid, "exit": None}

    def _prepare_child(self) -> None:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)  # an ignored signal stays ignored across exec
        if self._libc is not None:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def end(children: list[subprocess.Popen[bytes]], first_signal: int) -> None:
    """Signal ``children``, and kill what is still there after the grace period."""
    for child in children:
        if child.poll() is None:
            child.send_signal(first_signal)
    deadline = time.monotonic() + _GRACE
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main() -> None:
    """Serve commands until standard input ends or the parent is gone."""
    folder, owner = Path(sys.argv[1]), int(sys.argv[2])
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    keeper = Keeper(folder)
    pending = b""
    try:
        # The parent is checked too: a process forked by the owner keeps our standard input open.
        while os.getppid() == owner:
            readable, _, _ = select.select([0], [], [], _PARENT_CHECK)
            if not readable:
                continue
            data = os.read(0, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                reply = json.dumps(keeper.answer(json.loads(line))) + "\n"
                os.write(1, reply.encode())
    finally:
        keeper.close()
        with contextlib.suppress(OSError):
            os.close(1)


if __name__ == "__main__":
    main()
