"""Updates whose old pods are evicted, disturbed as any others: floor, ceiling, and which pods come and go."""

from __future__ import annotations

from dataclasses import dataclass, field

from testing.chaos.arena import Arena
from testing.chaos.stories import NAME, NEW, OLD, UPDATE, Story, controller
from testing.objects import Json

SIZE = 3
EVICT = (*UPDATE, "--evict")
BACK = (*EVICT, "--rollback")
TIGHT: Json = {"minAvailable": SIZE}
"""The specification of a budget that lets one pod go at a time, and only where there is one more."""


@dataclass(frozen=True)
class Eviction(Story):
    """``budget``: what a PodDisruptionBudget of the pods says, if there is one."""

    size: int = SIZE
    former: tuple[str, ...] = EVICT
    varies: bool = True
    """An eviction that follows another one at once needs no hold of its own."""
    budget: Json | None = field(default=None, repr=False)

    def prepare(self, arena: Arena) -> None:
        if self.budget is not None:
            _guard(arena, self.budget)
        super().prepare(arena)
        arena.watch_pods()

    def assert_ended(self, arena: Arena, *, turned: bool = False) -> None:
        """Also: never less ready pods than the update begins with, nor more than one more; none came again of
        the version that goes, none went of the one that stays, and the manager deleted none."""
        super().assert_ended(arena, turned=turned)
        seen = arena.seen()
        assert (seen.fewest_ready >= SIZE, seen.most <= SIZE + 1) == (True, True), seen
        goes, stays = (NEW, OLD) if self.goes_back != turned else (OLD, NEW)
        gone, come = ([came for each, came in seen.course if each == image] for image in (goes, stays))
        # A pod that a killed run has asked for may come late.
        assert gone == sorted(gone, reverse=True), f"{goes} came again: {gone}"
        assert turned or self.begun or not any(gone), f"{goes} came again: {gone}"
        turn = come.index(False) if turned and False in come else 0
        assert come[turn:] == sorted(come[turn:]), f"{stays} went again: {come}"
        assert turned or all(come), f"{stays} went: {come}"
        assert not (deleted := _deleted(arena)), f"the manager has deleted {deleted}"


def _guard(arena: Arena, spec: Json) -> None:
    selected = {**spec, "selector": {"matchLabels": {"app": "nginx"}}}
    arena.create({"kind": "PodDisruptionBudget", "metadata": {"name": "guard"}, "spec": selected})


def _deleted(arena: Arena) -> list[str]:
    """The pods that it says it has deleted."""
    events = arena.call("GET", arena.path("events"))["items"]
    return [event["message"] for event in events if event["reason"] == "SuccessfulDelete"]


_BARE = controller(NAME, OLD, SIZE)
EVICTIONS = (
    Eviction("old pods evicted", EVICT, _BARE),
    Eviction("old pods evicted, under a budget", EVICT, _BARE, budget=TIGHT),
    Eviction("rollback with evictions, under a budget", BACK, _BARE, begun=11, budget=TIGHT),
)
