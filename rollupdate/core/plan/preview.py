"""What an update or a rollback is about to make of the pod template: before and after, to be looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, as_it_ran, template_asked_for
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
    if goal.rollback:
        before, after = after, before
    return Preview(goal.original, _shown(before, goal), _shown(after, goal), goal.resuming)


def _shown(template: Json, goal: Goal) -> Json:
    key = goal.label_key
    meta = {name: value for name, value in (template.get("metadata") or {}).items() if value}
    labels = {
        name: value
        for name, value in (meta.get("labels") or {}).items()
        if name != key or not re.fullmatch(r"[0-9a-f]{32}(-orig)?", value)
    }
    meta = {**meta, "labels": labels}
    return {**template, "metadata": {name: value for name, value in meta.items() if value}}
