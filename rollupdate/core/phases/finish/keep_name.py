"""The finish that keeps the name: the old controller gets the pods and becomes the new one.

The pods are moved, each by one write (``phases.ownership``); where that cannot be, they are released and
adopted (``phases.release``). Either way at every instant a live object holds the whole new specification, and
each step has its inverse for a rollback.
"""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import ownership, release, waiting, writes
from rollupdate.core.phases.crossing import LIST_AGAIN, seen_of, unlisted
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Create, Effect, Emit, ListPods, Patch, Rehearse, Step, Stop, Wait
from rollupdate.errors import RollingUpdateError
from rollupdate.events import TRANSFERRING, Continuing, Pods, Renaming, Resuming


def begin(rollout: Rollout, context: Context) -> Step:
    """The first write. The old controller owns no pod any more and names the new one by uid."""
    old, new, session = rollout.old, rollout.new, context.session
    transfer = Transfer(
        selector=new.selector,
        labels=new.labels,
        replicas=new.replicas - old.record.scaled_by,
        original=rollout.recorded.original,
        previous={**old.spec, "replicas": 0},
        former=writes.former(old, new) if context.goal.carry_metadata else None,
    )
    if new.record.not_moved is not None or session.movable is False:
        return release.begin(rollout, context, transfer)
    if session.movable is None:
        return Rehearse(source=new, destination=old)
    return ownership.begin(rollout, transfer)


def resume(rollout: Rollout, context: Context) -> Step | None:
    """The pods are on their way to the old controller (or have come to it)."""
    new, transfer = rollout.new, rollout.transfer
    if transfer is None:
        return _begun_anew(rollout) if rollout.old.moving else None
    if not context.session.announced:
        return Emit(events=(Resuming(new.name), Continuing(new.name)))
    if _replaced(rollout, transfer):
        return _taken_up(rollout, context, transfer)
    if not _moves(rollout, transfer):
        return release.resume(rollout, context, transfer)
    if not rollout.respecified and rollout.old.replicas and not rollout.old.held:
        return release.back_to(rollout.old, transfer, 0)
    return ownership.climb(rollout, context)


def _begun_anew(rollout: Rollout) -> Step:
    """Another client has taken the new controller's annotations off, and with them the old one's former
    specification; the old one is held and is what it is to become."""
    old, new = rollout.old, rollout.new
    transfer = Transfer(
        selector=old.selector,
        labels=old.labels,
        replicas=max(0, (old.record.scaled_to or old.replicas) - old.record.scaled_by),
        original=rollout.recorded.original,
        previous=None,
        moved=True,
    )
    return ownership.hold_new(rollout, transfer, max(new.replicas, new.current + 1))


def _moves(rollout: Rollout, transfer: Transfer) -> bool:
    """Whether the pods are moved. Where another client has put the old controller's former specification back
    after it had them, nobody owns them, as if they had been released."""
    released = rollout.new.selector != transfer.selector and not rollout.respecified
    return transfer.moved and not released


def _replaced(rollout: Rollout, transfer: Transfer) -> bool:
    """Another client has replaced the old controller in the middle (`kubectl replace`), and by its selector
    the pods that had come to it are its own."""
    old = rollout.old
    replaced = old.replicas > 0 and not old.held and not rollout.respecified
    return replaced and old.selector.items() <= transfer.labels.items()


def _taken_up(rollout: Rollout, context: Context, transfer: Transfer) -> Step:
    """It becomes what it was before that, once it has no pods but those: what it makes by the template of the
    other client goes first. With a size of 0, as usual in between, they would all go."""
    old, new, pods = rollout.old, rollout.new, context.snapshot.owned
    if not old.observed:
        return waiting.unobserved(old)
    asked = ListPods(selector=label_selector(old.selector), seen=seen_of(old))
    if pods is None or not pods.answers(asked):
        return asked
    if pods.unknown:
        return unlisted(new)
    owned = [pod for pod in pods.of(old.uid) if pod.active]
    kept = sum(transfer.selector.items() <= pod.labels.items() for pod in owned)
    if kept < old.replicas:
        return release.back_to(old, transfer, kept)
    if kept < max(len(owned), old.current):
        due = pods.at + LIST_AGAIN
        if due <= context.now:
            return asked
        return replace(waiting.terminating(old), until=due, again=True)
    size = transfer.size(old.record.scaled_by)
    # What it remembers of a template is of the other client's, and by whom it was labelled it has forgotten.
    known: dict[str, str | int | None] = {
        record.TEMPLATE_SEEN: None,
        record.LABELLED: new.record.labelled,
    }
    was = replace(old, replicas=size, raw=writes.annotated(old, known))
    if new.selector == transfer.selector:
        desired, effect = writes.respecified(was, new, transfer, size), Effect.HOLD
    elif context.goal.rollback:
        desired, effect = writes.returned(was, new, transfer), Effect.RETURN
    else:
        carry = context.goal.carry_metadata
        desired, effect = writes.adopting(was, new, transfer, size, carry_metadata=carry), Effect.ADOPT
    return Patch(controller=old, desired=desired, effect=effect)


def regain(new: Controller, context: Context) -> Step | None:
    """The old controller is gone in the middle of a move. Garbage collection leaves the pods that name the
    new one as an owner, too: it gets them back, and its hold ends."""
    transfer = new.record.transfer
    empty = transfer is not None and new.selector != transfer.selector
    if transfer is None or not transfer.moved or not (new.held or empty):
        return None
    pods = context.snapshot.owned
    asked = ListPods(selector=label_selector(transfer.selector), seen=seen_of(new))
    if pods is None or not pods.answers(asked):
        return asked
    if pods.unknown:
        return None
    left = [pod for pod in pods.pods if pod.active and (pod.names(new.uid) or pod.controller is None)]
    wanted = None if empty else new.uid
    counted = empty or (new.observed and new.current == len(left))
    if not counted or any(pod.controller != wanted for pod in left):
        due = pods.at + release.LIST_AGAIN
        if due <= context.now:
            return asked
        return Wait(reason=f"the pods of {new.name} return to it", until=due, again=True)
    if empty and not left:
        return None
    whole = transfer.replicas
    desired = writes.reclaimed(new, transfer, len(left)) if empty else writes.lifted(new, whole)
    return Patch(controller=new, desired=desired, effect=Effect.ADOPT)


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


def return_pods(rollout: Rollout, context: Context) -> Step | None:
    """Undo the write that gave the pods to the old controller. The new one is marked, so that nobody deletes
    it any more."""
    transfer = rollout.transfer
    if transfer is None or not rollout.adopted:
        return None
    if transfer.previous is None:
        return Stop(error=no_way_back(rollout.old.name))
    if transfer.moved:
        return ownership.return_pods(rollout, context)
    return release.return_pods(rollout, transfer)


def undo(rollout: Rollout, context: Context) -> Step | None:
    """Undo the writes before that one. The old controller carries the mark of a rollback."""
    transfer = rollout.transfer
    if transfer is None and not rollout.old.moving:
        return None
    if transfer is None or (transfer.previous is None and rollout.respecified):
        return Stop(error=no_way_back(rollout.old.name))
    if _replaced(rollout, transfer):
        return _taken_up(rollout, context, transfer)
    if _moves(rollout, transfer):
        return ownership.descend(rollout, context)
    return release.undo(rollout, context, transfer)


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
    if rollout.adopted and rollout.new.max_pods == 0:
        return f"{rollout.new.name}, which has no pods left, is to be deleted"
    waits = f"the pods of {rollout.new.name} change owners"
    return f"{waits}; one that dies meanwhile is not replaced before that" if rollout.moving else waits


def counted(rollout: Rollout, old: Pods, new: Pods) -> tuple[Pods, Pods]:
    """While the pods change owners each status counts some of them, or none, though all go on running: the
    counts are those of the moment before."""
    transfer = rollout.transfer
    if transfer is None:
        return old, new
    size = transfer.size(rollout.old.record.scaled_by)
    old = replace(old, size=0, current=0, ready=0, available=0, failing=0)
    new = replace(new, size=size, current=size, ready=size, available=size, failing=0)
    if rollout.adopted and rollout.old.settled:
        new = replace(new, ready=rollout.old.ready, available=rollout.old.available)
    return old, new


def owner(rollout: Rollout) -> Controller:
    return rollout.old
