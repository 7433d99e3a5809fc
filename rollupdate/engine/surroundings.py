"""What is around a migration before it begins: autoscalers, other workloads, the Deployment whose pods go
back, and what the server would make of the objects that will be created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain

from rollupdate.ahead import Ahead
from rollupdate.core.migration import back_refusals, refusals
from rollupdate.core.migration.climbing import targets
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.migration import HASH_LABEL, REVISION
from rollupdate.core.model.template import differences
from rollupdate.core.plan.references import BUDGET, POLICY, SERVICE
from rollupdate.counts import whole
from rollupdate.engine.executor import conditional
from rollupdate.engine.migration import listed, seen
from rollupdate.engine.ports import Objects
from rollupdate.errors import ApiError
from rollupdate.objects import AUTOSCALER, CONTROLLER, DEPLOYMENT, REPLICA_SET, Json, Kind, kind_of


def autoscalers(cluster: Objects, kind: Kind, name: str) -> list[Json]:
    """Those that name that object."""
    return [raw for raw in listed(cluster, AUTOSCALER) if targets(raw, kind.name, name)]


def aims(found: Iterable[Json]) -> dict[str, Json]:
    """By its name, what each autoscaler has as its target."""
    return {raw["metadata"]["name"]: raw["spec"]["scaleTargetRef"] for raw in found}


def of_apps(cluster: Objects) -> list[Ahead[list[Json]]]:
    """ReplicaSets and Deployments."""
    return [Ahead(partial(listed, cluster, kind)) for kind in (REPLICA_SET, DEPLOYMENT)]


def selecting_pods(cluster: Objects) -> list[Ahead[list[Json]]]:
    """What selects pods by their labels: Services, budgets, policies."""
    kinds = (SERVICE, BUDGET, POLICY)
    return [Ahead(partial(seen, partial(cluster.list_referring, kind))) for kind in kinds]


def selected(cluster: Objects, selector: Mapping[str, str]) -> Ahead[list[Json]]:
    """The active pods that a controller with that selector will select."""
    selecting = label_selector(selector)
    return Ahead(partial(cluster.list_pods, selecting, identity_only=True, active_only=True))


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """A Deployment whose pods are to go back to what they have come from."""

    active: Controller
    """The ReplicaSet with the pods."""
    digest: str
    """The value of ``HASH_LABEL`` on them."""
    revision: int
    autoscalers: list[Json]
    """Those that name it."""
    own: frozenset[str]
    """Uids of the Deployment and its ReplicaSets."""
    workloads: list[Json]
    """ReplicaSets and Deployments, these too."""

    @classmethod
    def of(cls, cluster: Objects, target: Deployment) -> Leaving:
        """Raises RefusedError if not just one ReplicaSet has pods, or not yet all of them, or something
        selects only its pods."""
        selecting = Ahead(partial(cluster.list_all, REPLICA_SET, label_selector(target.selector)))
        scalers = Ahead(partial(autoscalers, cluster, DEPLOYMENT, target.name))
        apps, referring = of_apps(cluster), selecting_pods(cluster)
        sets = selecting.take()
        active = back_refusals.active_of(target, map(Controller.parse, sets))
        refusals.refuse_deleting(active.raw)
        refusals.refuse_unsettled(active)
        digest = back_refusals.hash_of(active)
        found = chain.from_iterable(look.take() for look in referring)
        refusals.refuse_selecting(found, active.labels, HASH_LABEL, target.name, CONTROLLER)
        number = whole((active.raw["metadata"].get("annotations") or {}).get(REVISION))
        own = (raw["metadata"]["uid"] for raw in sets if owner_uid(raw) == target.uid)
        return cls(
            active=active,
            digest=digest,
            revision=1 if number is None else number,
            autoscalers=scalers.take(),
            own=frozenset((target.uid, active.uid, *own)),
            workloads=list(chain.from_iterable(look.take() for look in apps)),
        )


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


class AskedFirst:
    """A dry run of the first write, to a controller that is there. Begun at once."""

    def __init__(self, cluster: Objects, controller: Controller, after: Json) -> None:
        self._kind, self._name = controller.kind, controller.name
        patch = conditional(controller.raw, after)[1:]  # its status may have been written meanwhile
        self._answer = Ahead(partial(cluster.patch, self._kind, self._name, patch, dry_run=True))

    def refuse(self) -> None:
        """Raises RefusedError where the server refuses it for good."""
        try:
            self._answer.take()
        except ApiError as error:
            if error.is_for_good:
                raise refusals.not_to_be_written(self._kind, self._name, error) from error


def _bare(template: Json) -> Json:
    """Older servers add ``creationTimestamp: null``."""
    meta = {key: value for key, value in (template.get("metadata") or {}).items() if value is not None}
    return {**template, "metadata": meta}
