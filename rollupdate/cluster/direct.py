"""Direct looks at objects that a watch should tell of: a proxy may accept a watch and deliver nothing.

While the engine waits and nothing comes, the objects are read after 1, 2, 4 ... seconds. A read that finds
news makes the watch distrusted: reads then come soon after each change, until the watch delivers again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from rollupdate.errors import ClusterError, RollingUpdateError

FIRST, SOON = 1.0, 0.25
"""Seconds without news after which the objects are read: as long as the watches are trusted, and if not.
Doubled with each read that finds nothing, up to the interval for polling."""


class Looked(Protocol):
    """What the reads are for (see WatchedMirror)."""

    def look(self, name: str) -> bool:
        """Reads the object. True if that was news. Raises RollingUpdateError."""
        ...

    def fail(self, error: RollingUpdateError) -> None: ...


class DirectLooks:
    """A thread of its own, as the engine waits in the main one. ``names``: those that are watched now."""

    def __init__(self, looked: Looked, names: Callable[[], Iterable[str]], poll_interval: float) -> None:
        self._looked, self._names = looked, names
        self._longest = max(poll_interval, SOON)
        self._state = threading.Condition()
        self._awaited = False
        self._closed = False
        self._distrusted: set[str] = set()
        self._reads = 0
        """In a row, without news."""
        self._last = time.monotonic()
        """When the last news or the last read was."""
        self._thread = threading.Thread(target=self._run, name="direct looks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._state:
            self._closed = True
            self._state.notify_all()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    # --- what happens ---

    def awaited(self, *, now: bool) -> None:
        """Whether the engine waits for something to change."""
        with self._state:
            self._awaited = now
            if now:
                self._state.notify_all()

    def news(self) -> None:
        """Something has changed, however that became known."""
        with self._state:
            self._reads, self._last = 0, time.monotonic()

    def delivered(self, name: str) -> None:
        """The watch of ``name`` has delivered something."""
        if name in self._distrusted:
            with self._state:
                self._distrusted.discard(name)

    # --- in the thread ---

    def _run(self) -> None:
        try:
            while self._is_due():
                for name in self._names():
                    self._look(name)
        except Exception as error:  # the update would wait for ever: a bug here must not pass in silence
            problem = ClusterError(f"looking at the controllers failed: {type(error).__name__}: {error}")
            problem.__cause__ = error
            self._looked.fail(problem)

    def _is_due(self) -> bool:
        """Waits until the next read is due. False once it is all over."""
        with self._state:
            while not self._closed:
                left = self._last + self._pause() - time.monotonic()
                if self._awaited and left <= 0:
                    self._reads, self._last = self._reads + 1, time.monotonic()
                    return True
                self._state.wait(left if self._awaited else None)
            return False

    def _pause(self) -> float:
        first = SOON if self._distrusted else FIRST
        return min(first * 2.0 ** min(self._reads, 10), max(self._longest, first))

    def _look(self, name: str) -> None:
        try:
            found = self._looked.look(name)
        except RollingUpdateError:
            return  # the watch meets the same, and says so if it lasts
        if found:
            with self._state:
                self._distrusted.add(name)
