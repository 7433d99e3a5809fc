"""The API server's rules for objects, as far as this project can break them. Nothing is changed here."""

from __future__ import annotations

import re
from typing import Any

from testing.objects import Json
from testing.sandbox.objects import selects
from testing.sandbox.resources import Resource
from testing.sandbox.statuses import (
    Cause,
    duplicate,
    forbidden_field,
    go_value,
    invalid_value,
    required,
    unsupported,
)

SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""The classes that every cluster has. No other name may begin as theirs."""
_HIGHEST_PRIORITY = 1_000_000_000
"""Of a class that somebody makes."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_QUALIFIED})?"

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    f"validation is '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    f"validation is '{_LABEL}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation "
    f"is '{_QUALIFIED}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    f"regex used for validation is '{_VALUE}')"
)
_SELECTOR_TEXT = "`selector` does not match template `labels`"
_FINALIZER_TEXT = "name is neither a standard finalizer name nor is it fully qualified"
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_LARGEST_ANNOTATIONS = 256 * 1024
_PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
_NOT_NEGATIVE = "must be greater than or equal to 0"
_POD_UPDATE = (
    "pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)

_subdomain = re.compile(_SUBDOMAIN).fullmatch
_label = re.compile(_LABEL).fullmatch
_qualified = re.compile(_QUALIFIED).fullmatch
_value = re.compile(_VALUE).fullmatch


def on_create(resource: Resource, obj: Json) -> list[Cause]:
    return [*_metadata(resource, obj["metadata"]), *_body(resource, obj)]


def on_update(resource: Resource, obj: Json, old: Json) -> list[Cause]:
    metadata = _metadata(resource, obj["metadata"])
    changes = _metadata_update(obj["metadata"], old["metadata"])
    # The server checks some things more than once, and its details list each cause as often.
    if resource.kind == "ReplicationController":
        if obj.get("status") != old.get("status"):
            return _controller_status(obj["status"])
        return [*metadata * 2, *[*metadata, *changes, *_body(resource, obj)] * 2]
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
    return [*metadata, *changes, *_body(resource, obj)]


def _metadata(resource: Resource, metadata: Json) -> list[Cause]:
    causes: list[Cause] = []
    name = metadata.get("name")
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    elif resource.kind == "Namespace":
        causes += _name("metadata.name", name, _label, _LABEL_TEXT, 63)
    elif resource.kind != "Event":
        causes += _name("metadata.name", name, _subdomain, _SUBDOMAIN_TEXT, 253)
    causes += _labels("metadata.labels", metadata.get("labels") or {})
    for key in metadata.get("annotations") or {}:
        causes += _key("metadata.annotations", key.lower())
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


def label_key_problems(key: str) -> list[str]:
    """What is wrong with a label's key, in the server's words."""
    return [cause.message.partition(": ")[2].partition(": ")[2] for cause in _key("", key)]


def label_value_problems(value: str) -> list[str]:
    """What is wrong with a label's value, in the server's words."""
    problems = ["must be no more than 63 characters"] if len(value) > 63 else []
    return problems if _value(value) else [*problems, _VALUE_TEXT]


def _name(field: str, name: str, matches: Any, text: str, limit: int) -> list[Cause]:
    causes = []
    if len(name) > limit:
        causes.append(invalid_value(field, name, f"must be no more than {limit} characters"))
    if not matches(name):
        causes.append(invalid_value(field, name, text))
    return causes


def _labels(field: str, labels: dict[str, str]) -> list[Cause]:
    causes: list[Cause] = []
    for key in sorted(labels):
        causes += _key(field, key)
        value = labels[key] or ""
        causes += [invalid_value(field, value, problem) for problem in label_value_problems(value)]
    return causes


def _key(field: str, key: str) -> list[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not prefix:
        return [invalid_value(field, key, "prefix part must be non-empty")]
    if slash and not _subdomain(prefix):
        return [invalid_value(field, key, f"prefix part {_SUBDOMAIN_TEXT}")]
    if not name:
        return [invalid_value(field, key, "name part must be non-empty")]
    if len(name) > 63:
        return [invalid_value(field, key, "name part must be no more than 63 characters")]
    return [] if _qualified(name) else [invalid_value(field, key, _QUALIFIED_TEXT)]


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
            return _controller(obj["spec"])
        case "Pod":
            return _pod_spec(obj["spec"], "spec")
        case "ControllerRevision":
            return _revision(obj)
        case "PriorityClass":
            return _priority_class(obj)
        case _:
            return []


def _revision(obj: Json) -> list[Cause]:
    causes = [] if obj.get("data") is not None else [required("data", "data is mandatory")]
    if obj.get("revision", 0) < 0:
        causes.append(invalid_value("revision", obj["revision"], _NOT_NEGATIVE))
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


def _controller(spec: Json) -> list[Cause]:
    causes: list[Cause] = []
    selector, template = spec.get("selector") or {}, spec.get("template")
    if spec.get("minReadySeconds", 0) < 0:
        causes.append(invalid_value("spec.minReadySeconds", spec["minReadySeconds"], _NOT_NEGATIVE))
    if not selector:
        causes.append(required("spec.selector"))
    if spec["replicas"] < 0:
        causes.append(invalid_value("spec.replicas", spec["replicas"], _NOT_NEGATIVE))
    if template is None:
        return [*causes, required("spec.template")]
    labels = template["metadata"].get("labels") or {}
    if selector and not selects(selector, labels):
        causes.append(invalid_value("spec.template.metadata.labels", labels, _SELECTOR_TEXT))
    causes += _labels("spec.template.labels", labels)
    causes += _pod_spec(template["spec"], "spec.template.spec")
    if spec["replicas"] > 1:
        causes += _disks(template["spec"])
    policy = template["spec"]["restartPolicy"]
    if policy != "Always":
        causes.append(unsupported("spec.template.spec.restartPolicy", policy, "Always"))
    return causes


def _disks(spec: Json) -> list[Cause]:
    """Of pods that are several."""
    detail = (
        "must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is "
        "read-only"
    )
    return [
        invalid_value(f"spec.template.spec.volumes[{number}].gcePersistentDisk.readOnly", False, detail)
        for number, volume in enumerate(spec.get("volumes") or ())
        if volume.get("gcePersistentDisk") and not volume["gcePersistentDisk"].get("readOnly")
    ]


def _controller_status(status: Json) -> list[Cause]:
    total = status.get("replicas", 0)
    fields = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    causes = [
        invalid_value(f"status.{field}", status[field], _NOT_NEGATIVE)
        for field in ("replicas", *fields, "observedGeneration")
        if status.get(field, 0) < 0
    ]
    return causes + [
        invalid_value(f"status.{field}", status.get(field, 0), "cannot be greater than status.replicas")
        for field in fields
        if status.get(field, 0) > total
    ]


def _pod_spec(spec: Json, field: str) -> list[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        return [required(f"{field}.containers")]
    causes: list[Cause] = []
    if spec["restartPolicy"] not in _RESTART_POLICIES:
        causes.append(unsupported(f"{field}.restartPolicy", spec["restartPolicy"], *_RESTART_POLICIES))
    names: set[str] = set()
    for index, container in enumerate(containers):
        at = f"{field}.containers[{index}]"
        name = container.get("name") or ""
        if not name:
            causes.append(required(f"{at}.name"))
        elif name in names:
            causes.append(duplicate(f"{at}.name", name))
        else:
            causes += _name(f"{at}.name", name, _label, _LABEL_TEXT, 63)
        names.add(name)
        image = container.get("image") or ""
        if not image:
            causes.append(required(f"{at}.image"))
        elif image != image.strip() and field == "spec":  # not of a template
            causes.append(invalid_value(f"{at}.image", image, "must not have leading or trailing whitespace"))
        pull_policy = container["imagePullPolicy"]
        if pull_policy not in _PULL_POLICIES:
            causes.append(unsupported(f"{at}.imagePullPolicy", pull_policy, *_PULL_POLICIES))
        for number, port in enumerate(container.get("ports") or ()):
            value = port.get("containerPort") or 0
            if not value:
                causes.append(required(f"{at}.ports[{number}].containerPort"))
            elif not 0 < value < 65536:
                field_name = f"{at}.ports[{number}].containerPort"
                causes.append(invalid_value(field_name, value, "must be between 1 and 65535, inclusive"))
    if name := spec.get("priorityClassName"):
        causes += _name(f"{field}.priorityClassName", name, _subdomain, _SUBDOMAIN_TEXT, 253)
    return causes


def _frozen_spec(pod: Json) -> Json:
    """What of a pod's spec must stay."""
    spec = {key: value for key, value in pod["spec"].items() if key != "activeDeadlineSeconds"}
    spec.pop("tolerations", None)
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [{**container, "image": ""} for container in spec[field]]
    return spec
