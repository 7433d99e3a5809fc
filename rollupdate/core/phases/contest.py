"""Another client (an autoscaler, or the controller's owner) puts a size back, again and again.

A scale-down that is undone at once only costs pods. After a few turns the update waits longer each time
before it scales that controller, and says so once. It goes on as soon as the size stays. A smaller size that
is set again counts once: else the target would sink with each turn, down to no pod at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import SCALED_BY
from rollupdate.core.phases.steps import Effect, FindScaler, Patch, Step, Wait

TURNS = 3
"""So often a size is set again at once: whoever has scaled by hand does not do it again."""
SHORTEST, LONGEST = 2.0, 30.0
"""Seconds from the moment that a size was put back until it is set again: doubled with each turn."""


@dataclass(frozen=True)
class Contest:
    """What this client remembers of it."""

    controller: str = ""
    """Whose size was put back last."""
    turns: int = 0
    """How often one was."""
    at: float = 0.0
    """Clock seconds, of the last turn."""
    by: str | None = None
    """Who does it, as far as that is known; None: not looked for yet."""
    sizes: frozenset[tuple[str, int]] = frozenset()
    """To what another client has set a controller last, by name."""

    def repeated(self, controller: Controller) -> bool:
        """Whether another client has set it to the same size before."""
        return (controller.name, controller.replicas) in self.sizes

    @property
    def patient(self) -> bool:
        """The few turns are over."""
        return self.turns >= TURNS

    @property
    def due(self) -> float:
        """When the size may be set again."""
        return self.at + min(LONGEST, SHORTEST * float(2 ** min(self.turns - TURNS, 10)))

    @property
    def reason(self) -> str:
        return f"{self.by or 'another client'} changes the size of {self.controller} back again and again"


NO_CONTEST = Contest()


def is_put_back(step: Patch) -> bool:
    """Whether that write notes a size that another client has set, and that leaves the goal as it is."""
    annotations = step.desired["metadata"].get("annotations") or {}
    unchanged = annotations.get(SCALED_BY, "0") == str(step.controller.record.scaled_by)
    return Effect.NOTE_SCALING in step.effect and unchanged


def noted(contest: Contest, step: Patch, now: float) -> Contest:
    """What is remembered once ``step`` is carried out, at ``now`` (clock seconds)."""
    if Effect.NOTE_SCALING not in step.effect:
        return contest
    name = step.controller.name
    others = {(other, size) for other, size in contest.sizes if other != name}
    contest = replace(contest, sizes=frozenset({*others, (name, step.controller.replicas)}))
    if not is_put_back(step):
        return contest
    by = contest.by if contest.controller in ("", name) else None
    return replace(contest, controller=name, turns=contest.turns + 1, at=now, by=by)


def held_off(contest: Contest, step: Step, now: float, *, limit: float) -> Step | None:
    """What is done instead of ``step``, if that would set the size again too early. ``limit``: clock seconds;
    no wait lasts longer."""
    sizes = (Effect.SCALE_UP, Effect.SCALE_DOWN, Effect.SCALE_DOWN | Effect.EVICT)
    if not isinstance(step, Patch) or step.effect not in sizes:
        return None
    if not contest.patient or step.controller.name != contest.controller:
        return None
    if contest.by is None:
        return FindScaler(controller=step.controller)
    return Wait(reason=contest.reason, until=min(contest.due, limit)) if now < contest.due else None
