"""The objects that a migration creates. Pure: from the controller, its record and its history."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rollupdate.core.changes.target import LAST_APPLIED
from rollupdate.core.migration.scene import Place, size_of
from rollupdate.core.migration.writes import (
    format_of,
    labelled,
    marked,
    unmarked,
    unmatched,
    with_hash,
    without_hash,
)
from rollupdate.core.model import record
from rollupdate.core.model.belonging import FINALIZERS, OWNERS
from rollupdate.core.model.budget import Amount
from rollupdate.core.model.controller import Controller, owning, reference_to
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import CHANGE_CAUSE, Revision
from rollupdate.core.model.hold import CLASS, class_of, with_class
from rollupdate.core.model.migration import DESIRED, FORMER, HASH_LABEL, MOST, REVISION, Migration
from rollupdate.core.model.template import template_hash, with_labels, without_label
from rollupdate.counts import whole, wholes
from rollupdate.objects import CONTROLLER, DEPLOYMENT, REPLICA_SET, Json

DEADLINE = 600
"""Seconds: ``progressDeadlineSeconds``, which must be above ``minReadySeconds``."""
OURS, HISTORY = "a", "u"
"""What hashes of ours begin with: letters that no hash of the Deployment controller has. Of two ReplicaSets
of one second it takes the first by name for its newest: ours, not one of the history."""
DIGITS = 9
_OPENSHIFT = "openshift.io/"
"""What begins so is the deployer's."""


def digest_of(template: Json, label_key: str) -> str:
    """For ``HASH_LABEL``, of what is moved."""
    return OURS + template_hash(template, label_key)[:DIGITS]


def name_of(deployment: str, digest: str) -> str:
    """A ReplicaSet's: at most 253 characters."""
    return f"{deployment[: 252 - len(digest)].rstrip('.-')}-{digest}"


def carried(metadata: Json, *, but: str = _OPENSHIFT) -> Json:
    """Labels, annotations, owners and finalizers that go from one kind to the other. ``but``: what the
    annotations that stay behind begin with. The label of ReplicaSets stays, too: a controller without labels
    is given those of its pods."""
    left_out = {*record.KEYS, *record.LASTING, LAST_APPLIED, REVISION}
    annotations = {
        key: text
        for key, text in (metadata.get("annotations") or {}).items()
        if key not in left_out and not (but and key.startswith(but))
    }
    fields = {
        "labels": {key: text for key, text in (metadata.get("labels") or {}).items() if key != HASH_LABEL},
        "annotations": annotations,
        OWNERS: [owner for owner in metadata.get(OWNERS) or () if not owner.get("controller")],
        FINALIZERS: list(metadata.get(FINALIZERS) or ()),
    }
    return {key: value for key, value in fields.items() if value}


def deployment_of(
    controller: Controller, name: str, spec: Mapping[str, Any], label_key: str, metadata: Json | None = None
) -> Json:
    """The Deployment that takes the place of ``controller``, without its template and its size.

    ``spec``: what was asked for of it (strategy, revisionHistoryLimit, minReadySeconds); ``metadata``: what
    goes along, if it is not the controller's."""
    seconds = spec.get("minReadySeconds", controller.min_ready_seconds)
    carries = carried(controller.raw["metadata"]) if metadata is None else metadata
    metadata = {"name": name, **_namespace(controller.raw), **carries}
    selector = {key: value for key, value in controller.selector.items() if key != label_key}
    body: Json = {
        "selector": {"matchLabels": selector},
        "progressDeadlineSeconds": DEADLINE if seconds < DEADLINE else seconds + DEADLINE,
        **({"minReadySeconds": seconds} if seconds else {}),
        **spec,
    }
    return {"apiVersion": DEPLOYMENT.version, "kind": DEPLOYMENT.name, "metadata": metadata, "spec": body}


def deployment_as_it_is(deployment: Deployment) -> Json:
    """The same of one that is there, to be created again by a rollback. By its uid it is known until then."""
    meta = labelled(unmarked(marked(deployment.raw, {REVISION: None})), None)["metadata"]
    kept = {
        key: meta[key]
        for key in ("name", "namespace", "uid", "labels", "annotations", OWNERS, FINALIZERS)
        if key in meta
    }
    spec = {
        key: value for key, value in deployment.raw["spec"].items() if key not in ("template", "replicas")
    }
    return {"apiVersion": DEPLOYMENT.version, "kind": DEPLOYMENT.name, "metadata": kept, "spec": spec}


def replica_set(place: Place) -> Json:
    """Born the controller's, so no Deployment adopts it, and held: the one pod it asks for is refused."""
    controller, migration = place.controller, place.migration
    template = with_hash(_template(place), migration.digest)
    spec = migration.deployment["spec"]
    size = size_of(controller)
    running = next((one for one in place.scene.revisions if one.number == migration.revision), None)
    said = (controller.raw["metadata"].get("annotations") or {}).get(CHANGE_CAUSE)
    cause = said or (running.cause if running is not None and running.is_of(place.template) else None)
    metadata: Json = {
        "name": migration.replica_set,
        **_namespace(controller.raw),
        "labels": dict(template["metadata"]["labels"]),
        "annotations": {
            REVISION: str(migration.revision),
            DESIRED: str(size),
            MOST: str(size + surge(spec, size)),
            record.HOLD: class_of(template),
            **({record.SCALED_TO: str(size)} if place.emptied else {}),
            **{key: str(value) for key, value in place.marks.items()},
            **({CHANGE_CAUSE: cause} if cause else {}),
        },
        OWNERS: [reference_to(controller, blocks=False)],
    }
    selector = {**spec["selector"].get("matchLabels", {}), HASH_LABEL: migration.digest}
    body: Json = {
        "replicas": 1,
        "selector": {"matchLabels": selector},
        "template": with_class(template, CLASS),
    }
    if spec.get("minReadySeconds"):
        body["minReadySeconds"] = spec["minReadySeconds"]
    return {"apiVersion": REPLICA_SET.version, "kind": REPLICA_SET.name, "metadata": metadata, "spec": body}


def deployment(place: Place, replicas: int, template: Json) -> Json:
    """Paused: it looks, and makes nothing. ``template``: of the ReplicaSet, as the server has stored it."""
    manifest = labelled(place.migration.deployment, place.label)
    manifest["metadata"].pop("uid", None)
    if place.migration.to_deployment:
        manifest = marked(manifest, {record.MIGRATED_FROM: place.controller.identity})
    spec = {**manifest["spec"], "paused": True, "replicas": replicas, "template": without_hash(template)}
    limit = spec.get("revisionHistoryLimit", 10)
    if place.migration.to_deployment:  # else its controller would delete some of those that go along
        limit = max(limit, sum(one.number != place.migration.revision for one in place.scene.revisions))
    return {**manifest, "spec": {**spec, "revisionHistoryLimit": limit}}


def history(place: Place) -> Iterator[Json]:
    """The older revisions as ReplicaSets without pods, each the Deployment's, and held until it is seen."""
    target, migration = place.deployment, place.migration
    if target is None:
        return
    current = place.replica_set
    running = None if current is None else template_hash(without_hash(current.template), migration.label_key)
    selector = migration.deployment["spec"]["selector"].get("matchLabels", {})
    for revision in place.scene.revisions:
        template = without_hash(without_label(revision.template, migration.label_key))
        labels = (template.get("metadata") or {}).get("labels") or {}
        if template_hash(template, migration.label_key) == running or not selector.items() <= labels.items():
            continue  # the twin would be taken for the current one; the other could not be rolled back to
        digest = HISTORY + revision.digits[:DIGITS]
        template = with_hash(template, digest)
        metadata: Json = {
            "name": name_of(target.name, digest),
            **_namespace(target.raw),
            "labels": dict(template["metadata"]["labels"]),
            "annotations": {
                **_copied(target),
                REVISION: str(revision.number),
                record.HOLD: class_of(template),
                **({CHANGE_CAUSE: revision.cause} if revision.cause else {}),
                **({FORMER: ",".join(map(str, revision.former))} if revision.former else {}),
            },
            OWNERS: [owning(DEPLOYMENT, target.name, target.uid)],
        }
        yield {
            "apiVersion": REPLICA_SET.version,
            "kind": REPLICA_SET.name,
            "metadata": metadata,
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {**selector, HASH_LABEL: digest}},
                "template": with_class(template, CLASS),
            },
        }


def hash_of_set(manifest: Json, migration: Migration) -> str:
    """Of the pod template of a ReplicaSet that :func:`history` has made."""
    template = manifest["spec"]["template"]
    known = with_class(template, manifest["metadata"]["annotations"][record.HOLD])
    return template_hash(without_hash(known), migration.label_key)


def _copied(target: Deployment) -> dict[str, str]:
    """What its controller copies onto each ReplicaSet, and a rollback takes back from there."""
    return {
        key: text
        for key, text in target.annotations.items()
        if key not in (REVISION, LAST_APPLIED, CHANGE_CAUSE) and key not in record.KEYS
    }


def revisions_of(place: Place) -> Iterator[Revision]:
    """The Deployment's ReplicaSets as revisions of the controller, with their numbers and causes."""
    current = (place.replica_set,) if place.replica_set is not None else ()
    for one in (*place.scene.others, *current):
        annotations = one.raw["metadata"].get("annotations") or {}
        number = whole(annotations.get(REVISION))
        if number is None:
            continue
        yield Revision(
            number=number,
            template=without_label(without_hash(one.template), place.migration.label_key),
            label_key=place.migration.label_key,
            owner_uid=place.controller.uid,
            cause=annotations.get(CHANGE_CAUSE),
            finished_at=one.raw["metadata"].get("creationTimestamp"),
            former=wholes(annotations.get(FORMER)),
        )


def controller(name: str, source: Deployment, current: Controller, migration: Migration) -> Json:
    """The controller that takes the place of a Deployment: nothing matches it, and it has no pods yet."""
    metadata: Json = {"name": name, **_namespace(source.raw), **carried(source.raw["metadata"])}
    spec: Json = {"template": copy.deepcopy(without_hash(current.template))}
    if current.min_ready_seconds:
        spec["minReadySeconds"] = current.min_ready_seconds
    obj = {"apiVersion": CONTROLLER.version, "kind": CONTROLLER.name, "metadata": metadata, "spec": spec}
    marks: dict[str, str | int | None] = {
        record.MIGRATION: migration.encode(),
        record.EPOCH: 1,
        record.FORMAT: format_of(migration),
        record.MIGRATED_FROM: f"{source.name}:{source.uid}",
        record.SCALED_TO: source.replicas,
    }
    return unmatched(marked(obj, marks), migration, source.uid)


def controller_again(name: str, migration: Migration, current: Controller, epoch: int, size: int) -> Json:
    """The controller, which was deleted in the middle, as ``current`` and the record say it was, of ``size``
    and held: of the pods that it has left behind it gets those that are nobody's, and makes none."""
    known = migration.deployment["metadata"]
    template = with_labels(copy.deepcopy(without_hash(current.template)), migration.labels)
    spec: Json = {
        "replicas": size,
        "selector": dict(migration.selector),
        "template": with_class(template, CLASS),
    }
    if current.min_ready_seconds:
        spec["minReadySeconds"] = current.min_ready_seconds
    metadata: Json = {"name": name, **_namespace(current.raw), **carried(known)}
    obj = {"apiVersion": CONTROLLER.version, "kind": CONTROLLER.name, "metadata": metadata, "spec": spec}
    origin = None if migration.to_deployment else f"{known['name']}:{known.get('uid', '')}"
    marks: dict[str, str | int | None] = {
        record.MIGRATION: migration.encode(),
        record.EPOCH: epoch,
        record.FORMAT: format_of(migration),
        record.HOLD: class_of(template),
        record.MIGRATED_FROM: origin,
    }
    return marked(obj, marks)


def surge(spec: Mapping[str, Any], size: int) -> int:
    """Pods above ``size`` that a rolling update of a Deployment may make, rounded up as it does."""
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0
    value = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(value, int):
        return value
    with contextlib.suppress(ValueError):
        return Amount.parse(value).of(size, round_up=True)
    return 0


def renumbered(migration: Migration, revisions: tuple[Revision, ...], template: Json) -> Migration:
    """With the number that the history gives ``template``."""
    known = next((one for one in reversed(revisions) if one.is_of(template)), None)
    number = known.number if known else max((one.number for one in revisions), default=0) + 1
    return replace(migration, revision=number)


def _template(place: Place) -> Json:
    """What the pods are of: the controller's, without the label that told its pods apart."""
    migration = place.migration
    template = with_labels(place.template, migration.labels)
    return without_label(copy.deepcopy(template), migration.label_key)


def _namespace(raw: Json) -> Json:
    """As metadata has it; nothing if ``raw`` does not say which."""
    namespace = raw["metadata"].get("namespace")
    return {"namespace": namespace} if namespace else {}
