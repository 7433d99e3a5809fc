"""The engine's cluster and clock on a sandbox in the same process, under the sandbox's fake clock.

Nothing here waits: a wait of the engine advances the sandbox until something has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from rollupdate.cluster.answers import identity
from rollupdate.engine.ports import JsonPatch
from rollupdate.errors import ApiError, UnreachableError
from rollupdate.objects import CONTROLLER, REPLICA_SET, Json, Kind
from rollupdate.rights import Right
from testing.sandbox import Sandbox
from testing.sandbox.resources import BY_KIND, CONTROLLERS

REVISIONS = "controllerrevisions"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
Fault = Callable[[str, int], None]


class Killed(BaseException):
    """The client process is no more."""


class FakeClock:
    """The sandbox's time as the engine's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> float:
        return self._sandbox.clock.now()

    def sleep(self, seconds: float) -> None:
        self._sandbox.advance(seconds)


@dataclass
class SandboxCluster:
    """A :class:`rollupdate.engine.ports.Cluster`.

    ``before`` and ``after`` are called around each write with its number from 1: they may raise, as a
    connection does that breaks before or after the server has done its work.
    """

    sandbox: Sandbox
    namespace: str = "default"
    before: Callable[[int], None] = lambda number: None
    after: Callable[[int], None] = lambda number: None
    writes: int = 0
    requests: list[str] = field(default_factory=list)
    """Method and path of every request, in order."""
    dry_runs: list[str] = field(default_factory=list)
    """Those of them that only asked."""
    denied: frozenset[Right] = frozenset()
    """What a review of access refuses."""
    reviews: ApiError | None = None
    """What such a review is answered instead."""
    cordoned: tuple[str, ...] = ()
    """Names of nodes that take no new pods."""
    _counting: Lock = field(default_factory=Lock)

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
        root: str = "/api/v1",
    ) -> Json:
        self.requests.append(f"{method} {path}")
        if (query or {}).get("dryRun"):
            self.dry_runs.append(f"{method} {path}")
        writes = method != "GET" and not (query or {}).get("dryRun")
        if writes:
            with self._counting:  # pods are labelled by several threads
                self.writes += 1
                number = self.writes
            self.before(number)
        root = "/apis/apps/v1" if path.startswith(REVISIONS) else root
        answer = self.sandbox.request(
            method,
            f"{root}/namespaces/{self.namespace}/{path}",
            query or {},
            body,
            content_type=content_type,
        )
        if writes:
            self.after(number)
        content: Json = answer.body or {}
        if answer.status >= 300:
            raise ApiError(
                answer.status,
                content.get("reason", ""),
                content.get("message", ""),
                content.get("details") or {},
            )
        return content

    def find(self, kind: Kind, name: str) -> Json | None:
        try:
            return self._call("GET", f"{kind.plural}/{name}", root=_root(kind))
        except ApiError as error:
            if error.is_not_found:
                return None
            raise

    def list_all(self, kind: Kind, label_selector: str = "") -> list[Json]:
        query = {"labelSelector": label_selector} if label_selector else None
        found: list[Json] = self._call("GET", kind.plural, query=query, root=_root(kind))["items"]
        return [{"apiVersion": kind.version, "kind": kind.name, **item} for item in found]

    def create(self, kind: Kind, manifest: Json, *, dry_run: bool = False) -> Json:
        return self._call("POST", kind.plural, manifest, _query(dry_run), root=_root(kind))

    def patch(self, kind: Kind, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json:
        path = f"{kind.plural}/{name}"
        return self._call("PATCH", path, patch, _query(dry_run), JSON_PATCH, root=_root(kind))

    def delete(
        self,
        kind: Kind,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> None:
        preconditions = {"uid": uid}
        if resource_version is not None:
            preconditions["resourceVersion"] = resource_version
        options: Json = {"preconditions": preconditions, "propagationPolicy": "Background"}
        if dry_run:
            options["dryRun"] = ["All"]  # the server does not heed a query beside a body
        self._call("DELETE", f"{kind.plural}/{name}", options, _query(dry_run), root=_root(kind))

    def allows(self, right: Right) -> bool:
        if self.reviews is not None:
            raise self.reviews
        return right not in self.denied

    def list_controllers(self) -> list[Json]:
        items: list[Json] = self._call("GET", "replicationcontrollers")["items"]
        return items

    def get_controller(self, name: str) -> Json | None:
        return self.find(CONTROLLER, name)

    def create_controller(self, manifest: Json, *, dry_run: bool = False) -> Json:
        return self.create(CONTROLLER, manifest, dry_run=dry_run)

    def patch_controller(self, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json:
        return self.patch(CONTROLLER, name, patch, dry_run=dry_run)

    def delete_controller(
        self, name: str, *, uid: str, resource_version: str | None = None, dry_run: bool = False
    ) -> None:
        self.delete(CONTROLLER, name, uid=uid, resource_version=resource_version, dry_run=dry_run)

    def list_pods(
        self,
        label_selector: str,
        *,
        limit: int | None = None,
        identity_only: bool = False,
        active_only: bool = False,
    ) -> list[Json]:
        query = {"labelSelector": label_selector}
        if active_only:
            query["fieldSelector"] = "status.phase!=Succeeded,status.phase!=Failed"
        items: list[Json] = self._call("GET", "pods", query=query)["items"]
        return [identity(item) if identity_only else item for item in items[:limit]]

    def running_pods(self, label_selector: str, *, limit: int) -> list[Json]:
        return self.list_pods(label_selector, limit=limit, active_only=True)

    def patch_pod(self, name: str, patch: JsonPatch | Json, *, dry_run: bool = False) -> Json:
        kind = JSON_PATCH if isinstance(patch, list) else MERGE_PATCH
        return self._call("PATCH", f"pods/{name}", patch, _query(dry_run), kind)

    def evict_pod(self, name: str, *, uid: str, resource_version: str) -> None:
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name},
            "deleteOptions": {"preconditions": preconditions},
        }
        self._call("POST", f"pods/{name}/eviction", eviction)

    def cordoned_nodes(self) -> list[str]:
        return list(self.cordoned)

    def admit_pod(self, manifest: Json) -> Json:
        return self._call("POST", "pods", manifest, _query(dry_run=True))

    def list_replica_sets(self) -> list[Json]:
        return self.list_all(REPLICA_SET)

    def list_events(self, field_selector: str, *, limit: int | None = None) -> list[Json]:
        items: list[Json] = self._call("GET", "events", query={"fieldSelector": field_selector})["items"]
        return items

    def list_revisions(self, label_selector: str) -> list[Json]:
        found: list[Json] = self._call("GET", REVISIONS, query={"labelSelector": label_selector})["items"]
        return [{"apiVersion": "apps/v1", "kind": "ControllerRevision", **each} for each in found]

    def create_revision(self, manifest: Json) -> Json:
        return self._call("POST", REVISIONS, manifest)

    def replace_revision(self, obj: Json) -> Json:
        return self._call("PUT", f"{REVISIONS}/{obj['metadata']['name']}", obj)

    def delete_revision(self, name: str, *, uid: str) -> None:
        self._call("DELETE", f"{REVISIONS}/{name}", {"preconditions": {"uid": uid}})

    def read_log(self, pod: str, container: str, *, previous: bool, lines: int) -> str:
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        return str(self._call("GET", f"pods/{pod}/log", query=query))  # text: the one answer that is none

    def list_referring(self, kind: str) -> list[Json]:
        resource = BY_KIND[kind]
        root = resource.root
        found: list[Json] = self._call("GET", resource.plural, root=root)["items"]
        return [{"apiVersion": resource.version, "kind": kind, **item} for item in found]

    def mirror(self, names: Sequence[str], *, poll_interval: float) -> SandboxMirror:
        return SandboxMirror(self, names)


def _root(kind: Kind) -> str:
    return f"/apis/{kind.version}" if kind.group else "/api/v1"


def _query(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


class SandboxMirror:
    """A :class:`rollupdate.engine.ports.Mirror` that is always up to date but when told to lag."""

    def __init__(self, cluster: SandboxCluster, names: Sequence[str]) -> None:
        self._cluster = cluster
        self._objects: dict[str, Json | None] = {name: cluster.get_controller(name) for name in names}

    def get(self, name: str) -> Json | None:
        return self._objects.get(name)

    def put(self, obj: Json) -> None:
        self._objects[obj["metadata"]["name"]] = obj

    def forget(self, name: str, uid: str) -> None:
        self._objects[name] = None

    def refresh(self, name: str) -> Json | None:
        self._objects[name] = self._cluster.get_controller(name)
        return self._objects[name]

    def wait(self, seconds: float) -> bool:
        """Advance the sandbox until an object is another than the one held, ``seconds`` at most."""
        found = self._cluster.sandbox.advance_until(lambda: bool(self._changed()), seconds)
        for name in self._changed():
            self.refresh(name)
        return found

    def _changed(self) -> list[str]:
        return [name for name, held in self._objects.items() if self._live(name) != _version(held)]

    def _live(self, name: str) -> str | None:
        # Not by a request: looking must cost nothing, it happens after every action of the sandbox.
        return _version(self._cluster.sandbox.store.get(CONTROLLERS, self._cluster.namespace, name))

    def close(self) -> None:
        """Nothing is open."""


def _version(obj: Json | None) -> str | None:
    return None if obj is None else str(obj["metadata"]["resourceVersion"])


def lost(number: int) -> Callable[[int], None]:
    """The connection breaks at that write."""

    def breaks(count: int) -> None:
        if count == number:
            raise UnreachableError(f"connection reset at write {count}")

    return breaks


def killed(number: int) -> Callable[[int], None]:
    """The client is killed at that write."""

    def dies(count: int) -> None:
        if count == number:
            raise Killed(count)

    return dies
