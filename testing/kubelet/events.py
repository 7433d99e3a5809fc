"""Core Events as controllers and kubelets write them: what happened, and the object that tells of it."""

from __future__ import annotations

from dataclasses import dataclass

from testing.objects import Json

KUBELET, SCHEDULER = "kubelet", "default-scheduler"


@dataclass(frozen=True)
class Happening:
    """What becomes an event. ``container`` is empty where it is about the whole object."""

    reason: str
    message: str
    container: str = ""
    kind: str = "Warning"


def event(about: Json, happening: Happening, name: str, component: str, host: str, now: str) -> Json:
    """A first event. When the same happens again, its ``count`` and ``lastTimestamp`` rise."""
    metadata = about["metadata"]
    reference = {
        "kind": about["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": "v1",
        "resourceVersion": metadata["resourceVersion"],
    }
    if happening.container:
        reference["fieldPath"] = f"spec.containers{{{happening.container}}}"
    return {
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": reference,
        "reason": happening.reason,
        "message": happening.message,
        "source": {"component": component, **({"host": host} if host else {})},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "type": happening.kind,
        "eventTime": None,
        "reportingComponent": component,
        "reportingInstance": host,
    }


def again(event: Json, now: str) -> Json:
    """What changes of an event that is there when the same happens again."""
    return {"count": event["count"] + 1, "lastTimestamp": now}
