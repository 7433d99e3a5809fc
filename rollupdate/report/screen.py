"""A few lines at the bottom of what a terminal shows, drawn and taken off again; whatever else is printed
meanwhile comes above them.

The cursor rests at the first column of the first of these lines. So taking them off is to erase from the
cursor on: no counting of lines, which would be wrong after the terminal was made narrower and wraps them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from types import FrameType
from typing import Any, TextIO, cast

_NO_WRAP, _WRAP, _ERASE = "\x1b[?7l", "\x1b[?7h", "\r\x1b[J"


class Screen:
    """The lines, on the terminal that ``stream`` is. Thread safe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = RLock()
        self._wanted: tuple[str, ...] = ()
        self._shown: tuple[str, ...] = ()
        self._broken = False

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        with suppress(OSError, ValueError):
            columns, rows = os.get_terminal_size(self._stream.fileno())
            if columns > 0 and rows > 0:
                return columns, rows
        return 80, 24

    def show(self, lines: Sequence[str]) -> None:
        """These instead of those before; nothing is written where they are the same. Each must fit."""
        with self._lock:
            self._wanted = tuple(lines)
            if self._wanted != self._shown:
                self._draw(self._wanted)

    @contextmanager
    def above(self) -> Iterator[None]:
        """The lines are off the screen, so that others can write there."""
        with self._lock:
            if self._shown:
                self._draw(())
            try:
                yield
            finally:
                if self._wanted:
                    self._draw(self._wanted)

    def _draw(self, lines: tuple[str, ...]) -> None:
        """With the lock held. In the background the terminal belongs to another process."""
        if self._broken or not self._in_foreground():
            return
        text = _ERASE
        if lines:
            up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            text += _NO_WRAP + "\r\n".join(lines) + f"\r{up}" + _WRAP
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._broken = True  # the terminal is gone; the command goes on
        self._shown = lines

    def _in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._stream.fileno()) == os.getpgrp()
        except (OSError, ValueError, AttributeError):
            return True  # not the terminal of this session: nobody else is there


class Above:
    """Stands for a stream of the same terminal: whole lines written here come above the view."""

    def __init__(self, stream: TextIO, screen: Screen) -> None:
        self._stream = stream
        self._screen = screen
        self._rest = ""

    def write(self, text: str) -> int:
        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            with self._screen.above():
                self._stream.write(whole + newline)
                self._stream.flush()
        return len(text)

    def flush(self) -> None:
        """Whole lines are flushed as they come; the beginning of one (a question) is shown now, too."""
        if self._rest:
            with self._screen.above():
                self.finish()
                self._stream.flush()

    def finish(self) -> None:
        """What has no end yet, when the view is off."""
        rest, self._rest = self._rest, ""
        if rest:
            self._stream.write(rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lines_above(screen: Screen) -> Iterator[None]:
    """Standard error, and standard output where that is a terminal, write above the view; in the end nothing
    is left of it. Ctrl-Z takes it off for as long as the command is suspended."""
    out, err = sys.stdout, sys.stderr
    streams = [Above(stream, screen) for stream in (out, err)]
    if out.isatty():
        sys.stdout = cast(TextIO, streams[0])
    sys.stderr = cast(TextIO, streams[1])
    restore = _handle_suspension(screen)
    try:
        yield
    finally:
        restore()
        screen.show(())
        sys.stdout, sys.stderr = out, err
        for shown in streams:
            with suppress(OSError, ValueError):
                shown.finish()


def _handle_suspension(screen: Screen) -> Any:
    number = getattr(signal, "SIGTSTP", None)
    if number is None or signal.getsignal(number) is not signal.SIG_DFL:
        return lambda: None

    def suspend(_number: int, _frame: FrameType | None) -> None:
        with screen.above():
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)  # returns when the command is continued
            signal.signal(number, suspend)

    signal.signal(number, suspend)
    return lambda: signal.signal(number, signal.SIG_DFL)
