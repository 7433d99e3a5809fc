"""What has run is kept as revisions, before the last write of an update; a late rollback drops the last."""

from __future__ import annotations

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import CHANGE_CAUSE, Ran
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import finish
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import DeleteLast, DropRevision, Effect, Patch, RecordRevision, Step
from rollupdate.core.plan.goal import Goal


def with_history(step: Step, context: Context) -> Step:
    """``step``, or what is to be done about the history first: what has run is kept before the last write of
    an update, and dropped before its pods are returned."""
    rollout, goal, session = context.snapshot.rollout, context.goal, context.session
    if isinstance(step, DeleteLast) and not goal.rollback and not session.kept:
        return _kept(rollout, goal) or step
    if isinstance(step, Patch) and Effect.RETURN in step.effect and not session.forgot:
        kept = _kept(rollout, goal)
        return step if kept is None else DropRevision(owner=kept.owner, sources=kept.sources, ran=kept.ran)
    return step


def _kept(rollout: Rollout | None, goal: Goal) -> RecordRevision | None:
    """Both have what they are to have in the end. None if nothing is to be kept of it."""
    if rollout is None or not goal.policy.history_limit:
        return None
    old, new, handed = rollout.old, rollout.new, rollout.transfer is not None
    if not handed and old.selector == new.selector:
        return None  # a leftover of another client that came too late
    owner, key = finish.in_effect(rollout).owner(rollout), goal.label_key
    before = rollout.template_that_ran
    ran = []
    if isinstance(before, dict):
        cause = None if goal.carry_metadata and handed else _cause(old)
        ran.append(Ran(before, key, cause, at=old.raw["metadata"].get("creationTimestamp")))
    ran.append(Ran(owner.template, key, _cause(owner), goal.origin.command))
    return RecordRevision(
        owner=owner,
        sources=tuple(dict.fromkeys((old.uid, owner.uid))),
        ran=tuple(ran),
        limit=goal.policy.history_limit,
    )


def _cause(controller: Controller) -> str | None:
    annotations = controller.raw["metadata"].get("annotations") or {}
    return annotations.get(CHANGE_CAUSE)
