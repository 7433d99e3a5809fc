"""An update that takes the place of another one in progress: three controllers, one direction.

The old controller stays the one that is updated. The new controller of the earlier update is marked with the
name of the newer one (``record.SUPERSEDED_BY``); from then on nobody continues it, its pods go together with
those of the old controller, and once it has none it is deleted. What is left is an update like any other.

Two writes come before anything is created or scaled, so that no client of the earlier update acts on a state
that is no more: the mark on its new controller, and on the old one the name of the newer with the number of
the next epoch (see ``fencing``). A write that such a client had decided on is refused on either object.
"""

from __future__ import annotations

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, size_before
from rollupdate.core.phases import writes
from rollupdate.core.phases.fencing import preempted
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, Patch, Step
from rollupdate.events import Superseding


def supersede(old: Controller, context: Context) -> Step | None:
    """What is to be written before the newer update may act; None if nothing is."""
    goal, snapshot, rollout = context.goal, context.snapshot, context.snapshot.rollout
    marked = rollout is not None and rollout.new.record.superseded_by is not None
    if context.session.followed and (marked or old.record.next_name not in (None, goal.successor)):
        return preempted(goal, "started another update")
    if not snapshot.superseded and not marked:
        return None
    for earlier in snapshot.superseded:
        if earlier.record.superseded_by != goal.successor:
            marks: dict[str, str | int | None] = {
                record.SUPERSEDED_BY: goal.successor,
                record.SOURCE_ID: old.identity,  # the finish may have taken it off
            }
            return Patch(
                controller=earlier,
                desired=writes.annotated(earlier, marks),
                effect=Effect.FENCE,
                events=(Superseding(earlier.name, earlier.replicas, goal.successor),),
            )
    if old.record.next_name != goal.successor:
        return _follow(old, snapshot.superseded, goal.successor)
    if marked and rollout is not None and not rollout.rolling_back:
        # A rollback of it is turned round first (see ``fencing``): only then is the number on the old
        # controller one of this direction.
        return _again(rollout)
    return None


def _follow(old: Controller, superseded: tuple[Controller, ...], new_name: str) -> Step:
    reference = old.record.scaled_to
    if reference is None:
        reference = next((earlier.record.source_replicas for earlier in superseded), None)
    marks: dict[str, str | int | None] = {
        record.SCALED_TO: old.replicas if reference is None else reference,
        record.ORIGINAL_REPLICAS: size_before(old, superseded),
        record.NEXT_CONTROLLER: new_name,
        record.NEXT_CONTROLLER_UID: None,
        record.TEMPLATE_HASH: None,
        record.BELONGINGS: None,
        record.UNDO_TO: None,
        record.UNDO_FROM: None,
        record.SOURCE_ID: None,  # of a rollback of the earlier update
        record.DESIRED_REPLICAS: None,
        record.SCALED_BY: None,  # is in the size before by now
        record.EPOCH: max(controller.record.epoch for controller in (old, *superseded)) + 1,
    }
    return Patch(controller=old, desired=writes.annotated(old, marks), effect=Effect.FENCE)


def _again(rollout: Rollout) -> Step:
    """The newer update is one that had been superseded itself."""
    new, known = rollout.new, rollout.new.record
    desired = None if known.desired is None else max(0, known.desired + known.scaled_by)
    marks: dict[str, str | int | None] = {
        record.SUPERSEDED_BY: None,
        record.DESIRED_REPLICAS: desired,
        record.SCALED_TO: new.replicas,
        record.SCALED_BY: None,
        record.EPOCH: rollout.old.record.epoch,
    }
    return Patch(controller=new, desired=writes.annotated(new, marks), effect=Effect.FENCE)
