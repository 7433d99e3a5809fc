"""Pods that are ready and only have to stay so (``minReadySeconds``): waiting for them is no standstill.

A status has counts, not times. A pod is due ``minReadySeconds`` after this client has seen more pods of its
controller ready than ever before. A pod that is ready again and again makes them no more than before, so it
does not keep an update waiting for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rollupdate.core.model.controller import Controller


@dataclass(frozen=True)
class Readiness:
    """The most pods of one controller that were seen ready, and since when. Clock seconds."""

    uid: str
    most: int
    since: float


@dataclass(frozen=True)
class Staying:
    """What is remembered of pods that have to stay ready."""

    seen: tuple[Readiness, ...] = ()
    until: float | None = None
    """When the ready pods of the growing controller are (or were) due to be available, clock seconds; None if
    no pod has had to stay ready."""
    now: bool = False
    """Some have to at the last look."""

    def observe(self, growing: Controller, controllers: Iterable[Controller], now: float) -> Staying:
        """After a look at ``controllers``; the pods of ``growing`` are waited for."""
        before = {readiness.uid: readiness for readiness in self.seen}
        seen = {
            controller.uid: _most(before.get(controller.uid), controller, now) for controller in controllers
        }
        if growing.staying_ready and growing.uid in seen:
            due = seen[growing.uid].since + growing.min_ready_seconds
            until = due if self.until is None else max(due, self.until)
            return Staying(tuple(seen.values()), until, now=True)
        over = None if self.until is None else min(self.until, now)
        return Staying(tuple(seen.values()), over, now=False)

    def more_ready(self, growing: Controller, before: Staying) -> bool:
        """Whether more pods of ``growing`` are ready than at any look up to ``before``."""
        known = (self._most(growing), before._most(growing))
        return None not in known and known[0] != known[1]

    def _most(self, controller: Controller) -> int | None:
        return next((seen.most for seen in self.seen if seen.uid == controller.uid), None)

    def idle_since(self, progress_at: float, now: float) -> float:
        """Since when nothing is under way. ``progress_at``: when something moved last."""
        return progress_at if self.until is None else max(progress_at, min(self.until, now))

    def available_in(self, now: float) -> float | None:
        """Seconds until the ready pods are available; None if none has to stay ready, or it is overdue."""
        due = self.until if self.now else None
        return None if due is None or due <= now else due - now


NONE_STAYS = Staying()


def _most(before: Readiness | None, controller: Controller, now: float) -> Readiness:
    if before is None:
        return Readiness(controller.uid, controller.ready, now)
    return before if controller.ready <= before.most else replace(before, most=controller.ready, since=now)
