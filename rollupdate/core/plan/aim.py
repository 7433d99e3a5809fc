"""What is asked for, and what there is on the cluster, make a goal; or a refusal, before anything is written.

:func:`aim` looks at the controllers of the namespace once. It promises nothing about what the cluster looks
like later; ``decide`` looks again at each step.

A rollback to a revision with nothing in progress is an update like any other, whose change is the template of
that revision. With such an undo in progress the number of the revision says which direction is meant. Without
a number a rollback only ends what is in progress, so that a script may fall back to it after any failure: it
never undoes a finished update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from rollupdate.advice import Advice, RollBack, Setting
from rollupdate.core.changes.base import DEFAULT_LABEL_KEY, Change, Naming
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.revision import RevisionChange
from rollupdate.core.changes.target import Ending
from rollupdate.core.model import history
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.formats import refuse_newer
from rollupdate.core.model.history import Revision
from rollupdate.core.model.record import Undo
from rollupdate.core.model.rollout import Rollout, size_before, was_successor_of
from rollupdate.core.model.template import is_temporary_name, template_hash, temporary_name
from rollupdate.core.plan.back import away_from, back, name_asked_for
from rollupdate.core.plan.fitting import refuse_what_does_not_fit
from rollupdate.core.plan.found import HalfBegun, Idle, InProgress, Missing, find
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.core.plan.refusals import (
    beside_an_undo,
    edited,
    finishing,
    in_progress,
    not_found,
    nothing_to_go_back_to,
    nothing_to_roll_back,
    refuse_a_label_in_use,
    refuse_a_label_to_replace,
    refuse_another_label,
    refuse_being_a_successor,
    refuse_migrated,
    refuse_migrating,
    refuse_owned,
    refuse_the_same_pods,
    taken_name,
)
from rollupdate.errors import InProgressError, NothingChangesError, RefusedError, UsageError


class Revisions(Protocol):
    """The history of a controller, read only if it is needed. Raises ClusterError."""

    def __call__(self, controller: Controller, *, for_a_hint: bool = False) -> Sequence[Revision]:
        """``for_a_hint``: without it only a hint is missing."""
        ...


def aim(intent: Intent, policy: Policy, controllers: Mapping[str, Controller], revisions: Revisions) -> Goal:
    """The goal of ``intent`` among ``controllers`` (by name, all of the namespace).

    Raises RefusedError or UsageError in the documented words, ApiError (404) if there is no such controller;
    nothing has been written then.
    """
    refuse_newer(intent.name, controllers)
    found = find(intent.name, controllers)
    if not isinstance(found, Missing):
        refuse_migrating(found.old)
        refuse_being_a_successor(found.old, controllers.values())
    match found, intent.rollback:
        case Missing(), _:
            goal = _left_alone(intent, controllers)
        case InProgress(), False:
            goal = _join(intent, found, controllers)
        case HalfBegun(old), False if old.held:
            goal = _held_alone(intent, found, controllers)
        case Idle(old) | HalfBegun(old), False:
            if isinstance(found, Idle):
                refuse_migrated(old, controllers.values())
                refuse_owned(old)
            goal = _begin(_change(intent), old, intent, controllers)
        case ((HalfBegun(undo=Undo() as undo) | InProgress(undo=Undo() as undo)), True):
            goal = _within_an_undo(intent, found, undo, controllers, revisions)
        case HalfBegun() | InProgress(), True:
            goal = back(intent, found)
        case Idle(old), _:
            goal = _undo(intent, old, controllers, revisions)
    planned = tuple(controllers[name] for name in goal.names if name in controllers)
    return replace(goal, policy=policy, origin=intent.origin, planned=planned)


# --- forwards ---


def _change(intent: Intent) -> Change:
    if intent.change is None:
        raise UsageError(f"Must specify {Setting.FILE} or {Setting.IMAGE} for new controller")
    return intent.change


def _held_alone(intent: Intent, found: HalfBegun, controllers: Mapping[str, Controller]) -> Goal:
    """The new controller was deleted while its pods were moved. The old one is the new version by now: that
    nothing changes is no reason to leave it held."""
    try:
        return _begin(_change(intent), found.old, intent, controllers)
    except NothingChangesError:
        goal = replace(away_from(intent, found), rollback=False)
        return replace(goal, digest=template_hash(found.old.template, goal.label_key))


def _begin(change: Change, old: Controller, intent: Intent, controllers: Mapping[str, Controller]) -> Goal:
    naming = intent.naming
    if intent.again:
        change = change.again(old.template, naming)
    refuse_another_label(old, naming.label_key)
    refuse_a_label_in_use(old, naming.label_key)
    return _planned(change, old, naming, controllers)


def _planned(change: Change, old: Controller, naming: Naming, controllers: Mapping[str, Controller]) -> Goal:
    target = change.target(old, naming)
    goal = Goal(
        original=old.name,
        successor=target.name,
        finish=change.finish(naming),
        change=change,
        target=target,
        digest=target.digest,
        label_key=naming.label_key,
        carry_metadata=change.carries_metadata,
        undo=target.undo,
    )
    own = change.pod_labels.get(naming.label_key) if isinstance(change, FileChange) else None
    refuse_a_label_to_replace(old, target, own, naming.label_key)
    if target.name in controllers:
        raise taken_name(goal)
    refuse_what_does_not_fit(goal, old)
    return goal


def _join(intent: Intent, found: InProgress, controllers: Mapping[str, Controller]) -> Goal:
    """The update in progress is resumed if it is the one asked for, else perhaps superseded."""
    change, naming, old, new = _change(intent), intent.naming, found.old, found.new
    refuse_a_label_in_use(old, naming.label_key)
    if new.record.superseded_by is not None:
        return _supersede(intent, change, found, controllers)
    try:
        if found.undo is not None:
            raise beside_an_undo(old, found.undo)
        change.refuse_another(old, new, naming)
    except InProgressError:
        if not intent.supersede:
            if Rollout(old, new).new_edited:
                raise edited(new, old.name) from None
            raise
        return _supersede(intent, change, found, controllers)
    return Goal(
        original=old.name,
        successor=new.name,
        finish=change.finish(naming),
        change=change,
        digest=change.digest(naming) or new.record.template_hash,
        resuming=True,
        label_key=naming.label_key,
        carry_metadata=change.carries_metadata,
        superseded=found.all_but(new.name),
    )


def _supersede(
    intent: Intent, change: Change, found: InProgress, controllers: Mapping[str, Controller]
) -> Goal:
    """Another target than that of the update in progress, which this one takes the place of. It may have
    begun to do so before there was a new controller of its own."""
    old, successors = found.old, found.successors
    if any(new.record.transfer is not None for new in successors):
        raise finishing(old.name, found.new.name)
    if Rollout(old, found.new).old_edited:
        raise edited(old, old.name)
    size = size_before(old, successors)
    meant = replace(old, replicas=size, record=replace(old.record, scaled_to=None))
    rest = {name: controller for name, controller in controllers.items() if controller not in successors}
    try:
        goal = _planned(change, meant, intent.naming, rest)
    except NothingChangesError as error:
        raise NothingChangesError(
            error.message,
            hint=Advice(
                f"{old.name} is the state before the update in progress; return to it with: ",
                RollBack(old.name),
            ),
        ) from error
    begun = found.new.record.superseded_by
    if not intent.supersede and begun != goal.successor:
        raise in_progress(old.name, str(begun))
    if begun != goal.successor:
        refuse_owned(old)
    for new in successors:
        if new.name == goal.successor:
            # It had been superseded itself.
            goal = replace(goal, target=None, resuming=True)
        elif goal.target is not None:
            refuse_the_same_pods(goal.target, new)
    return replace(goal, superseded=found.all_but(goal.successor))


def _left_alone(intent: Intent, controllers: Mapping[str, Controller]) -> Goal:
    """NAME is not there. The old command, killed between its last writes, leaves the new controller alone
    under its temporary name: for the image asked for, it is given its lasting name now."""
    change, naming = intent.change, intent.naming
    if intent.rollback:
        left = (new for new in controllers.values() if was_successor_of(intent.name, new))
        raise next((nothing_to_go_back_to(intent.name, new) for new in left), not_found(intent.name))
    if change is None:
        raise not_found(intent.name)

    def resumed(new: Controller, finish: Ending) -> Goal:
        return Goal(
            original=intent.name,
            successor=new.name,
            finish=finish,
            change=change,
            resuming=True,
            label_key=naming.label_key,
        )

    if not naming.new_name:
        for new in controllers.values():
            transfer = new.record.transfer  # an earlier run may have started it, and been killed
            value = (new.selector if transfer is None else transfer.selector).get(naming.label_key)
            named = value and new.name == temporary_name(intent.name, value)
            if named and is_temporary_name(new.name, intent.name) and change.made(new):
                return resumed(new, Ending.KEEP_NAME)
    own = None if naming.keep_name else change.name(naming)
    alone = controllers.get(own or naming.new_name or "")
    if alone is not None and was_successor_of(intent.name, alone):
        return resumed(alone, Ending.DELETE_OLD)
    raise not_found(intent.name)


# --- to a revision ---


def _undo(
    intent: Intent, old: Controller, controllers: Mapping[str, Controller], revisions: Revisions
) -> Goal:
    """With nothing in progress: an update to a revision, if one is asked for."""
    if intent.names_an_update:
        raise nothing_to_roll_back(name_asked_for(intent) or old.name)
    number = intent.to_revision
    known = revisions(old, for_a_hint=number is None)
    if number:
        wanted = revision_of(old, number, known)
    else:
        before = history.previous(known, old.template)
        if before is None:
            raise nothing_to_roll_back(old.name)
        if number is None:
            raise nothing_to_roll_back(old.name, _how_to_undo(intent, before))
        wanted = before
    now = history.running(known, old.template)
    # What runs and is no revision yet will be the next one (see history.plan).
    current = history.next_number(known) if now is None or intent.again else now.number
    return _to(intent, wanted, Undo(wanted.number, current), old, controllers)


def _within_an_undo(
    intent: Intent,
    found: HalfBegun | InProgress,
    undo: Undo,
    controllers: Mapping[str, Controller],
    revisions: Revisions,
) -> Goal:
    """On to the revision that it goes to, or back to the one that it came from."""
    old = found.old

    def same(number: int, other: int) -> bool:
        """Whether both are, or were, numbers of one revision."""
        return number == other or any(
            {number, other} <= {revision.number, *revision.former} for revision in revisions(old)
        )

    number = intent.to_revision or undo.revision
    if intent.names_an_update:
        raise beside_an_undo(old, undo)
    if number != undo.revision and same(number, undo.running):
        return away_from(intent, found)
    if not same(number, undo.revision):
        raise beside_an_undo(old, undo)
    if isinstance(found, HalfBegun):
        return _to(intent, revision_of(old, undo.revision, revisions(old)), undo, old, controllers)
    new = found.new
    keys = [key for key, value in new.selector.items() if value == new.record.template_hash]
    label_key = _label_key(intent, *keys)
    refuse_a_label_in_use(old, label_key)
    return Goal(
        original=old.name,
        successor=new.name,
        finish=Ending.KEEP_NAME,
        digest=new.record.template_hash,
        resuming=True,
        label_key=label_key,
        superseded=found.all_but(new.name),
        undo=undo,
    )


def _to(
    intent: Intent, wanted: Revision, undo: Undo, old: Controller, controllers: Mapping[str, Controller]
) -> Goal:
    naming = replace(intent.naming, label_key=_label_key(intent, wanted.label_key))
    return _begin(RevisionChange(undo, wanted.template), old, replace(intent, naming=naming), controllers)


def _label_key(intent: Intent, *known: str) -> str:
    """That of the update to the revision, unless another one is asked for."""
    asked = intent.naming.label_key
    if asked != DEFAULT_LABEL_KEY:
        return asked
    return next((key for key in known if key), DEFAULT_LABEL_KEY)


def revision_of(controller: Controller, number: int, known: Sequence[Revision]) -> Revision:
    """The revision of that number, now or before. Raises RefusedError saying which there are."""
    wanted = history.numbered(known, number)
    if wanted is None:
        numbers = ", ".join(str(revision.number) for revision in known)
        raise RefusedError(
            f'revision {number} of replicationcontroller "{controller.name}" not found',
            hint=f"its history has: {numbers}" if numbers else "it has no history",
        )
    return wanted


def _how_to_undo(intent: Intent, before: Revision) -> Advice:
    return Advice(
        f"no update of {intent.name} is in progress; to undo a finished update and return to revision "
        f"{before.number}: ",
        RollBack(intent.name, before.number),
    )
