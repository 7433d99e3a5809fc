"""A namespace that is deleted takes an update with it. Whether that is why a run can't go on is found out by
asking the server for something that no other namespace refuses: a dry run, for which no further right is
needed.
"""

from __future__ import annotations

from collections.abc import Callable

from rollupdate.core.diagnosis.summary import Diagnosis
from rollupdate.core.phases.steps import Snapshot
from rollupdate.engine.ports import Clock, Cluster, Mirror
from rollupdate.errors import (
    ApiError,
    ClusterError,
    ConfigError,
    FailureError,
    NamespaceDeletedError,
    RollingUpdateError,
    StoppedError,
)
from rollupdate.objects import Json

_LABELS = {"rolling-update": "is-the-namespace-there"}
_PROBE: Json = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {"name": "rolling-update-is-the-namespace-there"},
    "spec": {
        "replicas": 0,
        "selector": _LABELS,
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {"containers": [{"name": "none", "image": "none"}]},
        },
    },
}

RIGHTS_FIRST = 5.0
"""Seconds after the rights of a user in which the controllers of a namespace go as well if it is deleted."""


def looks_deleted(snapshot: Snapshot, diagnosis: Diagnosis) -> bool:
    """Whether it is worth asking: something is being deleted, or pods are refused for that reason."""
    refused = any(_TERMINATING in problem.text for problem, _ in diagnosis.causes)
    return refused or any(controller.deleting for controller in snapshot.controllers)


def deleted(cluster: Cluster, *, vanished: Callable[[], bool] | None = None) -> NamespaceDeletedError | None:
    """What is to be said if the namespace is being deleted, or is no more; None if not, or if that can't be
    seen. ``vanished``: whether a controller of the update is gone, asked if the rights of this user are."""
    try:
        cluster.create_controller(_PROBE, dry_run=True)
    except ApiError as error:
        known = _deleted_by(error, cluster.namespace)
        if known is not None or vanished is None:
            return known
        if not (error.is_forbidden and _rights_are_gone(cluster) and vanished()):
            return None
        lost = "seems to be deleted (this user has lost its rights in it)"
        return NamespaceDeletedError(cluster.namespace, is_deleted=lost)
    except ClusterError:
        return None
    return None


def halted(
    error: ApiError | ConfigError, cluster: Cluster, mirror: Mirror, snapshot: Snapshot, clock: Clock
) -> RollingUpdateError:
    """What ends a run to which the server, or a credential plugin, refuses something half way."""
    if not isinstance(error, ApiError):
        return StoppedError(error.message, hint=error.advice)
    gone = deleted(cluster, vanished=lambda: _vanishing(mirror, snapshot, clock))
    hint = error.advice
    if error.is_forbidden and _rights_are_gone(cluster):
        where = f'namespace "{cluster.namespace}"'
        hint = f"this user has no rights left in {where}; if that is being deleted, nothing can be resumed"
    # What the server calls invalid is the new version, or a size with which it is so: that may be undone.
    kind = FailureError if error.is_invalid else StoppedError
    return gone or kind(error.message, hint=hint)


def _rights_are_gone(cluster: Cluster) -> bool:
    """The bindings of a user to its roles are deleted as well, in any order."""
    try:
        cluster.list_controllers()
    except ClusterError as error:
        return isinstance(error, ApiError) and error.is_forbidden
    return False


def _vanishing(mirror: Mirror, snapshot: Snapshot, clock: Clock) -> bool:
    """Whether a controller goes within seconds: a watch that was begun in time still tells."""
    until = clock.now() + RIGHTS_FIRST
    try:
        while clock.now() < until:
            for controller in snapshot.controllers:
                found = mirror.get(controller.name)
                if found is None or found["metadata"].get("deletionTimestamp"):
                    return True
            mirror.wait(until - clock.now())
    except ClusterError:
        pass
    return False


def _deleted_by(error: ApiError, namespace: str) -> NamespaceDeletedError | None:
    """The same, from the answer to a request."""
    if error.is_forbidden and _TERMINATING in error.text:
        return NamespaceDeletedError(namespace, is_deleted="is being deleted")
    if error.is_not_found and error.text == f'namespaces "{namespace}" not found':
        return NamespaceDeletedError(namespace, is_deleted="was deleted")
    return None


_TERMINATING = "because it is being terminated"
"""So says the admission plugin NamespaceLifecycle."""
