"""What is around a migration before it begins: autoscalers, other workloads, and what the server would make
of the objects that will be created."""

from __future__ import annotations

from functools import partial

from rollupdate.ahead import Ahead
from rollupdate.core.migration import refusals
from rollupdate.core.migration.climbing import targets
from rollupdate.core.model.template import differences
from rollupdate.engine.migration import listed
from rollupdate.engine.ports import Objects
from rollupdate.objects import AUTOSCALER, DEPLOYMENT, REPLICA_SET, Json, Kind, kind_of


def autoscalers(cluster: Objects, kind: Kind, name: str) -> dict[str, Json]:
    """By name, what each of those has as its target that name that object."""
    return {
        raw["metadata"]["name"]: raw["spec"]["scaleTargetRef"]
        for raw in listed(cluster, AUTOSCALER)
        if targets(raw, kind.name, name)
    }


def of_apps(cluster: Objects) -> list[Ahead[list[Json]]]:
    """ReplicaSets and Deployments."""
    return [Ahead(partial(listed, cluster, kind)) for kind in (REPLICA_SET, DEPLOYMENT)]


class Asked:
    """A dry run of a creation, begun at once."""

    def __init__(self, cluster: Objects, manifest: Json) -> None:
        self._manifest = manifest
        self._answer = Ahead(partial(cluster.create, kind_of(manifest), manifest, dry_run=True))

    def refuse_mutated(self) -> None:
        """Raises RefusedError where the server would change the pod template."""
        answer = self._answer.take()
        paths = differences(self._manifest["spec"]["template"], _bare(answer["spec"]["template"]))
        if paths:
            raise refusals.mutated(kind_of(answer).word, self._manifest["metadata"]["name"], paths)


def _bare(template: Json) -> Json:
    """Older servers add ``creationTimestamp: null``."""
    meta = {key: value for key, value in (template.get("metadata") or {}).items() if value is not None}
    return {**template, "metadata": meta}
