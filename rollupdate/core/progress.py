"""How far an update is, in the numbers that people look at. Pure; it decides nothing.

The counts are those of the controllers' status, as everywhere. While the pods change hands nobody owns them
and no status counts them, though every one goes on running: then the counts are those of the moment before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rollupdate.core import record, scaling
from rollupdate.core.controller import Controller
from rollupdate.core.goal import Goal
from rollupdate.core.pair import taken_over
from rollupdate.core.session import Session
from rollupdate.core.steps import Snapshot, Step, Wait
from rollupdate.core.superseding import superseded
from rollupdate.events import Pods, Progress

PREPARING, SCALING, HANDING_OVER, FINISHING = "preparing", "scaling", "handing over", "finishing"


def progress(
    snapshot: Snapshot, goal: Goal, session: Session, step: Step, now: float, last: Progress | None
) -> Progress | None:
    """Where the update is, with what ``step`` waits for; None where ``last`` has told it already."""
    original, successor = snapshot.original, snapshot.successor
    if original is None:
        return None
    size = goal.size_before(original) if goal.manifest is not None else scaling.size_meant(original)
    sizes = scaling.Sizes(original=size, desired=_desired(goal, size))
    if successor is not None:
        sizes = scaling.sizes(original, successor)
    bounds = sizes.bounds(goal.request.budget, rollback=goal.rollback)
    diagnosis = session.diagnosis
    here = Progress(
        pods=counts(
            original,
            successor,
            superseded(snapshot, original),
            rollback=goal.rollback,
            failing=sum(count for _, count in diagnosis.troubles),
        ),
        original=sizes.original,
        target=sizes.original if goal.rollback else sizes.desired,
        floor=bounds.floor,
        ceiling=bounds.ceiling,
        rollback=goal.rollback,
        phase=phase(original, successor),
        idle=max(0.0, now - session.progress_at),
    )
    if isinstance(step, Wait):
        here = replace(here, waiting=step.reason, cause=diagnosis.text or "")
        return None if here == last else here
    # Between two writes nothing is waited for; that alone is not worth telling.
    return None if last is not None and here == replace(last, waiting="", cause="") else here


def _desired(goal: Goal, size: int) -> int:
    """The size of a new controller that there is not yet."""
    if goal.manifest is None:
        return size
    return int(goal.manifest["metadata"]["annotations"][record.DESIRED_REPLICAS])


def phase(original: Controller, successor: Controller | None) -> str:
    """What an update is busy with, read from the record."""
    if successor is None:
        return PREPARING
    if successor.record.handover is not None:
        return HANDING_OVER
    stripped = successor.record.source_id is None or (original.record.empty and successor.record.turn > 0)
    return FINISHING if stripped else SCALING


def counts(
    original: Controller,
    successor: Controller | None,
    earlier: Sequence[Controller],
    *,
    rollback: bool,
    failing: int,
) -> tuple[Pods, ...]:
    """The old pods and the new ones; what is known to fail is of those that are to grow."""
    old = pods(original, "old", failing if rollback else 0)
    going = [pods(each, "superseded") for each in earlier]
    if successor is None:
        return (old, *going)
    new = pods(successor, "new", 0 if rollback else failing)
    handover = successor.record.handover
    if handover is not None:
        size = max(0, handover.replicas + original.record.scaled_by)
        old = replace(old, size=0, current=0, ready=0, available=0, failing=0)
        new = replace(new, size=size, current=size, ready=size, available=size, failing=0)
        if taken_over(original, successor) and original.settled:
            available = original.available
            new = replace(new, ready=original.ready, available=available)
    return (old, *going, new)


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
