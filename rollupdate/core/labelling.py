"""Making two controllers tell their pods apart by the deployment label, and taking it off again.

Both directions are a series of decisions like any other: looked at anew at every step, so that a client
may be killed between any two of them.
"""

from __future__ import annotations

from typing import Any

from rollupdate.core import change, record
from rollupdate.core.controller import Controller
from rollupdate.core.plan.goal import Goal
from rollupdate.core.revision import template_hash
from rollupdate.core.steps import Effect, Label, Patch, PodSearch, Search, Snapshot, Step, Wait
from rollupdate.events import Labelling

Json = dict[str, Any]


def label_original(
    snapshot: Snapshot, original: Controller, new_labels: dict[str, str], goal: Goal
) -> Step | None:
    """While the old controller's selector would match the new pods, it gets the deployment label as well.

    Template, pods, selector, in that order: no pod is let go, none is left without an owner. Pods made
    once the template is observed carry the label, so one search sees all that do not. Pods that another
    client's labelling let go of are looked for twice after the selector has changed, and adopted again:
    before there is a new controller, so that they count, and once more when the old one has come to 0.
    """
    key = goal.label_key
    overlaps = all(new_labels.get(each) == value for each, value in original.selector.items())
    may_have_let_go = snapshot.successor is None or original.replicas == 0
    if not overlaps and not (may_have_let_go and original.record.labelled == key):
        return None
    if key not in original.labels:
        value = template_hash(original.template, key)
        undo = goal.undo_marks if snapshot.successor is None else {}
        return Patch(
            controller=original,
            desired=change.template_labelled(original, key, value, undo),
            effect=Effect.LABEL,
        )
    value = original.labels[key]
    if not original.observed:
        return Wait(reason=f"the replication manager has not yet seen the template of {original.name}")
    base = {each: text for each, text in original.selector.items() if each != key}
    if key in original.selector:
        search = PodSearch(label_selector(base, f"!{key}"), None, original.generation)
    else:
        search = PodSearch(label_selector(base, f"{key}!={value}"), original.uid, original.generation)
    if snapshot.searched != search:
        return Search(search=search)
    if snapshot.pods:
        told = Labelling(original.name, len(snapshot.pods), key, value)
        return Label(pods=snapshot.pods, key=key, value=value, events=(told,))
    if key in original.selector:
        return None
    marks: dict[str, str | int | None] = {}
    if snapshot.successor is None:
        marks = {
            record.ORIGINAL_REPLICAS: goal.size_before(original),
            record.NEXT_CONTROLLER: goal.successor,
        }
    return Patch(
        controller=original,
        desired=change.selector_labelled(original, key, value, marks),
        effect=Effect.LABEL,
    )


def unlabel(snapshot: Snapshot, original: Controller) -> Step | None:
    """The label that this update gave the old pods comes off again: selector, template, pods."""
    key = original.record.labelled
    if key is None:
        return None
    if key in original.selector:
        return Patch(
            controller=original, desired=change.selector_unlabelled(original, key), effect=Effect.LABEL
        )
    if key in original.labels:
        return Patch(
            controller=original, desired=change.template_unlabelled(original, key), effect=Effect.LABEL
        )
    if not original.observed:
        return Wait(reason=f"the replication manager has not yet seen the template of {original.name}")
    search = PodSearch(label_selector(original.selector, key), original.uid, original.generation)
    if snapshot.searched != search:
        return Search(search=search)
    if snapshot.pods:
        return Label(pods=snapshot.pods, key=key, value=None)
    return None


def _write(original: Controller, desired: Json) -> Patch:
    return Patch(controller=original, desired=desired, effect=Effect.LABEL)


def label_selector(equal: dict[str, str], further: str) -> str:
    return ",".join([*(f"{key}={value}" for key, value in sorted(equal.items())), further])
