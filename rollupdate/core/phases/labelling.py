"""Making two controllers tell their pods apart by the identifying label, and taking it off again.

Both directions are a series of decisions like any other: looked at anew at every step, so that a client
may be killed between any two of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, Label, Patch, PodSearch, Search, Step, Wait
from rollupdate.events import Labelling
from rollupdate.objects import Json

SEEN_SECONDS = 2.0
"""So long the manager may take to see that pods are labelled. It may never count all of them: pods that are
older than another label of the template have not got that one."""


def label(old: Controller, new_labels: Mapping[str, str], context: Context) -> Step | None:
    """While the old controller's selector would match the new pods, it gets the identifying label as well.

    Template, pods, selector, in that order: no pod is released, none is left without an owner. The manager
    watches pods apart from controllers: if it sees the selector before the labels, it releases the pods and
    makes others, so its status is waited for, which counts those with the label. Pods made once the template
    is observed carry the label, so one search sees all that do not. Pods that another
    client's labelling released are looked for twice after the selector has changed, and adopted again:
    before there is a new controller, so that they count, and once more when the old one has come to 0.
    """
    goal, snapshot = context.goal, context.snapshot
    key = goal.label_key
    overlaps = all(new_labels.get(name) == value for name, value in old.selector.items())
    may_have_released = snapshot.new is None or old.replicas == 0
    if not overlaps and not (may_have_released and old.record.labelled == key):
        return None
    if key not in old.labels:
        undo = goal.undo_marks if snapshot.new is None else {}
        return _write(old, writes.template_labelled(old, key, template_hash(old.template, key), undo))
    value = old.labels[key]
    if not old.observed:
        return Wait(reason=f"the controller manager has not observed the template of {old.name}")
    base = {name: text for name, text in old.selector.items() if name != key}
    if key in old.selector:
        search = PodSearch(label_selector(base, f"!{key}"), None, old.generation)
    else:
        search = PodSearch(label_selector(base, f"{key}!={value}"), old.uid, old.generation)
    if snapshot.searched != search:
        return Search(search=search)
    if snapshot.pods:
        told = Labelling(old.name, len(snapshot.pods), key, value)
        return Label(controller=old, pods=snapshot.pods, key=key, value=value, events=(told,))
    if key in old.selector:
        return None
    seen_by = context.session.progress_at + SEEN_SECONDS
    if old.fully_labelled < old.current and context.now < seen_by:
        return Wait(
            reason=f"the controller manager has not seen the labels of the pods of {old.name}", until=seen_by
        )
    marks: dict[str, str | int | None] = {}
    if snapshot.new is None:
        marks = {record.ORIGINAL_REPLICAS: goal.size_before(old), record.NEXT_CONTROLLER: goal.successor}
    return _write(old, writes.selector_labelled(old, key, value, marks))


def unlabel(old: Controller, context: Context) -> Step | None:
    """The label that this update gave the old pods comes off again: selector, template, pods."""
    key, snapshot = old.record.labelled, context.snapshot
    if key is None:
        return None
    if key in old.selector:
        return _write(old, writes.selector_unlabelled(old, key))
    if key in old.labels:
        return _write(old, writes.template_unlabelled(old, key))
    if not old.observed:
        return Wait(reason=f"the controller manager has not observed the template of {old.name}")
    search = PodSearch(label_selector(old.selector, key), old.uid, old.generation)
    if snapshot.searched != search:
        return Search(search=search)
    if snapshot.pods:
        return Label(controller=old, pods=snapshot.pods, key=key, value=None)
    return None


def _write(old: Controller, desired: Json) -> Patch:
    return Patch(controller=old, desired=desired, effect=Effect.LABEL)
