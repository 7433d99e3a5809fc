"""Signals: the command stops between two writes, never in the middle of one."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from rollupdate.errors import InterruptedBySignal

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SAME = 0.5
"""Seconds: signals closer than that are one. ``timeout`` sends its signal to the command and to its group."""


class Interruption:
    """Turns SIGINT, SIGTERM and SIGHUP into :class:`~rollupdate.errors.InterruptedBySignal`, raised in the
    main thread.

    Inside :meth:`shield` the exception waits for the end of the block; a second signal does not wait. After
    :meth:`conclude` there is nothing left to be interrupted.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds."""
        self._clock = clock
        self._at = float("-inf")
        """When a signal came last that is not the same as the one before."""
        self._shielded = False
        self._pending: int | None = None
        self._concluded = False
        self._otherwise = sys.unraisablehook

    def install(self) -> None:
        before = getattr(self._otherwise, "__self__", None)
        if isinstance(before, Interruption):  # of an earlier run in this process
            self._otherwise = before._otherwise
        _handle_all(self._handle)
        sys.unraisablehook = self._lost

    def conclude(self) -> None:
        """All that is left is to say how it ended: another signal does not turn up in the middle of that, but
        ends the process."""
        self._concluded = True

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        now = self._clock()
        if now - self._at < SAME:
            return
        self._at = now
        if self._concluded:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        waits = self._shielded and self._pending is None
        self._pending = number
        if not waits:
            self._raise_pending()

    @contextmanager
    def shield(self) -> Iterator[None]:
        self._raise_pending()  # what was raised in a finalizer has been lost
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
            self._raise_pending()  # however the block has ended

    def _raise_pending(self) -> None:
        if self._pending is not None:
            raise InterruptedBySignal(signal.Signals(self._pending).name)

    def _lost(self, told: UnraisableHookArgs) -> None:
        """Raised where Python lets nothing through (a finalizer, a callback of the import system), it would
        end up as a traceback on standard error, and the wait that it was to end would go on."""
        if not isinstance(told.exc_value, InterruptedBySignal):
            self._otherwise(told)
        elif not self._concluded and self._pending is not None:
            self._at = float("-inf")
            again = threading.Timer(0.01, _send_to_main, (self._pending,))
            again.daemon = True
            again.start()


def _send_to_main(number: int) -> None:
    """So that it ends what the main thread waits for, too."""
    ident = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and ident is not None:
        signal.pthread_kill(ident, number)
    else:  # Windows
        signal.raise_signal(number)


def leave(status: int) -> None:
    """The last word has been said, so from now on a signal only hastens the end, with that exit status."""
    _handle_all(lambda _number, _frame: os._exit(status))


def _handle_all(handler: Callable[[int, FrameType | None], Any]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
