"""What an update or a rollback is about to make of the pod template: before and after, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, as_it_ran, template_asked_for
from rollupdate.core.model.template import is_hash, without_label
from rollupdate.core.plan.goal import Goal
from rollupdate.objects import Json


@dataclass(frozen=True)
class Preview:
    """Two pod templates without what only this command needs in them."""

    name: str
    """The old controller's."""
    before: Json
    after: Json
    resuming: bool
    """The update is in progress already."""


def preview(goal: Goal, controllers: Mapping[str, Controller], created: Json | None) -> Preview:
    """``created``: the new controller as the server would store it, where it is still to be created."""
    old, new = controllers.get(goal.original), controllers.get(goal.successor)
    after = created["spec"]["template"] if created is not None else new and template_asked_for(new)
    ran = None if goal.target is None else goal.target.ran
    before = as_it_ran(old.template, ran) if old is not None else after
    if old is not None and new is not None and created is None:
        before = Rollout(old, new).template_that_ran or before
    after = after or before or {}
    before = before or after
    key = goal.label_key
    given = any(one is not None and one.record.labelled == key for one in (old, new))
    if given or key not in ((before.get("metadata") or {}).get("labels") or {}):
        # Only this command needs it. A value that was there before may be what a Service selects by.
        before, after = _without_hash(before, key), _without_hash(after, key)
    if goal.rollback:
        before, after = after, before
    return Preview(goal.original, _shown(before), _shown(after), goal.resuming)


def _without_hash(template: Json, key: str) -> Json:
    labels = (template.get("metadata") or {}).get("labels") or {}
    return without_label(template, key) if is_hash(labels.get(key)) else template


def _shown(template: Json) -> Json:
    meta = {name: value for name, value in (template.get("metadata") or {}).items() if value}
    return {**template, "metadata": meta}
