"""What a table of requests is made of: cases, and words to write them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from testing.client import JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from testing.objects import Json
from tests.contract.wire import Ask

RCS = "replicationcontrollers"
PODS = "pods"
REVS = "controllerrevisions"
AUTOSCALERS = "horizontalpodautoscalers"
BUDGETS = "poddisruptionbudgets"
SETS, DEPLOYMENTS = "replicasets", "deployments"
CONFIGS = "deploymentconfigs"
WEB = f"{RCS}/web"
LONE = f"{PODS}/lone"
ELSEWHERE = "a-node-of-others"
"""Pods that are bound there are left alone by the hollow kubelets of both clusters."""


@dataclass(frozen=True)
class Case:
    """``have`` is there at the beginning; the answers to ``asks`` are compared."""

    name: str
    have: tuple[Json, ...]
    asks: tuple[Ask, ...]


def case(name: str, have: Json | tuple[Json, ...], *asks: Ask) -> Case:
    return Case(name, have if isinstance(have, tuple) else (have,), asks)


NOTHING: tuple[Json, ...] = ()


def controller(
    name: str = "web", *, metadata: Json | None = None, container: Json | None = None, **spec: Any
) -> Json:
    """Of no pods, so that nothing happens while it is looked at."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.7.9", **(container or {})}]},
    }
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"replicas": 0, "template": template, **spec},
    }


def app(
    kind: str, name: str = "web", *, metadata: Json | None = None, container: Json | None = None, **spec: Any
) -> Json:
    """A ReplicaSet or a Deployment of no pods. The Deployment is paused: nothing happens to either."""
    found = controller(name, metadata=metadata, container=container)
    still = {"paused": True} if kind == "Deployment" else {}
    whole = {**found["spec"], "selector": {"matchLabels": {"app": "web"}}, **still, **spec}
    return {**found, "apiVersion": "apps/v1", "kind": kind, "spec": whole}


def autoscaler(name: str = "web", *, target: Json | None = None, **spec: Any) -> Json:
    """Of something that is not there."""
    known = {"apiVersion": "v1", "kind": "ReplicationController", "name": "web"}
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"maxReplicas": 3, "scaleTargetRef": known if target is None else target, **spec},
    }


def pod(name: str = "lone", labels: dict[str, str] | None = None, **spec: Any) -> Json:
    """On a node where no kubelet is, so that nothing happens to it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {"app": "lone"}},
        "spec": {"nodeName": ELSEWHERE, "containers": [{"name": "main", "image": "nginx:1.7.9"}], **spec},
    }


def budget(name: str = "guard", **spec: Any) -> Json:
    """Of what :func:`pod` makes. In which version it is, the server says."""
    selector = {"matchLabels": {"app": "lone"}}
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": selector, **spec},
    }


def revision(name: str = "web-1", number: int = 1, **fields: Any) -> Json:
    """What a controller was, kept."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": name, "labels": {"app": "web"}, **fields.pop("metadata", {})},
        "data": {"spec": {"template": {"metadata": {"labels": {"app": "web"}}}}},
        "revision": number,
        **fields,
    }


def get(path: str, accept: str = JSON, **query: str) -> Ask:
    return Ask("GET", path, query=query, accept=accept)


def post(path: str, body: Any, content_type: str = JSON, **query: str) -> Ask:
    return Ask("POST", path, body, query, content_type)


def put(path: str, body: Any, content_type: str = JSON, **query: str) -> Ask:
    return Ask("PUT", path, body, query, content_type)


def json_patch(path: str, *operations: Any, **query: str) -> Ask:
    return Ask("PATCH", path, list(operations), query, JSON_PATCH)


def merge(path: str, body: Any, **query: str) -> Ask:
    return Ask("PATCH", path, body, query, MERGE_PATCH)


def strategic(path: str, body: Any, **query: str) -> Ask:
    return Ask("PATCH", path, body, query, STRATEGIC_PATCH)


def delete(path: str, body: Any = None, **query: str) -> Ask:
    return Ask("DELETE", path, body, query)


def op(op: str, path: str, *value: Any, **more: Any) -> Json:
    return {"op": op, "path": path, **({"value": value[0]} if value else {}), **more}


def at(path: str, value: Any) -> Callable[[Json], Json]:
    """The object at the request's path as it is, with one thing (``spec.replicas``) set; None removes it."""

    def changed(obj: Json) -> Json:
        inner: Any = obj
        *way, last = path.split(".")
        for step in way:
            inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
        return obj

    return changed
