"""The writes of an update as functions from one object to the next. Nothing is sent from here.

Each takes a :class:`Controller` and returns the whole object as it should be; the engine sends the JSON
Patch between the two, conditional on the resourceVersion that the decision was made on.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from rollupdate.core.changes.target import LAST_APPLIED
from rollupdate.core.model import record
from rollupdate.core.model.belonging import NONE, Belongings, Former
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import CLASS, class_of, with_class
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.rollout import Rollout
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


def link(rollout: Rollout) -> dict[str, str | int | None]:
    """What the old controller is to say of the new one: its name, its uid, what its template was to be, and
    the old one's own size before."""
    old, new = rollout.old, rollout.new
    belongings = old.record.belongings if rollout.stripped else new.record.belongings
    return {
        record.RAN: rollout.ran.encode() if rollout.ran else None,
        record.BELONGINGS: belongings.encode() if belongings else None,
        record.ORIGINAL_REPLICAS: rollout.recorded.original,
        record.NEXT_CONTROLLER: new.name,
        record.NEXT_CONTROLLER_UID: new.uid,
        record.TEMPLATE_HASH: new.record.template_hash or old.record.template_hash,
    }


def claimed(rollout: Rollout, label_key: str) -> dict[str, str | int | None]:
    """The same in a write that claims it: with what it has said of itself since an earlier claim, if another
    client has taken that off."""
    return {**link(rollout), **_remembered(rollout, label_key)}


def _remembered(rollout: Rollout, label_key: str) -> dict[str, str | int | None]:
    if not rollout.old_forgotten or rollout.respecified or rollout.old.moving:
        return {}  # its template is the new one's by then
    return {
        record.TEMPLATE_SEEN: rollout.fingerprint_claimed(label_key),
        record.SCALED_TO: rollout.old_size_set,
    }


def marked(rollout: Rollout) -> dict[str, str | int | None]:
    """What the new controller says of itself once nothing of ours is on it: whose it is, which size it is
    to have, and that nobody else has set the one that it has."""
    return {
        record.SOURCE_ID: rollout.old.identity,
        record.DESIRED_REPLICAS: rollout.recorded.desired,
        record.SCALED_TO: rollout.new.replicas,
    }


def without_record(controller: Controller) -> Json:
    """Everything of ours off the object, and its own ``minReadySeconds`` back."""
    obj = annotated(controller, dict.fromkeys(record.KEYS))
    if controller.record.min_ready_seconds is not None:
        obj["spec"]["minReadySeconds"] = controller.record.min_ready_seconds
    return obj


def lasting(new: Controller, old: Controller | None, *, copied: bool = False) -> Json:
    """The new controller as it stays under its own name: without anything of ours, and with the owners and
    finalizers of its file and of the old one.

    ``copied``: its labels and annotations are copies of the old one's, which has perhaps got more since.
    """
    obj = without_record(new)
    meta = obj["metadata"]
    belongings = new.belongings.and_also(new.record.belongings or NONE)
    if old is not None:
        belongings = belongings.and_also(old.belongings)
    belongings.written(meta)
    for field, values in (_metadata_of(old) if copied and old is not None else {}).items():
        more = {key: text for key, text in values.items() if key != LAST_APPLIED}
        if more:
            meta[field] = {**more, **(meta.get(field) or {})}
    return obj


def temporary_again(new: Controller, old: Controller, annotations: Mapping[str, str | int | None]) -> Json:
    """The inverse of :func:`lasting`: it can be deleted at any moment."""
    given = old.record.belongings or NONE
    obj = annotated(new, {**annotations, record.BELONGINGS: given.encode() if given else None})
    new.belongings.without(old.belongings.and_also(given)).written(obj["metadata"])
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


def with_template(controller: Controller, template: Json, marks: Mapping[str, str | int | None]) -> Json:
    """Its pods stay as they are; those that it makes from now on are of ``template``."""
    known = controller.record
    seen = None if known.template_seen is None else template_hash(template, known.labelled or "")
    obj = annotated(controller, {**marks, record.TEMPLATE_SEEN: seen})
    obj["spec"]["template"] = copy.deepcopy(template)
    return obj


def min_ready_seconds(controller: Controller, seconds: int) -> Json:
    own = controller.record.min_ready_seconds
    keep = controller.min_ready_seconds if own is None else own
    obj = annotated(controller, {record.MIN_READY_SECONDS: keep})
    obj["spec"]["minReadySeconds"] = seconds
    return obj


# --- pods are evicted: a held controller, and which of its pods may go ---


def evicting(
    controller: Controller, replicas: int, chosen: Evictions, marks: Mapping[str, str | int | None]
) -> Json:
    """Held, at that size; ``chosen``: which of its pods may be evicted."""
    obj = scaled(controller, replicas, {**marks, record.EVICTING: chosen.encode()})
    return _held(obj, controller.template, record.EVICTION_FORMAT)


def evicted(controller: Controller, replicas: int) -> Json:
    """The inverse, with the size that is left."""
    obj = scaled(controller, replicas, dict.fromkeys((record.EVICTING, record.HOLD, record.FORMAT)))
    obj["spec"]["template"] = copy.deepcopy(controller.template)
    return obj


# --- the finish that keeps the name: the pods change owners, and are never without a live object that
#     holds their whole specification ---


def holding(controller: Controller, replicas: int, marks: Mapping[str, str | int | None]) -> Json:
    """Held, at that size, with those annotations besides."""
    return _held(scaled(controller, replicas, marks), controller.template)


def lifted(successor: Controller, replicas: int) -> Json:
    """The hold off, and all that was said of the move: the template is what it was."""
    marks = (record.HOLD, record.TRANSFER, record.RETURNING, record.LABELLED, record.FORMAT)
    obj = scaled(successor, replicas, dict.fromkeys(marks))
    obj["spec"]["template"] = copy.deepcopy(successor.template)
    return obj


def _held(obj: Json, template: Json, in_format: int = record.HELD_FORMAT) -> Json:
    meta = obj["metadata"]
    annotations = {**(meta.get("annotations") or {})}
    if in_format == record.HELD_FORMAT:  # another client may have taken off another hold, and left that
        annotations.pop(record.EVICTING, None)
    meta["annotations"] = annotations | {record.HOLD: class_of(template), record.FORMAT: str(in_format)}
    obj["spec"]["template"] = copy.deepcopy(with_class(template, CLASS))
    return obj


def respecified(original: Controller, successor: Controller, transfer: Transfer, replicas: int) -> Json:
    """The old controller gets the whole new specification, held, so that pods can be moved to it."""
    obj = annotated(original, {record.SCALED_TO: replicas})
    obj["spec"] = _final_spec(successor, transfer, replicas)
    return _held(obj, obj["spec"]["template"])


def restored(original: Controller, transfer: Transfer) -> Json:
    """The inverse of :func:`respecified`: it has no pods, and its former specification."""
    obj = annotated(original, {record.HOLD: None, record.FORMAT: None, record.SCALED_TO: 0})
    obj["spec"] = {**copy.deepcopy(transfer.previous or {}), "replicas": 0}
    return obj


def committed(original: Controller, successor: Controller, replicas: int, *, carry_metadata: bool) -> Json:
    """The old controller has the pods: the hold and our annotations are off."""
    obj = without_record(original)
    obj["spec"]["replicas"] = replicas
    obj["spec"]["template"] = copy.deepcopy(original.template)
    return _with_metadata_of(obj, successor) if carry_metadata else obj


def emptied(successor: Controller, transfer: Transfer, key: str) -> Json:
    """The new controller wants no pod, and none matches its selector any more."""
    obj = annotated(successor, {record.HOLD: None, record.SCALED_TO: 0})
    obj["spec"]["template"] = with_labels(copy.deepcopy(successor.template), transfer.labels)
    return _unmatched(obj, transfer.selector, successor, key)


def probing(successor: Controller, transfer: Transfer) -> Json:
    """The inverse of :func:`emptied`, as far as its proof: held, and one pod is asked for."""
    obj = scaled(successor, 1, {})
    obj["spec"]["selector"] = dict(transfer.selector)
    return _held(obj, with_labels(successor.template, transfer.labels))


def released(successor: Controller, original: Controller | None, transfer: Transfer, key: str) -> Json:
    """The new controller releases its pods: no pod matches its selector any more, and it wants none."""
    marks: dict[str, str | int | None] = {record.TRANSFER: transfer.encode(), record.SCALED_TO: 0}
    if original is None:
        marks[record.SOURCE_ID] = None  # the controller it names is no more
    else:
        marks[record.SOURCE_ID] = original.identity  # the old command may have taken it off
        marks[record.LABELLED] = original.record.labelled
    return _unmatched(annotated(successor, marks), successor.selector, successor, key)


def _unmatched(obj: Json, selector: Mapping[str, str], successor: Controller, key: str) -> Json:
    # A value that no pod has: it depends on the uid of a controller that never makes a pod with it.
    value = template_hash(successor.template, key, salt=successor.uid)
    spec = obj["spec"]
    spec["replicas"] = 0
    spec["selector"] = {**selector, key: value}
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

    It keeps its uid, labels, annotations and whatever else refers to it. ``carry_metadata``: labels,
    annotations, owners and finalizers of the new one (from a file) are added.
    """
    obj = without_record(original)
    obj["spec"] = _final_spec(successor, transfer, replicas)
    return _with_metadata_of(obj, successor) if carry_metadata else obj


def _with_metadata_of(obj: Json, successor: Controller) -> Json:
    meta = obj["metadata"]
    for field, own in _metadata_of(successor).items():
        if own:
            meta[field] = {**(meta.get(field) or {}), **own}
    belongings = successor.record.belongings
    if belongings:
        Belongings.of(meta).and_also(belongings).written(meta)
    return obj


def _metadata_of(controller: Controller) -> Json:
    """Its labels and annotations, without ours."""
    meta = controller.raw["metadata"]
    return {
        field: {key: value for key, value in (meta.get(field) or {}).items() if key not in record.KEYS}
        for field in ("labels", "annotations")
    }


def former(original: Controller, successor: Controller) -> Former | None:
    """What :func:`_with_metadata_of` is going to replace."""
    given = successor.record.belongings or NONE
    return Former.of(original.raw["metadata"], _metadata_of(successor), given)


def without_metadata_of(obj: Json, successor: Controller, transfer: Transfer) -> Json:
    """``obj``, the old controller, with the metadata that it had before it got the new one's."""
    if transfer.former is not None:
        transfer.former.restored(obj["metadata"], _metadata_of(successor))
    return obj


def returned(original: Controller, successor: Controller, transfer: Transfer) -> Json:
    """The inverse of :func:`adopting`, for a rollback after it: the old specification, no pods yet,
    and the record of a rollback."""
    obj = annotated(original, {**marks_of_return(original, successor, transfer), record.SCALED_TO: 0})
    obj["spec"] = {**copy.deepcopy(transfer.previous or {}), "replicas": 0}
    return without_metadata_of(obj, successor, transfer)


def marks_of_return(
    original: Controller, successor: Controller, transfer: Transfer
) -> dict[str, str | int | None]:
    """The record of a rollback, on a controller whose own record the finish has taken off."""
    scaled_by = original.replicas - transfer.replicas
    return {
        record.ORIGINAL_REPLICAS: transfer.original,
        record.NEXT_CONTROLLER: successor.name,
        record.NEXT_CONTROLLER_UID: successor.uid,
        record.SOURCE_ID: successor.identity,
        record.DESIRED_REPLICAS: max(0, transfer.original + scaled_by + successor.record.scaled_by),
        record.SCALED_BY: scaled_by or None,
        record.LABELLED: successor.record.labelled,
        record.EPOCH: successor.record.epoch or None,
    }


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
    (successor.record.belongings or NONE).written(obj["metadata"])
    return obj


def _final_spec(successor: Controller, transfer: Transfer, replicas: int) -> Json:
    spec: Json = copy.deepcopy(successor.spec)
    spec["replicas"] = replicas
    spec["selector"] = dict(transfer.selector)
    spec["template"] = with_labels(spec["template"], transfer.labels)
    own = successor.record.min_ready_seconds
    if own is not None:
        spec["minReadySeconds"] = own
    return spec
