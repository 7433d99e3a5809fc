"""What a client remembers of the pods that it evicts: a part of its :class:`~.session.Session`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rollupdate.core.model import record
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.steps import Effect, Patch, TouchPods


@dataclass(frozen=True)
class Objection:
    """What the server has against an eviction, in its words: what a budget says, or why it cannot now."""

    why: str
    rest: float = 0.0
    """Seconds that it is to be left alone at the least."""
    in_vain: bool = False
    """It only was another pod by then, as often happens once."""


@dataclass(frozen=True)
class Refused:
    """An eviction, for that reason, and when (clock seconds)."""

    objection: Objection
    at: float

    @property
    def why(self) -> str:
        return self.objection.why

    def until(self, pause: float) -> float:
        """Before that it is too early to ask again (clock seconds). ``pause``: seconds between two looks."""
        return self.at + max(pause, self.objection.rest)


MOST_MISSED = 3
"""So often in a row it is no wonder that a pod is another one by then."""


@dataclass(frozen=True)
class EvictionMemory:
    held: frozenset[tuple[str, int]] = frozenset()
    """Controllers (uid, generation) of which the manager has observed a hold that has not ended since."""
    holding: tuple[str, int] | None = None
    """The controller (uid, generation) that this client has held last and not let go."""
    taken_off: int = 0
    """How often in a row another client has done that."""
    refuses_pods: bool = False
    """A controller that was held for evictions was seen to be refused a pod."""
    at: float | None = None
    """When a pod was evicted last."""
    size: int = 0
    """That the controller was last held at."""
    going: int = 0
    """Pods evicted that the size of their controller still counts."""
    left: int | None = None
    """Pods of it after the last eviction; None if they were not listed before it."""
    unrefused_since: float | None = None
    """Since when the manager has counted what is gone without having been refused a pod in its place."""
    in_vain: int = 0
    """How often in a row that size was none the smaller."""
    missed: int = 0
    """How often in a row all that were to be evicted were other pods by then."""
    refused: Refused | None = None
    """The last refusal."""
    touched_sizes: tuple[tuple[str, int], ...] | None = None
    """The sizes (uid, pods) with which the budgets were made to be counted last."""
    untouchable: bool = False
    """This client may not write to pods."""

    def knows_held(self, controller: Controller) -> bool:
        """Whether the manager makes no pods of it, as it has observed this hold."""
        known = (controller.uid, controller.generation) in self.held
        return controller.evicting and (controller.observed or known)

    def observe(self, controllers: Iterable[Controller], now: float) -> EvictionMemory:
        """After a look at ``controllers``, at ``now`` (clock seconds)."""
        found = list(controllers)
        held = frozenset((one.uid, one.generation) for one in found if self.knows_held(one))
        refuses = self.refuses_pods or any(one.evicting and one.proven for one in found)
        since = None
        if self.going and any(map(_unrefused, found)):
            since = now if self.unrefused_since is None else self.unrefused_since
        seen = replace(self, held=held, refuses_pods=refuses, unrefused_since=since)
        if not any(map(self._is_taken_off, found)):
            return seen
        return replace(seen, holding=None, taken_off=self.taken_off + 1, going=0, in_vain=0)

    def _is_taken_off(self, controller: Controller) -> bool:
        if self.holding is None or controller.held:
            return False
        uid, generation = self.holding
        return controller.uid == uid and controller.generation > generation

    def written(self, step: Patch) -> EvictionMemory:
        """Once that write is carried out. A hold that was known stays known over a write that was conditional
        on it."""
        before, after = step.controller, step.desired
        if not step.effect & (Effect.EVICT | Effect.EVICTED):
            return self
        size, written = after["spec"]["replicas"], before.generation + (after["spec"] != before.raw["spec"])
        held = frozenset(one for one in self.held if one[0] != before.uid)
        if Effect.EVICT in step.effect and self.knows_held(before):
            held |= {(before.uid, written)}
        holding = (before.uid, written) if Effect.EVICT in step.effect else None
        memory = replace(self, held=held, holding=holding, size=size)
        chosen = (after["metadata"].get("annotations") or {}).get(record.EVICTING, "{}")
        were = (before.record.evicting or Evictions()).names
        if were <= Evictions.decode(chosen).names:
            return memory
        if size < before.replicas:
            return replace(memory, going=0, in_vain=0, taken_off=0)
        return replace(memory, going=0, in_vain=self.in_vain + (self.going > 0))

    def evicted(
        self, pods: int, objection: Objection | None, now: float, left: int | None = None
    ) -> EvictionMemory:
        """After evictions: so many were done; ``objection``: what the server has against others."""
        missed = self.missed + 1 if objection is not None and objection.in_vain else 0
        if 0 < missed < MOST_MISSED:
            objection = None
        return replace(
            self,
            at=now if pods else self.at,
            going=self.going + pods,
            left=left if pods else self.left,
            missed=missed,
            refused=None if objection is None else Refused(objection, now),
        )

    def touched(self, step: TouchPods, *, allowed: bool) -> EvictionMemory:
        return replace(
            self,
            touched_sizes=step.sizes or self.touched_sizes,
            untouchable=self.untouchable or not allowed,
        )


def _unrefused(controller: Controller) -> bool:
    """It is held, and the manager has counted less pods than it asks for, but was refused none."""
    lacks = controller.observed and controller.current < controller.replicas
    return controller.evicting and lacks and not controller.failure


NOTHING_EVICTED = EvictionMemory()
