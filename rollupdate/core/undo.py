"""``--rollback --to-revision`` with nothing in progress: which revision it goes to, as an update like any
other; and the keeping of revisions, without which there would be none.

A request to roll back is first made into what it means: an undo (then it is an update, whose change is the
template of a revision), or going back to what was before the update in progress. With an undo in progress the
number of the revision says which. Without a number a rollback only ends what is in progress, so that a script
may fall back to it after any failure: it never undoes a finished update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rollupdate.core import history
from rollupdate.core.controller import Controller
from rollupdate.core.formats import refuse_newer
from rollupdate.core.goal import Goal, nothing_to_roll_back, refuse_being_a_successor, refuse_beside_an_undo
from rollupdate.core.history import CHANGE_CAUSE, Ran, Revision
from rollupdate.core.pair import find_successors, undo_in_progress
from rollupdate.core.record import Undo
from rollupdate.core.request import DEFAULT_LABEL_KEY, PREVIOUS, Request, UndoChange
from rollupdate.core.session import Session
from rollupdate.core.steps import DeleteLast, Effect, Forget, Keep, Patch, Snapshot, Step
from rollupdate.errors import RefusedError

# --- what a rollback means ---


def needs_history(request: Request, controllers: Mapping[str, Controller]) -> Controller | None:
    """The controller whose revisions have to be known to tell what ``request`` means; None where none has."""
    original = controllers.get(request.name)
    if original is None or not request.rollback or _names_an_update(request):
        return None
    partner = next(iter(find_successors(original, controllers.values())), None)
    undo = undo_in_progress(original, partner)
    if undo is None:
        return original if partner is None and not _half_begun(original) else None
    if request.to_revision == undo.running:
        return None
    # A number that is neither of the two may be a former one of them.
    known = partner is not None and request.to_revision in (None, PREVIOUS, undo.revision)
    return None if known else original


def resolve(
    request: Request, controllers: Mapping[str, Controller], revisions: Sequence[Revision]
) -> Request:
    """What ``request`` means: itself, or for an undo the update that it is. Raises RefusedError."""
    refuse_newer(request.name, controllers)
    original = controllers.get(request.name)
    if original is None or not request.rollback:
        return request
    refuse_being_a_successor(original, controllers.values())
    partner = next(iter(find_successors(original, controllers.values())), None)
    undo = undo_in_progress(original, partner)
    if undo is not None:
        return _go_on(request, undo, original, partner, revisions)
    if partner is not None or _half_begun(original):
        if request.to_revision not in (None, PREVIOUS):
            raise _refuse_during_an_update(original, partner)
        return request
    if _names_an_update(request):
        return request
    return _begin(request, original, revisions)


def _names_an_update(request: Request) -> bool:
    """With an image, a file or a name it is that update which is to be rolled back, and no other."""
    return request.change is not None or request.new_name is not None or request.keep_name


def _half_begun(original: Controller) -> bool:
    """An update that got no further than labels and its record."""
    known = original.record
    return bool(known.next_name or known.labelled or known.turn)


def _go_on(
    request: Request,
    undo: Undo,
    original: Controller,
    partner: Controller | None,
    revisions: Sequence[Revision],
) -> Request:
    if _names_an_update(request):
        raise refuse_beside_an_undo(original, undo)
    number = request.to_revision or undo.revision
    if _same(number, undo.running, revisions):
        return request
    if not _same(number, undo.revision, revisions):
        raise refuse_beside_an_undo(original, undo)
    if partner is None:
        return _to(request, revision_of(original, undo.revision, revisions), undo)
    forwards = UndoChange(undo)
    digits = partner.record.template_hash
    keys = [key for key, value in partner.selector.items() if value == digits]
    return replace(request, rollback=False, change=forwards, label_key=_key(request, *keys))


def _same(number: int, other: int, revisions: Sequence[Revision]) -> bool:
    """Whether both are, or were, numbers of one revision."""
    return number == other or any({number, other} <= {each.number, *each.former} for each in revisions)


def _begin(request: Request, original: Controller, revisions: Sequence[Revision]) -> Request:
    now = history.running(revisions, original.template)
    number = request.to_revision
    if number:
        wanted = revision_of(original, number, revisions)
    else:
        before = history.previous(revisions, original.template)
        if before is None:
            raise nothing_to_roll_back(original.name)
        if number is None:
            raise nothing_to_roll_back(original.name, _how_to_undo(request, before))
        wanted = before
    # What runs and is no revision yet will be the next one (see history.plan).
    running = history.next_number(revisions) if now is None else now.number
    return _to(request, wanted, Undo(wanted.number, running))


def _how_to_undo(request: Request, before: Revision) -> str:
    """With the flags that were given: they say which namespace, and which cluster."""
    command = request.command
    if command is None or command.endswith("...") or " -- " in command or request.supersede:
        command = f"kubectl rolling-update {request.name} --rollback"
    return (
        f"no update of {request.name} is in progress; to undo a finished update and return to revision "
        f"{before.number}: {command} --to-revision={before.number}"
    )


def _to(request: Request, wanted: Revision, undo: Undo) -> Request:
    change = UndoChange(undo, wanted.template)
    return replace(request, rollback=False, change=change, label_key=_key(request, wanted.label_key))


def _key(request: Request, *known: str) -> str:
    """The label key of that update, unless another one is asked for."""
    if request.label_key != DEFAULT_LABEL_KEY:
        return request.label_key
    return next((each for each in known if each), DEFAULT_LABEL_KEY)


def revision_of(controller: Controller, number: int, revisions: Sequence[Revision]) -> Revision:
    """The revision of that number, now or before. Raises RefusedError saying which there are."""
    wanted = history.numbered(revisions, number)
    if wanted is None:
        numbers = ", ".join(str(each.number) for each in revisions)
        raise RefusedError(
            f'revision {number} of replicationcontroller "{controller.name}" not found',
            hint=f"its history has: {numbers}" if numbers else "it has no history",
        )
    return wanted


def _refuse_during_an_update(original: Controller, partner: Controller | None) -> RefusedError:
    to = f" to {partner.name}" if partner is not None else ""
    return RefusedError(
        f"Found existing in-progress update of {original.name}{to}; nothing was changed",
        hint="continue it with the command that began it, or go back with: "
        f"kubectl rolling-update {original.name} --rollback",
    )


# --- what is kept ---


def with_history(step: Step, snapshot: Snapshot, goal: Goal, session: Session) -> Step:
    """``step``, or what is to be done about the history first: what has run is kept before the last write of
    an update, and forgotten before its pods are handed back."""
    if isinstance(step, DeleteLast) and not goal.rollback and not session.kept:
        return _kept(snapshot, goal) or step
    if not session.forgot and isinstance(step, Patch) and Effect.RETURN in step.effect:
        kept = _kept(snapshot, goal)
        return step if kept is None else Forget(owner=kept.owner, sources=kept.sources, ran=kept.ran)
    return step


def _kept(snapshot: Snapshot, goal: Goal) -> Keep | None:
    """Both have what they are to have in the end. None where nothing is to be kept of it."""
    original, successor, request = snapshot.original, snapshot.successor, goal.request
    if original is None or successor is None or not request.history_limit:
        return None
    handover = successor.record.handover
    if handover is None and original.selector == successor.selector:
        return None  # a leftover of somebody who came too late
    owner = successor if handover is None else original
    key = goal.release_key
    before = original.template if handover is None else (handover.previous or {}).get("template")
    ran = []
    if isinstance(before, dict):
        said = None if goal.carry_metadata and handover is not None else _cause(original)
        ran.append(Ran(before, key, said, at=original.raw["metadata"].get("creationTimestamp")))
    ran.append(Ran(owner.template, key, _cause(owner), request.command))
    return Keep(
        owner=owner,
        sources=tuple(dict.fromkeys((original.uid, owner.uid))),
        ran=tuple(ran),
        limit=request.history_limit,
    )


def _cause(controller: Controller) -> str | None:
    annotations = controller.raw["metadata"].get("annotations") or {}
    return annotations.get(CHANGE_CAUSE)
