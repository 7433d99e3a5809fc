"""Pods change owners without ever being without one: each by one write, between two held controllers.

A ladder of five rungs, each a write to one controller, climbed by an update and descended by a rollback:

==== ===================== ===================== =========================================================
rung new controller        old controller        written to climb to it
==== ===================== ===================== =========================================================
0    has the pods          no pods, former spec
1    held, one pod more    no pods, former spec  new: held. The pod that it lacks is refused, which proves it
2    held                  held, new spec        old: the whole new specification, held
     *the pods move*                             each pod; then both controllers' status must say so
3    held, no pods         has the pods          old: the hold off, and our annotations
4    no pods, matches none has the pods          new: no size, and a selector that no pod matches
==== ===================== ===================== =========================================================

Nothing is concluded before the manager has observed what was written: a manager that is behind would create
or delete pods by what it knows. While both are held pods may be anywhere between them, for any length of
time. A client that goes the other way writes the number of its direction onto both controllers first
(``fencing``), then touches the pods that are to stay where they are, so that what a client of the direction
before it still has under way is refused. Where the hold is not proved, or a pod may not be moved, what was
moved goes back, and the pods are released and adopted (``release``).

The facts are those of the replication manager, the admission of priorities and the garbage collector,
measured on Kubernetes 1.20 and 1.36.
"""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.rollout import Rollout, template_asked_for
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import holding, release, waiting, writes
from rollupdate.core.phases.crossing import Crossing, cleaned, seen_of
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import (
    Effect,
    ListPods,
    Patch,
    Step,
    Stop,
    Wait,
    delete_last,
)
from rollupdate.errors import StoppedError
from rollupdate.events import Renaming, Returning, RollingBack, ScaledByOthers, Succeeded

# --- up ---


def begin(rollout: Rollout, transfer: Transfer) -> Step:
    """Rung 1. The old controller says first that a state begins that older versions do not know."""
    old, new = rollout.old, rollout.new
    if old.record.format != record.HELD_FORMAT:
        marks = {record.FORMAT: record.HELD_FORMAT}
        return Patch(controller=old, desired=writes.annotated(old, marks), effect=Effect.NOTE)
    step = holding.failing(new) if new.settled else waiting.unobserved(new)
    if step is not None:
        return step
    step = hold_new(rollout, transfer, new.replicas + 1)
    return replace(step, events=(Succeeded(old.name, rollback=False),))


def hold_new(rollout: Rollout, transfer: Transfer, replicas: int) -> Step:
    """The new controller held, at that size, with all that is to be known to go on and back."""
    old, new = rollout.old, rollout.new
    marks: dict[str, str | int | None] = {
        record.TRANSFER: replace(transfer, moved=True).encode(),
        record.SOURCE_ID: old.identity,
        record.LABELLED: old.record.labelled,
    }
    return Patch(controller=new, desired=writes.holding(new, replicas, marks), effect=Effect.HOLD)


def climb(rollout: Rollout, context: Context) -> Step:
    """The next step towards the old controller."""
    old, new, transfer = rollout.old, rollout.new, _transfer(rollout)
    if rollout.adopted:
        return _end(rollout, context)
    if new.record.not_moved is not None:
        return descend(rollout, context)
    if context.session.not_moved:
        return holding.give_up(new, context.session.not_moved)
    if not rollout.respecified:
        step = _scaled_by_others(rollout) or holding.lacking_one(rollout, transfer.size(old.record.scaled_by))
        step = step or holding.unproven(rollout, context, pods=transfer.size(old.record.scaled_by))
        if step is not None:
            return step
        if not old.held and not old.settled:
            return waiting.terminating(old) if old.observed else waiting.unobserved(old)
        desired = writes.respecified(old, new, transfer, transfer.size(old.record.scaled_by))
        return Patch(controller=old, desired=desired, effect=Effect.HOLD)
    step = _edited(rollout) or _scaled_by_others(rollout) or holding.held_again(new, context)
    step = step or _moved(rollout, context, source=new, destination=old)
    if step is not None:
        return step
    carry = context.goal.carry_metadata
    return Patch(
        controller=old,
        desired=writes.committed(old, new, transfer.size(old.record.scaled_by), carry_metadata=carry),
        effect=Effect.ADOPT,
        events=(Renaming(new.name, old.name),),
    )


def _end(rollout: Rollout, context: Context) -> Step:
    """The old controller has the pods, if it was this update that took its hold off."""
    old, new, transfer = rollout.old, rollout.new, _transfer(rollout)
    if new.selector == transfer.selector:
        if new.current or not context.session.committed:
            pods = context.snapshot.owned
            asked = ListPods(selector=label_selector(transfer.selector), seen=seen_of(new, old))
            if pods is None or not pods.answers(asked):
                return asked
            if pods.of(new.uid):
                return _hold_lost(rollout)
        if new.current or not new.observed:
            return Wait(reason=f"the controller manager has not counted the pods of {new.name}")
        desired = writes.emptied(new, transfer, context.goal.label_key)
        return Patch(controller=new, desired=desired, effect=Effect.EMPTY)
    step = _cleaned(rollout, context, owner=old, other=new)
    if step is not None:
        return step
    if not old.settled or old.available < old.replicas:
        return waiting.unavailable(old) if old.observed else waiting.unobserved(old)
    if not old.record.empty:  # of a rollback that came too late
        return Patch(controller=old, desired=writes.without_record(old), effect=Effect.STRIP)
    return delete_last(new, owner=old)


def _hold_lost(rollout: Rollout) -> Step:
    """Another client has taken the old controller's hold off, perhaps with our annotations, before it had all
    the pods: it is held again, at the size that it has."""
    old, new, transfer = rollout.old, rollout.new, _transfer(rollout)
    extra = old.replicas - transfer.replicas
    marks = {**writes.link(rollout), record.SCALED_BY: extra or None, record.EPOCH: new.record.epoch or None}
    desired = writes.holding(old, old.replicas, marks)
    return Patch(controller=old, desired=desired, effect=Effect.HOLD)


# --- down ---


def return_pods(rollout: Rollout, context: Context) -> Step:
    """From the top to rung 2: the new controller is held, with proof, then the old one. That one gets the
    record of a rollback, as its own was taken off."""
    step = _returned(rollout, context)
    return replace(step, asserts_direction=False) if isinstance(step, Patch) else step


def _returned(rollout: Rollout, context: Context) -> Step:
    old, new, transfer = rollout.old, rollout.new, _transfer(rollout)
    if new.record.not_moved is not None or context.session.not_moved:
        # It cannot be held. It is as empty as if it had released its pods: they come back that way.
        marks = {record.TRANSFER: replace(transfer, moved=False).encode()}
        if new.record.not_moved is None:
            marks[record.NOT_MOVED] = context.session.not_moved
        desired = writes.emptied(new, transfer, context.goal.label_key)
        desired["metadata"]["annotations"].update(marks)
        return Patch(controller=new, desired=desired, effect=Effect.EMPTY)
    if new.selector != transfer.selector:
        step = release.emptied_again(new) or holding.failing(new)
        if step is None and not new.settled:
            step = waiting.terminating(new) if new.observed else waiting.unobserved(new)
        if step is not None:
            return step
        return Patch(controller=new, desired=writes.probing(new, transfer), effect=Effect.HOLD)
    step = holding.unproven(rollout, context, pods=0)
    if step is not None:
        return step
    desired = writes.holding(old, old.replicas, writes.marks_of_return(old, new, transfer))
    return Patch(
        controller=old,
        desired=writes.without_metadata_of(desired, new, transfer),
        effect=Effect.RETURN | Effect.HOLD,
        events=(Returning(new.name, old.name), RollingBack(old.name, transfer.original)),
    )


def descend(rollout: Rollout, context: Context) -> Step:
    """The next step towards the new controller, which is to have its pods as it had them."""
    old, new, transfer = rollout.old, rollout.new, _transfer(rollout)
    if not rollout.respecified:
        if old.replicas == 0 and not old.settled:  # another client had scaled it up: those pods go first
            return waiting.terminating(old) if old.observed else waiting.unobserved(old)
        step = _scaled_by_others(rollout, new) or _cleaned(rollout, context, owner=new, other=old)
        if step is not None:
            return step
        desired = writes.lifted(new, transfer.size(old.record.scaled_by))
        return Patch(controller=new, desired=desired, effect=Effect.ADOPT)
    step = _scaled_by_others(rollout) or holding.lacking_one(rollout, transfer.size(old.record.scaled_by))
    step = step or holding.held_again(new, context)
    step = step or _moved(rollout, context, source=old, destination=new)
    if step is not None:
        return step
    return Patch(controller=old, desired=writes.restored(old, transfer), effect=Effect.RESTORE)


# --- what others change ---


def _edited(rollout: Rollout) -> Step | None:
    """The old controller is to come out with the template that the pods have."""
    old, new = rollout.old, rollout.new
    if template_hash(old.template, "") == template_hash(template_asked_for(new), ""):
        return None
    return Stop(
        error=StoppedError(
            f'the pod template of replicationcontroller "{old.name}" was edited by another client while '
            "pods were moved to it; they run another one",
            hint=f"roll back, then update {old.name} again",
        )
    )


def _scaled_by_others(rollout: Rollout, *which: Controller) -> Step | None:
    """A size that another client has set meanwhile goes into the goal, in a write to that controller."""
    old, new, transfer = rollout.old, rollout.new, _transfer(rollout)
    reached = transfer.size(old.record.scaled_by)
    for controller in which or (old, new):
        before = controller.record.scaled_to
        if before is None or before == controller.replicas or (controller is new and before <= reached):
            continue
        # The new one is asked for one pod more than it has.
        extra = controller.replicas - (before if controller is old else before - 1)
        marks: dict[str, str | int | None] = {record.SCALED_TO: controller.replicas}
        if controller is old:
            marks[record.SCALED_BY] = old.record.scaled_by + extra or None
        else:
            marks[record.TRANSFER] = replace(transfer, replicas=max(0, transfer.replicas + extra)).encode()
            marks[record.SCALED_BY] = new.record.scaled_by + extra or None
        told = ScaledByOthers(controller.name, before, controller.replicas, max(0, reached + extra))
        return Patch(
            controller=controller,
            desired=writes.annotated(controller, marks),
            effect=Effect.NOTE_SCALING,
            events=(told,),
        )
    return None


# --- the pods ---


def _moved(rollout: Rollout, context: Context, *, source: Controller, destination: Controller) -> Step | None:
    """None once all pods are with ``destination``, and the status of both says so."""
    crossing = Crossing(
        source=source,
        destination=destination,
        selector=label_selector(_transfer(rollout).selector),
        claims=(rollout.old, rollout.new),
        epoch=rollout.epoch or None,
        back=source is rollout.old,
    )
    return crossing.step(context.snapshot.owned, context.now, context.session.not_returned)


def _cleaned(rollout: Rollout, context: Context, *, owner: Controller, other: Controller) -> Step | None:
    """None once no pod of ``owner`` bears a trace of the move, or its traces may not be taken off."""
    if context.session.not_moved or context.session.not_returned:
        return None
    selector = label_selector(_transfer(rollout).selector)
    return cleaned(owner, other, selector, context.snapshot.owned, back=owner is rollout.new)


def _transfer(rollout: Rollout) -> Transfer:
    transfer = rollout.transfer
    assert transfer is not None, "a move has begun"
    return transfer
