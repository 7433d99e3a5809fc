"""Words for the stories of ReplicaSets and Deployments: manifests, and looks at what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testing.client import STRATEGIC_PATCH
from testing.namespace import DEPLOYMENTS, REPLICA_SETS
from testing.objects import Json
from tests.contract.story import condition, observed, reference, status
from tests.contract.wire import Wire
from tests.support.manifests import my_nginx

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
A_WHILE = 1.0
"""Seconds in which a controller that wanted something else would have begun with it."""


def template(image: str = "nginx:1.7.9", labels: dict[str, str] | None = None, **spec: Any) -> Json:
    """That of the ReplicationControllers of the stories, for pods with ``labels`` as well."""
    found: Json = my_nginx(image=image, labels=labels)["spec"]["template"]
    return {**found, "spec": {**found["spec"], **spec}}


def deployment(name: str = "web", replicas: int = 2, image: str = "nginx:1.7.9", **spec: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "nginx"}},
            "template": template(image),
            **spec,
        },
    }


def replica_set(
    name: str,
    replicas: int = 0,
    image: str = "nginx:1.7.9",
    *,
    owner: Json | None = None,
    revision: int = 0,
    **spec: Any,
) -> Json:
    """With its name as the hash of its template. ``owner``: whose it is from the beginning."""
    labels = {"app": "nginx", HASH: name}
    metadata: Json = {"name": name, "labels": labels}
    if owner is not None:
        metadata["ownerReferences"] = [reference(owner)]
    if revision:
        metadata["annotations"] = {REVISION: str(revision)}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template(image, labels, **spec),
        },
    }


def rolled_out(cluster: Wire, name: str = "web") -> Json:
    """Wait until all pods are of the newest template and available, and for no others."""
    replicas = cluster.controller(name, DEPLOYMENTS)["spec"]["replicas"]

    def is_complete() -> bool:
        found = cluster.controller(name, DEPLOYMENTS)
        told = found.get("status") or {}
        counts = [told.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")]
        is_seen = told.get("observedGeneration", 0) >= found["metadata"]["generation"]
        return is_seen and counts == [replicas] * 3

    cluster.wait(is_complete, f"{name} is rolled out")
    cluster.wait(lambda: progress(cluster, name) == "NewReplicaSetAvailable", f"{name} says so")
    return cluster.controller(name, DEPLOYMENTS)


def progress(cluster: Wire, name: str = "web") -> str:
    """Why its rollout is where it is."""
    found = condition(cluster.controller(name, DEPLOYMENTS), "Progressing")
    return "" if found is None else str(found["reason"])


def seen(cluster: Wire, name: str, plural: str = DEPLOYMENTS) -> Json:
    """The status, once it is of the specification as it is now."""
    cluster.wait(lambda: observed(cluster, name, plural), f"{name} is seen")
    return status(cluster, name, plural)


def sizes(cluster: Wire) -> dict[str, int]:
    """Of the ReplicaSets, by the image of their pods."""
    return {image_of(found): found["spec"]["replicas"] for found in cluster.objects(REPLICA_SETS).values()}


def revisions(cluster: Wire) -> dict[str, str]:
    """Of the ReplicaSets, by the image of their pods."""
    found = cluster.objects(REPLICA_SETS).values()
    return {image_of(each): each["metadata"]["annotations"][REVISION] for each in found}


def image_of(controller: Json) -> str:
    return str(controller["spec"]["template"]["spec"]["containers"][0]["image"])


def images(pods: Iterable[Json]) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods)


def owner_of(cluster: Wire, name: str) -> str:
    """Who controls the ReplicaSet: kind and name; empty for nobody."""
    found = cluster.controller(name, REPLICA_SETS)["metadata"].get("ownerReferences", [])
    return next((f"{owner['kind']}/{owner['name']}" for owner in found if owner.get("controller")), "")


def set_image(cluster: Wire, image: str, name: str = "web") -> None:
    containers = [{"name": "nginx", "image": image}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    cluster.call("PATCH", cluster.path(DEPLOYMENTS, name), patch, STRATEGIC_PATCH)
