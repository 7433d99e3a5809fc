"""One batch after the other: up, checked, down; and where an update pauses.

What grows is one controller; what shrinks are the other one of the update and, if it has taken the place of
an earlier update, the new controllers of that (``superseding``). Floor and ceiling are of all their pods
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollupdate.core.model import record
from rollupdate.core.model.budget import Bounds
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.difference import Difference
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import arithmetic, evicting, waiting, writes
from rollupdate.core.phases.going import Going
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Delete, Effect, Emit, Park, Patch, Step, Stop, Verify, Wait
from rollupdate.core.plan.fitting import fits
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import WAIT
from rollupdate.errors import FailureError
from rollupdate.events import (
    Continuing,
    Event,
    Paused,
    Resuming,
    Scaled,
    ScaledByOthers,
    ScalingPlanned,
    SupersededGone,
)

VERIFY_AGAIN = 10.0
"""Seconds between two checks if a failed one stops nothing (``policy.WAIT``)."""


@dataclass(frozen=True)
class Shift:
    """Pods move from some controllers to another: a rollout seen in the direction of a goal."""

    growing: Controller
    shrinking: Controller
    superseded: tuple[Controller, ...]
    target: int
    """Size that ``growing`` is to reach."""
    bounds: Bounds

    @classmethod
    def of(cls, rollout: Rollout, goal: Goal) -> Shift:
        sizes = rollout.sizes
        bounds = sizes.bounds(goal.policy.budget, rollback=goal.rollback)
        if goal.rollback:
            return cls(rollout.old, rollout.new, rollout.superseded, sizes.original, bounds)
        return cls(rollout.new, rollout.old, rollout.superseded, sizes.desired, bounds)

    @property
    def others(self) -> tuple[Controller, ...]:
        """All that shrink."""
        return (self.shrinking, *self.superseded)


def note_scaling_by_others(rollout: Rollout, context: Context) -> Step | None:
    """Carry what others changed into the goal, in one write to the controller that they changed."""
    old, new, now = rollout.old, rollout.new, rollout.sizes
    before = rollout.old_size_set
    for controller, reference, size in (
        (old, before, now.original),
        (new, new.record.scaled_to, now.desired),
    ):
        extra = arithmetic.scaled_by_others(controller, reference, size)
        if extra is None or rollout.stripped:
            continue
        if extra < 0 and context.session.contest.repeated(controller):
            extra = 0
        total = controller.record.scaled_by + extra
        reached = (now.original if context.goal.rollback else now.desired) + extra
        marks = {record.SCALED_TO: controller.replicas, record.SCALED_BY: total or None}
        told = ScaledByOthers(controller.name, reference or 0, controller.replicas, max(0, reached))
        return Patch(
            controller=controller,
            desired=writes.annotated(controller, marks),
            effect=Effect.NOTE_SCALING,
            # One that is changed back again and again is told of once (``contest``).
            events=() if extra == 0 and context.session.contest.patient else (told,),
        )
    return None


def announce(rollout: Rollout, context: Context) -> Step | None:
    """What is about to be scaled, once."""
    goal, session = context.goal, context.session
    if session.announced:
        return None
    shift = Shift.of(rollout, goal)
    told: list[Event] = []
    if goal.resuming and not goal.rollback and not session.created:
        told.append(Resuming(shift.growing.name))
    if goal.rollback or not session.created:
        told.append(Continuing(shift.growing.name))
    told.append(
        ScalingPlanned(
            growing=shift.growing.name,
            growing_from=shift.growing.replicas,
            growing_to=shift.target,
            shrinking=shift.shrinking.name,
            shrinking_from=shift.shrinking.replicas,
            floor=shift.bounds.floor,
            ceiling=arithmetic.reached(shift.others, shift.target, shift.bounds),
        )
    )
    return Emit(events=tuple(told), planned=True)


def scale(rollout: Rollout, context: Context) -> Step | None:
    """Up as far as the ceiling allows, else down as far as the floor allows, else check, pause or wait.

    None once the growing controller has all its pods, available and checked, and the others have none.
    """
    shift, goal, session = Shift.of(rollout, context.goal), context.goal, context.session
    for shrinking in shift.others:
        step = evicting.carried_out(shrinking, context)
        if step is not None:
            return step
    growing, target = shift.growing, shift.target
    others = tuple(Going.of(other, context).effective(session.evictions) for other in shift.others)
    pause = next_pause(growing, target, goal)
    unchecked = goal.policy.verifies and not goal.rollback and growing.replicas > session.verified
    # A hold that another client takes off makes pods anew: then only sizes that are written make room.
    counting = shift.others if session.evictions.taken_off else others
    up = arithmetic.scale_up_to(growing, counting, target if pause is None else pause, shift.bounds)
    if up > growing.replicas and not unchecked:
        if not growing.observed_generation:
            # The manager is about to say that it has seen it, and a write meanwhile would be refused.
            return waiting.unobserved(growing)
        return _scaled(growing, up, rollout, context)
    if growing.replicas > target:
        return _scaled(growing, target, rollout, context)
    # A batch that has not passed its check does not count: nothing old goes for it.
    counted = replace(growing, status_available=session.counted(growing)) if unchecked else growing
    blocked: Wait | None = None
    last, *first = zip(shift.others, others, strict=True)
    for shrinking, now in (*first, last):  # scale down superseded controllers first
        beside = sum(other.available for other in others if other.uid != shrinking.uid)
        down = arithmetic.scale_down_to(counted, now, target, shift.bounds, beside=beside)
        if down < now.replicas and not goal.policy.evicts_pods:
            return _scaled(shrinking, down, rollout, context)
        if down < now.replicas:
            step = evicting.shrink(shrinking, down, growing, rollout, context)
            if not isinstance(step, Wait) or step.advice is None:
                return step
            blocked = blocked or step
    if blocked is not None:
        return _blocked(growing, blocked)
    held = [other for other in shift.others if other.evicting]
    if held and growing.replicas == target <= growing.available:
        return evicting.ended(held[0], context)
    if unchecked:
        return _check(growing, context)
    for earlier in shift.superseded:
        if earlier.replicas == 0 and earlier.settled:
            return Delete(controller=earlier, events=(SupersededGone(earlier.name),))
    if pause is not None and growing.replicas == pause:
        return _pause(shift, pause)
    done = growing.available >= target and growing.observed
    if (
        growing.replicas == target
        and done
        and all(other.observed and other.max_pods == 0 for other in others)
    ):
        return None
    return _awaited(growing, others)


def _blocked(growing: Controller, blocked: Wait) -> Wait:
    """No budget lets an old pod go. New ones that are still to become available are looked at meanwhile."""
    if growing.available >= growing.replicas:
        return blocked
    wait = waiting.unavailable(growing)
    return replace(wait, reason=f"{wait.reason}; {blocked.reason}", advice=blocked.advice)


def _awaited(growing: Controller, others: Sequence[Controller]) -> Wait:
    return waiting.pending(growing, others) or waiting.unobserved(growing, *others)


def _scaled(controller: Controller, replicas: int, rollout: Rollout, context: Context) -> Patch:
    """A write to the old controller also says what it was and who follows it, whole."""
    goal = context.goal
    marks: dict[str, str | int | None] = {}
    if controller.name == goal.original:
        marks = writes.link(rollout)
    elif controller.name == goal.successor and not goal.rollback and controller.record.template_seen is None:
        marks[record.TEMPLATE_SEEN] = template_hash(controller.template, "")
        before = Difference.between(controller.template, rollout.old.template).encode()
        if fits(record.TEMPLATE_BEFORE, before, controller, rollout.old):
            marks[record.TEMPLATE_BEFORE] = before
    if goal.policy.evicts_pods and replicas > controller.replicas:
        marks[record.FORMAT] = record.EVICTION_FORMAT  # the other one is about to be held
    return Patch(
        controller=controller,
        desired=writes.scaled(controller, replicas, marks),
        effect=Effect.SCALE_UP if replicas > controller.replicas else Effect.SCALE_DOWN,
        events=(Scaled(controller.name, controller.replicas, replicas),),
    )


# --- checks ---


def _check(growing: Controller, context: Context) -> Step:
    """The whole batch is waited for, then checked."""
    if not growing.settled or growing.available < growing.replicas:
        return _awaited(growing, ())
    refused = context.session.refused
    if refused is not None:
        why = f"the check of {growing.name} failed: {refused.why}"
        if context.goal.policy.on_failure != WAIT:
            return Stop(error=FailureError(why))
        if context.now - refused.at < VERIFY_AGAIN:
            return Wait(reason=why, until=refused.at + VERIFY_AGAIN)
    return Verify(controller=growing)


# --- pauses ---


def next_pause(growing: Controller, target: int, goal: Goal) -> int | None:
    """The number of new pods at which the update pauses next; None if it does not any more."""
    if goal.rollback:
        return None
    behind = growing.record.passed
    points = [amount.of(target, round_up=True) for amount in goal.policy.pause_at]
    ahead = [
        point
        for point in points
        if growing.replicas <= point <= target and (behind is None or point > behind)
    ]
    return min(ahead, default=None)


def _pause(shift: Shift, at: int) -> Step:
    """Wait for all controllers to settle, then record the pause."""
    growing = shift.growing
    if growing.available < at or not all(controller.settled for controller in (growing, *shift.others)):
        return _awaited(growing, shift.others)
    return Patch(
        controller=growing,
        desired=writes.annotated(growing, {record.PAUSED: at, record.PASSED: None}),
        effect=Effect.PAUSE,
        events=(Paused(growing.name, growing.available, shift.target),),
    )


def resume_paused(rollout: Rollout, context: Context) -> Step | None:
    """What a paused update means to this client: it was asked to resume it, or it must stop, because this
    client or another one paused it during this run."""
    new, session = rollout.new, context.session
    at = new.record.paused
    if at is None:
        return None
    if session.moving:
        told = Paused(new.name, new.available, rollout.sizes.desired)
        return Park(events=() if session.paused else (told,))
    return Patch(
        controller=new,
        desired=writes.annotated(new, {record.PAUSED: None, record.PASSED: at}),
        effect=Effect.RESUME,
    )
