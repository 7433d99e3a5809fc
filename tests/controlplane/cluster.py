"""Helpers for the live tests: a controller with pods, and waiting with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from testing.controlplane.client import Client
from testing.controlplane.pod_status import Json


def wait(condition: Callable[[], object], seconds: float = 120) -> None:
    """Until it holds; fails after the limit."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class Workload:
    """A ReplicationController of one container and its pods."""

    def __init__(self, client: Client, namespace: str, name: str, image: str) -> None:
        self._client = client
        self._namespace = f"/api/v1/namespaces/{namespace}"
        self._name = name
        self._image = image
        self.path = f"{self._namespace}/replicationcontrollers/{name}"

    def create(self, replicas: int) -> None:
        """Create the controller."""
        labels = {"app": self._name}
        container = {"name": "web", "image": self._image}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": replicas, "selector": labels, "template": template}
        body = {"metadata": {"name": self._name}, "spec": spec}
        self._client.create(f"{self._namespace}/replicationcontrollers", body)

    def scale(self, replicas: int) -> None:
        """Set the size."""
        self._client.patch(self.path, {"spec": {"replicas": replicas}})

    def delete(self) -> None:
        """Delete the controller; the garbage collector takes the pods."""
        self._client.delete(self.path, {"propagationPolicy": "Background"})

    def pods(self) -> list[Json]:
        """The pods there are."""
        answer = self._client.get(f"{self._namespace}/pods", labelSelector=f"app={self._name}")
        return list(answer["items"] or [])

    def containers(self) -> list[Json]:
        """The container statuses of all pods."""
        return [s for pod in self.pods() for s in pod["status"].get("containerStatuses", [])]

    def waiting_reasons(self) -> set[Any]:
        """Why containers wait; None for one that does not."""
        return {c["state"].get("waiting", {}).get("reason") for c in self.containers()}

    def events(self) -> dict[str, int]:
        """Reason -> how often, over the namespace."""
        counts: dict[str, int] = {}
        for event in self._client.get(f"{self._namespace}/events")["items"]:
            if event["involvedObject"]["kind"] == "Pod":
                counts[event["reason"]] = counts.get(event["reason"], 0) + event["count"]
        return counts

    def wait_available(self, replicas: int, seconds: float = 120) -> None:
        """Until the controller's status counts that many."""

        def counted() -> bool:
            status = self._client.get(self.path)["status"]
            return bool(status.get("availableReplicas", 0) == replicas == status.get("replicas"))

        wait(counted, seconds)
