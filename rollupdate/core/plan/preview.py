"""What an update or a rollback is about to make of the pod template: before and after, to be looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollupdate.core.controller import Controller
from rollupdate.core.pair import source_template
from rollupdate.core.plan.goal import Goal
from rollupdate.core.revision import with_labels

Json = dict[str, Any]


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
    original, successor = controllers.get(goal.original), controllers.get(goal.successor)
    new = created["spec"]["template"] if created is not None else _asked_for(successor)
    old = original.template if original is not None else new
    if original is not None and successor is not None and created is None:
        old = source_template(original, successor) or old
    new = new or old or {}
    old = old or new
    before, after = (new, old) if goal.rollback else (old, new)
    return Preview(goal.original, _shown(before, goal), _shown(after, goal), goal.resuming)


def _asked_for(successor: Controller | None) -> Json | None:
    """The new controller's template, also once it has let go of its pods."""
    if successor is None:
        return None
    handover = successor.record.handover
    return successor.template if handover is None else with_labels(successor.template, handover.labels)


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
