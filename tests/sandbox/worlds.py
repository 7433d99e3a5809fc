"""Manifests and small looks at a sandbox that several test modules share."""

from __future__ import annotations

from typing import Any

from testing.sandbox import Json, Sandbox

NAMESPACE = "/api/v1/namespaces/default"
CONTROLLERS = f"{NAMESPACE}/replicationcontrollers"
PODS = f"{NAMESPACE}/pods"


def controller(
    name: str = "web", replicas: int = 2, image: str = "nginx:1.7", app: str = "", **spec: Any
) -> Json:
    """A manifest with nothing in it that the server would fill in. Pods are labelled ``app`` (the name)."""
    template = {
        "metadata": {"labels": {"app": app or name}},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "template": template, **spec},
    }


def pod(name: str = "lone", image: str = "nginx:1.7", **labels: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }


def running(world: Sandbox, name: str = "web", replicas: int = 2, **more: Any) -> Json:
    """Create a controller and wait until its pods are available."""
    world.create(controller(name, replicas, **more))
    assert world.settle()
    found = world.get("rc", "default", name)
    assert found["status"].get("availableReplicas", 0) == replicas
    return found


def status_of(world: Sandbox, name: str = "web") -> Json:
    status: Json = world.get("rc", "default", name)["status"]
    return status


def names(objects: list[Json]) -> set[str]:
    return {obj["metadata"]["name"] for obj in objects}


def owners(obj: Json) -> list[str]:
    """The uids in its owner references."""
    return [reference["uid"] for reference in obj["metadata"].get("ownerReferences", [])]


def reasons(world: Sandbox, name: str) -> set[str]:
    """The reasons of the events about an object."""
    events = world.objects("events", "default", fields=f"involvedObject.name={name}")
    return {event["reason"] for event in events}
