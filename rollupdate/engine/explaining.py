"""What is told while an update waits: the reason, soon, and again before a log has been quiet for too long.

Jobs of many CI systems are ended if they print nothing for ten minutes. A line that was told is told again
after a minute, then at doubling distances up to five minutes.
"""

from __future__ import annotations

from collections.abc import Callable

from rollupdate.core.phases.session import Session
from rollupdate.core.phases.steps import Wait
from rollupdate.events import Event, Waiting

EXPLAIN_AFTER = 10.0
"""Seconds without progress after which a wait is told of whose cause is not known."""
EXPLAIN_KNOWN = 3.0
"""The same of a wait whose way out is known, as of a budget that lets no pod go."""
FIRST_REMINDER, LAST_REMINDER = 60.0, 300.0
"""Seconds from a line to its first repetition, and between two later ones at the most."""


class Reminder:
    """When a line is due again. Clock seconds."""

    def __init__(self) -> None:
        self._distance = FIRST_REMINDER
        self._due: float | None = None

    def told(self, now: float) -> None:
        """For the first time: the distances start anew."""
        self._distance = FIRST_REMINDER
        self._due = now + FIRST_REMINDER

    def again(self, now: float) -> bool:
        """Whether it is to be told again; if so, the next distance is longer."""
        if self._due is None or now < self._due:
            return False
        self._distance = min(2 * self._distance, LAST_REMINDER)
        self._due = now + self._distance
        return True


class Explainer:
    """Of one run. It remembers what was told."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._told: tuple[str, str] | None = None
        self._reminder = Reminder()

    def explain(self, step: Wait, session: Session, now: float) -> None:
        """Say why it waits: at once if the cause is known, else after a while; again when it changes, and
        from time to time as long as it does not. What is sure to happen at a known time is told as late as a
        reminder."""
        quiet, diagnosis = now - session.progress_at, session.diagnosis
        cause = diagnosis.text if step.until is None else None
        sure = step.until is not None and not step.again
        after = EXPLAIN_KNOWN if step.advice is not None else EXPLAIN_AFTER
        if cause is None and quiet < (FIRST_REMINDER if sure else after):
            return
        told = (diagnosis.fingerprint if cause else "", "" if cause else step.reason)
        if told != self._told:
            self._told = told
            self._reminder.told(now)
        elif not self._reminder.again(now):
            return
        reason = "; ".join(text for text in (step.reason, cause) if text)
        self._tell(Waiting(reason, quiet, session.staying.available_in(now)))
