"""``--rollback`` of what is in progress: with an image, a file or a name of that update, and of no other."""

from __future__ import annotations

from rollupdate.advice import Advice, RollBack
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Ending
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.model.template import temporary_name
from rollupdate.core.plan.found import HalfBegun, InProgress
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import PREVIOUS, Intent
from rollupdate.core.plan.refusals import nothing_to_roll_back, refuse_being_deleted
from rollupdate.errors import InProgressError, RefusedError, RollingUpdateError


def back(intent: Intent, found: HalfBegun | InProgress) -> Goal:
    """To what was before the update in progress."""
    old = found.old
    refuse_being_deleted(found)
    if intent.to_revision not in (None, PREVIOUS):
        to = f" to {found.new.name}" if isinstance(found, InProgress) else ""
        raise RefusedError(
            f"Found existing in-progress update of {old.name}{to}; nothing was changed",
            hint=Advice(
                "resume it with the command that started it, or roll it back with: ", RollBack(old.name)
            ),
        )
    return away_from(intent, found)


def away_from(intent: Intent, found: HalfBegun | InProgress) -> Goal:
    """From what is in progress, if it may be what the command names."""
    old, wanted = found.old, name_asked_for(intent)
    if isinstance(found, HalfBegun):
        known = old.record.next_name
        if wanted is not None and known not in (None, wanted):
            raise nothing_to_roll_back(wanted)
        new_name = known or temporary_name(old.name, "0" * 32)  # of a controller that was never created
        superseded: tuple[str, ...] = ()
    else:
        new = found.new
        # The last: it was to take the place of an update in progress, and got no further.
        if wanted not in (None, new.name, new.record.superseded_by) or _is_of_another(intent, found):
            raise nothing_to_roll_back(
                wanted or old.name,
                Advice("another update is in progress; roll it back with: ", RollBack(old.name)),
            )
        new_name, superseded = new.name, found.all_but(new.name)
    return Goal(
        original=old.name,
        successor=new_name,
        rollback=True,
        finish=Ending.DELETE_OLD,
        change=intent.change,
        resuming=isinstance(found, InProgress),
        label_key=intent.naming.label_key,
        superseded=superseded,
        undo=found.undo,
    )


def _is_of_another(intent: Intent, found: InProgress) -> bool:
    """Whether the command asks for another image or file than the update in progress, for certain: one that
    may have begun it can always take it back, whoever has edited what since. A patch is not read to go back.
    """
    change, old, new = intent.change, found.old, found.new
    rollout = Rollout(old, new)
    uncertain = (
        len(found.successors) > 1  # it is about to take the place of another
        or new.record.superseded_by
        or found.undo
        or rollout.rolling_back
        or rollout.new_edited
        or rollout.old_edited
        or rollout.respecified
        or rollout.transfer
    )
    if uncertain:
        return False
    if isinstance(change, TemplateChange):
        return bool(change.images) and not change.made(new)
    if not isinstance(change, FileChange) or name_asked_for(intent):
        return False  # by its name it is that one, whatever the file says by now
    try:
        change.refuse_another(old, new, intent.naming)
    except InProgressError:
        return True
    except RollingUpdateError:
        pass  # it cannot be told
    return False


def name_asked_for(intent: Intent) -> str | None:
    """Of the new controller, if the command says so."""
    naming, change = intent.naming, intent.change
    if naming.new_name or naming.keep_name or change is None:
        return naming.new_name
    name = change.name(naming)
    return None if name == intent.name else name
