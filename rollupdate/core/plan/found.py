"""What there is on the cluster for a name: no controller, one, or an update of one in progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import Undo
from rollupdate.core.model.rollout import find_successors, undo_in_progress


@dataclass(frozen=True)
class Missing:
    """There is no controller of that name."""

    name: str


@dataclass(frozen=True)
class Idle:
    """Nothing is in progress."""

    old: Controller


@dataclass(frozen=True)
class HalfBegun:
    """An update got no further than labels and annotations: it has no new controller."""

    old: Controller

    @property
    def undo(self) -> Undo | None:
        return undo_in_progress(self.old, None)


@dataclass(frozen=True)
class InProgress:
    """An update has a new controller, and may have superseded earlier updates, or be superseded itself."""

    old: Controller
    successors: tuple[Controller, ...]
    """The one in progress first."""

    @property
    def new(self) -> Controller:
        return self.successors[0]

    @property
    def undo(self) -> Undo | None:
        return undo_in_progress(self.old, self.new)

    def all_but(self, name: str) -> tuple[str, ...]:
        return tuple(controller.name for controller in self.successors if controller.name != name)


Found = Missing | Idle | HalfBegun | InProgress


def find(name: str, controllers: Mapping[str, Controller]) -> Found:
    """``controllers``: all of the namespace, by name."""
    old = controllers.get(name)
    if old is None:
        return Missing(name)
    successors = tuple(find_successors(old, controllers.values()))
    if successors:
        return InProgress(old, successors)
    known = old.record
    return HalfBegun(old) if known.next_name or known.labelled or known.epoch else Idle(old)
