"""The finish that keeps the name: the old controller adopts the pods and becomes the new one.

Three writes, each with the wait that belongs to it: the new controller releases its pods, the old one adopts
them together with the whole new specification, the new one is deleted. At every instant a live object holds
that specification, and each step has its inverse for a rollback.
"""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import arithmetic, waiting, writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Create, Effect, Emit, Patch, Step, Stop, Wait, delete_last
from rollupdate.errors import RollingUpdateError
from rollupdate.events import (
    TRANSFERRING,
    Continuing,
    Pods,
    Renaming,
    Resuming,
    Returning,
    RollingBack,
    Scaled,
    ScaledByOthers,
    Succeeded,
)


def begin(rollout: Rollout, context: Context) -> Step:
    """The first write. The old controller owns no pod any more and names the new one by uid."""
    old, new = rollout.old, rollout.new
    transfer = Transfer(
        selector=new.selector,
        labels=new.labels,
        replicas=new.replicas - old.record.scaled_by,
        original=rollout.recorded.original,
        previous={**old.raw["spec"], "replicas": 0},
    )
    return Patch(
        controller=new,
        desired=writes.released(new, old, transfer, context.goal.label_key),
        effect=Effect.RELEASE,
        events=(Succeeded(old.name, rollback=False),),
    )


def resume(rollout: Rollout, context: Context) -> Step | None:
    """The new controller has released its pods; the old one is to adopt them (or has)."""
    old, new, transfer = rollout.old, rollout.new, rollout.transfer
    if transfer is None:
        return None
    if not context.session.announced:
        return Emit(events=(Resuming(new.name), Continuing(new.name)))
    if rollout.adopted:
        if not old.settled or old.available < old.replicas:
            return Wait(reason=f"{old.name} is adopting the pods of {new.name}", waiting_for=old)
        if not old.record.empty:  # of a rollback that came too late
            return Patch(controller=old, desired=writes.without_record(old), effect=Effect.STRIP)
        return delete_last(new, owner=old)
    if old.replicas > 0:
        return _back_to_nothing(old, transfer)
    if not new.settled:
        return Wait(reason=f"{new.name} is releasing its pods")
    if not old.settled:
        return waiting.terminating(old) if old.observed else waiting.unobserved(old)
    replicas = max(0, transfer.replicas + old.record.scaled_by)
    carry = context.goal.carry_metadata
    return Patch(
        controller=old,
        desired=writes.adopting(old, new, transfer, replicas, carry_metadata=carry),
        effect=Effect.ADOPT,
        events=(Renaming(new.name, old.name),),
    )


def _back_to_nothing(old: Controller, transfer: Transfer) -> Step:
    """Another client scaled the old controller up in the middle of the finish: the size goes into the goal,
    the pods of the old template go."""
    reached = transfer.replicas + old.record.scaled_by
    extra = arithmetic.scaled_by_others(old, 0, reached) or 0
    return Patch(
        controller=old,
        desired=writes.scaled(old, 0, {record.SCALED_BY: old.record.scaled_by + extra or None}),
        effect=Effect.NOTE_SCALING | Effect.SCALE_DOWN,
        events=(
            ScaledByOthers(old.name, 0, old.replicas, reached + extra),
            Scaled(old.name, old.replicas, 0),
        ),
    )


def recreate(new: Controller, context: Context) -> Step:
    """The old command was killed after it had deleted the old controller (see ``plan.aim``)."""
    goal = context.goal
    if not context.session.announced:
        return Emit(events=(Resuming(new.name), Continuing(new.name)))
    transfer = new.record.transfer
    if transfer is None:
        desired = new.record.desired
        size = new.replicas if desired is None else max(0, desired + new.record.scaled_by)
        transfer = Transfer(new.selector, new.labels, size, size, None)
        return Patch(
            controller=new,
            desired=writes.released(new, None, transfer, goal.label_key),
            effect=Effect.RELEASE,
        )
    if not new.settled:
        return Wait(reason=f"{new.name} is releasing its pods")
    return Create(
        manifest=writes.recreated(new, goal.original, transfer, transfer.replicas),
        events=(Renaming(new.name, goal.original),),
    )


# --- back ---


def return_pods(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001  # a rule
    """Undo the last write. The new controller is marked, so that nobody deletes it any more."""
    old, new, transfer = rollout.old, rollout.new, rollout.transfer
    if transfer is None or not rollout.adopted:
        return None
    if transfer.previous is None:
        return Stop(error=no_way_back(old.name))
    return Patch(
        controller=old,
        desired=writes.returned(old, new, transfer),
        effect=Effect.RETURN,
        asserts_direction=False,
        events=(Returning(new.name, old.name), RollingBack(old.name, transfer.original)),
    )


def undo(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001  # a rule
    """Undo the first write. The old controller carries the mark of a rollback."""
    transfer = rollout.transfer
    if transfer is None:
        return None
    for controller in (rollout.old, rollout.new):
        if not controller.settled:
            return Wait(reason=f"{controller.name} is releasing its pods")
    replicas = max(0, transfer.replicas + rollout.old.record.scaled_by)
    return Patch(
        controller=rollout.new,
        desired=writes.reclaimed(rollout.new, transfer, replicas),
        effect=Effect.ADOPT,
    )


def no_way_back(name: str) -> RollingUpdateError:
    return RollingUpdateError(
        f"{name} has already adopted the new pods and its former template is lost; nothing was changed",
        hint="finish the update with the command that started it",
    )


# --- what is asked of any finish ---


def begun(rollout: Rollout) -> bool:
    return rollout.transfer is not None


def phase(rollout: Rollout) -> str | None:
    return TRANSFERRING if begun(rollout) else None


def awaited(rollout: Rollout) -> str:
    return f"the pods of {rollout.new.name} change owners"


def counted(rollout: Rollout, old: Pods, new: Pods) -> tuple[Pods, Pods]:
    """While the pods change owners no status counts them, though every one goes on running: the counts are
    those of the moment before."""
    transfer = rollout.transfer
    if transfer is None:
        return old, new
    size = max(0, transfer.replicas + rollout.old.record.scaled_by)
    old = replace(old, size=0, current=0, ready=0, available=0, failing=0)
    new = replace(new, size=size, current=size, ready=size, available=size, failing=0)
    if rollout.adopted and rollout.old.settled:
        new = replace(new, ready=rollout.old.ready, available=rollout.old.available)
    return old, new


def owner(rollout: Rollout) -> Controller:
    return rollout.old
