"""Which way it goes, written on both controllers: an update and a rollback never act on the same state.

A write is conditional on one object only, so a client that decided on a write to one controller cannot be
fenced by a write to the other. Therefore the direction stands on both, with an epoch (``record.EPOCH``): a
number that grows with every change of direction. First the old controller gets it, with or without the mark
of a rollback, then the new one follows. A client acts only if it sees both with the same number and its own
direction. Whatever a client of the direction before has decided on is refused, on either object, from the
moment both carry the next number; until then the next direction does nothing. If the finish has stripped the
new controller already, it gets the number all the same and is stripped once more: a rollback that was about
to write to it is refused, and leaves nothing behind.

Once the old controller has the pods it carries no annotations of ours (that write finishes the
update), and the one write left is to delete the new one. Then the mark that a rollback fences with is on the
new one (``record.RETURNING``): it names the generation that the old one got them with, and goes once
the pods are no longer with the old one. Whoever finds it, in whichever direction, returns the pods first.
"""

from __future__ import annotations

from rollupdate.core.model import record
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import finish, writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, Patch, Step, Stop
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import StoppedError
from rollupdate.events import RollingBack


def fence_forwards(rollout: Rollout, context: Context) -> Step | None:
    """What is to be written before the update may go on; None if nothing is."""
    goal, session, old, new = context.goal, context.session, rollout.old, rollout.new
    if rollout.rolling_back:
        if session.claimed:
            return preempted(goal, "started a rollback")
        if rollout.adopted:
            return _return_pods(rollout, context)
        marks = {**writes.claimed(rollout, goal.label_key), record.EPOCH: rollout.epoch + 1}
        marks.update(dict.fromkeys((record.SOURCE_ID, record.DESIRED_REPLICAS)))
        return Patch(controller=old, desired=writes.annotated(old, marks), effect=Effect.FENCE)
    if session.linked and not rollout.adopted and old.record.next_uid != new.uid:
        # Another client has come to an end, one way or the other, of which we have seen only this half.
        return preempted(goal, "started another update or rollback")
    if rollout.adopted or (new.record.empty and old.record.epoch <= session.epoch):
        return None  # the finish has stripped one of the two: it is in the last write that they meet
    return _follow(rollout)


def fence_back(rollout: Rollout, context: Context) -> Step | None:
    """The same for a rollback."""
    goal, session, old, new = context.goal, context.session, rollout.old, rollout.new
    if not rollout.rolling_back:
        if session.claimed:
            return preempted(goal, "resumed the update")
        return _return_pods(rollout, context) if rollout.adopted else _claim(rollout, goal)
    if rollout.adopted:
        return _return_pods(rollout, context)
    if old.record.source_id != new.identity:
        # A rollback was in its last writes; if it was ours, another one has come in between.
        return preempted(goal, "resumed the update") if session.linked else _claim(rollout, goal)
    # A newer update may have marked the new controller and come no further. That mark goes with the next
    # number: first on the old controller, so that the newer update can't write to it any more.
    marked = new.record.superseded_by is not None
    if old.record.epoch < new.record.epoch + marked:
        return _claim(rollout, goal)
    return _follow(rollout)


def preempted(goal: Goal, did: str) -> Stop:
    return Stop(error=StoppedError(f"another client {did} of {goal.original}; stopping"))


def _follow(rollout: Rollout) -> Step | None:
    old, new = rollout.old, rollout.new
    if new.record.epoch >= old.record.epoch:
        return None
    marks: dict[str, str | int | None] = {
        record.EPOCH: old.record.epoch,
        record.RETURNING: None,
        record.SUPERSEDED_BY: None,  # a rollback of an update of which no newer one came into being
    }
    if rollout.rolling_back:
        marks |= {record.PAUSED: None, record.PASSED: None}
    return Patch(controller=new, desired=writes.annotated(new, marks), effect=Effect.FENCE)


def _claim(rollout: Rollout, goal: Goal) -> Step:
    old, new, size = rollout.old, rollout.new, rollout.sizes.original
    marks = {
        **writes.claimed(rollout, goal.label_key),
        record.SOURCE_ID: new.identity,
        record.DESIRED_REPLICAS: size,
        record.EPOCH: rollout.epoch + 1,
    }
    if old.record.scaled_to is None:
        # Once the pods change owners it is at 0 of itself, whoever has taken its annotations off.
        before = rollout.old_size_set if rollout.transfer is None else None
        marks[record.SCALED_TO] = old.replicas if before is None else before
    return Patch(
        controller=old,
        desired=writes.annotated(old, marks),
        effect=Effect.FENCE,
        events=(RollingBack(old.name, size),),
    )


def _return_pods(rollout: Rollout, context: Context) -> Step | None:
    """The last write of the finish is taken back once the new controller is marked, so that nobody deletes
    it. A mark for another generation is news that we have not got yet, or the old one was changed since."""
    old, new = rollout.old, rollout.new
    step = finish.return_pods(rollout, context)
    if isinstance(step, Stop) or new.record.returning == old.generation:
        return step
    marks = {record.RETURNING: old.generation, record.EPOCH: rollout.epoch + 1}
    return Patch(
        controller=new,
        desired=writes.annotated(new, marks),
        effect=Effect.FENCE,
        asserts_direction=False,
    )
