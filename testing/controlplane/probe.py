"""Makes a fresh plane usable: rights for the limited user, kinds, and proof that the controllers act.

A healthy API server is not enough for a test: the controllers start a moment later, and a
ReplicationController created before has no pods for as long as that takes.
"""

from __future__ import annotations

from collections.abc import Callable

from testing.client import ApiError, Client
from testing.objects import Json

_NAMESPACE = "kube-system"
_NAME = "rollupdate-probe"
_LABELS = {"app": _NAME}
_CONTROLLERS = f"/api/v1/namespaces/{_NAMESPACE}/replicationcontrollers"
_PODS = f"/api/v1/namespaces/{_NAMESPACE}/pods"

Until = Callable[[Callable[[], bool], str], None]
"""Waits until the condition holds, heeding a deadline; the text says what is waited for."""


def allow_reading(client: Client, group: str) -> None:
    """Let a group read pods and ReplicationControllers everywhere, and nothing else."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    name = group.replace(":", "-")
    rule = {
        "apiGroups": [""],
        "resources": ["pods", "replicationcontrollers"],
        "verbs": ["get", "list", "watch"],
    }
    client.create(f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
    api_group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": api_group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": api_group, "kind": "Group", "name": group}],
    }
    client.create(f"{rbac}/clusterrolebindings", binding)


def define(client: Client, definition: Json, until: Until) -> bool:
    """Create a CustomResourceDefinition and wait until its kind is served. False if it was there already."""
    spec, names = definition["spec"], definition["spec"]["names"]
    path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{names['plural']}"
    try:
        client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    except ApiError as error:
        if error.code != 409:
            raise
        return False
    until(lambda: client.get(path)["kind"] == names["listKind"], f"{names['plural']} to be served")
    return True


def wait_for_controllers(client: Client, until: Until) -> None:
    """Have a ReplicationController make a pod, and the garbage collector take it away again."""
    until(lambda: _created(client), f"namespace {_NAMESPACE}")
    until(lambda: len(_pods(client)) == 1, "the replication manager to create a pod")
    client.delete(f"{_CONTROLLERS}/{_NAME}", {"propagationPolicy": "Background"})
    until(lambda: not _pods(client), "the garbage collector to delete the pod of a deleted controller")


def _created(client: Client) -> bool:
    template = {
        "metadata": {"labels": _LABELS},
        "spec": {"containers": [{"name": "probe", "image": "probe"}]},
    }
    body = {"metadata": {"name": _NAME}, "spec": {"replicas": 1, "selector": _LABELS, "template": template}}
    try:
        client.create(_CONTROLLERS, body)
    except ApiError as error:
        if error.code != 409:
            raise
    return True


def _pods(client: Client) -> list[object]:
    return list(client.get(_PODS, labelSelector=f"app={_NAME}").get("items") or [])
