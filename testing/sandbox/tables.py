"""Answers as tables, as ``kubectl get`` asks for them. Kinds without columns here go out as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from testing.objects import Json
from testing.sandbox import label_selectors
from testing.sandbox.messages import Request, Response
from testing.sandbox.objects import condition_status, is_being_deleted, seconds_of
from testing.sandbox.resources import Resource

_NONE = "<none>"
_Row = Callable[[Json, float], list[Any]]


@dataclass(frozen=True)
class _Table:
    columns: tuple[tuple[str, str, int], ...]
    """Name, type, and 1 for those that only ``-o wide`` shows."""
    row: _Row


def is_acceptable(accept: str) -> bool:
    """Whether any of the wanted media types is one that this server has."""
    wanted = [entry.partition(";")[0].strip() for entry in accept.split(",")]
    return not accept or any(kind in ("application/json", "application/*", "*/*") for kind in wanted)


def encode(response: Response, resource: Resource, request: Request, wall: float) -> Response:
    """The response as it was asked for: a table, metadata only, or as it is. ``wall``: seconds since 1970."""
    encoder = _encoder(resource, request, wall)
    if encoder is None or response.watch is not None or not isinstance(response.body, dict):
        return response
    return replace(response, body=encoder(response.body))


def event_encoder(resource: Resource, request: Request, wall: Callable[[], float]) -> Callable[[Json], Json]:
    """For the events of a watch."""

    def encode_event(event: Json) -> Json:
        encoder = _encoder(resource, request, wall())
        if encoder is None or event["type"] == "ERROR":
            return event
        return {"type": event["type"], "object": encoder(event["object"])}

    return encode_event


def _encoder(resource: Resource, request: Request, wall: float) -> Callable[[Json], Json] | None:
    accept = request.headers.get("accept", "").partition(",")[0]
    if "as=Table" in accept and resource.kind in _TABLES:
        include = request.query.get("includeObject", "Metadata")
        return lambda body: _as_table(_TABLES[resource.kind], resource, body, include, wall)
    if "as=PartialObjectMetadata" in accept:
        return lambda body: _as_metadata(resource, body)
    return None


def _as_metadata(resource: Resource, body: Json) -> Json:
    if body.get("kind") == f"{resource.kind}List":
        items = [_partial(item) for item in body["items"]]
        kind = "PartialObjectMetadataList"
        return {"kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": body["metadata"], "items": items}
    return _partial(body) if body.get("kind") == resource.kind else body


def _partial(obj: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _as_table(table: _Table, resource: Resource, body: Json, include: str, wall: float) -> Json:
    if body.get("kind") == f"{resource.kind}List":
        items, metadata = body["items"], body["metadata"]
    elif body.get("kind") == resource.kind and "name" in body["metadata"]:
        items, metadata = [body], {"resourceVersion": body["metadata"].get("resourceVersion", "")}
    elif body.get("kind") == resource.kind:
        items, metadata = [], body["metadata"]  # a bookmark
    else:
        return body
    rows = []
    for item in items:
        obj = {"None": None, "Object": {"kind": resource.kind, "apiVersion": resource.version, **item}}.get(
            include, _partial(item)
        )
        rows.append({"cells": table.row(item, wall), "object": obj})
    columns = [
        {"name": name, "type": kind, "format": "name" * (name == "Name"), "description": "", "priority": wide}
        for name, kind, wide in table.columns
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    }


def age(since: str | None, wall: float) -> str:
    """As kubectl prints durations: two units at most, and one for what is long ago."""
    started = seconds_of(since)
    if started is None:
        return "<unknown>"
    seconds = int(wall - started)
    if seconds < 0:
        return "0s" if seconds >= -1 else "<invalid>"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 2920 else f"{days // 365}y"


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit}" + (f"{second}{second_unit}" if second else "")


def _created(obj: Json, wall: float) -> str:
    return age(obj["metadata"].get("creationTimestamp"), wall)


def _controller(obj: Json, wall: float) -> list[Any]:
    status = obj.get("status", {})
    counts = [obj["spec"]["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [obj["metadata"]["name"], *counts, _created(obj, wall), *_of_template(obj)]


def _deployment(obj: Json, wall: float) -> list[Any]:
    status = obj.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec']['replicas']}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [obj["metadata"]["name"], ready, *counts, _created(obj, wall), *_of_template(obj)]


def _of_template(obj: Json) -> list[str]:
    containers = obj["spec"]["template"]["spec"]["containers"]
    return [
        ",".join(container["name"] for container in containers),
        ",".join(container["image"] for container in containers),
        label_selectors.formatted(obj),
    ]


def _pod(obj: Json, wall: float) -> list[Any]:
    status = obj.get("status", {})
    containers = status.get("containerStatuses") or []
    restarts = sum(container.get("restartCount", 0) for container in containers)
    ready = sum(bool(container.get("ready")) for container in containers)
    ends = [
        ended["finishedAt"]
        for container in containers
        if (ended := container.get("lastState", {}).get("terminated"))
    ]
    told = f"{restarts} ({age(max(ends), wall)} ago)" if restarts and ends else str(restarts)
    return [
        obj["metadata"]["name"],
        f"{ready}/{len(obj['spec']['containers'])}",
        pod_state(obj),
        told,
        _created(obj, wall),
        status.get("podIP") or _NONE,
        obj["spec"].get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE,
        _NONE,
    ]


def pod_state(pod: Json) -> str:
    """The column STATUS: what keeps a container from running, or the phase."""
    if is_being_deleted(pod):
        return "Terminating"
    status = pod.get("status", {})
    found = status.get("reason") or status.get("phase", "Unknown")
    for container in status.get("containerStatuses") or ():
        state = container.get("state", {})
        waiting, ended = state.get("waiting", {}), state.get("terminated", {})
        found = waiting.get("reason") or ended.get("reason") or found
    return str(found)


def _node(obj: Json, wall: float) -> list[Any]:
    ready = "Ready" if condition_status(obj, "Ready") == "True" else "NotReady"
    return [obj["metadata"]["name"], ready, _NONE, _created(obj, wall), ""]


def _namespace(obj: Json, wall: float) -> list[Any]:
    return [obj["metadata"]["name"], obj["status"]["phase"], _created(obj, wall)]


def _event(obj: Json, wall: float) -> list[Any]:
    about = obj["involvedObject"]
    return [
        age(obj.get("lastTimestamp"), wall),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        obj.get("source", {}).get("component", ""),
        obj.get("message", "").strip(),
        age(obj.get("firstTimestamp"), wall),
        obj.get("count", 1),
        obj["metadata"]["name"],
    ]


def _quota(obj: Json, wall: float) -> list[Any]:
    status = obj.get("status", {})
    used, hard = status.get("used") or {}, status.get("hard") or {}
    request = ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard))
    return [obj["metadata"]["name"], request, "", _created(obj, wall)]


def _budget(obj: Json, wall: float) -> list[Any]:
    limits = [str(obj["spec"].get(field, "N/A")) for field in ("minAvailable", "maxUnavailable")]
    allowed = obj["status"]["disruptionsAllowed"]
    return [obj["metadata"]["name"], *limits, allowed, _created(obj, wall)]


_NAME, _AGE = ("Name", "string", 0), ("Age", "string", 0)
_TEMPLATE = (("Containers", "string", 1), ("Images", "string", 1), ("Selector", "string", 1))
_CONTROLLER = _Table(
    (
        _NAME,
        ("Desired", "integer", 0),
        ("Current", "integer", 0),
        ("Ready", "integer", 0),
        _AGE,
        *_TEMPLATE,
    ),
    _controller,
)
_TABLES = {
    "ReplicationController": _CONTROLLER,
    "ReplicaSet": _CONTROLLER,
    "Deployment": _Table(
        (
            _NAME,
            ("Ready", "string", 0),
            ("Up-to-date", "string", 0),
            ("Available", "string", 0),
            _AGE,
            *_TEMPLATE,
        ),
        _deployment,
    ),
    "Pod": _Table(
        (
            _NAME,
            ("Ready", "string", 0),
            ("Status", "string", 0),
            ("Restarts", "string", 0),
            _AGE,
            ("IP", "string", 1),
            ("Node", "string", 1),
            ("Nominated Node", "string", 1),
            ("Readiness Gates", "string", 1),
        ),
        _pod,
    ),
    "Node": _Table(
        (_NAME, ("Status", "string", 0), ("Roles", "string", 0), _AGE, ("Version", "string", 0)), _node
    ),
    "Namespace": _Table((_NAME, ("Status", "string", 0), _AGE), _namespace),
    "PodDisruptionBudget": _Table(
        (
            _NAME,
            ("Min Available", "string", 0),
            ("Max Unavailable", "string", 0),
            ("Allowed Disruptions", "integer", 0),
            _AGE,
        ),
        _budget,
    ),
    "ResourceQuota": _Table((_NAME, ("Request", "string", 0), ("Limit", "string", 0), _AGE), _quota),
    "Event": _Table(
        (
            ("Last Seen", "string", 0),
            ("Type", "string", 0),
            ("Reason", "string", 0),
            ("Object", "string", 0),
            ("Subobject", "string", 1),
            ("Source", "string", 1),
            ("Message", "string", 0),
            ("First Seen", "string", 1),
            ("Count", "string", 1),
            ("Name", "string", 1),
        ),
        _event,
    ),
}
