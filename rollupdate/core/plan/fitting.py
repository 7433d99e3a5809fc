"""What an update has to write onto the two controllers fits into what the server stores, or it is refused.

The finish that keeps the name keeps the old controller's whole former specification in an annotation of the
new one, so that it can be rolled back at any moment. That comes last, and nothing is to be found out then.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollupdate.advice import Advice, Named, Setting
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Ending
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import LARGEST_ANNOTATIONS, Transfer
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import RefusedError

RESERVED = 4096
"""Bytes for the small annotations: names, uids, sizes, and why pods could not be moved."""


def refuse_what_does_not_fit(goal: Goal, old: Controller) -> None:
    """Raises RefusedError, which says how many bytes there would be."""
    target = goal.target
    if target is None:
        return
    keeps_name = goal.finish is Ending.KEEP_NAME
    own = old.raw["metadata"].get("annotations") or {}
    on_old = {key: value for key, value in own.items() if key not in record.KEYS}
    on_new = dict(target.annotations)
    if keeps_name:
        on_new[record.TRANSFER] = _transfer(target.selector, target.pod_labels, target.replicas, old)
    if goal.carry_metadata and keeps_name:
        on_old |= target.annotations
    for name, texts in ((old.name, on_old), (target.name, on_new)):
        needed = _bytes(texts) + RESERVED
        if needed > LARGEST_ANNOTATIONS:
            raise _too_long(name, needed, goal, old)


def fits(key: str, text: str, new: Controller, old: Controller) -> bool:
    """Whether the new controller has room for an annotation that an update can do without, beside what the
    finish that keeps the name is going to write."""
    own = new.raw["metadata"].get("annotations") or {}
    transfer = _transfer(new.selector, new.labels, new.replicas, old)
    return _bytes({**own, record.TRANSFER: transfer, key: text}) + RESERVED <= LARGEST_ANNOTATIONS


def _transfer(selector: Mapping[str, str], labels: dict[str, str], size: int, old: Controller) -> str:
    previous = {**old.spec, "replicas": 0}
    return Transfer(dict(selector), labels, size, size, previous, moved=True).encode()


def _bytes(annotations: Mapping[str, str]) -> int:
    """As the server counts."""
    return sum(
        len(text.encode("utf-8", "surrogatepass"))
        for annotation in annotations.items()
        for text in annotation
    )


def _too_long(name: str, needed: int, goal: Goal, old: Controller) -> RefusedError:
    hint: str | Advice = f"take annotations off {old.name} that nobody needs"
    if name == goal.successor and goal.finish is Ending.KEEP_NAME:
        text = (
            "to keep the name, the former specification is kept in an annotation until the end. With a new "
            "name nothing has to be kept: "
        )
        hint = Advice(text, Named((old.name, f"{old.name}-2")))
        if goal.undo is not None:  # no flag goes to a revision under another name
            hint = f"{text}write the template of revision {goal.undo.revision} into a file ({Setting.FILE})"
        elif isinstance(goal.change, FileChange):
            hint = f"{text}give the controller in {goal.change.source} another name and another selector"
    return RefusedError(
        f'the update of ReplicationController "{old.name}" needs {needed} bytes of annotations on {name}, '
        f"and the API server stores {LARGEST_ANNOTATIONS}; nothing was changed",
        hint=hint,
    )
