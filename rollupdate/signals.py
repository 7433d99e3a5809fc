"""Signals: the command stops between two writes, never in the middle of one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rollupdate.errors import InterruptedBySignal


class Interruption:
    """Turns SIGINT, SIGTERM and SIGHUP into :class:`~rollupdate.errors.InterruptedBySignal`, raised in the
    main thread.

    Inside :meth:`shield` the exception waits for the end of the block; a second signal does not wait.
    """

    def __init__(self) -> None:
        self._shielded = False
        self._pending: int | None = None

    def install(self) -> None:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
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
