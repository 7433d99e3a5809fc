"""Requests and responses as values, and the taking apart of paths. Nothing is answered here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testing.sandbox import statuses
from testing.sandbox.resources import Resource
from testing.sandbox.watch import Watch

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """One request; header names are lower case. ``body`` is decoded JSON, or None."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_write(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")


@dataclass(frozen=True)
class Response:
    """``watch`` is set instead of a body where the answer is a stream of events.

    ``body`` is JSON data, or text for the few paths that answer in text.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    watch: Watch | None = None

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def reason(self) -> str:
        """Of a Status; empty for other bodies."""
        return str(self.body.get("reason", "")) if isinstance(self.body, dict) else ""


@dataclass(frozen=True)
class Target:
    """What a path names. ``namespace`` is None across all namespaces and "" for what is in none."""

    resource: Resource
    namespace: str | None
    name: str = ""
    subresource: str = ""
    watch: bool = False


def target_of(path: str, kinds: Mapping[str, Resource]) -> Target:
    """Raises 404 for paths that name none of the kinds, which are given by their plurals."""
    parts = [part for part in path.split("/") if part]
    version = "v1" if parts[:2] == ["api", "v1"] else "/".join(parts[1:3]) if parts[:1] == ["apis"] else ""
    parts = parts[2:] if version == "v1" else parts[3:]
    watch = bool(parts) and parts[0] == "watch"
    if watch:
        parts = parts[1:]
    namespace: str | None = None
    if len(parts) > 2 and parts[0] == "namespaces" and parts[2] not in ("status", "finalize"):
        namespace, parts = parts[1], parts[2:]
    resource = kinds.get(parts[0]) if parts else None
    if (
        resource is None
        or resource.version != version
        or len(parts) > 3
        or resource.namespaced < (namespace is not None)
    ):
        raise statuses.no_such_resource()
    name, subresource = (*parts[1:], "", "")[:2]
    if not resource.namespaced:
        namespace = ""
    elif name and namespace is None:
        raise statuses.no_such_resource()
    if subresource and subresource not in resource.subresources:
        raise statuses.no_such_resource()
    return Target(resource, namespace, name, subresource, watch)
