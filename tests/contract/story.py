"""Words for the stories: controllers whose pods run, and looks at what became of them."""

from __future__ import annotations

from typing import Any

from testing.client import STRATEGIC_PATCH
from testing.namespace import CONTROLLERS
from testing.objects import Json
from tests.contract.wire import Ask, Wire
from tests.support.manifests import my_nginx

HOLD = "system-rolling-update-is-moving-these-pods"
"""A PriorityClass that nobody can create. A controller whose template names it makes no pods: it is held."""


def running(cluster: Wire, name: str = "web", replicas: int = 2, **more: Any) -> Json:
    """A controller with its pods available; they are labelled ``app: nginx`` and what ``labels`` says."""
    cluster.create(my_nginx(name, replicas=replicas, selector=True, **more))
    cluster.wait_available(name, replicas)
    return cluster.controller(name)


def status(cluster: Wire, name: str = "web", plural: str = CONTROLLERS) -> Json:
    found: Json = cluster.controller(name, plural).get("status") or {}
    return found


def uids(cluster: Wire) -> set[str]:
    """Of the pods that are not being deleted."""
    return {pod["metadata"]["uid"] for pod in cluster.pods()}


def owners(cluster: Wire) -> list[Json]:
    """All owner references of all pods."""
    return [owner for pod in cluster.pods() for owner in pod["metadata"].get("ownerReferences", [])]


def owner_uids(cluster: Wire) -> set[str]:
    return {owner["uid"] for owner in owners(cluster)}


def reference(controller: Json) -> Json:
    """How a pod, or a ReplicaSet, refers to the controller that has it."""
    return {
        "apiVersion": controller["apiVersion"],
        "kind": controller["kind"],
        "name": controller["metadata"]["name"],
        "uid": controller["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def plain(owner: Json) -> Json:
    """How a pod refers to an owner that is not its controller."""
    known = reference(owner)
    return {field: known[field] for field in ("apiVersion", "kind", "name", "uid")}


def give(
    cluster: Wire,
    pod: Json,
    *references: Json,
    refused: bool = False,
    plural: str = "pods",
    labels: dict[str, str | None] | None = None,
) -> int:
    """Merge the references into those of the pod, on the condition that it is as it was seen."""
    seen = {field: pod["metadata"][field] for field in ("uid", "resourceVersion") if field in pod["metadata"]}
    marked = {"labels": labels} if labels else {}
    patch = {"metadata": {**seen, **marked, "ownerReferences": list(references)}}
    path = f"{plural}/{pod['metadata']['name']}"
    answer = cluster.send(Ask("PATCH", path, patch, content_type=STRATEGIC_PATCH))
    assert (answer.status >= 400) == refused, answer
    return answer.status


def observed(cluster: Wire, name: str, plural: str = CONTROLLERS) -> bool:
    """Whether the status is of the specification as it is now."""
    found = cluster.controller(name, plural)
    seen: int = (found.get("status") or {}).get("observedGeneration", 0)
    return bool(seen >= found["metadata"]["generation"])


def failure(cluster: Wire, name: str = "web", plural: str = CONTROLLERS) -> str:
    """Why the controller can't make or delete pods; empty if it can."""
    found = condition(cluster.controller(name, plural), "ReplicaFailure")
    return "" if found is None else str(found["message"])


def hold(cluster: Wire, name: str, replicas: int, plural: str = CONTROLLERS) -> None:
    """From then on it makes no pods."""
    template = {"spec": {"priorityClassName": HOLD}}
    cluster.merge(name, {"spec": {"replicas": replicas, "template": template}}, plural)
    cluster.wait(lambda: observed(cluster, name, plural), f"{name} is seen to be held")


def version(cluster: Wire, plural: str = "pods") -> str:
    """To watch from: what the cluster is at."""
    return str(cluster.call("GET", cluster.path(plural))["metadata"]["resourceVersion"])


def relabel(cluster: Wire, pod: Json, labels: dict[str, str | None]) -> None:
    cluster.merge(pod["metadata"]["name"], {"metadata": {"labels": labels}}, "pods")


def condition(obj: Json, kind: str) -> Json | None:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)
