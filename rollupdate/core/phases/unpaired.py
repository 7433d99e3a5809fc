"""One of the two controllers is missing: not created yet, deleted by another client, or deleted at the
end."""

from __future__ import annotations

from dataclasses import replace

from rollupdate.advice import Advice, RollBack
from rollupdate.core.changes.target import Ending
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import intended_size
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import waiting, writes
from rollupdate.core.phases.claiming import unrestorable
from rollupdate.core.phases.fencing import preempted
from rollupdate.core.phases.finish import keep_name
from rollupdate.core.phases.labelling import label, unlabel
from rollupdate.core.phases.session import Context, unpaired_baseline
from rollupdate.core.phases.steps import Create, Effect, Emit, Patch, Step, Stop, done
from rollupdate.core.plan.goal import Goal
from rollupdate.counts import counted
from rollupdate.errors import RollingUpdateError, StoppedError
from rollupdate.events import Continuing, Created, Resuming, RollingBack, Scaled

# --- no new controller ---


def begin(old: Controller, context: Context) -> Step:
    """There is no new controller yet: make the old pods tell themselves apart, then create it."""
    goal, session = context.goal, context.session
    if old.held:
        return _lifted(old)
    target, manifest = goal.target, goal.manifest
    if session.seen_successor is not None or target is None or manifest is None:
        return _new_is_gone(old, context)
    step = label(old, target.pod_labels, context)
    if step is not None:
        return step
    if all(target.pod_labels.get(name) == value for name, value in old.selector.items()):
        # Its selector is the new controller's by now: another client came to the end before our first write.
        return _new_is_gone(old, context)
    create = Create(manifest=manifest, events=(Created(goal.successor),))
    if context.snapshot.superseded:
        # Its record was written when the earlier update was superseded, whose pods stand for what it lacks.
        return create
    return _give_back(old) or _note(old, goal) or create


def _note(old: Controller, goal: Goal) -> Step | None:
    """Annotations that an earlier update left on the old controller do not speak of this one."""
    known, size = old.record, goal.size_before(old)
    stale = (
        known.original not in (None, size)
        or known.next_name not in (None, goal.successor)
        or known.source_id is not None
        or known.next_uid is not None
        or known.scaled_to is not None
        or known.scaled_by != 0
        or known.epoch != 0
        or known.undo not in (None, goal.undo)
    )
    if not stale:
        return None
    marks: dict[str, str | int | None] = {
        **dict.fromkeys(record.KEYS),
        record.ORIGINAL_REPLICAS: size,
        record.NEXT_CONTROLLER: goal.successor,
        record.LABELLED: known.labelled,
        **goal.undo_marks,
    }
    return Patch(controller=old, desired=writes.annotated(old, marks), effect=Effect.NOTE)


def _lifted(old: Controller) -> Step:
    """The new controller was deleted while its pods were moved: the old one, which is what it was to become,
    makes those that went with it."""
    desired = writes.committed(old, old, old.replicas, carry_metadata=False)
    return Patch(controller=old, desired=desired, effect=Effect.ADOPT)


def _new_is_gone(old: Controller, context: Context) -> Step:
    goal = context.goal
    wanted = context.session.seen_template or goal.digest
    if old.record.empty and wanted == template_hash(old.template, goal.label_key):
        return done(old)  # another client was quicker
    if not old.record.empty and replace(old.record, epoch=0, format=None).empty:
        return Patch(controller=old, desired=writes.without_record(old), effect=Effect.STRIP)
    return Stop(
        error=StoppedError(
            f'replicationcontroller "{goal.successor}" was deleted by another client during the update; '
            f"{goal.original} has {counted(old.replicas, 'pod')}"
        )
    )


def roll_back(old: Controller, context: Context) -> Step:
    """What the update took from the old controller is given back: its size (unless another client has set
    another one since), its labels."""
    known, goal, session = old.record, context.goal, context.session
    if old.held:
        return _lifted(old)
    if session.committed or session.seen_template == template_hash(old.template, goal.label_key):
        # Another client finished the update just now, and what we have marked is the new controller.
        if not known.empty:
            return Patch(controller=old, desired=writes.without_record(old), effect=Effect.STRIP)
        return Stop(
            error=RollingUpdateError(
                f"another client completed the update of {old.name}; there is nothing left to roll back",
                hint=Advice("undo the completed update with: ", RollBack(old.name, 0)),
            )
        )
    if session.unpaired_baseline is not None:
        template, named = session.unpaired_baseline
        if unpaired_baseline(old) not in (
            (template, named),
            (template, None),
        ):  # our own last write names nothing
            return preempted(goal, "started an update")
    step = _give_back(old) or unlabel(old, context)
    if step is not None:
        return step
    if not known.empty:
        return Patch(controller=old, desired=writes.without_record(old), effect=Effect.STRIP)
    return done(old)


def _give_back(old: Controller) -> Step | None:
    """Another client deleted the new controller: the old one gets the size that the update had taken from
    it."""
    size = intended_size(old)
    if size > old.replicas:
        if old.record.template_seen not in (None, old.fingerprint):
            return unrestorable(old)
        return Patch(
            controller=old,
            desired=writes.scaled(old, size, {}),
            effect=Effect.SCALE_UP,
            events=(RollingBack(old.name, size), Scaled(old.name, old.replicas, size)),
        )
    if old.record.scaled_to is not None and old.available < old.replicas:
        return waiting.unavailable(old)
    return None


# --- no old controller ---


def without_old(new: Controller | None, context: Context) -> Step:
    """The last write was made, or another client deleted the old controller."""
    goal, session = context.goal, context.session
    step = None if new is None else keep_name.regain(new, context)
    if step is not None:
        return step
    if new is None:
        return gone(goal.original, f"and {goal.successor} does not exist either", hint=_ANEW)
    if goal.rollback:
        return gone(goal.original, f"{new.name} keeps running as it is")
    if session.seen_original is None and goal.finish is Ending.KEEP_NAME:
        return keep_name.recreate(new, context)
    if goal.finish is Ending.DELETE_OLD and new.record.empty:
        return done(new)  # another client was quicker
    if session.seen_original is None and goal.resuming:
        return _finish_alone(new, context)
    return gone(
        goal.original,
        f"{new.name} keeps running with {counted(new.replicas, 'pod')} as it is",
        hint="run the same command again to finish the update",
    )


def _finish_alone(new: Controller, context: Context) -> Step:
    """The old controller of an update to another name was deleted: nothing is left to shrink."""
    if not context.session.announced:
        return Emit(events=(Resuming(new.name), Continuing(new.name)))
    desired = max(0, (new.record.desired or 0) + new.record.scaled_by)
    if new.replicas < desired:
        return Patch(
            controller=new,
            desired=writes.scaled(new, desired, {}),
            effect=Effect.SCALE_UP,
            events=(Scaled(new.name, new.replicas, desired),),
        )
    if not new.settled or new.available < new.replicas:
        return waiting.unavailable(new)
    return Patch(controller=new, desired=writes.lasting(new, None), effect=Effect.STRIP)


_ANEW = "to have it again, create it from its file; pods left behind that it selects are adopted"


def gone(name: str, rest: str, *, hint: str | None = None) -> Stop:
    message = f'replicationcontroller "{name}" was deleted by another client during the update; {rest}'
    return Stop(error=RollingUpdateError(message, hint=hint))
