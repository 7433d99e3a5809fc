"""The work queue of a controller: keys in, one call a key a little later, never two at a time for one key.

So a controller is level triggered: it hears that something about a key changed, not what.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from testing.sandbox.clock import Clock

Latency = tuple[float, float]
"""Shortest and longest, in seconds."""

_FIRST_BACK_OFF = 0.005
_LONGEST_BACK_OFF = 1000.0

Finish = Callable[[bool], None]


class WorkQueue:
    """``work`` gets a key, and a function to call when done: with False, it is tried again, backing off."""

    def __init__(
        self, clock: Clock, rng: random.Random, latency: Latency, work: Callable[[str, Finish], None]
    ) -> None:
        self.latency = latency
        self._clock = clock
        self._rng = rng
        self._work = work
        self._queued: set[str] = set()
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._failures: dict[str, int] = {}
        self._paused = False

    def add(self, key: str) -> None:
        """Have the key looked at soon; no effect if it will be anyhow."""
        if key in self._busy:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            if not self._paused:
                self._clock.schedule(self._rng.uniform(*self.latency), lambda: self._run(key))

    def add_after(self, key: str, delay: float, *, background: bool = False) -> None:
        """``background``: for a deadline, which nobody waits for."""
        self._clock.schedule(delay, lambda: self.add(key), background=background)

    def pause(self) -> None:
        """Stop working, as if the controller were gone."""
        self._paused = True

    def resume(self) -> None:
        """Go on, with all that came meanwhile."""
        self._paused = False
        queued, self._queued = self._queued, set()
        for key in sorted(queued):
            self.add(key)

    def _run(self, key: str) -> None:
        if self._paused or key not in self._queued or key in self._busy:
            return
        self._queued.discard(key)
        self._busy.add(key)
        self._work(key, lambda done: self._finish(key, done))

    def _finish(self, key: str, done: bool) -> None:
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        if done:
            self._failures.pop(key, None)
            return
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(_FIRST_BACK_OFF * 2 ** min(failures, 30), _LONGEST_BACK_OFF))
