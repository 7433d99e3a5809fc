"""Whose update it is, and of which template: written on the old controller before the new one may grow.

Two clients that begin different updates at the same instant both see nothing in progress, and both create a
controller, as a creation is conditional on nothing. The claim is: one write to the old controller,
conditional on the version seen, with the name and the uid of the new one. One of the two gets it. The other
deletes what it has created, which has no pods as nothing grows before the claim, and ends as if it had come
later.

The claim also has the hash of the old controller's template. The pods that are still to go are of that
template, the history keeps it, and a rollback makes pods of it. If another client edits it, the update
stops; a rollback puts the claimed template back first, from the difference to the new one
(``record.TEMPLATE_BEFORE``)."""

from __future__ import annotations

from rollupdate.advice import Advice, Unannotate
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, as_it_ran
from rollupdate.core.model.template import template_hash, with_labels
from rollupdate.core.phases import writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, Patch, Step, Stop, Withdraw
from rollupdate.core.plan.refusals import changed_meanwhile, edited_words, finishing, in_progress, migrating
from rollupdate.errors import EditedError, RollingUpdateError, StoppedError
from rollupdate.events import TemplateRestored

# --- which of two updates it is ---


def lost(old: Controller, context: Context) -> RollingUpdateError | None:
    """Why this update may not be claimed any more, if another client has been quicker since it was planned;
    None once it is claimed, from where on ``fencing`` tells them apart."""
    goal, session, snapshot = context.goal, context.session, context.snapshot
    planned = {controller.name: controller for controller in goal.planned}
    before = planned.get(goal.original)
    if goal.rollback or session.linked or before is None or before.uid != old.uid:
        return None
    known = old.record
    if known.migration is not None:
        return migrating(known.migration, old, withdrawn=snapshot.new is not None)
    late = next((earlier for earlier in snapshot.superseded if earlier.record.transfer is not None), None)
    if late is not None and known.next_name != goal.successor:
        return finishing(goal.original, late.name)  # it had not begun to when this update was planned
    if known.next_name not in (goal.successor, *goal.superseded) and (
        known.next_name,
        known.next_uid,
    ) not in (
        (None, None),
        (before.record.next_name, before.record.next_uid),
    ):
        return in_progress(goal.original, str(known.next_name), withdrawn=snapshot.new is not None)
    for controller in (snapshot.new, *snapshot.superseded):
        by = None if controller is None else controller.record.superseded_by
        was = planned.get(controller.name) if controller is not None else None
        if by not in (None, goal.successor, was.record.superseded_by if was else None):
            return in_progress(goal.original, str(by), withdrawn=snapshot.new is not None)
    if goal.target is not None and known.template_seen is None and not _is_planned(old, before, context):
        return changed_meanwhile(goal.original, labelled=known.labelled is not None)
    return None


def _is_planned(old: Controller, before: Controller, context: Context) -> bool:
    """The template is still the one that the new one was made of; or the new one itself: another client of
    the same update has come to the end."""
    key = context.goal.label_key
    now = template_hash(old.template, key)
    return now in (template_hash(before.template, key), context.session.seen_template, context.goal.digest)


def withdraw(rollout: Rollout, context: Context) -> Step | None:
    """Nothing of an update that came too late is left, unless it is an older one that has pods."""
    error, new = lost(rollout.old, context), rollout.new
    if error is None:
        return None
    if new.max_pods or new.record.template_seen is not None or rollout.transfer is not None:
        return Stop(error=error)
    return Withdraw(controller=new, error=error)


def claim_old(rollout: Rollout, context: Context) -> Step | None:
    """Before the new controller grows, and before its own annotations may go."""
    old, new = rollout.old, rollout.new
    claimed = old.record.next_uid == new.uid and old.record.original is not None
    if claimed and (old.record.template_seen is not None or rollout.respecified):
        return None
    marks = writes.claimed(rollout, context.goal.label_key)
    if not rollout.respecified:
        marks[record.TEMPLATE_SEEN] = rollout.fingerprint_claimed(context.goal.label_key)
    return Patch(controller=old, desired=writes.annotated(old, marks), effect=Effect.NOTE)


def remember_new(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001
    """The new controller is that of this update by what the old one says; it gets back what it said of
    itself, before it could be taken for one that is stripped as the finish does it."""
    new = rollout.new
    if not rollout.new_forgotten:
        return None
    marks = writes.marked(rollout)
    return Patch(controller=new, desired=writes.annotated(new, marks), effect=Effect.NOTE)


# --- which template it is of ---


def refuse_edited(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001
    """All new pods are to be alike."""
    new = rollout.new
    if not rollout.new_edited:
        return None
    return Stop(
        error=EditedError(
            f"{edited_words(new)}; its pods are no longer all alike",
            hint=f"roll back, then update {rollout.old.name} again",
        )
    )


def refuse_edited_old(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001
    """What is recorded as what ran is to be what ran. Pods that are released already are adopted first."""
    released = rollout.transfer is not None and not rollout.transfer.moved
    if not rollout.old_edited or released:
        return None
    return Stop(
        error=EditedError(
            f"{edited_words(rollout.old)}; its pods are not of that template",
            hint=f"roll back, which restores the template, then update {rollout.old.name} again",
        )
    )


def restore_old(rollout: Rollout, context: Context) -> Step | None:
    """A rollback makes pods of the template that the others are of."""
    if not rollout.old_edited:
        return None
    old, template = rollout.old, rollout.template_to_restore
    if template is None or context.session.restored:
        again = " again, after it had been restored" if context.session.restored else ""
        return unrestorable(old, again)
    # `kubectl replace` may have taken the update's label off, which was then made anew: of another value.
    labels = {**((template.get("metadata") or {}).get("labels") or {}), **old.selector}
    desired = writes.with_template(old, with_labels(template, labels), {record.RESTORED: "true"})
    return Patch(controller=old, desired=desired, effect=Effect.UNEDIT, events=(TemplateRestored(old.name),))


def unrestorable(old: Controller, again: str = "") -> Stop:
    return Stop(
        error=StoppedError(
            f"{edited_words(old)}{again}; pods made of it would be others than those that run",
            hint=Advice(
                "put the template back, or have pods made of the edited one: ",
                Unannotate(old.name, record.TEMPLATE_SEEN),
            ),
        )
    )


def restore_what_ran(rollout: Rollout, context: Context) -> Step | None:  # noqa: ARG001
    """Pods that the old controller is about to make again are like those that it had: its template may be of
    a version that they never ran."""
    old = rollout.old
    if rollout.ran is None or old.replicas >= rollout.sizes.original:
        return None
    template = as_it_ran(old.template, rollout.ran)
    labels = (template.get("metadata") or {}).get("labels") or {}
    if template == old.template or not old.selector.items() <= labels.items():
        return None
    return Patch(controller=old, desired=writes.with_template(old, template, {}), effect=Effect.CORRECT)
