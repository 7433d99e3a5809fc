"""What the engine needs of one namespace, as requests to the API server. Plain dicts in and out.

No decisions and no retries: a conflict, a throttled or a lost request is reported, and what then happens is
the engine's. How a request gets to the server is in ``connection``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rollupdate.ahead import Ahead
from rollupdate.cluster.answers import checked, completed, identity, items, name_of, text_of, whole
from rollupdate.cluster.connection import Connection, segment
from rollupdate.cluster.evictions import Evictions
from rollupdate.cluster.mirror import WatchedMirror
from rollupdate.cluster.settings import ConnectionConfig
from rollupdate.cluster.watch import Listing
from rollupdate.cluster.yaml_line import json_as_yaml
from rollupdate.engine.ports import JsonPatch
from rollupdate.errors import ApiError, UnreachableError
from rollupdate.objects import CONTROLLER, REVISION, Json, Kind
from rollupdate.rights import Right

if TYPE_CHECKING:
    from rollupdate.engine.ports import Cluster, Objects

FIELD_MANAGER = "kubectl-rolling-update"
PAGE = 500
"""Objects asked for at a time, as kubectl does."""
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
"""Lists without specification and status; a server that cannot do that sends whole objects."""
_APPS = "apps/v1"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_REFERRING = {
    "PodDisruptionBudget": ("poddisruptionbudgets", "policy/v1", "policy/v1beta1"),
    "Service": ("services", ""),
    "NetworkPolicy": ("networkpolicies", "networking.k8s.io/v1"),
    "HorizontalPodAutoscaler": ("horizontalpodautoscalers", "autoscaling/v1"),
    "ResourceQuota": ("resourcequotas", ""),
    "LimitRange": ("limitranges", ""),
}
"""Resource and groups with version. Of budgets the first came with 1.21, the second went with 1.25;
autoscalers are served in this one since 1.2, and name the target."""
_BEGUN = ("PodDisruptionBudget", "Service", "NetworkPolicy", "HorizontalPodAutoscaler", "ResourceQuota")
"""What an update looks at first. (LimitRanges only matter if there is a quota.)"""
LOG_SECONDS = 2.0
"""A node that does not answer must not keep an update waiting."""
LOG_BYTES = 16 * 1024
STALE = 5.0
"""Seconds after which a list that was begun ahead is of no more use: it is read anew."""


class ApiCluster:
    """``rollupdate.engine.ports.Cluster``. Thread safe."""

    def __init__(self, connection: Connection, config: ConnectionConfig) -> None:
        self._connection = connection
        self._config = config
        self._listing: Listing | None = None
        self._ahead: Ahead[tuple[list[Json], str]] | None = None
        self._referring_ahead: dict[str, Ahead[list[Json]]] = {}
        self._allowed_ahead: dict[Right, Ahead[bool]] = {}
        self._evictions = Evictions(connection)

    @property
    def context(self) -> str:
        """Of the kubeconfig; empty in a cluster."""
        return self._config.context

    @property
    def namespace(self) -> str:
        return self._config.namespace

    @property
    def config(self) -> ConnectionConfig:
        """What it is connected to."""
        return self._config

    def begin(self, *, referring: bool = False, rights: Sequence[Right] = ()) -> None:
        """Send the request of the first :meth:`list_controllers`, which then only waits for its answer.
        ``referring``: those of :meth:`list_referring` as well, at the same time; ``rights``: those of
        :meth:`allows`.

        Not where a credential plugin must be run for it: that may ask the user, who shall know why.
        """
        if self._config.auth.plugin is None:
            self._ahead = Ahead(lambda: self._list_at("replicationcontrollers"))
            kinds = _BEGUN if referring else ()
            self._referring_ahead = {kind: Ahead(partial(self._list_referring, kind)) for kind in kinds}
            self._allowed_ahead = {right: Ahead(partial(self._allows, right)) for right in rights}

    def list_controllers(self) -> list[Json]:
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.age() >= STALE:
            found, version = self._list_at("replicationcontrollers")
        else:
            found, version = ahead.take()
        self._listing = Listing({name_of(raw): raw for raw in found}, version) if version else None
        return found

    def find_controller(self, name: str) -> tuple[Json | None, str]:
        """The controller, if there is one, by a list: with the resourceVersion to watch it from."""
        selector = [("fieldSelector", f"metadata.name={name}")]
        answer = self._connection.request("GET", self._path("replicationcontrollers"), selector)
        found = [raw for raw in items(answer, "replicationcontrollers") if name_of(raw) == name]
        return (found[0] if found else None), text_of(answer, "resourceVersion")

    def find(self, kind: Kind, name: str) -> Json | None:
        found = self._found(self._path(kind.plural, name, group=_root(kind)))
        return None if found is None else checked(found, kind.plural)

    def list_all(self, kind: Kind, label_selector: str = "") -> list[Json]:
        if kind is CONTROLLER and not label_selector:
            return self.list_controllers()  # which may be on its way already
        query = [("labelSelector", label_selector)] if label_selector else []
        return self._list(kind.plural, *query, group=_root(kind))

    def create(self, kind: Kind, manifest: Json, *, dry_run: bool = False) -> Json:
        if kind is REVISION:
            return self.create_revision(manifest)
        path = self._path(kind.plural, group=_root(kind))
        answer = self._connection.request("POST", path, _write_query(dry_run), body=manifest)
        return checked(answer, kind.plural)

    def patch(self, kind: Kind, name: str, patch: JsonPatch, *, dry_run: bool = False) -> Json:
        return self._patch(kind.plural, name, patch, dry_run=dry_run, group=_root(kind))

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
        options: dict[str, Any] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": preconditions,
            "propagationPolicy": "Background",
        }
        if dry_run:  # the server reads options from the query only if the request has no body
            options["dryRun"] = ["All"]
        self._connection.request("DELETE", self._path(kind.plural, name, group=_root(kind)), body=options)

    def allows(self, right: Right) -> bool:
        ahead = self._allowed_ahead.pop(right, None)
        return self._allows(right) if ahead is None else ahead.take()

    def _allows(self, right: Right) -> bool:
        resource, _, subresource = right.resource.partition("/")
        attributes = {"namespace": self.namespace, "verb": right.verb, "group": right.group}
        attributes |= {"resource": resource, **({"subresource": subresource} if subresource else {})}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        status = self._connection.request("POST", _REVIEWS, body=review).get("status")
        status = status if isinstance(status, dict) else {}
        # An authorizer that could not be asked has not refused.
        unknown = bool(status.get("evaluationError")) and not status.get("denied")
        return status.get("allowed") is True or unknown

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
        query = [("labelSelector", label_selector)]
        if active_only:
            query.append(("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed"))
        return self._list("pods", *query, limit=limit, identity_only=identity_only)

    def running_pods(self, label_selector: str, *, limit: int) -> list[Json]:
        return self.list_pods(label_selector, limit=limit, active_only=True)

    def patch_pod(self, name: str, patch: JsonPatch | Json, *, dry_run: bool = False) -> Json:
        return self._patch("pods", name, patch, dry_run=dry_run)

    def admit_pod(self, manifest: Json) -> Json:
        return checked(
            self._connection.request("POST", self._path("pods"), _write_query(True), body=manifest), "pods"
        )

    def evict_pod(self, name: str, *, uid: str, resource_version: str) -> None:
        self._evictions.evict(self._path("pods", name), name, uid, resource_version)

    def cordoned_nodes(self) -> list[str]:
        query = [("fieldSelector", "spec.unschedulable=true")]
        answer = self._connection.request("GET", "/api/v1/nodes", query, accept=_METADATA)
        return [name_of(raw) for raw in items(answer, "nodes", shape=identity)]

    def list_replica_sets(self) -> list[Json]:
        return self._list("replicasets", group=_APPS)

    def list_events(self, field_selector: str, *, limit: int | None = None) -> list[Json]:
        return self._list("events", ("fieldSelector", field_selector), limit=limit)

    def list_revisions(self, label_selector: str) -> list[Json]:
        return self._list("controllerrevisions", ("labelSelector", label_selector), group=_APPS)

    def create_revision(self, manifest: Json) -> Json:
        return self._write_revision("POST", self._path("controllerrevisions", group=_APPS), manifest)

    def replace_revision(self, obj: Json) -> Json:
        return self._write_revision("PUT", self._path("controllerrevisions", name_of(obj), group=_APPS), obj)

    def _write_revision(self, verb: str, path: str, obj: Json) -> Json:
        """As YAML. What comes as JSON the server keeps as it was sent, blanks and all; when a patch writes it
        anew, it takes that for a change, and refuses the patch. The garbage collector patches, to orphan what
        a deleted controller leaves, and would never get done with it."""
        answer = self._connection.request(
            verb, path, _write_query(False), body=json_as_yaml(obj), content_type="application/yaml"
        )
        return checked(answer, "controllerrevisions")

    def delete_revision(self, name: str, *, uid: str) -> None:
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        self._connection.request("DELETE", self._path("controllerrevisions", name, group=_APPS), body=options)

    def read_log(self, pod: str, container: str, *, previous: bool, lines: int) -> str:
        query = [("container", container), ("tailLines", str(lines)), ("limitBytes", str(LOG_BYTES))]
        if previous:
            query.append(("previous", "true"))
        path = f"{self._path('pods', pod)}/log"
        return self._connection.text(path, query, seconds=LOG_SECONDS, limit=LOG_BYTES)

    def list_referring(self, kind: str) -> list[Json]:
        ahead = self._referring_ahead.pop(kind, None)
        if ahead is None or ahead.age() >= STALE:
            return self._list_referring(kind)
        return ahead.take()

    def _list_referring(self, kind: str) -> list[Json]:
        """Of the first version that the server has."""
        resource, *older, last = _REFERRING[kind]
        for version in older:
            try:
                return self._list(resource, group=version)
            except ApiError as error:
                if not error.is_not_found:
                    raise
        return self._list(resource, group=last)

    def find_workload(self, resource: str, name: str) -> Json | None:
        """An object of ``apps/v1``; None if it does not exist (404)."""
        return self._found(self._path(resource, name, group=_APPS))

    def find_namespace(self) -> Json | None:
        """The namespace itself; None if it does not exist (404)."""
        return self._found(f"/api/v1/namespaces/{segment(self.namespace)}")

    def _found(self, path: str) -> Json | None:
        try:
            return self._connection.request("GET", path)
        except ApiError as error:
            if error.is_not_found:
                return None
            raise

    def list_namespaces(self) -> list[str]:
        """The names of as many as fit on one page: for completion, where more are of no use."""
        answer = self._connection.request("GET", "/api/v1/namespaces", [("limit", str(PAGE))])
        return [name_of(raw) for raw in items(answer, "namespaces")]

    def mirror(self, names: Sequence[str], *, poll_interval: float) -> WatchedMirror:
        # Watched from where the last list of all left off, once; what is older by then is listed anew.
        listing, self._listing = self._listing, None
        return WatchedMirror(self, self._connection, names, poll_interval=poll_interval, listing=listing)

    def close(self) -> None:
        """Close idle connections."""
        self._connection.close()

    def watch_path(self) -> str:
        """Where ReplicationControllers are listed and watched."""
        return self._path("replicationcontrollers")

    def completed(self, obj: Json) -> Json:
        """A ReplicationController that came without them, with apiVersion and kind."""
        return completed(obj, "replicationcontrollers")

    def _path(self, resource: str, name: str = "", *, group: str = "") -> str:
        root = f"/apis/{group}" if group else "/api/v1"
        path = f"{root}/namespaces/{segment(self.namespace)}/{resource}"
        return f"{path}/{segment(name)}" if name else path

    def _patch(
        self, resource: str, name: str, patch: JsonPatch | Json, *, dry_run: bool = False, group: str = ""
    ) -> Json:
        kind = "json-patch" if isinstance(patch, list) else "merge-patch"
        answer = self._connection.request(
            "PATCH",
            self._path(resource, name, group=group),
            _write_query(dry_run),
            body=patch,
            content_type=f"application/{kind}+json",
        )
        return checked(answer, resource)

    def _list(
        self,
        resource: str,
        *query: tuple[str, str],
        limit: int | None = None,
        identity_only: bool = False,
        group: str = "",
    ) -> list[Json]:
        return self._list_at(resource, *query, limit=limit, identity_only=identity_only, group=group)[0]

    def _list_at(
        self,
        resource: str,
        *query: tuple[str, str],
        limit: int | None = None,
        identity_only: bool = False,
        group: str = "",
    ) -> tuple[list[Json], str]:
        """All objects, page by page, or the first ``limit``, and the resourceVersion of the list.
        ``identity_only``: see :func:`identity`; ``group``: with version, where not core/v1."""
        accept = _METADATA if identity_only else "application/json"
        found: list[Json] = []
        token = version = ""
        page = PAGE
        while limit is None or len(found) < limit:
            size = page if limit is None else min(page or limit, limit - len(found))
            parts = [*query]
            if size:
                parts.append(("limit", str(size)))
            if token:
                parts.append(("continue", token))
            try:
                answer = self._connection.request(
                    "GET", self._path(resource, group=group), parts, accept=accept
                )
            except ApiError as error:
                if not error.is_gone or not token:
                    raise
                # The list took longer than the server keeps its state: all of it at once, then.
                found, token, page = [], "", 0
                continue
            found += items(answer, resource, group or "v1", identity if identity_only else whole)
            version = text_of(answer, "resourceVersion")  # the same on each page
            following = text_of(answer, "continue")
            if not following:
                break
            if following == token:
                raise UnreachableError(f"the list of {resource} does not end: the same page comes again")
            token = following
        return found if limit is None else found[:limit], version


def _root(kind: Kind) -> str:
    """Group and version, where they are not those of the core."""
    return kind.version if kind.group else ""


def _write_query(dry_run: bool) -> list[tuple[str, str]]:
    query = [("fieldManager", FIELD_MANAGER)]
    if dry_run:
        query.append(("dryRun", "All"))
    return query


def _conforms(cluster: ApiCluster) -> tuple[Cluster, Objects]:
    """Nothing to run: the type checker holds ApiCluster and its mirror to what the engine declares."""
    return cluster, cluster
