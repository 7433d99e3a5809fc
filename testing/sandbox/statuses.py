"""What the API server says when it says no: Status bodies, word for word. When it does is decided elsewhere.

The texts were compared with those of a real API server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testing.objects import Json
from testing.sandbox.resources import Resource

PROTOBUF = "application/vnd.kubernetes.protobuf"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ApiError(Exception):
    """Ends a request: ``body`` is the Status, ``code`` the HTTP status."""

    def __init__(self, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body["message"])
        self.body = body
        self.code = int(body["code"])
        self.reason = str(body.get("reason", ""))
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with one field."""

    reason: str
    message: str
    field: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def go_value(value: Any) -> str:
    """A value as Go's ``%#v`` writes it, for the few types that occur in messages."""
    if isinstance(value, dict):
        entries = ", ".join(f"{json.dumps(key)}:{json.dumps(value[key])}" for key in sorted(value))
        return f"map[string]string{{{entries}}}"
    if value is None:
        return "map[string]string(nil)"
    if isinstance(value, list):
        return f"[]string{{{', '.join(json.dumps(entry) for entry in value)}}}"
    return json.dumps(value, ensure_ascii=False)


def go_selector(selector: Json | None) -> str:
    """A LabelSelector as Go writes it."""
    if selector is None:
        return '"null"'
    requirements = [
        f"v1.LabelSelectorRequirement{{Key:{json.dumps(entry['key'])}, Operator:"
        f"{json.dumps(entry.get('operator', ''))}, Values:{_go_values(entry.get('values'))}}}"
        for entry in selector.get("matchExpressions") or ()
    ]
    listed = f"{{{', '.join(requirements)}}}" if requirements else "(nil)"
    return (
        f"v1.LabelSelector{{MatchLabels:{go_value(selector.get('matchLabels'))}, "
        f"MatchExpressions:[]v1.LabelSelectorRequirement{listed}}}"
    )


def _go_values(values: list[str] | None) -> str:
    return "[]string(nil)" if values is None else go_value(values)


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", "Required value" + (f": {detail}" if detail else ""), field)


def invalid_value(field: str, value: Any, detail: str) -> Cause:
    return invalid_printed(field, go_value(value), detail)


def invalid_printed(field: str, shown: str, detail: str) -> Cause:
    """Of a value that is shown as something else than JSON."""
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {detail}", field)


def unsupported(field: str, value: Any, *supported: str) -> Cause:
    listed = ", ".join(json.dumps(entry) for entry in supported)
    return Cause(
        "FieldValueNotSupported", f"Unsupported value: {go_value(value)}: supported values: {listed}", field
    )


def forbidden_field(field: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", field)


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {go_value(value)}", field)


def status(
    code: int,
    message: str,
    reason: str = "",
    details: Json | None = None,
    *,
    metadata: Json | None = None,
    headers: Mapping[str, str] | None = None,
) -> ApiError:
    """A failure. Fields that are empty are left out, as the server does."""
    body: Json = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": metadata or {},
        "status": "Failure",
        "message": message,
    }
    if reason:
        body["reason"] = reason
    if details is not None:
        body["details"] = details
    body["code"] = code
    return ApiError(body, headers)


def success(resource: Resource, name: str, uid: str) -> Json:
    """The answer to a deletion that took effect at once."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**_about(resource, name), "uid": uid},
    }


def created() -> Json:
    """The answer to a POST that makes no object."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def no_version(resource: Resource, name: str) -> ApiError:
    """A PUT that does not say what it replaces, of a kind for which it must."""
    cause = invalid_printed("metadata.resourceVersion", "0x0", "must be specified for an update")
    return invalid(resource.plural, name, [cause], resource.group)


def _about(resource: Resource, name: str) -> Json:
    group = {"group": resource.group} if resource.group else {}
    return {"name": name, **group, "kind": resource.plural}


def bad_request(message: str) -> ApiError:
    return status(400, message, "BadRequest")


def unauthorized() -> ApiError:
    return status(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str, detail: str) -> ApiError:
    named = f'{resource.qualified} "{name}"' if name else resource.qualified
    details = {key: value for key, value in _about(resource, name).items() if value}
    return status(403, f"{named} is forbidden: {detail}", "Forbidden", details)


def denied_by_webhook(webhook: str, detail: str) -> ApiError:
    return status(400, f'admission webhook "{webhook}" denied the request: {detail}')


def not_found(resource: Resource, name: str) -> ApiError:
    return status(404, f'{resource.qualified} "{name}" not found', "NotFound", _about(resource, name))


def no_scale(resource: Resource, name: str) -> ApiError:
    kind, group = f"{resource.plural}/scale", resource.group or "autoscaling"
    details = {"name": name, "group": group, "kind": kind}
    return status(404, f'{kind}.{group} "{name}" not found', "NotFound", details)


def no_such_resource() -> ApiError:
    return status(404, "the server could not find the requested resource", "NotFound", {})


def method_not_allowed() -> ApiError:
    message = "the server does not allow this method on the requested resource"
    return status(405, message, "MethodNotAllowed", {})


def not_acceptable() -> ApiError:
    return status(406, "406: Not Acceptable", "NotAcceptable", {})


def already_exists(resource: Resource, name: str, *, being_deleted: bool = False) -> ApiError:
    prefix = "object is being deleted: " if being_deleted else ""
    message = f'{prefix}{resource.qualified} "{name}" already exists'
    return status(409, message, "AlreadyExists", _about(resource, name))


def conflict(resource: Resource, name: str, detail: str = MODIFIED) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {detail}'
    return status(409, message, "Conflict", _about(resource, name))


def other_uid(resource: Resource, namespace: str, name: str, wanted: str, found: str) -> ApiError:
    """A write for an object of another uid than there is."""
    plural = "controllers" if resource.kind == "ReplicationController" else resource.plural
    if resource.custom:
        plural = f"{resource.group}/{plural}"
    return conflict(
        resource,
        name,
        f"StorageError: invalid object, Code: 4, Key: /registry/{plural}/{namespace}/{name}, "
        "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
        f"{wanted}, UID in object meta: {found}",
    )


def precondition_conflict(resource: Resource, name: str, detail: str) -> ApiError:
    """As :func:`conflict`, of a deletion: there the server names the kind, not the resource."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    message = f'Operation cannot be fulfilled on {kind} "{name}": {detail}'
    return status(409, message, "Conflict", {**_about(resource, name), "kind": resource.kind})


def expired(message: str, metadata: Json | None = None) -> ApiError:
    return status(410, message, "Expired", metadata=metadata)


def unknown_body_type(content_type: str) -> ApiError:
    """In words of our own for protobuf, which ``kubectl create`` sends if it has no file: a real server reads
    that."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        f"application/json, application/yaml, {PROTOBUF}"
    )
    if content_type == PROTOBUF:
        message = (
            "the sandbox reads JSON and YAML; add --dry-run=client -o yaml, piped into: kubectl create -f -"
        )
    return status(415, message, "UnsupportedMediaType")


def unknown_patch_type() -> ApiError:
    return status(415, "415: Unsupported Media Type", "UnsupportedMediaType", {})


def no_strategic_patch() -> ApiError:
    """Of a kind that the server knows no types of."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
    return status(415, message, "UnsupportedMediaType")


def invalid(kind: str, name: str, causes: Sequence[Cause], group: str = "") -> ApiError:
    """422 for an object; the message says each cause once, the details as often as it was found."""
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    details: Json = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    details["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
    ]
    return status(422, f'{qualified} "{name}" is invalid: {listed}', "Invalid", details)


def unprocessable_patch() -> ApiError:
    """A JSON Patch of which an operation fails, ``test`` among them. The server does not say which."""
    return status(422, "the server rejected our request due to an error in our request", "Invalid", {})


def undecodable_patch(result: Any, detail: str) -> ApiError:
    """A patch that makes something else of the object than its kind can hold."""
    text = json.dumps(result, separators=(",", ":"))
    message = f' "" is invalid: patch: Invalid value: {json.dumps(text)}: {detail}'
    cause = {
        "reason": "FieldValueInvalid",
        "message": f"Invalid value: {json.dumps(text)}: {detail}",
        "field": "patch",
    }
    return status(422, message, "Invalid", {"causes": [cause]})


def too_many_requests(retry_after: int = 1) -> ApiError:
    return status(
        429,
        "too many requests, please try again later",
        "TooManyRequests",
        {"retryAfterSeconds": retry_after},
        headers={"Retry-After": str(retry_after)},
    )


def violates_budget(detail: str, retry_after: int = 0) -> ApiError:
    """The refusal of an eviction; the cause says which budget it is, and why."""
    details: Json = {"causes": [{"reason": "DisruptionBudget", "message": detail}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return status(
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
        "TooManyRequests",
        details,
        headers={"Retry-After": str(retry_after)} if retry_after else None,
    )


def internal(message: str) -> ApiError:
    """The server's own habit for some mistakes of clients: no reason, no details."""
    return status(500, message)


def too_large_version(wanted: int, current: int) -> ApiError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return status(
        504,
        f"Timeout: Too large resource version: {wanted}, current: {current}",
        "Timeout",
        {"causes": [cause], "retryAfterSeconds": 1},
        headers={"Retry-After": "1"},
    )
