"""An update that takes the place of another one in progress: three controllers, one direction.

The old controller stays the one that is updated. The new controller of the earlier update is marked with the
name of the newer one (``record.SUPERSEDED_BY``); from then on nobody continues it, its pods go together with
those of the old controller, and once it has none it is deleted. What is left is an update like any other.

Two writes come before anything is created or scaled, so that no client of the earlier update acts on a state
that is no more: the mark on its new controller, and on the old one the name of the newer with the next number
of a turn (see ``turning``). A write that such a client had decided on is refused on either object.
"""

from __future__ import annotations

from rollupdate.core import change, record, scaling
from rollupdate.core.controller import Controller
from rollupdate.core.pair import belongs, rolling_back
from rollupdate.core.plan.goal import Goal
from rollupdate.core.session import Session
from rollupdate.core.steps import Effect, Patch, Snapshot, Step
from rollupdate.core.turning import overtaken
from rollupdate.events import Superseding


def supersede(snapshot: Snapshot, original: Controller, goal: Goal, session: Session) -> Step | None:
    """What is to be written before the newer update may act; None where nothing is."""
    successor, earlier = snapshot.successor, superseded(snapshot, original)
    marked = successor is not None and successor.record.superseded_by is not None
    if session.followed and (marked or original.record.next_name not in (None, goal.successor)):
        return overtaken(goal, "another update")
    if not earlier and not marked:
        return None
    for each in earlier:
        if each.record.superseded_by != goal.successor:
            marks: dict[str, str | int | None] = {
                record.SUPERSEDED_BY: goal.successor,
                record.SOURCE_ID: original.identity,  # the finish may have taken it off
            }
            return Patch(
                controller=each,
                desired=change.annotated(each, marks),
                effect=Effect.FENCE,
                events=(Superseding(each.name, each.replicas, goal.successor),),
            )
    if original.record.next_name != goal.successor:
        return _follow(original, earlier, goal)
    if marked and successor is not None and not rolling_back(original, successor):
        # A rollback of it is turned round first (see ``turning``): only then is the number on the old
        # controller one of this direction.
        return _again(original, successor)
    return None


def superseded(snapshot: Snapshot, original: Controller) -> tuple[Controller, ...]:
    """Those of an earlier update that are still there. One of the same name that somebody made since is
    nothing of ours."""
    return tuple(each for each in snapshot.superseded if belongs(original, each))


def _follow(original: Controller, earlier: tuple[Controller, ...], goal: Goal) -> Step:
    reference = original.record.scaled_to
    if reference is None:
        reference = next((each.record.source_replicas for each in earlier), None)
    marks: dict[str, str | int | None] = {
        record.SCALED_TO: original.replicas if reference is None else reference,
        record.ORIGINAL_REPLICAS: scaling.size_before(original, earlier),
        record.NEXT_CONTROLLER: goal.successor,
        record.NEXT_CONTROLLER_UID: None,
        record.TEMPLATE_HASH: None,
        record.UNDO_TO: None,
        record.UNDO_FROM: None,
        record.SOURCE_ID: None,  # of a rollback of the earlier update
        record.DESIRED_REPLICAS: None,
        record.SCALED_BY: None,  # is in the size before by now
        record.TURN: max(each.record.turn for each in (original, *earlier)) + 1,
    }
    return Patch(controller=original, desired=change.annotated(original, marks), effect=Effect.FENCE)


def _again(original: Controller, successor: Controller) -> Step:
    """The newer update is one that had been superseded itself."""
    known = successor.record
    desired = None if known.desired is None else max(0, known.desired + known.scaled_by)
    marks: dict[str, str | int | None] = {
        record.SUPERSEDED_BY: None,
        record.DESIRED_REPLICAS: desired,
        record.SCALED_TO: successor.replicas,
        record.SCALED_BY: None,
        record.TURN: original.record.turn,
    }
    return Patch(controller=successor, desired=change.annotated(successor, marks), effect=Effect.FENCE)
