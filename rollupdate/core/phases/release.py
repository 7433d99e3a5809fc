"""Pods change owners by being released and adopted: for clusters where they cannot be moved (``ownership``).

The owner wants no pods and selects none any more, so the manager releases them; then the other one gets a
selector that matches them, and the manager adopts them. In between nobody owns them. Another controller that
selects them would adopt them and delete what is too many, so that is looked for first.
"""

from __future__ import annotations

from rollupdate.advice import Advice, RollBack
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import arithmetic, waiting, writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, FindAdopters, ListPods, Patch, Step, Stop, Wait, delete_last
from rollupdate.errors import StoppedError
from rollupdate.events import (
    Event,
    NotMoved,
    Renaming,
    Returning,
    RollingBack,
    Scaled,
    ScaledByOthers,
    Succeeded,
)

UNOWNED_SECONDS = 1.0
"""So long a list must have shown that the pods have no owner before another one gets its size: a status that
says so can be older than what the manager itself has written."""
LIST_AGAIN = 0.25
"""Seconds between two lists of pods that are being released."""


def begin(rollout: Rollout, context: Context, transfer: Transfer) -> Step:
    old, new, session = rollout.old, rollout.new, context.session
    if session.adopters is None and (session.not_moved or new.record.not_moved is not None):
        return FindAdopters(labels=new.labels, but=frozenset((old.uid, new.uid)))
    if session.adopters:
        names, why = " and ".join(session.adopters), session.not_moved or new.record.not_moved
        return Stop(
            error=StoppedError(
                f"the pods of {new.name} change owners, and {names} selects them too: it would adopt them, "
                "and delete those that it needs not",
                hint=Advice(
                    f"the pods cannot be moved: {why}. Let it select other pods, or delete it, then run the "
                    "command again; or go back with: ",
                    RollBack(old.name),
                ),
            )
        )
    desired = writes.released(new, old, transfer, context.goal.label_key)
    told: list[Event] = []
    if new.record.not_moved is None:
        told.append(Succeeded(old.name, rollback=False))
        if session.not_moved:
            told.append(NotMoved(new.name, session.not_moved))
            desired["metadata"]["annotations"][record.NOT_MOVED] = session.not_moved
    return Patch(controller=new, desired=desired, effect=Effect.RELEASE, events=tuple(told))


def resume(rollout: Rollout, context: Context, transfer: Transfer) -> Step:
    """The new controller has released its pods; the old one is to adopt them (or has)."""
    old, new = rollout.old, rollout.new
    if rollout.adopted:
        if not old.settled or old.available < old.replicas:
            return Wait(reason=f"{old.name} is adopting the pods of {new.name}", waiting_for=old)
        if not old.record.empty:  # of a rollback that came too late
            return Patch(controller=old, desired=writes.without_record(old), effect=Effect.STRIP)
        return delete_last(new, owner=old)
    if old.replicas > 0:
        return back_to(old, transfer, 0)
    if not old.settled:
        return waiting.terminating(old) if old.observed else waiting.unobserved(old)
    step = _released(new, transfer, context)
    if step is not None:
        return step
    replicas = transfer.size(old.record.scaled_by)
    carry = context.goal.carry_metadata
    return Patch(
        controller=old,
        desired=writes.adopting(old, new, transfer, replicas, carry_metadata=carry),
        effect=Effect.ADOPT,
        events=(Renaming(new.name, old.name),),
    )


def _released(owner: Controller, transfer: Transfer, context: Context) -> Step | None:
    """None once a list has shown for a while that ``owner`` has released its pods."""
    if not owner.settled:
        return Wait(reason=f"{owner.name} is releasing its pods")
    selector = label_selector(transfer.selector)
    seen = ((owner.uid, owner.generation, owner.current),)
    pods, since = context.snapshot.owned, context.session.unowned_since
    if pods is None or pods.selector != selector or pods.seen != seen:
        return ListPods(selector=selector, seen=seen)
    reason = f"{owner.name} is releasing its pods"
    if since is None:
        if pods.at + LIST_AGAIN > context.now:
            return Wait(reason=reason, until=pods.at + LIST_AGAIN, again=True)
        return ListPods(selector=selector, seen=seen)
    if (pods.pods or pods.unknown) and context.now - since < UNOWNED_SECONDS:
        return Wait(reason=reason, until=since + UNOWNED_SECONDS)
    return None


def back_to(old: Controller, transfer: Transfer, size: int) -> Step:
    """Another client scaled the old controller up in the middle of the finish, from ``size``: what it has
    added goes into the goal, the pods of the old template go."""
    reached = transfer.replicas + old.record.scaled_by
    extra = arithmetic.scaled_by_others(old, size, reached) or 0
    return Patch(
        controller=old,
        desired=writes.scaled(old, size, {record.SCALED_BY: old.record.scaled_by + extra or None}),
        effect=Effect.NOTE_SCALING | Effect.SCALE_DOWN,
        events=(
            ScaledByOthers(old.name, size, old.replicas, reached + extra),
            Scaled(old.name, old.replicas, size),
        ),
    )


# --- back ---


def return_pods(rollout: Rollout, transfer: Transfer) -> Step:
    """The old controller releases the pods again."""
    old, new = rollout.old, rollout.new
    return Patch(
        controller=old,
        desired=writes.returned(old, new, transfer),
        effect=Effect.RETURN,
        asserts_direction=False,
        events=(Returning(new.name, old.name), RollingBack(old.name, transfer.original)),
    )


def emptied_again(new: Controller) -> Step | None:
    """The new controller, which has released its pods, was scaled up by another client. The pods that it has
    made since match no other selector: once it has its former one nobody would own them."""
    if new.replicas == 0:
        return None
    return Patch(controller=new, desired=writes.scaled(new, 0, {}), effect=Effect.EMPTY)


def undo(rollout: Rollout, context: Context, transfer: Transfer) -> Step:
    """The new controller adopts the pods again. The old one carries the mark of a rollback."""
    old, new = rollout.old, rollout.new
    step = emptied_again(new)
    if step is None and not new.settled:
        return Wait(reason=f"{new.name} is releasing its pods")
    step = step or _released(old, transfer, context)
    if step is not None:
        return step
    replicas = transfer.size(old.record.scaled_by)
    return Patch(controller=new, desired=writes.reclaimed(new, transfer, replicas), effect=Effect.ADOPT)
