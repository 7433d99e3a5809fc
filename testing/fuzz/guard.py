"""What no input may bring about: a hang, too much memory, a write to a disk, a connection, a process.

Seen by an audit hook of the interpreter, so that nothing has to be replaced in the code under test.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

MEMORY = 200
"""MiB that the command may have at the most, all in all."""
OWN = 75
"""MiB of these that it has before it has seen any input."""
CPU_SECONDS = 20.0
"""For one input: hundreds of times what the slowest one needs."""
WALL_SECONDS = 300.0
"""The same for code that no signal gets through to; the machine may be busy."""
_CHANGING = {
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.symlink",
    "os.kill",
    "os.killpg",
    "os.system",
}


class DefectError(BaseException):
    """The input has found something. No ``except Exception`` of the code under test may catch it."""


def peak() -> int | None:
    """MiB that this process has had at most; None where the system does not tell."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(found[1]) // 1024 if found else None


class Guard:
    """One for a process: an audit hook cannot be taken off again."""

    def __init__(self) -> None:
        self._active = False
        self._wrote = ""
        sys.addaudithook(self._audit)
        signal.signal(signal.SIGVTALRM, _hangs)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Around one input. Raises DefectError."""
        self._wrote = ""
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = peak()
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
        faulthandler.dump_traceback_later(WALL_SECONDS, exit=True)
        self._active = True
        try:
            yield
        finally:
            self._active = False
            faulthandler.cancel_dump_traceback_later()
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if self._wrote:
            raise DefectError(f"it writes: {self._wrote}")
        now = peak()
        if before is not None and now is not None and now - before > MEMORY - OWN:
            raise DefectError(f"it takes {now - before} MiB on top of what there was")

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        # What an input may well ask for is refused, as a system may refuse it.
        if event == "socket.connect":
            raise ConnectionRefusedError(111, "Connection refused")
        if event == "socket.getaddrinfo":
            raise socket.gaierror(-2, "Name or service not known")
        if event in ("subprocess.Popen", "os.posix_spawn", "os.exec"):
            raise FileNotFoundError(2, "No such file or directory")
        # What it may not.
        if event in _CHANGING or (event == "open" and _is_writing(arguments)):
            self._wrote = f"{event} {arguments!r:.200}"


def _is_writing(arguments: tuple[Any, ...]) -> bool:
    path, mode, flags = arguments
    if path == os.devnull or isinstance(path, int):
        return False
    if isinstance(mode, str):
        return any(each in mode for each in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _hangs(_signal: int, _frame: object) -> None:
    raise DefectError(f"it takes more than {CPU_SECONDS:g} s of CPU time")


Feed = Callable[[bytes], None]
