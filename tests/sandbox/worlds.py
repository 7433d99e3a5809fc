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


def deployment(
    name: str = "web", replicas: int = 2, image: str = "nginx:1.7", app: str = "", **spec: Any
) -> Json:
    """As :func:`controller`, whose pods are labelled alike."""
    whole = {**controller(name, replicas, image, app)["spec"], **spec}
    selector = {"matchLabels": {"app": app or name}}
    metadata = {"name": name}
    spec = {"selector": selector, **whole}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def rolled_out(world: Sandbox, name: str = "web", **more: Any) -> Json:
    """Create a Deployment and wait until its pods are available."""
    world.create(deployment(name, **more))
    assert world.settle()
    found = world.get("deploy", "default", name)
    assert found["status"].get("availableReplicas", 0) == found["spec"]["replicas"]
    return found


def set_image(world: Sandbox, image: str, name: str = "web") -> None:
    path = "/spec/template/spec/containers/0/image"
    world.patch("deploy", "default", name, [{"op": "replace", "path": path, "value": image}])


def sizes(world: Sandbox) -> dict[str, int]:
    """Of the ReplicaSets, by the image of their pods."""
    return {
        found["spec"]["template"]["spec"]["containers"][0]["image"]: found["spec"]["replicas"]
        for found in world.objects("rs", "default")
    }


def why(world: Sandbox, kind: str = "Progressing", name: str = "web") -> str:
    """The reason of a condition of a Deployment; empty if it has none."""
    conditions = world.get("deploy", "default", name)["status"].get("conditions", ())
    return next((entry["reason"] for entry in conditions if entry["type"] == kind), "")


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
