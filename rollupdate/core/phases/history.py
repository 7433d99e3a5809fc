"""What has run is kept as revisions, before the last write of an update; a late rollback drops the last."""

from __future__ import annotations

from rollupdate.core.controller import Controller
from rollupdate.core.history import CHANGE_CAUSE, Ran
from rollupdate.core.plan.goal import Goal
from rollupdate.core.session import Session
from rollupdate.core.steps import DeleteLast, Effect, Forget, Keep, Patch, Snapshot, Step


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
    original, successor = snapshot.original, snapshot.successor
    if original is None or successor is None or not goal.policy.history_limit:
        return None
    handover = successor.record.handover
    if handover is None and original.selector == successor.selector:
        return None  # a leftover of somebody who came too late
    owner = successor if handover is None else original
    key = goal.label_key
    before = original.template if handover is None else (handover.previous or {}).get("template")
    ran = []
    if isinstance(before, dict):
        said = None if goal.carry_metadata and handover is not None else _cause(original)
        ran.append(Ran(before, key, said, at=original.raw["metadata"].get("creationTimestamp")))
    ran.append(Ran(owner.template, key, _cause(owner), goal.origin.command))
    return Keep(
        owner=owner,
        sources=tuple(dict.fromkeys((original.uid, owner.uid))),
        ran=tuple(ran),
        limit=goal.policy.history_limit,
    )


def _cause(controller: Controller) -> str | None:
    annotations = controller.raw["metadata"].get("annotations") or {}
    return annotations.get(CHANGE_CAUSE)
