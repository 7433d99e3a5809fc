"""What to say if there is no ReplicationController of the name: where it was looked for, what else has it.

Looks at other objects are left out if the user may not make them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rollupdate.console import print_note
from rollupdate.errors import ApiError, ClusterError

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
    if error.text != f'replicationcontrollers "{name}" not found':
        return
    if given.type_and_name:
        error.advice = f"if this is TYPE and NAME, write {given.type_and_name} or {given.names[1]}"
        return
    if len(given.names) > 1 and name.lower() in _OTHER_TYPES:
        error.advice = f"if this is TYPE and NAME: {_command('/'.join(given.names[:2]), {}, given)}"
        return
    error.advice = _other_kind(name, given, cluster) or _elsewhere(given, cluster)


def _other_kind(name: str, given: Given, cluster: Looking) -> str | None:
    for resource, kind in _WORKLOADS.items():
        try:
            found = cluster.find_workload(resource, name)
        except ClusterError as error:
            if given.value("v") >= 2:
                print_note(f"Not looked at: {resource}: {error.message}")
            continue
        if found is not None:
            return f"{kind}.apps/{name} is there: {_command(f'{kind}/{name}', found, given)}"
    return None


def _command(workload: str, found: Json, given: Given) -> str:
    """What kubectl has for the same; ``workload``: TYPE/NAME."""
    if given.on("rollback"):
        number = given.optional("to-revision")
        revision = [f"--to-revision={number}"] if number else []
        return given.kubectl("rollout", "undo", workload, *revision)
    for flag, verb in (("status", "status"), ("history", "history"), ("restart", "restart")):
        if given.on(flag):
            return given.kubectl("rollout", verb, workload)
    if given.texts("filename"):
        return given.kubectl("apply", "-f", given.texts("filename")[0])
    only = _only_container(found) or given.optional("container") or "CONTAINER"
    images = [f"{container or only}={image}" for container, image in given.values("image") if image]
    return given.kubectl("set", "image", workload, *(images or [f"{only}=IMAGE"]))


def _only_container(found: Json) -> str | None:
    """Its name, if there is one alone."""
    spec = ((found.get("spec") or {}).get("template") or {}).get("spec") or {}
    names = [container.get("name") for container in spec.get("containers") or []]
    return str(names[0]) if len(names) == 1 else None


def _elsewhere(given: Given, cluster: Looking) -> str:
    namespace = cluster.namespace
    try:
        found = cluster.find_namespace()
    except ClusterError:
        found = {}
    if found is None:
        return f'namespace "{namespace}" does not exist'
    if (found.get("metadata") or {}).get("deletionTimestamp"):
        return f'namespace "{namespace}" is being deleted'
    return f'it was looked for in namespace "{namespace}"; what there is: {given.kubectl("get", "rc")}'
