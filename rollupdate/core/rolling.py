"""One batch after the other: up, checked, down; and where an update pauses.

What grows is one controller; what shrinks are the other one of the update and, where it has taken the place
of an earlier update, the new controllers of that (``superseding``). Floor and ceiling are of all their pods
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rollupdate.core import change, record, scaling
from rollupdate.core.controller import Controller
from rollupdate.core.goal import Goal
from rollupdate.core.handover import leaving
from rollupdate.core.revision import template_hash
from rollupdate.core.scaling import Sizes
from rollupdate.core.session import Session
from rollupdate.core.steps import Delete, Effect, Patch, Rest, Step, Stop, Verify, Wait
from rollupdate.core.turning import link
from rollupdate.errors import FailureError
from rollupdate.events import Paused, Scaled, SupersededGone

VERIFY_AGAIN = 10.0
"""Seconds between two checks where a failed one stops nothing (--on-failure=wait)."""


def scale(
    growing: Controller,
    shrinking: Controller,
    superseded: Sequence[Controller],
    sizes: Sizes,
    goal: Goal,
    session: Session,
    now: float,
) -> Step | None:
    """Up as far as the ceiling allows, else down as far as the floor allows, else check, pause or wait.

    None once the growing controller has all its pods, available and checked, and the others have none.
    """
    target = sizes.original if goal.rollback else sizes.desired
    bounds = sizes.bounds(goal.request.budget, rollback=goal.rollback)
    pause = next_pause(growing, target, goal)
    unchecked = goal.request.verifies and not goal.rollback and growing.replicas > session.verified
    others = (shrinking, *superseded)
    up = scaling.scale_up_to(growing, others, target if pause is None else pause, bounds)
    if up > growing.replicas and not unchecked:
        if not growing.observed_generation:
            # The manager is about to say that it has seen it, and a write meanwhile would be refused.
            return Wait(reason=f"the replication manager has not yet seen {growing.name}")
        return _scaled(growing, up, shrinking, goal)
    if growing.replicas > target:
        return _scaled(growing, target, shrinking, goal)
    # A batch that has not passed its check does not count: nothing old goes for it.
    counted = replace(growing, status_available=session.counted(growing)) if unchecked else growing
    for each in (*superseded, shrinking):  # the older update first: its pods are why it is left
        beside = sum(other.available for other in others if other.uid != each.uid)
        down = scaling.scale_down_to(counted, each, target, bounds, beside=beside)
        if down < each.replicas:
            return _scaled(each, down, growing, goal)
    if unchecked:
        return _check(growing, session, goal, now)
    for each in superseded:
        if each.replicas == 0 and each.settled:
            return Delete(controller=each, events=(SupersededGone(each.name),))
    if pause is not None and growing.replicas == pause:
        return _pause(growing, others, pause, target)
    if growing.replicas < target:
        if growing.current > growing.replicas:
            return Wait(reason=leaving(growing))
        if growing.available < growing.replicas:
            return Wait(reason=lacking(growing), about=growing)
        return Wait(reason=_still_there(others))
    if growing.available < target or not growing.observed:
        return Wait(reason=lacking(growing), about=growing)
    if not all(each.observed and each.most == 0 for each in others):
        return Wait(reason=_still_there(others))
    return None


def lacking(growing: Controller) -> str:
    return f"{growing.available} of {growing.replicas} pods of {growing.name} are available"


def _still_there(others: Sequence[Controller]) -> str:
    most = max(others, key=lambda each: each.current - each.replicas)
    return leaving(most)


def _scaled(controller: Controller, replicas: int, other: Controller, goal: Goal) -> Patch:
    """A write to the old controller also says what it was and who follows it, whole."""
    marks: dict[str, str | int | None] = {}
    if controller.name == goal.original:
        marks = link(controller, other)
    elif controller.name == goal.successor and not goal.rollback and controller.record.template_seen is None:
        marks[record.TEMPLATE_SEEN] = template_hash(controller.template, "")
    return Patch(
        controller=controller,
        desired=change.scaled(controller, replicas, marks),
        effect=Effect.SCALE_UP if replicas > controller.replicas else Effect.SCALE_DOWN,
        events=(Scaled(controller.name, controller.replicas, replicas),),
    )


# --- checks ---


def _check(growing: Controller, session: Session, goal: Goal, now: float) -> Step:
    """The whole batch is waited for, then checked."""
    if not growing.settled or growing.available < growing.replicas:
        return Wait(reason=lacking(growing), about=growing)
    refused = session.refused
    if refused is not None:
        why = f"the check of {growing.name} failed: {refused.why}"
        if goal.request.on_failure != "wait":
            return Stop(error=FailureError(why))
        if now - refused.at < VERIFY_AGAIN:
            return Wait(reason=why, until=refused.at + VERIFY_AGAIN)
    return Verify(controller=growing)


# --- pauses ---


def next_pause(growing: Controller, target: int, goal: Goal) -> int | None:
    """The number of new pods at which the update pauses next; None where it does not any more."""
    if goal.rollback:
        return None
    behind = growing.record.passed
    points = [each.of(target, round_up=True) for each in goal.request.pause_at]
    ahead = [
        each for each in points if growing.replicas <= each <= target and (behind is None or each > behind)
    ]
    return min(ahead, default=None)


def _pause(growing: Controller, others: Sequence[Controller], at: int, target: int) -> Step:
    """It has come as far as it may: what is under way is waited for, then it is written down."""
    if growing.available < at or not growing.settled:
        return Wait(reason=lacking(growing), about=growing)
    if not all(each.settled for each in others):
        return Wait(reason=_still_there(others))
    return Patch(
        controller=growing,
        desired=change.annotated(growing, {record.PAUSED: at, record.PASSED: None}),
        effect=Effect.PAUSE,
        events=(Paused(growing.name, growing.available, target),),
    )


def paused(growing: Controller, target: int, session: Session) -> Step | None:
    """What a paused update means to this client: it was asked to continue it, or it has to leave it alone
    because it was paused under its eyes, by itself or by somebody else."""
    at = growing.record.paused
    if at is None:
        return None
    if session.moving:
        said = Paused(growing.name, growing.available, target)
        return Rest(events=() if session.paused else (said,))
    return Patch(
        controller=growing,
        desired=change.annotated(growing, {record.PAUSED: None, record.PASSED: at}),
        effect=Effect.RESUME,
    )
