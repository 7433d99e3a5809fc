"""What the engine needs from outside: a cluster and a clock. Protocols, no code.

Objects are plain dicts as the API sends them (JSON), never models: what we do not know about survives.
Every method may raise :class:`rollupdate.errors.ClusterError`; nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rollupdate.objects import Json, Kind
from rollupdate.rights import Right

JsonPatch = list[dict[str, Any]]
"""Operations of RFC 6902."""


@dataclass(frozen=True)
class Batch:
    """What a check is told of the new pods it is to check: names, and sizes in pods."""

    namespace: str
    old_name: str
    new_name: str
    old_replicas: int
    old_available: int
    new_replicas: int
    new_available: int
    target: int
    """New pods at the end of the update."""


class Clock(Protocol):
    """Seconds that only move forward."""

    def now(self) -> float:
        """Seconds since an arbitrary start, monotonic."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Mirror(Protocol):
    """The latest known state of some ReplicationControllers, watched by name.

    ``get`` never talks to the server. State arrives by watch, by ``put`` (the answer to a write of ours)
    and by ``refresh`` (a GET). An older resourceVersion of the same uid never replaces a newer one.
    """

    def get(self, name: str) -> Json | None:
        """The object, or None if it does not exist as far as is known."""
        ...

    def put(self, obj: Json) -> None: ...

    def forget(self, name: str, uid: str) -> None:
        """We deleted the object of that uid; an object of another uid under the name stays."""
        ...

    def refresh(self, name: str) -> Json | None:
        """GET it now, and remember."""
        ...

    def wait(self, seconds: float) -> bool:
        """Return True as soon as anything watched has changed since the last ``wait`` (or ``get``) saw it,
        False after that many seconds. Raises the error that stopped the watch for good, such as 403."""
        ...

    def close(self) -> None: ...


class Pods(Protocol):
    """The pods of one namespace, to be moved from owner to owner.

    ``dry_run=True`` sends ``dryRun=All``: the server admits and validates but does not store. So everywhere.
    """

    def list_pods(
        self,
        label_selector: str,
        *,
        limit: int | None = None,
        identity_only: bool = False,
        active_only: bool = False,
    ) -> list[Json]:
        """Pods by label selector in the API's syntax (``app=nginx,!deployment``); all pages, or the first
        ``limit`` pods. ``identity_only``: of each only name, uid, resourceVersion, owners, annotations of
        ours and whether it is being deleted; ``active_only``: none of phase Succeeded or Failed."""
        ...

    def patch_pod(self, name: str, patch: JsonPatch | Json, *, dry_run: bool = False) -> Json:
        """A JSON Patch or, as an object, a merge patch (RFC 7386)."""
        ...


class Objects(Pods, Protocol):
    """Objects of several kinds in one namespace, each with apiVersion and kind."""

    @property
    def namespace(self) -> str: ...

    def find(self, kind: Kind, name: str) -> Json | None:
        """None if it does not exist (404)."""
        ...

    def list_all(self, kind: Kind, label_selector: str = "") -> list[Json]:
        """Paged. Raises ApiError 404 where the server has no such kind."""
        ...

    def list_referring(self, kind: str) -> list[Json]:
        """As that of :class:`Cluster`."""
        ...

    def allows(self, right: Right) -> bool:
        """Whether the server would let this client do that in the namespace; nothing is done. Raises ApiError
        403 or 404 where it does not answer that."""
        ...

    def create(self, kind: Kind, manifest: Json, *, dry_run: bool = False) -> Json: ...

    def patch(self, kind: Kind, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json: ...

    def delete(
        self,
        kind: Kind,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """Delete with preconditions, propagationPolicy Background. 404 is raised, not swallowed."""
        ...


class Cluster(Pods, Protocol):
    """One namespace of one API server."""

    @property
    def namespace(self) -> str: ...

    def list_controllers(self) -> list[Json]:
        """All ReplicationControllers of the namespace (paged), each with apiVersion and kind."""
        ...

    def get_controller(self, name: str) -> Json | None:
        """None if it does not exist (404)."""
        ...

    def create_controller(self, manifest: Json, *, dry_run: bool = False) -> Json: ...

    def patch_controller(self, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json: ...

    def delete_controller(
        self, name: str, *, uid: str, resource_version: str | None = None, dry_run: bool = False
    ) -> None:
        """Delete with preconditions, propagationPolicy Background. 404 is raised, not swallowed."""
        ...

    def running_pods(self, label_selector: str, *, limit: int) -> list[Json]:
        """Whole pods that have not ended, ``limit`` at the most: the real ones, also in a dry run."""
        ...

    def list_replica_sets(self) -> list[Json]:
        """ReplicaSets (apps/v1), each with apiVersion and kind."""
        ...

    def list_events(self, field_selector: str, *, limit: int | None = None) -> list[Json]:
        """core/v1 Events."""
        ...

    def list_revisions(self, label_selector: str) -> list[Json]:
        """ControllerRevisions (apps/v1), each with apiVersion and kind."""
        ...

    def create_revision(self, manifest: Json) -> Json: ...

    def replace_revision(self, obj: Json) -> Json:
        """The whole object, if it still is of the resourceVersion that it has. (Not by a patch: the server
        writes what it has patched anew, and a revision's data, compared to the byte, must not change.)"""
        ...

    def delete_revision(self, name: str, *, uid: str) -> None:
        """404 is raised, not swallowed."""
        ...

    def read_log(self, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """The last ``lines`` lines of a container, or of its ``previous`` run, bounded in bytes. Answers
        soon, or raises."""
        ...

    def list_referring(self, kind: str) -> list[Json]:
        """All objects of that kind in the namespace, each with apiVersion and kind. ``kind``: one of
        ``core.plan.references.KINDS``, of what selects pods or names a controller, or ``core.plan.room``'s
        ``QUOTA`` and ``LIMIT_RANGE``. Raises ApiError 404 where the server has no such kind."""
        ...

    def allows(self, right: Right) -> bool:
        """As that of :class:`Objects`."""
        ...

    def admit_pod(self, manifest: Json) -> Json:
        """The pod as the server would store it; it is not stored (``dryRun=All``). Raises ApiError with what
        the server has against it."""
        ...

    def evict_pod(self, name: str, *, uid: str, resource_version: str) -> None:
        """Evict the pod (``pods/eviction``) if it still is of that uid and resourceVersion. Raises ApiError:
        429 if a budget does not allow it now, 409 if it is another, 404 if it is no more."""
        ...

    def cordoned_nodes(self) -> list[str]:
        """Names of the nodes that take no new pods."""
        ...

    def mirror(self, names: Sequence[str], *, poll_interval: float) -> Mirror:
        """Start watching those controllers. ``poll_interval``: seconds between looks where no watch can
        be had."""
        ...
