"""How far an update is, in the numbers that people look at. Pure; it decides nothing.

The counts are those of the controllers' status, as everywhere, or those of a finish while no status counts
the pods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.formats import newer_format
from rollupdate.core.model.rollout import Rollout, Sizes
from rollupdate.core.phases import finish
from rollupdate.core.phases.session import Session
from rollupdate.core.phases.steps import Snapshot, Step, Wait
from rollupdate.core.plan.goal import Goal
from rollupdate.events import FINISHING, PREPARING, SCALING, Pods, Progress


def progress(
    snapshot: Snapshot, goal: Goal, session: Session, step: Step, now: float, last: Progress | None
) -> Progress | None:
    """Where the update is, with what ``step`` waits for; None if ``last`` has told it already, or if the
    sizes are in a format that is not known."""
    old, rollout = snapshot.old, snapshot.rollout
    if old is None or newer_format(snapshot.controllers) is not None:
        return None
    size = goal.size_before(old)
    sizes = Sizes(size, size if goal.target is None else goal.target.replicas)
    if rollout is not None:
        sizes = rollout.sizes
    bounds = sizes.bounds(goal.policy.budget, rollback=goal.rollback)
    diagnosis = session.diagnosis
    here = Progress(
        pods=counts(
            old,
            snapshot.new,
            snapshot.superseded,
            rollback=goal.rollback,
            failing=sum(count for _, count in diagnosis.causes),
        ),
        original=sizes.original,
        target=sizes.original if goal.rollback else sizes.desired,
        floor=bounds.floor,
        ceiling=bounds.ceiling,
        rollback=goal.rollback,
        phase=phase(old, snapshot.new),
        idle=max(0.0, session.idle(now)),
        available_in=session.staying.available_in(now),
    )
    if isinstance(step, Wait):
        here = replace(here, waiting=step.reason, cause=diagnosis.text or "")
        return None if here == last else here
    # Between two writes nothing is waited for; that alone is not worth telling.
    return None if last is not None and here == replace(last, waiting="", cause="") else here


def phase(old: Controller, new: Controller | None) -> str:
    """What an update is busy with, read from its annotations."""
    if new is None:
        return PREPARING
    rollout = Rollout(old, new)
    ended = old.record.empty and new.record.epoch > 0  # the last write of a rollback but one
    return finish.in_effect(rollout).phase(rollout) or (FINISHING if ended else SCALING)


def counts(
    old: Controller,
    new: Controller | None,
    superseded: Sequence[Controller],
    *,
    rollback: bool,
    failing: int,
) -> tuple[Pods, ...]:
    """The old pods and the new ones; what is known to fail is of those that are to grow."""
    old_pods = pods(old, "old", failing if rollback else 0)
    going = [pods(controller, "superseded") for controller in superseded]
    if new is None:
        return (old_pods, *going)
    rollout, new_pods = Rollout(old, new), pods(new, "new", 0 if rollback else failing)
    old_pods, new_pods = finish.in_effect(rollout).counted(rollout, old_pods, new_pods)
    return (old_pods, *going, new_pods)


def pods(controller: Controller, role: str, failing: int = 0) -> Pods:
    return Pods(
        controller=controller.name,
        role=role,
        size=controller.replicas,
        current=controller.current,
        ready=controller.ready,
        available=controller.available,
        failing=min(failing, max(0, controller.replicas - controller.available)),
    )
