"""The writes of a migration as functions from one object to the next. Nothing is sent from here."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from rollupdate.core.migration.scene import Place
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, owning, reference_to
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.hold import CLASS, class_of, with_class
from rollupdate.core.model.migration import HASH_LABEL, Migration
from rollupdate.core.model.template import with_label, with_labels
from rollupdate.core.phases.writes import annotated
from rollupdate.objects import CONTROLLER, DEPLOYMENT, Json

OWNERS = "ownerReferences"


def marked(obj: Json, marks: Mapping[str, str | int | None]) -> Json:
    """Any object with those annotations; None removes one."""
    result = copy.deepcopy(obj)
    merged = dict(result["metadata"].pop("annotations", None) or {})
    merged.update({key: str(value) for key, value in marks.items() if value is not None})
    for key in (key for key, value in marks.items() if value is None):
        merged.pop(key, None)
    if merged:
        result["metadata"]["annotations"] = merged
    return result


def labelled(obj: Json, value: str | None) -> Json:
    """The Deployment with that label of ours; None takes it off."""
    result = copy.deepcopy(obj)
    labels = dict(result["metadata"].pop("labels", None) or {})
    if value is None:
        labels.pop(record.MIGRATION, None)
    else:
        labels[record.MIGRATION] = value
    if labels:
        result["metadata"]["labels"] = labels
    return result


def unmarked(obj: Json) -> Json:
    """Without annotations of ours, but those that stay."""
    return marked(obj, dict.fromkeys(record.KEYS))


# --- the controller ---


def noted(controller: Controller, migration: Migration, epoch: int) -> Json:
    marks: dict[str, str | int | None] = {
        record.MIGRATION: migration.encode(),
        record.EPOCH: epoch,
        record.FORMAT: record.MIGRATION_FORMAT,
    }
    return annotated(controller, marks)


def become(controller: Controller, manifest: Json) -> Json:
    """A controller that was kept without pods is to be what ``manifest`` says."""
    annotations = {record.MIGRATED_TO: None, **(manifest["metadata"].get("annotations") or {})}
    obj = marked(controller.raw, annotations)
    labels = {**(obj["metadata"].get("labels") or {}), **(manifest["metadata"].get("labels") or {})}
    if labels:
        obj["metadata"]["labels"] = labels
    obj["spec"] = copy.deepcopy(manifest["spec"])
    return obj


def held(controller: Controller, replicas: int, *, again: int | None = None) -> Json:
    """It makes no pods, at that size. ``again``: the size that it is to have once it does."""
    marks = {record.HOLD: class_of(controller.template), record.SCALED_TO: again}
    obj = annotated(controller, marks)
    obj["spec"]["replicas"] = replicas
    obj["spec"]["template"] = copy.deepcopy(with_class(controller.template, CLASS))
    return obj


def live(controller: Controller, replicas: int) -> Json:
    """The inverse."""
    obj = annotated(controller, {record.HOLD: None, record.SCALED_TO: None})
    obj["spec"]["replicas"] = replicas
    obj["spec"]["template"] = copy.deepcopy(controller.template)
    return obj


def emptied(controller: Controller, migration: Migration) -> Json:
    """The controller, which has no pods, wants none, and none matches its selector any more. It says what its
    size was, should the ReplicaSet have to be made anew."""
    obj = unmatched(live(controller, 0), migration, controller.uid)
    obj["metadata"]["annotations"][record.SCALED_TO] = str(controller.replicas)
    return obj


def resized(obj: Json, replicas: int) -> Json:
    """Any object with a size."""
    result = copy.deepcopy(obj)
    result["spec"]["replicas"] = replicas
    return result


def unmatched(obj: Json, migration: Migration, uid: str) -> Json:
    """A controller that no pod matches; ``uid`` makes it one of its own."""
    nobody = {HASH_LABEL: f"none-{uid}"}
    spec = obj["spec"]
    spec["replicas"] = 0
    spec["selector"] = {**migration.selector, **nobody}
    spec["template"] = with_labels(spec["template"], {**migration.labels, **nobody})
    return obj


def respecified(controller: Controller, migration: Migration, replicas: int) -> Json:
    """The inverse of :func:`emptied`, held, so that pods can be moved to it."""
    obj = held(controller, replicas)
    obj["spec"]["selector"] = dict(migration.selector)
    obj["spec"]["template"] = with_labels(obj["spec"]["template"], migration.labels)
    return obj


# --- the ReplicaSet ---


def owned_by(replica_set: Controller, owner: Controller | Deployment, obj: Json) -> Json:
    """``obj``, the ReplicaSet, with that controlling owner and no other."""
    others = [
        reference
        for reference in replica_set.raw["metadata"].get(OWNERS) or ()
        if not reference.get("controller") and reference.get("uid") != owner.uid
    ]
    if isinstance(owner, Controller):
        mine = reference_to(owner, blocks=False)
    else:
        mine = owning(DEPLOYMENT, owner.name, owner.uid)
    obj["metadata"][OWNERS] = [*others, mine]
    return obj


# --- the autoscaler ---


def pointed(autoscaler: Json, place: Place, *, upwards: bool) -> Json:
    """It names whatever has the pods in the end: as it did before, if that had them."""
    migration = place.migration
    kind = DEPLOYMENT if upwards else CONTROLLER
    before = migration.autoscalers.get(str(autoscaler["metadata"]["name"]), {})
    target = {
        "apiVersion": kind.version,
        "kind": kind.name,
        "name": migration.name if upwards else place.controller.name,
    }
    obj = copy.deepcopy(autoscaler)
    obj["spec"]["scaleTargetRef"] = dict(before) if before.get("kind") == kind.name else target
    return obj


def without_hash(template: Json) -> Json:
    """The template of a ReplicaSet as its Deployment has it."""
    labels = dict((template.get("metadata") or {}).get("labels") or {})
    labels.pop(HASH_LABEL, None)
    return with_labels(template, labels)


def with_hash(template: Json, digest: str) -> Json:
    """The inverse."""
    return with_label(template, HASH_LABEL, digest)
