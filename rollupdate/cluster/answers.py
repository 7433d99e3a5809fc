"""What the API server answers, so far that everything else can rely on it: objects of the right kind, lists
of them.

Raises UnreachableError for an answer of another shape, as it is none of this server: a proxy's, or one cut
short."""

from __future__ import annotations

from collections.abc import Callable

from rollupdate.core.model.record import EPOCH
from rollupdate.errors import UnreachableError
from rollupdate.objects import Json

KINDS = {
    "replicationcontrollers": "ReplicationController",
    "pods": "Pod",
    "events": "Event",
    "namespaces": "Namespace",
    "nodes": "Node",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "controllerrevisions": "ControllerRevision",
    "replicasets": "ReplicaSet",
    "deployments": "Deployment",
    "services": "Service",
    "networkpolicies": "NetworkPolicy",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "limitranges": "LimitRange",
    "resourcequotas": "ResourceQuota",
    "deploymentconfigs": "DeploymentConfig",
}


def whole(item: Json) -> Json:
    return item


def identity(item: Json) -> Json:
    """Of an object what tells which one it is, and whose: thousands of them are held at a time."""
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kept = ("name", "uid", "resourceVersion", "deletionTimestamp", "ownerReferences", "labels")
    found = {key: metadata[key] for key in kept if key in metadata}
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict) and EPOCH in annotations:
        found["annotations"] = {EPOCH: annotations[EPOCH]}
    return {"metadata": found}


def items(
    answer: Json, resource: str, version: str = "v1", shape: Callable[[Json], Json] = whole
) -> list[Json]:
    found = answer.get("items")
    if found is None and answer.get("kind") in (f"{KINDS[resource]}List", "PartialObjectMetadataList"):
        found = []
    if not isinstance(found, list):
        raise UnreachableError(f"the server's answer is not a list of {resource}")
    # Items of a list come without them; everything else here has them.
    return [
        checked(completed(shape(raw), resource, version), resource)
        if isinstance(raw, dict)
        else checked({}, resource)
        for raw in found
    ]


def completed(obj: Json, resource: str, version: str = "v1") -> Json:
    return {"apiVersion": version, "kind": KINDS[resource], **obj}


def checked(answer: Json, resource: str) -> Json:
    """``answer`` if it is an object of that resource, so far that everything above can rely on."""
    kind = KINDS[resource]
    if answer.get("kind") != kind or not name_of(answer) or not text_of(answer, "uid"):
        raise UnreachableError(f"the server's answer is not a {kind}: {str(answer)[:100]}")
    return answer


def name_of(obj: Json) -> str:
    return text_of(obj, "name")


def text_of(obj: Json, key: str) -> str:
    metadata = obj.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""
