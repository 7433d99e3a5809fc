"""The controllers of the documentation, and variations of them."""

from __future__ import annotations

from typing import Any

from testing.objects import Json


def my_nginx(
    name: str = "my-nginx",
    *,
    image: str = "nginx:1.7.9",
    replicas: int | None = 3,
    labels: dict[str, str] | None = None,
    selector: bool = False,
    **spec: Any,
) -> Json:
    """``my-nginx`` as documented: no selector of its own (``selector``: write it out)."""
    all_labels = {"app": "nginx", **(labels or {})}
    body: Json = {
        "template": {
            "metadata": {"labels": all_labels},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "nginx", "image": image, "ports": [{"containerPort": 80}]}],
            },
        },
        **spec,
    }
    if replicas is not None:
        body["replicas"] = replicas
    if selector:
        body["selector"] = all_labels
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name},
        "spec": body,
    }


def my_nginx_v4(replicas: int | None = 5) -> Json:
    """The file of the documentation: another name, and ``deployment: v4``."""
    manifest = my_nginx("my-nginx-v4", image="nginx:1.9.2", replicas=replicas, labels={"deployment": "v4"})
    manifest["spec"]["selector"] = {"app": "nginx", "deployment": "v4"}
    manifest["spec"]["template"]["spec"]["containers"][0]["args"] = ["nginx", "-T"]
    return manifest


def quota(hard: dict[str, str], name: str = "few", **spec: Any) -> Json:
    """A ResourceQuota."""
    spec = {"hard": hard, **spec}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec}


def other_pod(name: str = "other", **resources: Any) -> Json:
    """A pod of somebody else, which takes room until it is deleted."""
    container = {"name": "it", "image": "busybox", "resources": resources}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec,
    }


def limit_range(**item: Any) -> Json:
    """For containers."""
    spec = {"limits": [{"type": "Container", **item}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": spec}


def asking_for(manifest: Json, **resources: dict[str, str]) -> Json:
    """``manifest``, whose only container has those requests and limits."""
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    return manifest
