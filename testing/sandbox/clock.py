"""Time, and the queue of what is to be done when. What is done is others' business.

The same queue runs under a fake clock, which only moves when told to, and under the real one. Whoever reads
or changes the world holds ``lock``; queued actions run with it held.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

Action = Callable[[], None]
_log = logging.getLogger(__name__)

# Any instant does, as long as it stays the same from run to run.
_FAKE_EPOCH = 1_700_000_000.0


class Scheduled:
    """One queued action. ``background`` ones (timeouts, bookmarks) don't keep ``settle`` going."""

    __slots__ = ("action", "background", "cancelled", "due")

    def __init__(self, due: float, action: Action, background: bool) -> None:
        self.due = due
        self.action = action
        self.background = background
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock(ABC):
    """Seconds since the start, and actions queued for later."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._queue: list[tuple[float, int, Scheduled]] = []
        self._order = itertools.count()

    @abstractmethod
    def now(self) -> float:
        """Seconds since the start, monotonic."""

    @abstractmethod
    def wall(self) -> float:
        """Seconds since 1970, for timestamps."""

    def schedule(self, delay: float, action: Action, *, background: bool = False) -> Scheduled:
        """Run ``action`` in ``delay`` seconds. Actions due at the same time run in the order they came."""
        scheduled = Scheduled(self.now() + max(delay, 0.0), action, background)
        with self.lock:
            heapq.heappush(self._queue, (scheduled.due, next(self._order), scheduled))
        return scheduled

    def _next(self) -> Scheduled | None:
        """What is due next, still queued."""
        queue = self._queue
        while queue and queue[0][2].cancelled:
            heapq.heappop(queue)
        return queue[0][2] if queue else None

    def close(self) -> None:
        """Nothing runs any more after this."""
        with self.lock:
            self._queue.clear()


class FakeClock(Clock):
    """Stands still until somebody advances it. Not for more than one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return _FAKE_EPOCH + self._now

    def run_next(self) -> bool:
        """Move to what is due next and do it. False when nothing is queued."""
        scheduled = self._next()
        if scheduled is None:
            return False
        heapq.heappop(self._queue)
        self._now = max(self._now, scheduled.due)
        scheduled.action()
        return True

    def advance(self, seconds: float) -> None:
        """Do all that is due within ``seconds``, and end exactly then."""
        self.advance_until(lambda: False, seconds)

    def advance_until(self, predicate: Callable[[], bool], limit: float) -> bool:
        """Advance until ``predicate`` holds, looking after every action; at most ``limit`` seconds."""
        end = self._now + limit
        while not predicate():
            scheduled = self._next()
            if scheduled is None or scheduled.due > end:
                self._now = max(self._now, end)
                return predicate()
            self.run_next()
        return True

    def settle(self, limit: float) -> bool:
        """Advance until nothing is queued but background work; False if that takes ``limit`` seconds."""
        end = self._now + limit
        while any(not entry.background and not entry.cancelled for _, _, entry in self._queue):
            scheduled = self._next()
            if scheduled is None or scheduled.due > end:
                self._now = end
                return False
            self.run_next()
        return True


class RealClock(Clock):
    """Runs the queue in one thread, from creation to :meth:`close`."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()
        self._changed = threading.Condition(self.lock)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sandbox-clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        return time.monotonic() - self._started

    def wall(self) -> float:
        return time.time()

    def schedule(self, delay: float, action: Action, *, background: bool = False) -> Scheduled:
        with self._changed:
            scheduled = super().schedule(delay, action, background=background)
            self._changed.notify()
        return scheduled

    def close(self) -> None:
        with self._changed:
            self._closed = True
            super().close()
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                scheduled = self._next()
                wait = None if scheduled is None else scheduled.due - self.now()
                if scheduled is None or (wait is not None and wait > 0):
                    self._changed.wait(wait)
                    continue
                heapq.heappop(self._queue)
                try:
                    scheduled.action()
                except Exception:
                    # One broken action must not stop the world for everybody else.
                    _log.exception("scheduled action failed")
