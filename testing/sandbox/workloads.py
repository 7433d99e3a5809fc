"""The API server's rules for pods and for what makes them, from ReplicationController to Deployment."""

from __future__ import annotations

import re
from typing import Any

from testing.objects import Json
from testing.sandbox import formats, label_selectors
from testing.sandbox.objects import selects
from testing.sandbox.statuses import (
    Cause,
    duplicate,
    forbidden_field,
    go_selector,
    invalid_printed,
    invalid_value,
    required,
    unsupported,
)

NOT_NEGATIVE = "must be greater than or equal to 0"
_SELECTOR_TEXT = "`selector` does not match template `labels`"
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PERCENT = "[0-9]+%"
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
    f"used for validation is '{_PERCENT}')"
)


def replication_controller(spec: Json) -> list[Cause]:
    causes: list[Cause] = []
    selector, template = spec.get("selector") or {}, spec.get("template")
    causes += _not_negative(spec, "minReadySeconds")
    if not selector:
        causes.append(required("spec.selector"))
    causes += _not_negative(spec, "replicas")
    if template is None:
        return [*causes, required("spec.template")]
    labels = template["metadata"].get("labels")
    return [*causes, *_template(spec, not selector or selects(selector, labels or {}), labels)]


def replica_set(spec: Json) -> list[Cause]:
    return [*_not_negative(spec, "replicas", "minReadySeconds"), *_selector_and_template(spec)]


def deployment(spec: Json) -> list[Cause]:
    causes = [
        *_not_negative(spec, "replicas"),
        *_selector_and_template(spec),
        *_strategy(spec["strategy"]),
        *_not_negative(spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"),
    ]
    deadline = spec["progressDeadlineSeconds"]
    if deadline <= spec.get("minReadySeconds", 0):
        detail = "must be greater than minReadySeconds"
        causes.append(invalid_value("spec.progressDeadlineSeconds", deadline, detail))
    return causes


def selector_update(new: Json, old: Json) -> list[Cause]:
    """Of a ReplicaSet or a Deployment: it is what it was from the beginning."""
    selector = new["spec"].get("selector")
    if selector == old["spec"].get("selector"):
        return []
    return [invalid_printed("spec.selector", go_selector(selector), "field is immutable")]


def _not_negative(spec: Json, *fields: str) -> list[Cause]:
    return [
        invalid_value(f"spec.{field}", spec[field], NOT_NEGATIVE)
        for field in fields
        if spec.get(field, 0) < 0
    ]


def _selector_and_template(spec: Json) -> list[Cause]:
    selector = spec.get("selector")
    causes: list[Cause] = []
    if selector is None:
        causes.append(required("spec.selector"))
    else:
        causes += label_selector(selector)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            detail = "empty selector is invalid for deployment"  # so the server says of a ReplicaSet, too
            causes.append(invalid_printed("spec.selector", go_selector(selector), detail))
            return [*causes, *_template(spec, True, None)]
        if causes:
            detail = "invalid label selector"
            return [*causes, invalid_printed("spec.selector", go_selector(selector), detail)]
    labels = spec["template"]["metadata"].get("labels")
    fits = selector is not None and label_selectors.matches(selector, labels or {})
    return [*causes, *_template(spec, fits, labels)]


def label_selector(selector: Json) -> list[Cause]:
    causes = formats.labels("spec.selector.matchLabels", selector.get("matchLabels") or {})
    for number, requirement in enumerate(selector.get("matchExpressions") or ()):
        at = f"spec.selector.matchExpressions[{number}]"
        operator, values = requirement.get("operator"), requirement.get("values")
        if operator in ("In", "NotIn"):
            if not values:
                detail = "must be specified when `operator` is 'In' or 'NotIn'"
                causes.append(required(f"{at}.values", detail))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                causes.append(forbidden_field(f"{at}.values", detail))
        else:
            causes.append(invalid_value(f"{at}.operator", operator or "", "not a valid selector operator"))
        causes += formats.qualified(f"{at}.key", requirement.get("key") or "")
    return causes


def _strategy(strategy: Json) -> list[Cause]:
    match strategy["type"]:
        case "Recreate":
            if strategy.get("rollingUpdate") is None:
                return []
            detail = "may not be specified when strategy `type` is 'Recreate'"
            return [forbidden_field("spec.strategy.rollingUpdate", detail)]
        case "RollingUpdate":
            return _rolling_update(strategy["rollingUpdate"])
        case other:
            # The server prints the whole of the strategy where it means its type.
            rolling = "RollingUpdate:(*apps.RollingUpdateDeployment)(nil)"
            shown = f'apps.DeploymentStrategy{{Type:"{other}", {rolling}}}'
            detail = f'Unsupported value: {shown}: supported values: "Recreate", "RollingUpdate"'
            return [Cause("FieldValueNotSupported", detail, "spec.strategy")]


def _rolling_update(rolling: Json) -> list[Cause]:
    causes: list[Cause] = []
    for field in ("maxUnavailable", "maxSurge"):
        causes += amount(f"spec.strategy.rollingUpdate.{field}", rolling[field])
    unavailable, at = rolling["maxUnavailable"], "spec.strategy.rollingUpdate.maxUnavailable"
    if _amount(unavailable) == 0 and _amount(rolling["maxSurge"]) == 0:
        shown = _int_or_string(unavailable)
        causes.append(invalid_printed(at, shown, "may not be 0 when `maxSurge` is 0"))
    return [*causes, *at_most_all(at, unavailable)]


def amount(at: str, value: Any) -> list[Cause]:
    """Of a number of pods, or a percentage."""
    if not isinstance(value, str):
        return [invalid_value(at, value, NOT_NEGATIVE)] if value < 0 else []
    fits = re.fullmatch(_PERCENT, value)
    return [] if fits else [invalid_printed(at, _int_or_string(value), _PERCENT_TEXT)]


def at_most_all(at: str, value: Any) -> list[Cause]:
    """Of a percentage that can't be more than all."""
    if isinstance(value, str) and _amount(value) > 100:
        return [invalid_printed(at, _int_or_string(value), "must not be greater than 100%")]
    return []


def _amount(value: Any) -> int:
    """Of a percentage, or a number."""
    text = str(value).removesuffix("%")
    return int(text) if text.lstrip("-").isdigit() else 0


def _int_or_string(value: Any) -> str:
    """As Go prints it."""
    number, text = (0, value) if isinstance(value, str) else (value, "")
    return f'intstr.IntOrString{{Type:{int(isinstance(value, str))}, IntVal:{number}, StrVal:"{text}"}}'


def _template(spec: Json, fits: bool, labels: dict[str, str] | None) -> list[Cause]:
    """``fits``: whether the labels are those of the selector."""
    template, causes = spec["template"], list[Cause]()
    if not fits:
        causes.append(invalid_value("spec.template.metadata.labels", labels, _SELECTOR_TEXT))
    causes += formats.labels("spec.template.labels", template["metadata"].get("labels") or {})
    causes += pod_spec(template["spec"], "spec.template.spec")
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


def status(controller: Json) -> list[Cause]:
    """Of counts of pods."""
    found, total = controller["status"], controller["status"].get("replicas", 0)
    first = "updatedReplicas" if controller["kind"] == "Deployment" else "fullyLabeledReplicas"
    parts = (first, "readyReplicas", "availableReplicas")
    causes = [
        invalid_value(f"status.{field}", found[field], NOT_NEGATIVE)
        for field in ("replicas", *parts, "observedGeneration")
        if found.get(field, 0) < 0
    ]
    return causes + [
        invalid_value(f"status.{field}", found.get(field, 0), "cannot be greater than status.replicas")
        for field in parts
        if found.get(field, 0) > total
    ]


def pod_spec(spec: Json, field: str) -> list[Cause]:
    """Of a pod, or of a template."""
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
            causes += formats.label(f"{at}.name", name)
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
        causes += formats.subdomain(f"{field}.priorityClassName", name)
    return causes
