"""What is asked for and does not fit what is on the cluster: refused before anything is written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rollupdate.advice import Advice, DeleteController, RollBack, Setting
from rollupdate.core.changes.base import DEFAULT_LABEL_KEY
from rollupdate.core.changes.target import Target
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import Undo
from rollupdate.core.model.rollout import is_successor_of
from rollupdate.core.plan.found import HalfBegun, InProgress
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import ApiError, InProgressError, RefusedError


def not_found(name: str) -> ApiError:
    return ApiError(404, "NotFound", f'replicationcontrollers "{name}" not found')


def nothing_to_roll_back(name: str, hint: Advice | None = None) -> RefusedError:
    """In the words of kubectl 1.17."""
    return RefusedError(f"Could not find {name} to rollback.", hint=hint)


def refuse_being_a_successor(old: Controller, controllers: Iterable[Controller]) -> None:
    """An update whose old controller is the new one of another update would leave that one without an end."""
    for source in controllers:
        if source.uid == old.uid or not is_successor_of(old, source):
            continue
        if is_successor_of(source, old) and old.record.original is not None:
            continue  # a rollback of ``old`` itself: then each of the two names the other
        if source.deleting and old.record.empty:
            continue  # that update is finished but for the finalizers of its old controller
        raise RefusedError(
            f'ReplicationController "{old.name}" is the new controller of an update of "{source.name}" '
            "in progress; nothing was changed",
            hint=Advice(
                "resume that update with the command that started it, or roll it back with: ",
                RollBack(source.name),
            ),
        )


def refuse_being_deleted(found: HalfBegun | InProgress) -> None:
    """A rollback would give pods to a controller that goes."""
    old = found.old
    if not old.deleting:
        return
    held = ", ".join(old.belongings.finalizers)
    by = f", held by its finalizers: {held}" if held else ""
    hint = None
    if isinstance(found, InProgress) and found.new.record.empty:
        hint = Advice("the update is complete but for that; undo it with: ", RollBack(found.new.name, 0))
    raise RefusedError(
        f'ReplicationController "{old.name}" is being deleted{by}; its update cannot be rolled back, and '
        "nothing was changed",
        hint=hint,
    )


def refuse_another_label(old: Controller, label_key: str) -> None:
    """Half way through labelling with one key, another key would leave both on the pods."""
    key = old.record.labelled
    if key is not None and key != label_key:
        raise RefusedError(
            f'ReplicationController "{old.name}" is being labelled with {key} by an update in progress; '
            "nothing was changed",
            hint=Advice(
                f"resume it with {Setting.LABEL_KEY}={key}, or roll it back with: ", RollBack(old.name)
            ),
        )


def refuse_a_label_in_use(old: Controller, label_key: str) -> None:
    """A key of the user's own may be what a Service selects by: its value must not become a hash."""
    value = old.selector.get(label_key)
    ours = label_key == DEFAULT_LABEL_KEY or value is None or re.fullmatch(r"[0-9a-f]{32}(-orig)?", value)
    if not ours:
        raise RefusedError(
            f'ReplicationController "{old.name}" already selects its pods by {label_key}={value}; nothing '
            "was changed",
            hint=f"choose another {Setting.LABEL_KEY}: what selects pods by this one would miss the new pods",
        )


def refuse_the_same_pods(target: Target, other: Controller) -> None:
    if other.selector.items() <= target.pod_labels.items() or target.selector.items() <= other.labels.items():
        raise RefusedError(
            f"the new controller must specify a matching key with non-equal value in Selector for "
            f"{other.name}, which it replaces; nothing was changed",
            hint="change a label in its selector and template",
        )


def beside_an_undo(old: Controller, undo: Undo) -> InProgressError:
    return InProgressError(
        f"Found existing in-progress rollback of {old.name} to revision {undo.revision}; nothing was changed",
        hint=Advice(
            "resume it with: ",
            RollBack(old.name, undo.revision),
            "\nor roll it back with: ",
            RollBack(old.name, undo.running),
        ),
    )


def taken_name(goal: Goal) -> RefusedError:
    return RefusedError(
        f'ReplicationController "{goal.successor}" already exists and is not the new controller of an update '
        f'of "{goal.original}"; nothing was changed',
        hint=Advice(
            "choose another name for the new controller, or delete it with: ",
            DeleteController(goal.successor),
        ),
    )
