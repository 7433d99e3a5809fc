"""Words for the stories: controllers whose pods run, and looks at what became of them."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.wire import Wire
from tests.support.manifests import my_nginx


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


def version(cluster: Wire, plural: str = "pods") -> str:
    """To watch from: what the cluster is at."""
    return str(cluster.call("GET", cluster.path(plural))["metadata"]["resourceVersion"])


def relabel(cluster: Wire, pod: Json, labels: dict[str, str | None]) -> None:
    cluster.merge(pod["metadata"]["name"], {"metadata": {"labels": labels}}, "pods")


def condition(obj: Json, kind: str) -> Json | None:
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)
