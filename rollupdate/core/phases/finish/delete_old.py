"""The finish that deletes the old controller: the new one keeps its own name and its pods.

The annotations come off the new controller before the old one is deleted, so the deletion is the last write
and no crash leaves anything of ours behind. In the same write it gets its owners and finalizers. An old
controller that has finalizers itself is gone only when they are.
"""

from __future__ import annotations

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, Patch, Step, delete_last
from rollupdate.events import FINISHING, Pods, Succeeded


def begun(rollout: Rollout) -> bool:  # noqa: ARG001  # the pods stay where they are
    return False


def begin(rollout: Rollout, context: Context) -> Step:
    old, new = rollout.old, rollout.new
    if not new.record.empty:
        return Patch(
            controller=new,
            desired=writes.lasting(new, old, copied=not context.goal.carry_metadata),
            effect=Effect.STRIP,
            events=(Succeeded(old.name, rollback=False),),
        )
    return delete_last(old, owner=new)


def resume(rollout: Rollout, context: Context) -> None:  # noqa: ARG001  # its two writes need no wait
    return None


def undo(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001
    """The new controller gets its annotations again, and loses its owners and finalizers. Its size is about
    to change, and must not be taken for the one that the update was to reach: the floor depends on that."""
    new = rollout.new
    if not rollout.stripped:
        return None
    desired = writes.temporary_again(new, rollout.old, writes.marked(rollout))
    return Patch(controller=new, desired=desired, effect=Effect.NOTE)


def return_pods(rollout: Rollout, context: Context) -> None:  # noqa: ARG001  # they have not moved
    return None


def phase(rollout: Rollout) -> str | None:
    return FINISHING if rollout.stripped else None


def awaited(rollout: Rollout) -> str:  # noqa: ARG001
    return ""


def counted(rollout: Rollout, old: Pods, new: Pods) -> tuple[Pods, Pods]:  # noqa: ARG001
    return old, new


def owner(rollout: Rollout) -> Controller:
    return rollout.new
