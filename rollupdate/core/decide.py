"""The next step of an update or a rollback: one pure decision, made anew from what is there.

Forwards and back are two tuples of rules. Each looks at the rollout and has a step or none; the first step is
the decision. The order is the safety argument: what must be true before anything else may be written comes
first. There is no state machine that could get out of step with the cluster, and resume and rollback are
other snapshots and another goal, not other code paths. What a client remembers of its own run is in
:class:`~rollupdate.core.phases.session.Session`: without it (after a crash) the next client decides from the
cluster alone; with it this one also notices that another client has come in between.
"""

from __future__ import annotations

from math import inf

from rollupdate.advice import Advice, Kubectl, Setting
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.formats import newer_format
from rollupdate.core.model.rollout import Rollout, is_successor_of
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import finish, unpaired, waiting, writes
from rollupdate.core.phases.claiming import (
    claim_old,
    lost,
    refuse_edited,
    refuse_edited_old,
    remember_new,
    restore_old,
    restore_what_ran,
    withdraw,
)
from rollupdate.core.phases.contest import held_off
from rollupdate.core.phases.evicting import end_others, ended, rested
from rollupdate.core.phases.fencing import fence_back, fence_forwards, preempted
from rollupdate.core.phases.history import with_history
from rollupdate.core.phases.labelling import label, unlabel
from rollupdate.core.phases.scaling import announce, note_scaling_by_others, resume_paused, scale
from rollupdate.core.phases.session import Context, Rule, Session, first_step
from rollupdate.core.phases.steps import Effect, Patch, Snapshot, Step, Stop, Wait, delete_last, done
from rollupdate.core.phases.superseding import supersede
from rollupdate.core.phases.touching import with_touch
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import WAIT
from rollupdate.core.plan.refusals import taken_name
from rollupdate.errors import FailureError, RollingUpdateError, StoppedError
from rollupdate.events import Succeeded


def decide(snapshot: Snapshot, goal: Goal, session: Session, now: float) -> Step:
    """The next step. Pure and total: every state of the cluster has an answer."""
    newer = newer_format(snapshot.controllers)
    if newer is not None:
        return Stop(error=newer)
    context = Context(goal, session, now, snapshot)
    deleting = session.deleting
    if deleting is not None and _is_deleted(deleting.controller, context):
        return done(deleting.owner)
    step = with_touch(with_history(_next(context), context), context)
    period, since = goal.policy.update_period, session.scaled_up_at
    shrinks = isinstance(step, Patch) and Effect.SCALE_DOWN in step.effect
    if period and since is not None and now - since < period and shrinks:
        step = Wait(reason=f"{Setting.UPDATE_PERIOD} has not passed", until=since + period)
    limited = goal.policy.timeout and goal.policy.on_failure != WAIT
    limit = now - session.idle(now) + goal.policy.timeout if limited else inf
    instead = held_off(session.contest, step, now, limit=limit)
    step = rested(instead or step, context)
    if isinstance(step, Wait) and (step.until is None or step.again or step is instead):
        return _failure(step, context) or step
    return step


def _next(context: Context) -> Step:
    snapshot, goal = context.snapshot, context.goal
    old, rollout = snapshot.old, snapshot.rollout
    deletion = waiting.being_deleted(snapshot.controllers)
    if deletion is not None:
        return deletion
    if rollout is None:
        for controller in snapshot.controllers:
            step = ended(controller, context)
            if step is not None:
                return step
    if old is None:
        return unpaired.without_old(snapshot.new, context)
    if context.session.seen_original not in (None, old.uid):
        return _recreated(goal.original)
    if rollout is not None:
        step = first_step(BACK if goal.rollback else FORWARD, rollout, context)
        assert step is not None, "the last rule always has one"
        return step
    if goal.rollback:
        return unpaired.roll_back(old, context)
    error = lost(old, context)
    if error is not None:
        return Stop(error=error)
    return supersede(old, context) or unpaired.begin(old, context)


def _is_deleted(controller: Controller, context: Context) -> bool:
    """The last write of all took effect, though its answer was lost. That its object is gone is not enough:
    the other direction may have come in between, and deletes the new controller in the end as well."""
    goal, old = context.goal, context.snapshot.old
    if controller.uid in {one.uid for one in (old, context.snapshot.new) if one is not None}:
        return False
    if controller.name != goal.successor or old is None:
        return True
    is_new = context.session.seen_template == template_hash(old.template, goal.label_key)
    return is_new != goal.rollback


def _failure(step: Wait, context: Context) -> Step | None:
    """A wait that leads nowhere: the new pods fail for good, or nothing has moved for too long."""
    policy, session, now = context.goal.policy, context.session, context.now
    if policy.on_failure == WAIT:
        return None
    text = "; ".join(text for text in (step.reason, session.diagnosis.text) if text)
    why = text if step.advice is None else Advice(f"{text}; ", *step.advice.parts)
    since = session.terminal_since if session.diagnosis.terminal else None
    if step.waiting_for is not None and since is not None and 0 < policy.failure_grace <= now - since:
        return Stop(error=FailureError(f"the pods of {step.waiting_for.name} fail", hint=why))
    if policy.timeout and session.idle(now) >= policy.timeout:
        if waiting.being_deleted(context.snapshot.controllers) is not None:
            # No failure that a rollback could answer.
            return Stop(error=StoppedError("timed out waiting for a controller to be deleted", hint=why))
        return Stop(error=FailureError("timed out waiting for any update progress to be made", hint=why))
    return None


# --- rules ---


def supersede_earlier(rollout: Rollout, context: Context) -> Step | None:
    """An earlier update may not act any more before this one does."""
    return supersede(rollout.old, context)


def require_successor(rollout: Rollout, context: Context) -> Step | None:
    """The new controller is that of this update, and none of the same name."""
    if is_successor_of(rollout.new, rollout.old):
        return None
    goal, session = context.goal, context.session
    if goal.rollback:
        return None if session.stripped else _another(rollout, session)
    return _another(rollout, session) if session.seen_successor else Stop(error=taken_name(goal))


def delete_latecomer(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001
    """Made by us when another client had come to the end: it would fight for the same pods."""
    old = rollout.old
    if old.selector == rollout.new.selector and rollout.transfer is None and not old.held:
        return delete_last(rollout.new, owner=rollout.old)
    return None


def set_min_ready_seconds(rollout: Rollout, context: Context) -> Step | None:
    """As long as the update runs."""
    new, seconds = rollout.new, context.goal.policy.min_ready_seconds
    if seconds is None or new.min_ready_seconds == seconds or rollout.stripped:
        return None
    return Patch(controller=new, desired=writes.min_ready_seconds(new, seconds), effect=Effect.CORRECT)


def label_old(rollout: Rollout, context: Context) -> Step | None:
    """The two controllers tell their pods apart before there is any new one."""
    return label(rollout.old, rollout.new.labels, context)


def stop_if_preempted(rollout: Rollout, context: Context) -> Step | None:
    """A newer update has superseded the one that is rolled back."""
    old, new, session = rollout.old, rollout.new, context.session
    followed = new.record.epoch >= old.record.epoch
    if session.claimed and followed and new.record.superseded_by is not None:
        return preempted(context.goal, "started another update")
    return None


def end_stripped(rollout: Rollout, context: Context) -> Step | None:
    """The last write of a rollback: our annotations are off the old controller."""
    old, new = rollout.old, rollout.new
    if not context.session.stripped:
        return None
    if old.record.empty and new.max_pods == 0:
        return delete_last(new, owner=old)
    return preempted(context.goal, "resumed the update")


def unlabel_old(rollout: Rollout, context: Context) -> Step | None:
    """The identifying label comes off if this update put it there."""
    return unlabel(rollout.old, context)


def strip_old(rollout: Rollout, context: Context) -> Step:  # noqa: ARG001
    """The old controller has all its pods back."""
    return Patch(
        controller=rollout.old,
        desired=writes.without_record(rollout.old),
        effect=Effect.END_ROLLBACK,
        events=(Succeeded(rollout.new.name, rollback=True),),
    )


FORWARD: tuple[Rule, ...] = (
    withdraw,
    supersede_earlier,
    require_successor,
    delete_latecomer,
    fence_forwards,
    remember_new,
    end_others,
    refuse_edited_old,
    finish.resume,
    refuse_edited,
    set_min_ready_seconds,
    label_old,
    note_scaling_by_others,
    resume_paused,
    claim_old,
    announce,
    scale,
    finish.finish,
)
"""Whose update it is, then which direction, then a finish that has begun; only then what changes pods, and no
size before the claim."""

BACK: tuple[Rule, ...] = (
    require_successor,
    stop_if_preempted,
    end_stripped,
    fence_back,
    remember_new,
    end_others,
    finish.undo,
    restore_old,
    restore_what_ran,
    note_scaling_by_others,
    announce,
    scale,
    unlabel_old,
    strip_old,
)
"""The same order; the labels and annotations go last, when the old controller has all its pods back."""


def _another(rollout: Rollout, session: Session) -> Stop:
    """The new controller is not that of the update any more, by what the two say."""
    old, new = rollout.old, rollout.new
    return _unmarked(old.name, new.name) if new.uid == session.seen_successor else _recreated(new.name)


def _unmarked(old: str, new: str) -> Stop:
    return Stop(
        error=RollingUpdateError(
            "another client has taken the annotations of the update off both controllers: nothing says any "
            f"more that {old} and {new} belong together, and nothing more was changed",
            hint=Advice(
                "scale the two by hand, and delete the one that is not needed: ",
                Kubectl(("get", "rc", old, new)),
            ),
        )
    )


def _recreated(name: str) -> Stop:
    return Stop(
        error=RollingUpdateError(
            f'replicationcontroller "{name}" was deleted and recreated during the update (its UID changed); '
            "nothing more was changed"
        )
    )
