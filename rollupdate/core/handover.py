"""The finish that keeps the name: the pods are handed to the old controller, which becomes the new one.

Three writes, each with the wait that belongs to it: the new controller lets go of its pods, the old one
takes them over together with the whole new specification, the new one is deleted. At every instant a live
object holds that specification, and each step has its inverse for a rollback.
"""

from __future__ import annotations

from rollupdate.core import change, record, scaling
from rollupdate.core.controller import Controller
from rollupdate.core.goal import Goal
from rollupdate.core.record import Handover
from rollupdate.core.session import Session
from rollupdate.core.steps import Announce, Create, Effect, Patch, Step, Wait, delete_last
from rollupdate.errors import RollingUpdateError
from rollupdate.events import (
    Continuing,
    HandingBack,
    Renaming,
    Resuming,
    RollingBack,
    Scaled,
    ScaledByOthers,
    Succeeded,
)


def let_go(original: Controller, successor: Controller, goal: Goal) -> Step:
    """The first write. ``original`` owns no pod any more and names ``successor`` by uid."""
    before = scaling.base_sizes(original, successor).original
    handover = Handover(
        selector=successor.selector,
        labels=successor.labels,
        replicas=successor.replicas - original.record.scaled_by,
        original=before,
        previous={**original.raw["spec"], "replicas": 0},
    )
    return Patch(
        controller=successor,
        desired=change.released(successor, original, handover, goal.release_key),
        effect=Effect.RELEASE,
        events=(Succeeded(original.name, rollback=False),),
    )


def hand_over(
    original: Controller, successor: Controller, handover: Handover, goal: Goal, session: Session
) -> Step:
    """The new controller has let go; the old one is to take its pods (or has)."""
    if not session.announced:
        return Announce(events=(Resuming(successor.name), Continuing(successor.name)))
    if original.selector == handover.selector:
        if not original.settled or original.available < original.replicas:
            reason = f"{original.name} is taking over the pods of {successor.name}"
            return Wait(reason=reason, about=original)
        if not original.record.empty:  # of a rollback that came too late
            return Patch(controller=original, desired=change.without_record(original), effect=Effect.STRIP)
        return delete_last(successor, owner=original)
    if original.replicas > 0:
        return _back_to_nothing(original, handover)
    if not successor.settled:
        return Wait(reason=f"{successor.name} is letting go of its pods")
    if not original.settled:
        return Wait(reason=leaving(original))
    replicas = max(0, handover.replicas + original.record.scaled_by)
    return Patch(
        controller=original,
        desired=change.handed_over(
            original, successor, handover, replicas, carry_metadata=goal.carry_metadata
        ),
        effect=Effect.ADOPT,
        events=(Renaming(successor.name, original.name),),
    )


def _back_to_nothing(original: Controller, handover: Handover) -> Step:
    """Somebody scaled the old controller up in the middle of the handover: the size goes into the goal,
    the pods of the old template go."""
    reached = handover.replicas + original.record.scaled_by
    extra = scaling.scaled_by_others(original, 0, reached) or 0
    marks = {record.SCALED_BY: original.record.scaled_by + extra or None}
    return Patch(
        controller=original,
        desired=change.scaled(original, 0, marks),
        effect=Effect.NOTE_SCALING | Effect.SCALE_DOWN,
        events=(
            ScaledByOthers(original.name, 0, original.replicas, reached + extra),
            Scaled(original.name, original.replicas, 0),
        ),
    )


def recreate(successor: Controller, goal: Goal, session: Session) -> Step:
    """The old command was killed after it had deleted the old controller: see ``goal``."""
    if not session.announced:
        return Announce(events=(Resuming(successor.name), Continuing(successor.name)))
    handover = successor.record.handover
    if handover is None:
        desired = successor.record.desired
        size = successor.replicas if desired is None else max(0, desired + successor.record.scaled_by)
        handover = Handover(successor.selector, successor.labels, size, size, None)
        return Patch(
            controller=successor,
            desired=change.released(successor, None, handover, goal.release_key),
            effect=Effect.RELEASE,
        )
    if not successor.settled:
        return Wait(reason=f"{successor.name} is letting go of its pods")
    return Create(
        manifest=change.recreated(successor, goal.original, handover, handover.replicas),
        events=(Renaming(successor.name, goal.original),),
    )


def hand_back(original: Controller, successor: Controller, handover: Handover) -> Step:
    """Undo the last write of a handover. ``successor`` is marked, so that nobody deletes it any more."""
    return Patch(
        controller=original,
        desired=change.handed_back(original, successor, handover),
        events=(HandingBack(successor.name, original.name), RollingBack(original.name, handover.original)),
        effect=Effect.RETURN,
        asserts_direction=False,
    )


def reclaim(original: Controller, successor: Controller, handover: Handover) -> Step:
    """Undo the first write of a handover. ``original`` carries the mark of a rollback."""
    for each in (original, successor):
        if not each.settled:
            return Wait(reason=f"{each.name} is letting go of its pods")
    replicas = max(0, handover.replicas + original.record.scaled_by)
    return Patch(
        controller=successor, desired=change.reclaimed(successor, handover, replicas), effect=Effect.ADOPT
    )


def leaving(shrinking: Controller) -> str:
    surplus = max(0, shrinking.current - shrinking.replicas)
    return f"{surplus} pods of {shrinking.name} are still to be deleted"


def no_way_back(name: str) -> RollingUpdateError:
    return RollingUpdateError(
        f"{name} has taken over the new pods already and its former template is lost; nothing was changed",
        hint="finish the update with the command that began it",
    )
