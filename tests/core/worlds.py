"""Controllers made by hand, for tests of the pure core."""

from __future__ import annotations

import copy
from typing import Any

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.template import template_hash
from testing.objects import Json


def template(image: str = "nginx:1.7.9", **labels: str) -> Json:
    return {
        "metadata": {"labels": {"app": "nginx", **labels}},
        "spec": {"containers": [{"name": "nginx", "image": image, "imagePullPolicy": "IfNotPresent"}]},
    }


def raw(
    name: str,
    *,
    uid: str | None = None,
    replicas: int = 3,
    available: int | None = None,
    ready: int | None = None,
    current: int | None = None,
    image: str = "nginx:1.7.9",
    deployment: str | None = None,
    annotations: dict[str, str] | None = None,
    version: int = 1,
) -> Json:
    """A ReplicationController as the API server sends it, settled unless said otherwise."""
    labels = {"deployment": deployment} if deployment else {}
    current = replicas if current is None else current
    available = current if available is None else available
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
            "generation": version,
            "labels": {"app": "nginx"},
            **({"annotations": dict(annotations)} if annotations else {}),
        },
        "spec": {
            "replicas": replicas,
            "selector": {"app": "nginx", **labels},
            "template": template(image, **labels),
        },
        "status": {
            "replicas": current,
            "readyReplicas": available if ready is None else ready,
            "availableReplicas": available,
            "observedGeneration": version,
        },
    }


def controller(name: str, **state: Any) -> Controller:
    return Controller.parse(raw(name, **state))


def old_and_new(
    *, old: int, new: int, original: int, desired: int, old_available: int, new_available: int
) -> tuple[Controller, Controller]:
    """An update of foo-v1 to foo-v2 under way, claimed."""
    first = controller(
        "foo-v1",
        replicas=old,
        available=old_available,
        deployment="v1",
        annotations={
            record.ORIGINAL_REPLICAS: str(original),
            record.NEXT_CONTROLLER: "foo-v2",
            record.NEXT_CONTROLLER_UID: "uid-foo-v2",
            record.TEMPLATE_SEEN: template_hash(template(deployment="v1"), ""),
        },
    )
    second = controller(
        "foo-v2",
        replicas=new,
        available=new_available,
        deployment="v2",
        image="nginx:1.9.1",
        annotations={
            record.SOURCE_ID: "foo-v1:uid-foo-v1",
            record.DESIRED_REPLICAS: str(desired),
        },
    )
    return first, second


def settled(after: Json, *, available: int | None = None) -> Controller:
    """What a write leads to once the manager has carried it out."""
    obj = copy.deepcopy(after)
    count = obj["spec"]["replicas"]
    obj["metadata"]["generation"] += 1
    obj["metadata"]["resourceVersion"] = str(int(obj["metadata"]["resourceVersion"]) + 1)
    ready = count if available is None else available
    obj["status"] = {
        "replicas": count,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": obj["metadata"]["generation"],
    }
    return Controller.parse(obj)
