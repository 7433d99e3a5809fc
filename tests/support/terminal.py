"""A terminal with somebody in front of it: a command runs in it, and what the screen shows can be read."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pyte


class Terminal:
    """One command in a session of its own, its standard streams a terminal of that size (``stdout``: or
    something else). Nothing is shown but what the command writes."""

    def __init__(
        self,
        words: list[str],
        environment: dict[str, str],
        folder: Path,
        *,
        columns: int = 100,
        rows: int = 50,
        stdout: IO[bytes] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        """Everything that came, escape sequences included."""
        self._master, slave = pty.openpty()
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self._set_size(slave, columns, rows)
        self._process = subprocess.Popen(
            words,
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
            cwd=folder,
            start_new_session=True,
            preexec_fn=self._take_terminal,
        )
        os.close(slave)

    @staticmethod
    def _take_terminal() -> None:
        """Ctrl-C and Ctrl-Z are for whoever has the terminal."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    @staticmethod
    def _set_size(descriptor: int, columns: int, rows: int) -> None:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def lines(self) -> list[str]:
        """What the screen shows, the empty lines at its end left out."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().splitlines()

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._set_size(self._master, columns, rows)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, reached: Callable[[list[str]], bool], what: str, seconds: float = 60.0) -> list[str]:
        """Read along until the screen shows it; fail the test with ``what`` where it never does."""
        limit = time.monotonic() + seconds
        while not reached(self.lines):
            assert time.monotonic() < limit, f"not within {seconds} s: {what}\n" + "\n".join(self.lines)
            if not self.read(0.1):
                assert reached(self.lines), f"ended before: {what}\n" + "\n".join(self.lines)
        return self.lines

    def end(self, seconds: float = 120.0) -> int:
        """Read to the end; the exit status."""
        limit = time.monotonic() + seconds
        while self.read(0.1):
            assert time.monotonic() < limit, f"no end within {seconds} s\n" + "\n".join(self.lines)
        return self._process.wait(10)

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        os.close(self._master)

    def read(self, seconds: float) -> bool:
        """What has come by then; False where nothing more will."""
        # poll, not select: a test run may well have more than 1,024 descriptors open.
        if not self._poll.poll(seconds * 1000):
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: the last of those who had it open has closed it
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)
