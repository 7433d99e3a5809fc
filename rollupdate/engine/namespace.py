"""A namespace that is deleted takes an update with it. Whether that is why a run can't go on is found out by
asking the server for something that no other namespace refuses: a dry run, for which no further right is
needed.
"""

from __future__ import annotations

from rollupdate.core.diagnosis.summary import Diagnosis
from rollupdate.core.phases.steps import Snapshot
from rollupdate.engine.ports import Cluster
from rollupdate.errors import ApiError, ClusterError, NamespaceDeletedError
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


def looks_deleted(snapshot: Snapshot, diagnosis: Diagnosis) -> bool:
    """Whether it is worth asking: something is being deleted, or pods are refused for that reason."""
    refused = any(_TERMINATING in problem.text for problem, _ in diagnosis.causes)
    return refused or any(controller.deleting for controller in snapshot.controllers)


def deleted(cluster: Cluster, *, vanished: bool = False) -> NamespaceDeletedError | None:
    """What is to be said if the namespace is being deleted, or is no more; None if not, or if that can't be
    seen. ``vanished``: a controller of the update is gone."""
    try:
        cluster.create_controller(_PROBE, dry_run=True)
    except ApiError as error:
        known = _deleted_by(error, cluster.namespace)
        return _rights_are_gone(cluster) if known is None and error.is_forbidden and vanished else known
    except ClusterError:
        return None
    return None


def _rights_are_gone(cluster: Cluster) -> NamespaceDeletedError | None:
    """The bindings of a user to its roles are deleted as well, in any order."""
    try:
        cluster.list_controllers()
    except ApiError as error:
        if error.is_forbidden:
            lost = "seems to be deleted (this user has lost its rights in it)"
            return NamespaceDeletedError(cluster.namespace, is_deleted=lost)
    except ClusterError:
        pass
    return None


def _deleted_by(error: ApiError, namespace: str) -> NamespaceDeletedError | None:
    """The same, from the answer to a request."""
    if error.is_forbidden and _TERMINATING in error.text:
        return NamespaceDeletedError(namespace, is_deleted="is being deleted")
    if error.is_not_found and error.text == f'namespaces "{namespace}" not found':
        return NamespaceDeletedError(namespace, is_deleted="was deleted")
    return None


_TERMINATING = "because it is being terminated"
"""So says the admission plugin NamespaceLifecycle."""
