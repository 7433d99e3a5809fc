"""Evictions of pods, in the version that the server has: policy/v1 came with 1.22."""

from __future__ import annotations

from rollupdate.cluster.connection import Connection
from rollupdate.errors import ApiError


class Evictions:
    """Thread safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._version = ""
        """With its group, once it is known."""

    def evict(self, path: str, name: str, uid: str, resource_version: str) -> None:
        """``path``: of the pod. Raises ApiError: 405 if the server evicts no pods."""
        eviction = {
            "apiVersion": self._known_version(),
            "kind": "Eviction",
            "metadata": {"name": name},
            "deleteOptions": {"preconditions": {"uid": uid, "resourceVersion": resource_version}},
        }
        self._connection.request("POST", f"{path}/eviction", body=eviction)

    def _known_version(self) -> str:
        if not self._version:
            found = self._connection.request("GET", "/api/v1").get("resources")
            for resource in found if isinstance(found, list) else ():
                if isinstance(resource, dict) and resource.get("name") == "pods/eviction":
                    self._version = f"{resource.get('group')}/{resource.get('version')}"
        if not self._version:
            raise ApiError(405, "MethodNotAllowed", "the server does not evict pods")
        return self._version
