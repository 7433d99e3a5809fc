"""The API server's rules for objects, as far as this project can break them. Nothing is changed here."""

from __future__ import annotations

from testing.objects import Json
from testing.sandbox import formats, workloads
from testing.sandbox.resources import CONTROLLERS, WITH_TEMPLATES, Resource
from testing.sandbox.statuses import (
    Cause,
    forbidden_field,
    go_value,
    invalid_printed,
    invalid_value,
    required,
    unsupported,
)

SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""The classes that every cluster has. No other name may begin as theirs."""
_HIGHEST_PRIORITY = 1_000_000_000
"""Of a class that somebody makes."""

_FINALIZER_TEXT = "name is neither a standard finalizer name nor is it fully qualified"
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_LARGEST_ANNOTATIONS = 256 * 1024
_PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
_POD_UPDATE = (
    "pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def on_create(resource: Resource, obj: Json) -> list[Cause]:
    return [*_metadata(resource, obj["metadata"]), *_body(resource, obj)]


def on_update(resource: Resource, obj: Json, old: Json) -> list[Cause]:
    metadata = _metadata(resource, obj["metadata"])
    changes = _metadata_update(obj["metadata"], old["metadata"])
    # The server checks some things more than once, and its details list each cause as often.
    if resource in WITH_TEMPLATES:
        if obj.get("status") != old.get("status"):
            return workloads.status(obj)
        body = _body(resource, obj)
        if resource.kind == "Deployment":
            return [*metadata * 3, *changes * 2, *body, *workloads.selector_update(obj, old)]
        causes = [*metadata * 2, *[*metadata, *changes, *body] * 2]
        return causes if resource is CONTROLLERS else [*causes, *workloads.selector_update(obj, old)]
    if resource.kind == "Pod":
        causes = [*metadata * 4, *changes * 2, *_body(resource, obj)]
        return (
            causes
            if _frozen_spec(obj) == _frozen_spec(old)
            else [*causes, forbidden_field("spec", _POD_UPDATE)]
        )
    if resource.kind == "ControllerRevision" and obj.get("data") != old.get("data"):
        changes = [*changes, invalid_value("data", obj.get("data"), "field is immutable")]
    if resource.kind == "PriorityClass":
        return [*metadata, *changes, *_priority_class_update(obj, old)]
    if resource.custom:
        return [*metadata, *changes * 2]
    return [*metadata, *changes, *_body(resource, obj)]


def _metadata(resource: Resource, metadata: Json) -> list[Cause]:
    causes: list[Cause] = []
    name = metadata.get("name")
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    elif resource.kind == "Namespace":
        causes += formats.label("metadata.name", name)
    elif resource.kind != "Event":
        causes += formats.subdomain("metadata.name", name)
    causes += formats.labels("metadata.labels", metadata.get("labels") or {})
    for key in metadata.get("annotations") or {}:
        causes += formats.qualified("metadata.annotations", key.lower())
    annotations = (metadata.get("annotations") or {}).items()
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations) > _LARGEST_ANNOTATIONS:
        detail = f"Too long: must have at most {_LARGEST_ANNOTATIONS} bytes"
        causes.append(Cause("FieldValueTooLong", detail, "metadata.annotations"))
    causes += _owners(metadata.get("ownerReferences") or [])
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            causes.append(invalid_value(f"metadata.finalizers[{index}]", finalizer, _FINALIZER_TEXT))
    return causes


def _owners(references: list[Json]) -> list[Cause]:
    at = "metadata.ownerReferences"
    causes = [
        invalid_value(f"{at}.{field}", "", f"{told} must not be empty")
        for reference in references
        for field, told in (("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid"))
        if not reference.get(field)
    ]
    controllers = [reference for reference in references if reference.get("controller")]
    if len(controllers) > 1:
        first, second = (reference.get("name", "") for reference in controllers[:2])
        detail = (
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {first} and {second}'
        )
        causes.append(invalid_value(at, "[]v1.OwnerReference", detail))
    return causes


def _metadata_update(new: Json, old: Json) -> list[Cause]:
    causes = [
        invalid_value(f"metadata.{field}", new.get(field), "field is immutable")
        for field in ("uid", "deletionTimestamp")
        if new.get(field) != old.get(field)
    ]
    added = [f for f in new.get("finalizers") or () if f not in (old.get("finalizers") or ())]
    if added and old.get("deletionTimestamp"):
        detail = (
            "no new finalizers can be added if the object is being deleted, "
            f"found new finalizers {go_value(added)}"
        )
        causes.append(forbidden_field("metadata.finalizers", detail))
    return causes


def _body(resource: Resource, obj: Json) -> list[Cause]:
    match resource.kind:
        case "ReplicationController":
            return workloads.replication_controller(obj["spec"])
        case "ReplicaSet":
            return workloads.replica_set(obj["spec"])
        case "Deployment":
            return workloads.deployment(obj["spec"])
        case "Pod":
            return workloads.pod_spec(obj["spec"], "spec")
        case "ControllerRevision":
            return _revision(obj)
        case "PriorityClass":
            return _priority_class(obj)
        case "HorizontalPodAutoscaler":
            return _autoscaler(obj["spec"])
        case "PodDisruptionBudget":
            return _budget(obj["spec"])
        case _:
            return []


def _revision(obj: Json) -> list[Cause]:
    causes = [] if obj.get("data") is not None else [required("data", "data is mandatory")]
    if obj.get("revision", 0) < 0:
        causes.append(invalid_value("revision", obj["revision"], workloads.NOT_NEGATIVE))
    return causes


def _priority_class(obj: Json) -> list[Cause]:
    name, value, policy = obj["metadata"].get("name") or "", obj["value"], obj["preemptionPolicy"]
    causes: list[Cause] = []
    if name.startswith("system-"):
        if name not in SYSTEM_PRIORITIES:
            causes.append(_reserved(f"{name} is not a known system priority class"))
        elif value != SYSTEM_PRIORITIES[name]:
            causes.append(_reserved(f"value of {name} PriorityClass must be {SYSTEM_PRIORITIES[name]}"))
    elif value > _HIGHEST_PRIORITY:
        detail = f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}"
        causes.append(forbidden_field("value", detail))
    if policy not in _PREEMPTION_POLICIES:
        causes.append(unsupported("preemptionPolicy", policy, *_PREEMPTION_POLICIES))
    return causes


def _autoscaler(spec: Json) -> list[Cause]:
    least, most, target = spec["minReplicas"], spec["maxReplicas"], spec["scaleTargetRef"]
    causes: list[Cause] = []
    if least < 1:
        causes.append(invalid_value("spec.minReplicas", least, "must be greater than or equal to 1"))
    if least == 0:
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        causes.append(forbidden_field("spec.metrics", detail))
    if most < 1:
        causes.append(invalid_value("spec.maxReplicas", most, "must be greater than 0"))
    if most < least:
        detail = "must be greater than or equal to `minReplicas`"
        causes.append(invalid_value("spec.maxReplicas", most, detail))
    return causes + [
        required(f"spec.scaleTargetRef.{field}") for field in ("kind", "name") if not target[field]
    ]


def _budget(spec: Json) -> list[Cause]:
    causes: list[Cause] = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        detail = "minAvailable and maxUnavailable cannot be both set"
        causes.append(invalid_printed("spec", "policy.PodDisruptionBudgetSpec", detail))
    for field in ("minAvailable", "maxUnavailable"):
        if field in spec:
            at = f"spec.{field}"
            causes += [*workloads.amount(at, spec[field]), *workloads.at_most_all(at, spec[field])]
    return [*causes, *workloads.label_selector(spec.get("selector") or {})]


def _reserved(error: str) -> Cause:
    detail = f"priority class names with 'system-' prefix are reserved for system use only. error: {error}"
    return forbidden_field("metadata.name", detail)


def _priority_class_update(new: Json, old: Json) -> list[Cause]:
    causes: list[Cause] = []
    if new["value"] != old["value"]:
        causes.append(forbidden_field("Value", "may not be changed in an update."))
    if new["preemptionPolicy"] != old["preemptionPolicy"]:
        causes.append(invalid_value("preemptionPolicy", new["preemptionPolicy"], "field is immutable"))
    return causes


def _frozen_spec(pod: Json) -> Json:
    """What of a pod's spec must stay."""
    spec = {key: value for key, value in pod["spec"].items() if key != "activeDeadlineSeconds"}
    spec.pop("tolerations", None)
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [{**container, "image": ""} for container in spec[field]]
    return spec
