"""Words for the stories: controllers whose pods run, and looks at what became of them."""

from __future__ import annotations

from typing import Any

from testing.client import STRATEGIC_PATCH
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


def status(cluster: Wire, name: str = "web") -> Json:
    found: Json = cluster.controller(name).get("status") or {}
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
    """How a pod refers to the controller that has it."""
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "name": controller["metadata"]["name"],
        "uid": controller["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def plain(owner: Json) -> Json:
    """How a pod refers to an owner that is not its controller."""
    known = reference(owner)
    return {field: known[field] for field in ("apiVersion", "kind", "name", "uid")}


def give(cluster: Wire, pod: Json, *references: Json, refused: bool = False) -> int:
    """Merge the references into those of the pod, on the condition that it is as it was seen."""
    seen = {field: pod["metadata"][field] for field in ("uid", "resourceVersion") if field in pod["metadata"]}
    patch = {"metadata": {**seen, "ownerReferences": list(references)}}
    path = f"pods/{pod['metadata']['name']}"
    answer = cluster.send(Ask("PATCH", path, patch, content_type=STRATEGIC_PATCH))
    assert (answer.status >= 400) == refused, answer
    return answer.status


def observed(cluster: Wire, name: str) -> bool:
    """Whether the status is of the specification as it is now."""
    found = cluster.controller(name)
    seen: int = status(cluster, name).get("observedGeneration", 0)
    return bool(seen >= found["metadata"]["generation"])


def failure(cluster: Wire, name: str = "web") -> str:
    """Why the controller can't make or delete pods; empty if it can."""
    found = condition(cluster.controller(name), "ReplicaFailure")
    return "" if found is None else str(found["message"])


def hold(cluster: Wire, name: str, replicas: int) -> None:
    """From then on it makes no pods."""
    template = {"spec": {"priorityClassName": HOLD}}
    cluster.merge(name, {"spec": {"replicas": replicas, "template": template}})
    cluster.wait(lambda: observed(cluster, name), f"{name} is seen to be held")


def version(cluster: Wire, plural: str = "pods") -> str:
    """To watch from: what the cluster is at."""
    return str(cluster.call("GET", cluster.path(plural))["metadata"]["resourceVersion"])


def relabel(cluster: Wire, pod: Json, labels: dict[str, str | None]) -> None:
    cluster.merge(pod["metadata"]["name"], {"metadata": {"labels": labels}}, "pods")


def condition(obj: Json, kind: str) -> Json | None:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)
