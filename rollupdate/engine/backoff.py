"""What to do about a server that does not answer, or not now: wait longer each time, say so, and give up.

Nothing is repeated here but looks. Whether a write took effect is found out by looking (``update``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from rollupdate.ahead import Ahead
from rollupdate.engine.explaining import Reminder
from rollupdate.engine.ports import Clock
from rollupdate.errors import ApiError, ClusterError, StoppedError, UnreachableError
from rollupdate.events import ApiReachable, ApiUnreachable, Event, Waiting
from rollupdate.pauses import pause

_T = TypeVar("_T")


class Retry(Protocol):
    """Repeats a look while the server asks for patience."""

    def __call__(self, look: Callable[[], _T], /) -> _T: ...


FIRST_TRIES = 5
"""How often the server is looked for before the command gives up, as long as it has never answered."""
MANY_CONFLICTS = 6
"""Writes refused in a row after which the reason is told: it is no longer others who are just quicker."""
SAME_REFUSALS = 3
"""So often in a row a write may be called invalid in the same words: then it was not another client that was
quicker, and no look will change it."""
SHORTEST_WAIT = 0.001
"""Seconds. Of two times, the rounding of the later one may leave a rest that no clock moves on by."""


def unreachable(error: ClusterError) -> bool:
    """No answer, or one from somewhere before the server: whether a write took effect is not known then."""
    return isinstance(error, UnreachableError) or (isinstance(error, ApiError) and error.is_transient)


def taken(ahead: Ahead[_T], look: Callable[[], _T], retry: Retry) -> _T:
    """The answer to a look that was begun ahead; if it failed for a moment, that of another one. Raises
    ClusterError."""
    try:
        return ahead.take()
    except ClusterError as error:
        if not passing(error):
            raise
    return retry(look)


def passing(error: ClusterError) -> bool:
    """Whether the same may well be answered otherwise in a moment."""
    return unreachable(error) or (
        isinstance(error, ApiError) and (error.is_conflict or error.is_already_exists or error.is_gone)
    )


class Backoff:
    """Of one run. ``timeout``: seconds (0: no limit) of what ``idle(now)`` says; ``jitter``: from 0 to 1."""

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[Event], None],
        timeout: float,
        idle: Callable[[float], float],
        jitter: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._timeout = timeout
        self._idle = idle
        self._jitter = jitter
        self._failures = 0
        """In a row."""
        self._refused = ("", 0)
        """The words in which a write was called invalid last, and how often in a row."""
        self._reminder = Reminder()
        self._unreachable_since: float | None = None
        self._answered = False
        """The server has answered at least once, whatever it was."""

    def handle(self, error: ClusterError) -> None:
        """Raise what is final; else wait a while, longer each time.

        Raises StoppedError where there was no progress for ``timeout``.
        """
        # Invalid and not found: whether that is final is seen by looking.
        looking = isinstance(error, ApiError) and (error.is_invalid or error.is_not_found)
        if not passing(error) and not looking:
            raise error
        if isinstance(error, ApiError) and error.is_invalid:
            words, times = self._refused
            self._refused = (error.text, times + 1 if error.text == words else 1)
            if self._refused[1] >= SAME_REFUSALS:
                raise error
        now = self._clock.now()
        idle = self._idle(now)
        if self._timeout and idle >= self._timeout:
            message = "timed out waiting for any update progress to be made"
            raise StoppedError(message, hint=error.message) from error
        self._failures += 1
        if unreachable(error):
            if self._unreachable_since is None:
                self._unreachable_since = now
            if self._failures == 2:
                self._reminder.told(now)
                self._tell(ApiUnreachable(error.message))
            elif self._failures > 2 and self._reminder.again(now):
                self._tell(ApiUnreachable(error.message))
        elif self._failures == 1:
            return  # a conflict: another client was quicker, observe at once
        elif self._failures == MANY_CONFLICTS:
            self._tell(Waiting(error.message, idle))
        self._clock.sleep(self._pause(error, idle))

    def _pause(self, error: ClusterError, idle: float) -> float:
        retry_after = error.retry_after if isinstance(error, ApiError) else None
        wanted = pause(self._failures, self._jitter(), retry_after)
        return min(wanted, max(SHORTEST_WAIT, self._timeout - idle)) if self._timeout else wanted

    def recovered(self) -> None:
        """The server has done what it was asked."""
        if self._unreachable_since is not None and self._failures >= 2:
            self._tell(ApiReachable(self._clock.now() - self._unreachable_since))
        self._failures, self._unreachable_since, self._answered = 0, None, True
        self._refused = ("", 0)

    def retry(self, look: Callable[[], _T]) -> _T:
        """A look before anything is written, repeated while the server asks for patience.

        Where there never was a server, that is said soon: it is more likely a wrong address than trouble.
        """
        while True:
            try:
                result = look()
            except ClusterError as error:
                if isinstance(error, ApiError) and not error.is_transient:
                    raise
                self._answered = self._answered or isinstance(error, ApiError)
                if not self._answered and self._failures >= FIRST_TRIES - 1:
                    raise
                self.handle(error)
            else:
                self.recovered()
                return result
