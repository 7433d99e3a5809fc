"""How the pods come to their final owner once all new ones are available: one module for each way.

Each module is a :class:`Finish`. Which one an update ends with is in its goal; which one has begun is told by
what stands on the controllers, so that a rollback, a status and another client's run find it by themselves.
"""

from __future__ import annotations

from typing import Protocol

from rollupdate.core.changes.target import Ending
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases.finish import delete_old, keep_name
from rollupdate.core.phases.session import Context, first_step
from rollupdate.core.phases.steps import Step
from rollupdate.events import Pods


class Finish(Protocol):
    """One way. All of it is decided anew from the rollout at every step."""

    def begun(self, rollout: Rollout) -> bool:
        """Whether the pods are on their way to their final owner."""
        ...

    def begin(self, rollout: Rollout, context: Context) -> Step:
        """The first step: all new pods are available, the old controller has none and names the new one."""
        ...

    def resume(self, rollout: Rollout, context: Context) -> Step | None:
        """The next step of a finish that has begun; None if this one has not."""
        ...

    def undo(self, rollout: Rollout, context: Context) -> Step | None:
        """The inverse of the step that was taken last; None if nothing of it is left."""
        ...

    def return_pods(self, rollout: Rollout, context: Context) -> Step | None:
        """The inverse of the write that gave the pods to their final owner, or a Stop if there is none;
        None if that write was not made."""
        ...

    def phase(self, rollout: Rollout) -> str | None:
        """What a status calls it (see :mod:`rollupdate.events`); None before its first write."""
        ...

    def awaited(self, rollout: Rollout) -> str:
        """What it waits for, if it is not the pods of a status; else empty."""
        ...

    def counted(self, rollout: Rollout, old: Pods, new: Pods) -> tuple[Pods, Pods]:
        """The pods of both while no status counts all of them."""
        ...

    def owner(self, rollout: Rollout) -> Controller:
        """Who owns the pods, and keeps the history, in the end."""
        ...


ALL: tuple[Finish, ...] = (keep_name, delete_old)
CHOSEN: dict[Ending, Finish] = {
    Ending.KEEP_NAME: keep_name,
    Ending.DELETE_OLD: delete_old,
}


def in_effect(rollout: Rollout) -> Finish:
    """The one that has begun; before that, the one that needs no more than a deletion."""
    return next((finish for finish in ALL if finish.begun(rollout)), delete_old)


def resume(rollout: Rollout, context: Context) -> Step | None:
    """A finish that has begun goes on."""
    return first_step((finish.resume for finish in ALL), rollout, context)


def undo(rollout: Rollout, context: Context) -> Step | None:
    """A finish that has begun is taken back, step by step."""
    return first_step((finish.undo for finish in ALL), rollout, context)


def return_pods(rollout: Rollout, context: Context) -> Step | None:
    """The pods return from their final owner."""
    return first_step((finish.return_pods for finish in ALL), rollout, context)


def finish(rollout: Rollout, context: Context) -> Step:
    """The finish begins: its goal's, if another has not begun."""
    return CHOSEN[context.goal.finish].begin(rollout, context)
