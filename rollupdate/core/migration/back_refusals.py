"""Why the pods of a Deployment are not moved back: each with the way out. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rollupdate.advice import Advice, Edit, Kubectl, PatchObject
from rollupdate.core.migration.writes import without_hash
from rollupdate.core.model.controller import Controller, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.migration import HASH_LABEL
from rollupdate.core.model.template import template_hash
from rollupdate.counts import counted
from rollupdate.errors import RefusedError
from rollupdate.objects import Json, Kind

_NOTHING = "nothing was changed"


def active_of(target: Deployment, sets: Iterable[Controller]) -> Controller:
    """The one ReplicaSet with the pods of the Deployment. Raises RefusedError if there is not just one."""
    own = [one for one in sets if owner_uid(one.raw) == target.uid]
    busy = [one for one in own if one.replicas or one.current]
    wanted = template_hash(target.template, "")
    same = [one for one in busy or own if template_hash(without_hash(one.template), "") == wanted]
    if target.observed and len(busy) <= 1 and len(same) == 1:
        return same[0]
    if target.paused and target.observed:
        raise RefusedError(
            f'deployment "{target.name}" is paused, and its pods are not all of its pod template; {_NOTHING}',
            hint=Advice(
                "let it roll that out: ",
                Kubectl(("rollout", "resume", f"deployment/{target.name}")),
                "\nand wait, then run the command again: ",
                Kubectl(("rollout", "status", f"deployment/{target.name}")),
            ),
        )
    raise RefusedError(
        f'a rollout of deployment "{target.name}" is in progress; {_NOTHING}',
        hint=Advice("wait for it: ", Kubectl(("rollout", "status", f"deployment/{target.name}"))),
    )


def refuse_expressions(target: Deployment) -> None:
    if target.has_expressions or not target.selector:
        raise RefusedError(
            f'deployment "{target.name}" selects its pods by matchExpressions, which a '
            f"ReplicationController cannot do; {_NOTHING}",
            hint="it has to stay a Deployment",
        )


def hash_of(active: Controller) -> str:
    """The value of ``HASH_LABEL`` on the pods of the Deployment's active ReplicaSet."""
    digest = active.labels.get(HASH_LABEL, "")
    if not digest:
        raise RefusedError(
            f'replicaset "{active.name}" has no label {HASH_LABEL}; {_NOTHING}',
            hint="it is none that a Deployment has made",
        )
    return digest


def refuse_pods_of_its_own(controller: Controller, kind: Kind, name: str) -> None:
    """What is to get the pods again (that kind and name, of which ``controller`` makes the pods) was scaled
    meanwhile."""
    size = max(controller.replicas, controller.current)
    if size:
        raise RefusedError(
            f'{kind.word} "{name}" has {counted(size, "pod")} of its own; {_NOTHING}',
            hint=Advice(
                "scale it to 0, then run the command again: ",
                PatchObject(kind.word, name, '{"spec":{"replicas":0}}'),
            ),
        )


def refuse_without_controller(pods: Iterable[Json], target: str) -> None:
    """It would adopt them, and delete as many of its own. ``pods``: active ones, which it would select."""
    for pod in pods:
        if owner_uid(pod) is None and not pod["metadata"].get("deletionTimestamp"):
            name = pod["metadata"]["name"]
            raise RefusedError(
                f'pod "{name}" has no controller and matches the selector of {target}, which would adopt it; '
                f"{_NOTHING}",
                hint=Advice("give it other labels, or delete it: ", Edit("pod", name)),
            )
