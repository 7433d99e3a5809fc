"""Which way it goes, written on both controllers: an update and a rollback never act on the same state.

A write is conditional on one object only, so a client that decided on a write to one controller cannot be
fenced by a write to the other. Therefore the direction stands on both, with a number (``record.TURN``) that
grows with every change of direction: first the old controller gets it, with or without the mark of a
rollback, then the new one follows. A client acts only where it sees both with the same number and its own
direction. Whatever a client of the direction before has decided on is refused, on either object, from the
moment both carry the next number; until then the next direction does nothing. Where the finish has stripped
the new controller already, it gets the number all the same and is stripped once more: a rollback that was
about to write to it is refused, and leaves nothing behind.

Once the old controller has taken over the pods it carries no record (that write finishes the update), and
the one write left is to delete the new one. Then the mark that a rollback fences with is on the new one
(``record.HANDING_BACK``): it names the generation that the old one has taken over with, and goes once the
pods are no longer with the old one. Whoever finds it, in whichever direction, hands back first.
"""

from __future__ import annotations

from rollupdate.core import change, record, scaling
from rollupdate.core.controller import Controller
from rollupdate.core.handover import hand_back, no_way_back
from rollupdate.core.pair import rolling_back, taken_over
from rollupdate.core.plan.goal import Goal
from rollupdate.core.session import Session
from rollupdate.core.steps import Effect, Patch, Step, Stop
from rollupdate.errors import StoppedError
from rollupdate.events import RollingBack


def turn_forwards(original: Controller, successor: Controller, goal: Goal, session: Session) -> Step | None:
    """What is to be written before the update may go on; None where nothing is."""
    if rolling_back(original, successor):
        if session.claimed:
            return overtaken(goal, "a rollback")
        if taken_over(original, successor):
            return _hand_back(original, successor)
        marks = {**link(original, successor), record.TURN: _next(original, successor)}
        marks.update(dict.fromkeys((record.SOURCE_ID, record.DESIRED_REPLICAS)))
        return Patch(controller=original, desired=change.annotated(original, marks), effect=Effect.FENCE)
    over = taken_over(original, successor)
    if session.linked and not over and original.record.next_uid != successor.uid:
        # Somebody has come to an end, one way or the other, of which we have seen only this half.
        return overtaken(goal, "another update or rollback")
    if over or (successor.record.empty and original.record.turn <= session.turn):
        return None  # the finish has stripped one of the two: it is in the last write that they meet
    return _follow(original, successor)


def turn_back(original: Controller, successor: Controller, goal: Goal, session: Session) -> Step | None:
    """The same for a rollback."""
    if not rolling_back(original, successor):
        if session.claimed:
            return overtaken(goal, "the update")
        if taken_over(original, successor):
            return _forbid_deletion(original, successor)
        return _claim(original, successor)
    if taken_over(original, successor):
        return _hand_back(original, successor)
    if original.record.source_id != successor.identity:
        # A rollback was in its last writes; if it was ours, another one has come in between.
        return overtaken(goal, "the update") if session.linked else _claim(original, successor)
    # A newer update may have marked the new controller and come no further. That mark goes with the next
    # number: first on the old controller, so that the newer update can't write to it any more.
    marked = successor.record.superseded_by is not None
    if original.record.turn < successor.record.turn + marked:
        return _claim(original, successor)
    return _follow(original, successor)


def link(original: Controller, successor: Controller) -> dict[str, str | int | None]:
    """What the old controller is to say of the new one: its name, its uid, what its template was to be, and
    the old one's own size before."""
    return {
        record.ORIGINAL_REPLICAS: scaling.base_sizes(original, successor).original,
        record.NEXT_CONTROLLER: successor.name,
        record.NEXT_CONTROLLER_UID: successor.uid,
        record.TEMPLATE_HASH: successor.record.template_hash or original.record.template_hash,
    }


def overtaken(goal: Goal, by: str) -> Stop:
    return Stop(
        error=StoppedError(f"{by} of {goal.original} was begun by somebody else; this command stops here")
    )


def _next(original: Controller, successor: Controller) -> int:
    return max(original.record.turn, successor.record.turn) + 1


def _follow(original: Controller, successor: Controller) -> Step | None:
    if successor.record.turn >= original.record.turn:
        return None
    marks: dict[str, str | int | None] = {
        record.TURN: original.record.turn,
        record.HANDING_BACK: None,
        record.SUPERSEDED_BY: None,  # a rollback of an update of which no newer one came into being
    }
    if rolling_back(original, successor):
        marks |= {record.PAUSED: None, record.PASSED: None}
    return Patch(controller=successor, desired=change.annotated(successor, marks), effect=Effect.FENCE)


def _claim(original: Controller, successor: Controller) -> Step:
    size = scaling.sizes(original, successor).original
    marks = {
        **link(original, successor),
        record.SOURCE_ID: successor.identity,
        record.DESIRED_REPLICAS: size,
        record.TURN: _next(original, successor),
    }
    if original.record.scaled_to is None:
        before = successor.record.source_replicas
        marks[record.SCALED_TO] = original.replicas if before is None else before
    return Patch(
        controller=original,
        desired=change.annotated(original, marks),
        effect=Effect.FENCE,
        events=(RollingBack(original.name, size),),
    )


def _forbid_deletion(original: Controller, successor: Controller) -> Step:
    handover = successor.record.handover
    if handover is None or handover.previous is None:
        return Stop(error=no_way_back(original.name))
    marks = {record.HANDING_BACK: original.generation, record.TURN: _next(original, successor)}
    return Patch(
        controller=successor,
        desired=change.annotated(successor, marks),
        effect=Effect.FENCE,
        asserts_direction=False,
    )


def _hand_back(original: Controller, successor: Controller) -> Step:
    """A mark for another generation is news that we have not got yet, or somebody changed the old one."""
    if successor.record.handing_back != original.generation:
        return _forbid_deletion(original, successor)
    handover = successor.record.handover
    if handover is None or handover.previous is None:
        return Stop(error=no_way_back(original.name))
    return hand_back(original, successor, handover)
