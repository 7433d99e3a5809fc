"""One namespace of a cluster: what tests have in it, do to it, and look at, whichever cluster it is."""

from __future__ import annotations

import functools
import itertools
import os
import time
from collections.abc import Callable
from typing import Any

from testing.client import JSON, ApiError, Client
from testing.objects import Json

CONTROLLERS = "replicationcontrollers"
REVISIONS = "controllerrevisions"
REPLICA_SETS, DEPLOYMENTS = "replicasets", "deployments"
BUDGETS = "poddisruptionbudgets"
CONFIGS = "deploymentconfigs"
_ROOTS = {
    **dict.fromkeys((REVISIONS, REPLICA_SETS, DEPLOYMENTS), "/apis/apps/v1"),
    "horizontalpodautoscalers": "/apis/autoscaling/v1",
    CONFIGS: "/apis/apps.openshift.io/v1",
}
PLURALS = {
    "ReplicationController": CONTROLLERS,
    "ReplicaSet": REPLICA_SETS,
    "Deployment": DEPLOYMENTS,
    "ControllerRevision": REVISIONS,
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "Pod": "pods",
    "PodDisruptionBudget": BUDGETS,
    "ResourceQuota": "resourcequotas",
    "LimitRange": "limitranges",
    "DeploymentConfig": CONFIGS,
}
"""Of the kinds that tests create."""
_RBAC = "rbac.authorization.k8s.io"
_numbers = itertools.count(1)


def new_name(prefix: str) -> str:
    """For a namespace; no other process and no other test has it."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def wait(reached: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Look until it is so; fail the test with ``what`` where it never is."""
    limit = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


class Namespace:
    """By its name; it need not be there yet."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def path(self, plural: str = CONTROLLERS, name: str = "") -> str:
        root = self._policy if plural == BUDGETS else _ROOTS.get(plural, "/api/v1")
        return f"{root}/namespaces/{self.name}/{plural}" + (f"/{name}" if name else "")

    @functools.cached_property
    def _policy(self) -> str:
        """Where budgets are: in which version is a matter of the release."""
        version = self.client.get("/apis/policy")["preferredVersion"]["groupVersion"]
        return f"/apis/{version}"

    def call(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> Json:
        return self.client.request(method, path, body, content_type=content_type)

    # What there is

    def controllers(self) -> dict[str, Json]:
        return self.objects(CONTROLLERS)

    def controller(self, name: str, plural: str = CONTROLLERS) -> Json:
        return self.client.get(self.path(plural, name))

    def objects(self, plural: str) -> dict[str, Json]:
        """By their names."""
        return {found["metadata"]["name"]: found for found in self.client.get(self.path(plural))["items"]}

    def revisions(self) -> list[Json]:
        """By their numbers."""
        items: list[Json] = self.client.get(self.path(REVISIONS))["items"]
        return sorted(items, key=lambda each: int(each["revision"]))

    def pods(self) -> list[Json]:
        """Those that are not being deleted."""
        items = self.client.get(self.path("pods"))["items"]
        return [each for each in items if not each["metadata"].get("deletionTimestamp")]

    def may(self, method: str, path: str) -> bool:
        """Whether that is not forbidden; it is done, to find out."""
        try:
            self.call(method, path)
        except ApiError as error:
            if error.code != 403:
                raise
            return False
        return True

    # What is done

    def make(self) -> None:
        self.client.create("/api/v1/namespaces", {"metadata": {"name": self.name}})

    def remove(self) -> None:
        """With all that is in it; the controllers first, or they would go on making pods."""
        for name in self.controllers():
            self.delete(name)
        self.client.delete(f"/api/v1/namespaces/{self.name}")

    def create(self, manifest: Json) -> Json:
        return self.client.create(self.path(PLURALS[manifest["kind"]]), manifest)

    def have(self, manifest: Json, *, available: int | None = None) -> Json:
        """Create a controller and wait for its pods: all of them available, or so many."""
        name = self.create(manifest)["metadata"]["name"]
        self.wait_available(name, manifest["spec"].get("replicas", 1), available)
        return self.controller(name)

    def merge(self, name: str, patch: Json, plural: str = CONTROLLERS) -> Json:
        return self.client.patch(self.path(plural, name), patch)

    def scale(self, name: str, replicas: int) -> None:
        self.merge(name, {"spec": {"replicas": replicas}})

    def delete(self, name: str, plural: str = CONTROLLERS, policy: str = "Background") -> None:
        self.client.delete(self.path(plural, name), {"propagationPolicy": policy})

    def grant(self, role: Json, user: str) -> None:
        """Create that Role, and give it to a user."""
        path = f"/apis/{_RBAC}/v1/namespaces/{self.name}"
        name = role["metadata"]["name"]
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": user}],
        }
        self.client.create(f"{path}/roles", role)
        self.client.create(f"{path}/rolebindings", binding)

    def change_role(self, name: str, rules: list[Json]) -> None:
        """Have it give just that."""
        path = f"/apis/{_RBAC}/v1/namespaces/{self.name}/roles/{name}"
        self.client.patch(path, {"rules": rules})

    def counted(self, quota: str, used: dict[str, str]) -> None:
        """Wait until a ResourceQuota says that so much of it is used."""
        path = self.path("resourcequotas", quota)
        self.wait(
            lambda: (self.call("GET", path).get("status") or {}).get("used") == used, f"{used} is counted"
        )

    # Waiting

    wait = staticmethod(wait)

    def has_available(self, name: str, replicas: int, available: int | None = None) -> bool:
        """Whether the controller counts so many pods, and so many (all) of them available."""
        status = self.controller(name).get("status") or {}
        found = (status.get("replicas", 0), status.get("availableReplicas", 0))
        return found == (replicas, replicas if available is None else available)

    def wait_available(self, name: str, replicas: int, available: int | None = None) -> None:
        what = f"{name} has {replicas} pods, {'all' if available is None else available} available"
        self.wait(lambda: self.has_available(name, replicas, available), what)
