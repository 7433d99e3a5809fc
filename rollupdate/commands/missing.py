"""What to say if there is no controller or Deployment of the name: where it was looked for, what else has it.

Looks at other objects are left out if the user may not make them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rollupdate.console import print_note
from rollupdate.errors import ApiError, ClusterError
from rollupdate.objects import CONFIG, DEPLOYMENT

if TYPE_CHECKING:
    from rollupdate.commands.given import Given
    from rollupdate.objects import Json

_WORKLOADS = {"deployments": "deployment", "statefulsets": "statefulset", "daemonsets": "daemonset"}
"""Of apps/v1: the resource, and its name on a command line."""

_OTHER_TYPES = (
    *("deployment", "deployments", "deploy", "statefulset", "statefulsets", "sts"),
    *("daemonset", "daemonsets", "ds", "deployments.apps", "statefulsets.apps", "daemonsets.apps"),
)


class Looking(Protocol):
    @property
    def namespace(self) -> str: ...

    def find_workload(self, resource: str, name: str) -> Json | None: ...

    def find_namespace(self) -> Json | None: ...


def explain(error: BaseException, given: Given, cluster: Looking) -> None:
    """Adds to an error that says that the controller does not exist what the user needs to know."""
    name = given.controller
    if not (isinstance(error, ApiError) and error.is_not_found and error.advice is None):
        return
    if error.text == f'{DEPLOYMENT.plural}.{DEPLOYMENT.group} "{name}" not found':
        error.advice = _elsewhere(given, cluster, DEPLOYMENT.plural)
    if error.text == f'{CONFIG.plural}.{CONFIG.group} "{name}" not found':
        error.advice = _elsewhere(given, cluster, CONFIG.qualified)
    if error.text != f'replicationcontrollers "{name}" not found':
        return
    if given.type_and_name:
        error.advice = f"if this is TYPE and NAME, write {given.type_and_name} or {given.names[1]}"
        return
    if len(given.names) > 1 and name.lower() in _OTHER_TYPES:
        error.advice = f"if this is TYPE and NAME: {given.of_kubectl('/'.join(given.names[:2]))}"
        return
    error.advice = _other_kind(name, given, cluster) or _elsewhere(given, cluster, "rc")


def _other_kind(name: str, given: Given, cluster: Looking) -> str | None:
    for resource, kind in _WORKLOADS.items():
        try:
            found = cluster.find_workload(resource, name)
        except ClusterError as error:
            if given.value("v") >= 2:
                print_note(f"Not looked at: {resource}: {error.message}")
            continue
        if found is not None:
            return (
                f"{kind}.apps/{name} is there: {given.of_kubectl(f'{kind}/{name}', _only_container(found))}"
            )
    return None


def _only_container(found: Json) -> str:
    """Its name, if there is one alone; else empty."""
    spec = ((found.get("spec") or {}).get("template") or {}).get("spec") or {}
    names = [container.get("name") for container in spec.get("containers") or []]
    return str(names[0]) if len(names) == 1 else ""


def _elsewhere(given: Given, cluster: Looking, kind: str) -> str:
    """``kind``: as kubectl takes it."""
    namespace = cluster.namespace
    try:
        found = cluster.find_namespace()
    except ClusterError:
        found = {}
    if found is None:
        return f'namespace "{namespace}" does not exist'
    if (found.get("metadata") or {}).get("deletionTimestamp"):
        return f'namespace "{namespace}" is being deleted'
    return f'it was looked for in namespace "{namespace}"; what there is: {given.kubectl("get", kind)}'
