"""The writes of a migration as functions from one object to the next. Nothing is sent from here."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping

from rollupdate.core.migration.scene import Place
from rollupdate.core.model import record
from rollupdate.core.model.belonging import FINALIZERS, OWNERS
from rollupdate.core.model.config import ENCODED, Config, with_deployer
from rollupdate.core.model.controller import Controller, owning, reference_to
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.hold import CLASS, class_of, with_class
from rollupdate.core.model.migration import HASH_LABEL, Migration
from rollupdate.core.model.packing import compact
from rollupdate.core.model.template import with_label, with_labels
from rollupdate.core.phases.writes import annotated
from rollupdate.objects import DEPLOYMENT, Json

_NOBODY = "none-"
"""What the value of ``HASH_LABEL`` begins with in the selector of a controller that no pod matches."""


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
    deployers = record.deployers(obj["metadata"].get("annotations") or {})
    return marked(obj, dict.fromkeys(key for key in record.KEYS if key not in deployers))


# --- the controller ---


def noted(controller: Controller, migration: Migration, epoch: int) -> Json:
    marks: dict[str, str | int | None] = {
        record.MIGRATION: migration.encode(),
        record.EPOCH: epoch,
        record.FORMAT: format_of(migration),
    }
    return annotated(controller, marks)


def format_of(migration: Migration) -> int:
    return record.MIGRATION_FORMAT if migration.config is None else record.CONFIG_FORMAT


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


def emptied(controller: Controller, migration: Migration, size: int) -> Json:
    """The controller, which has no pods, wants none, and none matches its selector any more. It says what the
    ``size`` was, should the ReplicaSet have to be made anew."""
    obj = unmatched(live(controller, 0), migration, controller.uid)
    obj["metadata"]["annotations"][record.SCALED_TO] = str(size)
    return obj


def resized(obj: Json, replicas: int) -> Json:
    """Any object with a size."""
    result = copy.deepcopy(obj)
    result["spec"]["replicas"] = replicas
    return result


def unmatched(obj: Json, migration: Migration, uid: str) -> Json:
    """A controller that no pod matches; ``uid`` makes it one of its own."""
    nobody = {HASH_LABEL: f"{_NOBODY}{uid}"}
    spec = obj["spec"]
    spec["replicas"] = 0
    spec["selector"] = {**migration.selector, **nobody}
    spec["template"] = with_labels(spec["template"], {**migration.labels, **nobody})
    return obj


def is_unmatched(controller: Controller) -> bool:
    return controller.selector.get(HASH_LABEL, "").startswith(_NOBODY)


def respecified(controller: Controller, migration: Migration, replicas: int) -> Json:
    """The inverse of :func:`emptied`, held, so that pods can be moved to it. To one without labels the server
    has given those of :func:`unmatched`."""
    obj = held(controller, replicas)
    (obj["metadata"].get("labels") or {}).pop(HASH_LABEL, None)
    obj["spec"]["selector"] = dict(migration.selector)
    obj["spec"]["template"] = with_labels(obj["spec"]["template"], migration.labels)
    return obj


# --- the DeploymentConfig ---


def stopped(config: Config, marks: Mapping[str, str | int | None]) -> Json:
    """Paused, so that its controller leaves the one with the pods alone."""
    obj = marked(config.raw, marks)
    obj["spec"]["paused"] = True
    return obj


def told_no_pods(config: Config) -> Json:
    """Its size is 0, so that its controller makes no pods, whatever becomes of the pause."""
    return marked(resized(config.raw, 0), {record.SCALED_TO: config.replicas})


def told_pods(config: Config, size: int) -> Json:
    """The inverse."""
    return marked(resized(config.raw, size), {record.SCALED_TO: None})


def restored(config: Config, *, size: int, paused: bool, origin: str | None) -> Json:
    """It scales and rolls out again: size and pause in one write, or its controller would see one of them
    alone. ``origin``: ``name:uid`` of the Deployment that the pods come from, if they do."""
    marks = {record.MIGRATED_TO: None, **({record.MIGRATED_FROM: origin} if origin else {})}
    obj = marked(unmarked(config.raw), marks)
    obj["spec"]["replicas"] = size
    if paused:
        obj["spec"]["paused"] = True
    else:
        obj["spec"].pop("paused", None)
    return obj


def left(config: Config, deployment: str) -> Json:
    """It is the way back: paused, without pods. ``deployment``: the name of what has them."""
    marks = {record.MIGRATED_TO: deployment, record.MIGRATED_FROM: None}
    obj = marked(unmarked(resized(config.raw, 0)), marks)
    obj["spec"]["paused"] = True
    return obj


def retemplated(config: Config, template: Json, digest: str) -> Json:
    """With that pod template. ``digest``: of what was asked for, as the server may complete it."""
    obj = marked(config.raw, {record.TEMPLATE_HASH: digest})
    obj["spec"]["template"] = copy.deepcopy(template)
    return obj


def uncompared(controller: Controller, template: Json, config: str) -> Json:
    """Without a copy of its DeploymentConfig, so that no change of that is seen. One without pods gets the
    ``template``, as images are compared as well."""
    obj = marked(controller.raw, {ENCODED: None})
    if not controller.replicas and not controller.current:
        obj["spec"]["template"] = copy.deepcopy(with_deployer(template, controller, config))
    return obj


def compared(controller: Controller, config: Config, template: Json) -> Json:
    """The inverse: with a copy of ``config`` that has that pod template, as if that was what it has rolled
    out."""
    known = unmarked(config.raw)
    spec = {key: value for key, value in known["spec"].items() if key != "paused"}
    return annotated(controller, {ENCODED: compact({**known, "spec": {**spec, "template": template}})})


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


def shown(one: Controller) -> Json:
    """An older revision, held until it was seen to be the Deployment's: as any other from now on."""
    return unmarked(live(one, one.replicas))


# --- the Deployment ---


def unpaused(target: Deployment) -> Json:
    return {**target.raw, "spec": {key: part for key, part in target.raw["spec"].items() if key != "paused"}}


def without_finalizers(obj: Json, gone: Collection[str]) -> Json:
    """Without those ``gone``; the others stay."""
    result = copy.deepcopy(obj)
    kept = [one for one in result["metadata"].pop(FINALIZERS) if one not in gone]
    if kept:
        result["metadata"][FINALIZERS] = kept
    return result


# --- the autoscaler ---


def pointed(autoscaler: Json, place: Place, *, upwards: bool) -> Json:
    """It names whatever has the pods in the end: as it did before, if that had them."""
    migration = place.migration
    kind, name = (DEPLOYMENT, migration.name) if upwards else place.home
    before = migration.autoscalers.get(str(autoscaler["metadata"]["name"]), {})
    target = {
        "apiVersion": kind.version,
        "kind": kind.name,
        "name": name,
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
