"""The next step of an update or a rollback: one pure decision, made anew from what is there.

There is no state machine that could get out of step with the cluster. Resume and rollback are other
snapshots and another goal, not other code paths. What a client has to remember of its own run (has it
said this, since when is there no progress) is in :class:`Session`, and losing it costs a line of output,
never a wrong step. The two longer errands have modules of their own: ``labelling`` and ``handover``.
"""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core import change, record, scaling
from rollupdate.core.controller import Controller
from rollupdate.core.formats import newer_format
from rollupdate.core.goal import Finish, Goal, taken_name
from rollupdate.core.handover import hand_over, let_go, reclaim, recreate
from rollupdate.core.labelling import label_original, unlabel
from rollupdate.core.pair import belongs
from rollupdate.core.revision import template_hash
from rollupdate.core.rolling import lacking, paused, scale
from rollupdate.core.session import Session, alone
from rollupdate.core.steps import (
    Announce,
    Create,
    Effect,
    Patch,
    Snapshot,
    Step,
    Stop,
    Wait,
    delete_last,
    done,
)
from rollupdate.core.superseding import supersede, superseded
from rollupdate.core.turning import link, overtaken, turn_back, turn_forwards
from rollupdate.core.undo import with_history
from rollupdate.errors import FailureError, RollingUpdateError, StoppedError
from rollupdate.events import (
    Continuing,
    Created,
    Event,
    Resuming,
    RollingBack,
    Scaled,
    ScaledByOthers,
    ScalingPlanned,
    Succeeded,
)


def decide(snapshot: Snapshot, goal: Goal, session: Session, now: float) -> Step:
    """The next step. Pure and total: every state of the cluster has an answer."""
    newer = newer_format(snapshot.controllers)
    if newer is not None:
        return Stop(error=newer)
    if _deleted(snapshot, goal, session):
        assert session.deleting is not None
        return done(session.deleting.owner)
    step = _back(snapshot, goal, session, now) if goal.rollback else _forward(snapshot, goal, session, now)
    step = with_history(step, snapshot, goal, session)
    period, since = goal.request.update_period, session.scaled_up_at
    if period and since is not None and now - since < period and _shrinks(step):
        step = Wait(reason="--update-period has not passed", until=since + period)
    if isinstance(step, Wait) and step.until is None:
        return _failure(step, goal, session, now) or step
    return step


def _deleted(snapshot: Snapshot, goal: Goal, session: Session) -> bool:
    """The last write of all took effect, though its answer was lost. That its object is gone is not enough:
    the other direction may have come in between, and deletes the new controller in the end as well."""
    deleting, original = session.deleting, snapshot.original
    if deleting is None:
        return False
    uid = deleting.controller.uid
    if uid in {each.uid for each in (original, snapshot.successor) if each is not None}:
        return False
    if deleting.controller.name != goal.successor or original is None:
        return True
    is_new = session.seen_template == template_hash(original.template, goal.release_key)
    return is_new != goal.rollback


def _failure(step: Wait, goal: Goal, session: Session, now: float) -> Step | None:
    """A wait that leads nowhere: the new pods are beyond hope, or nothing has moved for too long."""
    request = goal.request
    if request.on_failure == "wait":
        return None
    why = "; ".join(each for each in (step.reason, session.diagnosis.text) if each)
    since = session.fatal_since if session.diagnosis.fatal else None
    if step.about is not None and since is not None and 0 < request.failure_grace <= now - since:
        return Stop(error=FailureError(f"the pods of {step.about.name} fail", hint=why))
    if request.timeout and now - session.progress_at >= request.timeout:
        return Stop(error=FailureError("timed out waiting for any update progress to be made", hint=why))
    return None


def _shrinks(step: Step) -> bool:
    return isinstance(step, Patch) and Effect.SCALE_DOWN in step.effect


# --- forwards ---


def _forward(snapshot: Snapshot, goal: Goal, session: Session, now: float) -> Step:
    original, successor = snapshot.original, snapshot.successor
    waiting = _being_deleted(snapshot)
    if waiting is not None:
        return waiting
    if original is None:
        return _without_original(successor, goal, session)
    if session.seen_original is not None and original.uid != session.seen_original:
        return _replaced(goal.original)
    step = supersede(snapshot, original, goal, session)
    if step is not None:
        return step
    if successor is None:
        return _begin(snapshot, original, goal, session)
    if not belongs(original, successor):
        return _replaced(goal.successor) if session.seen_successor else Stop(error=taken_name(goal))
    if original.selector == successor.selector:
        # Made by us when another client had come to the end: it would fight for the same pods.
        return delete_last(successor, owner=original)
    turning = turn_forwards(original, successor, goal, session)
    if turning is not None:
        return turning
    handover = successor.record.handover
    if handover is not None:
        return hand_over(original, successor, handover, goal, session)
    seen_template = successor.record.template_seen
    if seen_template is not None and seen_template != template_hash(successor.template, ""):
        return _edited(original, successor)
    seconds = goal.request.min_ready_seconds
    if seconds is not None and successor.min_ready_seconds != seconds and not _stripped(successor):
        return Patch(
            controller=successor, desired=change.min_ready_seconds(successor, seconds), effect=Effect.CORRECT
        )
    sizes, earlier = scaling.sizes(original, successor), superseded(snapshot, original)
    return (
        label_original(snapshot, original, successor.labels, goal)
        or _note_scaling_by_others(original, successor, goal)
        or paused(successor, sizes.desired, session)
        or _announce(successor, original, goal, session)
        or scale(successor, original, earlier, sizes, goal, session, now)
        or _finish(original, successor, goal)
    )


def _being_deleted(snapshot: Snapshot) -> Wait | None:
    for each in (snapshot.original, snapshot.successor, *snapshot.superseded):
        if each is not None and each.deleting:
            held = ", ".join(map(str, each.raw["metadata"].get("finalizers") or []))
            by = f", held by its finalizers: {held}" if held else ""
            return Wait(reason=f"replicationcontroller {each.name} is being deleted{by}")
    return None


def _stripped(successor: Controller) -> bool:
    return successor.record.source_id is None and successor.record.desired is None


def _begin(snapshot: Snapshot, original: Controller, goal: Goal, session: Session) -> Step:
    """There is no new controller yet: make the old pods tell themselves apart, then create it."""
    if session.seen_successor is not None or goal.manifest is None:
        return _successor_gone(original, goal, session)
    labels = (goal.manifest["spec"]["template"].get("metadata") or {}).get("labels") or {}
    step = label_original(snapshot, original, labels, goal)
    if step is not None:
        return step
    if all(labels.get(each) == value for each, value in original.selector.items()):
        # Its selector is the new controller's by now: another client came to the end before our first write.
        return _successor_gone(original, goal, session)
    if superseded(snapshot, original):
        # Its record was written when the earlier update was superseded, whose pods stand for what it lacks.
        return Create(manifest=goal.manifest, events=(Created(goal.successor),))
    step = _give_back(original)
    if step is not None:
        return step
    known = original.record
    size = goal.size_before(original)
    fresh: dict[str, str | int | None] = {
        record.ORIGINAL_REPLICAS: size,
        record.NEXT_CONTROLLER: goal.successor,
        **goal.undo_marks,
    }
    stale = (
        known.original not in (None, size)
        or known.next_name not in (None, goal.successor)
        or known.source_id is not None
        or known.next_uid is not None
        or known.scaled_to is not None
        or known.scaled_by != 0
        or known.turn != 0
        or known.undo not in (None, goal.undo)
    )
    if stale:
        marks: dict[str, str | int | None] = dict.fromkeys(record.KEYS)
        marks.update(fresh)
        marks[record.LABELLED] = known.labelled
        return Patch(controller=original, desired=change.annotated(original, marks), effect=Effect.NOTE)
    return Create(manifest=goal.manifest, events=(Created(goal.successor),))


def _note_scaling_by_others(original: Controller, successor: Controller, goal: Goal) -> Step | None:
    """Carry what others changed into the goal, in one write to the controller that they changed."""
    now = scaling.sizes(original, successor)
    before = original.record.scaled_to
    if before is None:
        before = successor.record.source_replicas
    for controller, reference, size in (
        (original, before, now.original),
        (successor, successor.record.scaled_to, now.desired),
    ):
        extra = scaling.scaled_by_others(controller, reference, size)
        if extra is None or _stripped(successor):
            continue
        total = controller.record.scaled_by + extra
        reached = (now.original if goal.rollback else now.desired) + extra
        marks = {record.SCALED_TO: controller.replicas, record.SCALED_BY: total or None}
        return Patch(
            controller=controller,
            desired=change.annotated(controller, marks),
            effect=Effect.NOTE_SCALING,
            events=(ScaledByOthers(controller.name, reference or 0, controller.replicas, max(0, reached)),),
        )
    return None


def _announce(growing: Controller, shrinking: Controller, goal: Goal, session: Session) -> Step | None:
    if session.announced:
        return None
    told: list[Event] = []
    if goal.resuming and not goal.rollback and not session.created:
        told.append(Resuming(growing.name))
    if goal.rollback or not session.created:
        told.append(Continuing(growing.name))
    original, successor = (growing, shrinking) if goal.rollback else (shrinking, growing)
    now = scaling.sizes(original, successor)
    bounds = now.bounds(goal.request.budget, rollback=goal.rollback)
    told.append(
        ScalingPlanned(
            growing=growing.name,
            growing_from=growing.replicas,
            growing_to=now.original if goal.rollback else now.desired,
            shrinking=shrinking.name,
            shrinking_from=shrinking.replicas,
            floor=bounds.floor,
            ceiling=bounds.ceiling,
        )
    )
    return Announce(events=tuple(told), floor=bounds.floor)


# --- the finish ---


def _finish(original: Controller, successor: Controller, goal: Goal) -> Step:
    if original.record.next_uid != successor.uid or original.record.original is None:
        # Before the new controller's own record may go, the old one must name it by uid.
        return Patch(
            controller=original,
            desired=change.annotated(original, link(original, successor)),
            effect=Effect.NOTE,
        )
    if goal.finish is Finish.KEEP_NAME:
        return let_go(original, successor, goal)
    if not successor.record.empty:
        return Patch(
            controller=successor,
            desired=change.without_record(successor),
            effect=Effect.STRIP,
            events=(Succeeded(original.name, rollback=False),),
        )
    return delete_last(original, owner=successor)


def _without_original(successor: Controller | None, goal: Goal, session: Session) -> Step:
    if successor is None:
        return _gone(goal.original, f"and {goal.successor} does not exist either")
    if session.seen_original is None and goal.finish is Finish.KEEP_NAME:
        return recreate(successor, goal, session)
    if goal.finish is Finish.DELETE_OLD and successor.record.empty:
        return done(successor)  # another client was quicker
    if session.seen_original is None and goal.resuming:
        return _finish_alone(successor, session)
    return _gone(
        goal.original,
        f"{successor.name} runs on with {successor.replicas} pods as it is",
        hint="the same command again finishes the update with what there is",
    )


def _finish_alone(successor: Controller, session: Session) -> Step:
    """Somebody deleted the old controller of an update to another name: nothing is left to shrink."""
    if not session.announced:
        return Announce(events=(Resuming(successor.name), Continuing(successor.name)))
    known = successor.record
    desired = max(0, (known.desired or 0) + known.scaled_by)
    if successor.replicas < desired:
        return Patch(
            controller=successor,
            desired=change.scaled(successor, desired, {}),
            effect=Effect.SCALE_UP,
            events=(Scaled(successor.name, successor.replicas, desired),),
        )
    if not successor.settled or successor.available < successor.replicas:
        return Wait(reason=lacking(successor), about=successor)
    return Patch(controller=successor, desired=change.without_record(successor), effect=Effect.STRIP)


# --- back ---


def _back(snapshot: Snapshot, goal: Goal, session: Session, now: float) -> Step:
    original, successor = snapshot.original, snapshot.successor
    waiting = _being_deleted(snapshot)
    if waiting is not None:
        return waiting
    if original is None:
        rest = f"{successor.name} runs on as it is" if successor else f"and {goal.successor} is gone, too"
        return _gone(goal.original, rest)
    if session.seen_original is not None and original.uid != session.seen_original:
        return _replaced(goal.original)
    if successor is None:
        return _back_alone(snapshot, original, goal, session)
    if not belongs(original, successor) and not session.stripped:
        return _replaced(goal.successor)
    followed = successor.record.turn >= original.record.turn
    if session.claimed and followed and successor.record.superseded_by is not None:
        return overtaken(goal, "another update")
    if session.stripped:
        if original.record.empty and successor.most == 0:
            return delete_last(successor, owner=original)
        return overtaken(goal, "the update")
    turning = turn_back(original, successor, goal, session)
    if turning is not None:
        return turning
    handover = successor.record.handover
    if handover is not None:
        return reclaim(original, successor, handover)
    if _stripped(successor):
        return _record_again(original, successor)
    sizes, earlier = scaling.sizes(original, successor), superseded(snapshot, original)
    return (
        _note_scaling_by_others(original, successor, goal)
        or _announce(original, successor, goal, session)
        or scale(original, successor, earlier, sizes, goal, session, now)
        or unlabel(snapshot, original)
        or Patch(
            controller=original,
            desired=change.without_record(original),
            effect=Effect.END_ROLLBACK,
            events=(Succeeded(successor.name, rollback=True),),
        )
    )


def _give_back(original: Controller) -> Step | None:
    """Somebody deleted the new controller: the old one gets the size that the update had taken from it."""
    size = scaling.size_meant(original)
    if size > original.replicas:
        return Patch(
            controller=original,
            desired=change.scaled(original, size, {}),
            effect=Effect.SCALE_UP,
            events=(RollingBack(original.name, size), Scaled(original.name, original.replicas, size)),
        )
    if original.record.scaled_to is not None and original.available < original.replicas:
        return Wait(reason=lacking(original), about=original)
    return None


def _back_alone(snapshot: Snapshot, original: Controller, goal: Goal, session: Session) -> Step:
    """There is no new controller: it was not made yet, or somebody deleted it. What the update took from
    the old one is given back: its size (unless somebody else has set another since), its labels."""
    known = original.record
    if session.seen_template == template_hash(original.template, goal.release_key):
        # Another client finished the update just now, and what we have marked is the new controller.
        if not known.empty:
            return Patch(controller=original, desired=change.without_record(original), effect=Effect.STRIP)
        return Stop(
            error=RollingUpdateError(
                f"the update of {original.name} was finished by somebody else meanwhile; nothing is left of "
                "it to go back to",
                hint=f"update {original.name} to what it was before",
            )
        )
    if session.alone is not None:
        template, named = session.alone
        if alone(original) not in ((template, named), (template, None)):  # our own last write names nothing
            return overtaken(goal, "an update")
    step = _give_back(original) or unlabel(snapshot, original)
    if step is not None:
        return step
    if not known.empty:
        return Patch(controller=original, desired=change.without_record(original), effect=Effect.STRIP)
    return done(original)


def _record_again(original: Controller, successor: Controller) -> Step:
    """The finish had taken the record off the new controller. Its size is about to change, and must not be
    taken for the one the update was to reach: the floor depends on that."""
    marks: dict[str, str | int | None] = {
        record.SOURCE_ID: original.identity,
        record.DESIRED_REPLICAS: scaling.base_sizes(original, successor).desired,
        record.SCALED_TO: successor.replicas,
    }
    return Patch(controller=successor, desired=change.annotated(successor, marks), effect=Effect.NOTE)


# --- what others did ---


def _successor_gone(original: Controller, goal: Goal, session: Session) -> Step:
    wanted = session.seen_template or goal.template_hash
    if original.record.empty and wanted == template_hash(original.template, goal.release_key):
        return done(original)  # another client was quicker
    if not original.record.empty and replace(original.record, turn=0, format=None).empty:
        return Patch(controller=original, desired=change.without_record(original), effect=Effect.STRIP)
    return Stop(
        error=StoppedError(
            f'replicationcontroller "{goal.successor}" was deleted by somebody else during the update; '
            f"{goal.original} has {original.replicas} pods"
        )
    )


def _gone(name: str, rest: str, *, hint: str | None = None) -> Stop:
    message = f'replicationcontroller "{name}" was deleted by somebody else during the update; {rest}'
    return Stop(error=RollingUpdateError(message, hint=hint))


def _replaced(name: str) -> Stop:
    return Stop(
        error=RollingUpdateError(
            f'replicationcontroller "{name}" is not the one this update began with: somebody deleted and '
            "created it again; nothing more was changed"
        )
    )


def _edited(original: Controller, successor: Controller) -> Stop:
    return Stop(
        error=StoppedError(
            f'the pod template of replicationcontroller "{successor.name}" was edited by somebody else in '
            "mid-update; its pods are no longer all alike",
            hint=f"go back, then update {original.name} to what is wanted",
        )
    )
