"""Whether a body can be an object of its kind at all: types only; the rules are in ``validation``.

The real server decodes into its own types. Here only the fields that this project touches are looked at;
unknown fields are kept, not dropped.
"""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from testing.sandbox.resources import Resource

_GO = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "bool"}
_STRING, _INTEGER, _MAP, _STRINGS, _LIST = "string", "int32", "map[string]string", "[]string", "[]"
_BOOLEAN = "bool"
_INTEGER_OR_STRING = "int32 or string"

_METADATA = {
    "name": _STRING,
    "generateName": _STRING,
    "namespace": _STRING,
    "uid": _STRING,
    "resourceVersion": _STRING,
    "labels": _MAP,
    "annotations": _MAP,
    "finalizers": _STRINGS,
    "ownerReferences": _LIST,
}
_CONTAINER = {"name": _STRING, "image": _STRING, "command": _STRINGS, "args": _STRINGS, "env": _LIST}
_POD_SPEC = {"containers": _LIST, "restartPolicy": _STRING, "terminationGracePeriodSeconds": _INTEGER}
_CONTROLLER_SPEC = {"replicas": _INTEGER, "minReadySeconds": _INTEGER, "selector": _MAP}
_SET_SPEC = {"replicas": _INTEGER, "minReadySeconds": _INTEGER}
_DEPLOYMENT_SPEC = {
    **_SET_SPEC,
    "paused": _BOOLEAN,
    "revisionHistoryLimit": _INTEGER,
    "progressDeadlineSeconds": _INTEGER,
}
_BUDGET_SPEC = {"minAvailable": _INTEGER_OR_STRING, "maxUnavailable": _INTEGER_OR_STRING}
_SPECS = {
    "ReplicationController": _CONTROLLER_SPEC,
    "ReplicaSet": _SET_SPEC,
    "Deployment": _DEPLOYMENT_SPEC,
    "PodDisruptionBudget": _BUDGET_SPEC,
}
_SELECTOR = {"matchLabels": _MAP, "matchExpressions": _LIST}


def problem(resource: Resource, obj: Json) -> str | None:
    """What Go's decoder would say of the first field of the wrong type; None where all fit."""
    kind, version = obj.get("kind", resource.kind), obj.get("apiVersion", resource.version)
    if (kind, version) != (resource.kind, resource.version):
        return f'no kind "{kind}" is registered for version "{version}" in scheme'
    found = _metadata_problem(obj)
    if found or resource.kind not in (*_SPECS, "Pod"):
        return found
    spec = obj.get("spec")
    if resource.kind == "Pod":
        return _pod_spec(spec, "PodSpec.spec")
    at = f"{resource.kind}Spec.spec"
    found = _check(spec, _SPECS[resource.kind], at)
    if found or not isinstance(spec, dict):
        return found
    if resource.kind != "ReplicationController":
        found = _check(spec.get("selector"), _SELECTOR, "LabelSelector.spec.selector")
        if found:
            return found
    template = spec.get("template")
    found = _check(template, {}, f"{at}.template")
    if found or not isinstance(template, dict):
        return found
    return _check(template.get("metadata"), _METADATA, "ObjectMeta.spec.template.metadata") or _pod_spec(
        template.get("spec"), "PodSpec.spec.template.spec"
    )


def eviction_problem(obj: Json) -> str | None:
    """As :func:`problem`, of what is sent to evict a pod: an object that is not stored."""
    return _metadata_problem(obj) or _check(obj.get("deleteOptions"), {}, "Eviction.deleteOptions")


def _metadata_problem(obj: Json) -> str | None:
    return _check(obj.get("metadata", {}), _METADATA, "ObjectMeta.metadata")


def no_object(body: Any) -> str:
    """What Go's decoder says of something else than an object."""
    if body is None:
        return "unexpected end of JSON input"
    return (
        f"json: cannot unmarshal {_GO.get(type(body), 'value')} into Go value of type struct "
        '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
    )


def _pod_spec(spec: Any, where: str) -> str | None:
    found = _check(spec, _POD_SPEC, where)
    if found or not isinstance(spec, dict):
        return found
    for container in spec.get("containers") or ():
        found = _check(container, _CONTAINER, f"Container.{where.partition('.')[2]}.containers")
        if found:
            return found
    return None


def _check(obj: Any, fields: dict[str, str], where: str) -> str | None:
    if obj is None:
        return None
    if not isinstance(obj, dict):
        return _mismatch(obj, where, where.partition(".")[0])
    for field, expected in fields.items():
        value = obj.get(field)
        if value is not None and (wrong := _unfit(value, expected)) is not None:
            return _mismatch(
                wrong, f"{where}.{field}", "string" if expected in (_MAP, _STRINGS) else expected
            )
    return None


def _unfit(value: Any, expected: str) -> Any:
    """The value that does not fit, or None."""
    if expected == _STRING:
        return None if isinstance(value, str) else value
    if expected == _INTEGER_OR_STRING and isinstance(value, str):
        return None
    if expected in (_INTEGER, _INTEGER_OR_STRING):
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31
        return None if fits else value
    if expected == _BOOLEAN:
        return None if isinstance(value, bool) else value
    if expected == _MAP:
        if not isinstance(value, dict):
            return value
        return next((v for v in value.values() if v is not None and not isinstance(v, str)), None)
    if not isinstance(value, list):
        return value
    return next((v for v in value if not isinstance(v, str)), None) if expected == _STRINGS else None


def _mismatch(value: Any, field: str, expected: str) -> str:
    found = _GO.get(type(value), "value")
    return f"json: cannot unmarshal {found} into Go struct field {field} of type {expected}"
