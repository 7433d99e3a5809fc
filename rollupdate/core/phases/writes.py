"""The writes of an update as functions from one object to the next. Nothing is sent from here.

Each takes a :class:`Controller` and returns the whole object as it should be; the engine sends the JSON
Patch between the two, conditional on the resourceVersion that the decision was made on.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.template import template_hash, with_label, with_labels
from rollupdate.objects import Json


def annotated(controller: Controller, annotations: Mapping[str, str | int | None]) -> Json:
    """Set those annotations; None removes one."""
    obj = copy.deepcopy(controller.raw)
    meta = obj["metadata"]
    merged = dict(meta.get("annotations") or {})
    for key, value in annotations.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = str(value)
    if merged:
        meta["annotations"] = merged
    else:
        meta.pop("annotations", None)
    return obj


def without_record(controller: Controller) -> Json:
    """Everything of ours off the object, and its own ``minReadySeconds`` back."""
    obj = annotated(controller, dict.fromkeys(record.KEYS))
    if controller.record.min_ready_seconds is not None:
        obj["spec"]["minReadySeconds"] = controller.record.min_ready_seconds
    return obj


def scaled(controller: Controller, replicas: int, annotations: Mapping[str, str | int | None]) -> Json:
    obj = annotated(controller, {**annotations, record.SCALED_TO: replicas})
    obj["spec"]["replicas"] = replicas
    return obj


def template_labelled(
    controller: Controller, key: str, value: str, annotations: Mapping[str, str | int | None] | None = None
) -> Json:
    """The first write of labelling: pods made from now on carry the label."""
    obj = annotated(controller, {**(annotations or {}), record.LABELLED: key})
    obj["spec"]["template"] = with_label(obj["spec"]["template"], key, value)
    return obj


def selector_labelled(
    controller: Controller, key: str, value: str, annotations: Mapping[str, str | int | None]
) -> Json:
    """The last write of labelling: the controller selects by the label as well."""
    obj = annotated(controller, annotations)
    obj["spec"]["selector"] = {**controller.selector, key: value}
    return obj


def selector_unlabelled(controller: Controller, key: str) -> Json:
    obj = copy.deepcopy(controller.raw)
    obj["spec"]["selector"] = {name: value for name, value in controller.selector.items() if name != key}
    return obj


def template_unlabelled(controller: Controller, key: str) -> Json:
    obj = copy.deepcopy(controller.raw)
    obj["spec"]["template"]["metadata"]["labels"].pop(key, None)
    return obj


def min_ready_seconds(controller: Controller, seconds: int) -> Json:
    own = controller.record.min_ready_seconds
    keep = controller.min_ready_seconds if own is None else own
    obj = annotated(controller, {record.MIN_READY_SECONDS: keep})
    obj["spec"]["minReadySeconds"] = seconds
    return obj


# --- the finish that keeps the name: the pods are handed over, never deleted and never without a
#     live object that holds their whole specification ---


def released(successor: Controller, original: Controller | None, transfer: Transfer, key: str) -> Json:
    """The new controller lets go of its pods: no pod matches its selector any more, and it wants none."""
    marks: dict[str, str | int | None] = {record.TRANSFER: transfer.encode(), record.SCALED_TO: 0}
    if original is None:
        marks[record.SOURCE_ID] = None  # the controller it names is no more
    else:
        marks[record.SOURCE_ID] = original.identity  # the old command may have taken it off
        marks[record.LABELLED] = original.record.labelled
    obj = annotated(successor, marks)
    # A value that no pod has: it depends on the uid of a controller that never makes a pod with it.
    value = template_hash(successor.template, key, salt=successor.uid)
    spec = obj["spec"]
    spec["replicas"] = 0
    spec["selector"] = {**successor.selector, key: value}
    spec["template"] = with_label(spec["template"], key, value)
    return obj


def reclaimed(successor: Controller, transfer: Transfer, replicas: int) -> Json:
    """The inverse of :func:`released`: the new controller adopts its pods again."""
    obj = annotated(
        successor,
        {record.TRANSFER: None, record.RETURNING: None, record.LABELLED: None, record.SCALED_TO: replicas},
    )
    spec = obj["spec"]
    spec["replicas"] = replicas
    spec["selector"] = dict(transfer.selector)
    spec["template"] = with_labels(spec["template"], transfer.labels)
    return obj


def adopting(
    original: Controller, successor: Controller, transfer: Transfer, replicas: int, *, carry_metadata: bool
) -> Json:
    """The old controller becomes the new one in one write: it adopts the pods under its own name.

    It keeps its uid, labels, annotations and whatever else refers to it. ``carry_metadata``: labels and
    annotations of the new one (from a file) are added.
    """
    obj = without_record(original)
    obj["spec"] = _final_spec(successor, transfer, replicas)
    if carry_metadata:
        meta = obj["metadata"]
        for field in ("labels", "annotations"):
            extra = (successor.raw["metadata"].get(field) or {}).items()
            own = {key: value for key, value in extra if key not in record.KEYS}
            if own:
                meta[field] = {**(meta.get(field) or {}), **own}
    return obj


def returned(original: Controller, successor: Controller, transfer: Transfer) -> Json:
    """The inverse of :func:`adopting`, for a rollback after it: the old specification, no pods yet,
    and the record of a rollback."""
    scaled_by = original.replicas - transfer.replicas
    obj = annotated(
        original,
        {
            record.ORIGINAL_REPLICAS: transfer.original,
            record.NEXT_CONTROLLER: successor.name,
            record.NEXT_CONTROLLER_UID: successor.uid,
            record.SOURCE_ID: successor.identity,
            record.DESIRED_REPLICAS: max(0, transfer.original + scaled_by + successor.record.scaled_by),
            record.SCALED_TO: 0,
            record.SCALED_BY: scaled_by or None,
            record.LABELLED: successor.record.labelled,
            record.EPOCH: successor.record.epoch or None,
        },
    )
    obj["spec"] = {**copy.deepcopy(transfer.previous or {}), "replicas": 0}
    return obj


def recreated(successor: Controller, name: str, transfer: Transfer, replicas: int) -> Json:
    """The controller of the lasting name if it does not exist (an update of the old command that was
    killed in the middle of its finish)."""
    meta = successor.raw["metadata"]
    annotations = {
        key: value for key, value in (meta.get("annotations") or {}).items() if key not in record.KEYS
    }
    obj: Json = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name, "labels": dict(meta.get("labels") or {})},
        "spec": _final_spec(successor, transfer, replicas),
    }
    if meta.get("namespace"):
        obj["metadata"]["namespace"] = meta["namespace"]
    if annotations:
        obj["metadata"]["annotations"] = annotations
    return obj


def _final_spec(successor: Controller, transfer: Transfer, replicas: int) -> Json:
    spec: Json = copy.deepcopy(successor.raw["spec"])
    spec["replicas"] = replicas
    spec["selector"] = dict(transfer.selector)
    spec["template"] = with_labels(spec["template"], transfer.labels)
    own = successor.record.min_ready_seconds
    if own is not None:
        spec["minReadySeconds"] = own
    return spec
