"""What a migration begins with: what is there, whether it may be begun, and the record of it.

Three waves of requests, in each of them all at the same time: the rights and the two objects that are named;
what might be in the way of it; what the server would make of the objects that will be created.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from rollupdate.ahead import Ahead
from rollupdate.core.migration import manifests, refusals
from rollupdate.core.migration.climbing import targets
from rollupdate.core.migration.scene import Goal, Place, Scene, Session
from rollupdate.core.migration.writes import noted, without_hash
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.hold import class_of, with_class
from rollupdate.core.model.migration import HASH_LABEL, Migration
from rollupdate.core.model.migration import REVISION as NUMBER
from rollupdate.core.model.template import differences, is_hash
from rollupdate.core.plan.references import BUDGET, POLICY, SERVICE
from rollupdate.core.plan.refusals import migrating, refuse_migrated
from rollupdate.engine.migration import history, listed, seen
from rollupdate.engine.ports import Objects
from rollupdate.engine.rights import refuse_missing
from rollupdate.errors import ApiError, RefusedError
from rollupdate.objects import AUTOSCALER, CONTROLLER, DEPLOYMENT, REPLICA_SET, Json, Kind, kind_of
from rollupdate.rights import MIGRATION, POINT, needed


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for."""

    name: str
    new_name: str
    to_deployment: bool
    rollback: bool = False
    label_key: str = "deployment"
    spec: Mapping[str, Any] = field(default_factory=dict)
    """Of the Deployment: strategy, revisionHistoryLimit, minReadySeconds."""
    keep: bool = False
    timeout: float = 300.0
    back: str = ""
    """The command of the way back from the end."""
    manifest_only: bool = False
    """Nothing is done: only the manifest of the other kind is wanted, for a tool that manages this one."""

    @property
    def deployment(self) -> str:
        return self.new_name if self.to_deployment else self.name

    @property
    def controller(self) -> str:
        return self.name if self.to_deployment else self.new_name


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """It was done before: ``obj`` has the pods."""

    obj: Json
    scaled: bool
    """Its size is an autoscaler's."""


def plan(cluster: Objects, order: Order, *, ask: bool = True) -> Goal | Arrived:
    """Raises RefusedError, and ClusterError. Nothing is changed. ``ask``: the server, whether all this may be
    done, and for a dry run of what is to be created."""
    rights = Ahead(partial(refuse_missing, cluster, needed(MIGRATION) if ask else ()))
    named = (
        Ahead(partial(cluster.find, CONTROLLER, order.controller)),
        Ahead(partial(cluster.find, DEPLOYMENT, order.deployment)),
    )
    rights.take()
    goal = _found(cluster, order, named[0].take(), named[1].take(), ask=ask)
    if ask and isinstance(goal, Goal) and goal.migration.autoscalers:
        refuse_missing(cluster, (POINT,))
    return goal


def _found(
    cluster: Objects, order: Order, raw: Json | None, raw_target: Json | None, *, ask: bool
) -> Goal | Arrived:
    controller = None if raw is None else Controller.parse(raw)
    target = None if raw_target is None else Deployment.parse(raw_target)
    begun = None if controller is None else controller.record.migration
    if controller is not None and begun is not None:
        if begun.to_deployment != order.to_deployment or begun.name != order.deployment:
            raise migrating(begun, controller.name)
        return Goal(
            name=controller.name,
            migration=begun,
            rollback=order.rollback,
            timeout=order.timeout,
        )
    arrived = _arrived(order, controller, target)
    if order.rollback:
        raise refusals.not_in_progress(order.name, order.back if arrived else "")
    if arrived is not None:
        found_as = kind_of(arrived)
        return Arrived(obj=arrived, scaled=bool(_autoscalers(cluster, found_as, arrived["metadata"]["name"])))
    if order.to_deployment:
        if controller is None:
            raise ApiError(404, "NotFound", f'replicationcontrollers "{order.name}" not found')
        return _to_deployment(cluster, order, controller, target, ask=ask)
    if target is None:
        raise ApiError(404, "NotFound", f'deployments.apps "{order.name}" not found')
    return _to_controller(cluster, order, controller, target, ask=ask)


def _arrived(order: Order, controller: Controller | None, target: Deployment | None) -> Json | None:
    if order.to_deployment:
        made_from = (target.migrated_from or "").partition(":")[0] if target else ""
        gone = controller is None or (target is not None and controller.identity == target.migrated_from)
        return target.raw if target and gone and made_from == order.name else None
    made_from = "" if controller is None else controller.migrated_from.partition(":")[0]
    return controller.raw if controller and target is None and made_from == order.name else None


# --- to a Deployment ---


def _to_deployment(
    cluster: Objects, order: Order, controller: Controller, target: Deployment | None, *, ask: bool
) -> Goal:
    key = order.label_key if is_hash(controller.selector.get(order.label_key)) else ""
    deployment = manifests.deployment_of(controller, order.deployment, order.spec, key)
    wanted = label_selector(deployment["spec"]["selector"]["matchLabels"])
    digest = manifests.digest_of(controller.template, key)
    name = manifests.name_of(order.deployment, digest)
    listing = Ahead(partial(cluster.list_all, CONTROLLER))
    of_apps = _of_apps(cluster)
    scalers = Ahead(partial(_autoscalers, cluster, CONTROLLER, controller.name))
    revisions = Ahead(partial(history, cluster, controller))
    taken = Ahead(partial(cluster.find, REPLICA_SET, name))
    kinds = (SERVICE, BUDGET, POLICY)
    referring = [Ahead(partial(seen, partial(cluster.list_referring, kind))) for kind in kinds]
    listed_pods = Ahead(partial(cluster.list_pods, wanted, identity_only=True))
    controllers = listing.take()
    refuse_migrated(controller)
    refusals.refuse_updating(controller, map(Controller.parse, controllers))
    refusals.refuse_owned(controller)
    if not order.manifest_only:
        refusals.refuse_managed("rc", controller.raw)
    refusals.refuse_unsettled(controller)
    refusals.refuse_selector(controller, key)
    if target is not None:
        refusals.refuse_taken(DEPLOYMENT.word, target.name, rename=True)
    migration = Migration(
        to_deployment=True,
        selector=controller.selector,
        labels=controller.labels,
        deployment=deployment,
        replica_set=name,
        digest=digest,
        revision=1,
        label_key=key,
        autoscalers=scalers.take(),
        keep=order.keep,
    )
    migration = manifests.renumbered(migration, revisions.take(), controller.template)
    if taken.take() is not None:
        refusals.refuse_taken(REPLICA_SET.word, name, rename=True)
    refusals.refuse_selecting_ours(chain.from_iterable(look.take() for look in referring), controller, key)
    workloads = chain.from_iterable(look.take() for look in of_apps)
    refusals.refuse_overlap(migration, frozenset({controller.uid}), [*controllers, *workloads])
    refusals.refuse_others_pods(
        listed_pods.take(), frozenset({controller.uid}), f"deployment/{order.deployment}"
    )
    goal = Goal(
        name=controller.name,
        migration=migration,
        rollback=False,
        planned=controller,
        timeout=order.timeout,
    )
    if ask:
        _ask(cluster, goal, controller)
    return goal


def _ask(cluster: Objects, goal: Goal, controller: Controller) -> None:
    """The server is asked for what will be created, and whether it leaves the pod templates as they are."""
    begun = Controller.parse(noted(controller, goal.migration, 1))
    scene = Scene(controller=begun)
    place = Place(scene, begun, goal.migration, goal, Session(progress_at=0), 0)
    replica_set = manifests.replica_set(place)
    template = with_class(replica_set["spec"]["template"], class_of(controller.template))
    deployment = manifests.deployment(place, controller.replicas, template)
    for ask in [
        _Asked(cluster, manifest) for manifest in (deployment, replica_set)
    ]:  # named by the user first
        ask.refuse_mutated()


class _Asked:
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


# --- to a controller ---


def _to_controller(
    cluster: Objects, order: Order, controller: Controller | None, target: Deployment, *, ask: bool
) -> Goal:
    if not order.manifest_only:
        refusals.refuse_managed("deployment", target.raw)
    refusals.refuse_expressions(target)
    if controller is not None and not (
        controller.identity == target.migrated_from and not controller.replicas and controller.record.empty
    ):
        refusals.refuse_taken(CONTROLLER.word, controller.name, rename=True)
    selecting = Ahead(partial(cluster.list_all, REPLICA_SET, label_selector(target.selector)))
    scalers = Ahead(partial(_autoscalers, cluster, DEPLOYMENT, target.name))
    others = [Ahead(partial(listed, cluster, CONTROLLER)), *_of_apps(cluster)]
    sets = selecting.take()
    active = refusals.active_of(target, map(Controller.parse, sets))
    labels = dict(without_hash(active.template)["metadata"]["labels"])
    digest = active.labels.get(HASH_LABEL, "")
    if not digest:
        raise RefusedError(
            f'replicaset "{active.name}" has no label {HASH_LABEL}; nothing was changed',
            hint="it is none that a Deployment has made",
        )
    number = (active.raw["metadata"].get("annotations") or {}).get(NUMBER, "1")
    migration = Migration(
        to_deployment=False,
        selector=target.selector,
        labels=labels,
        deployment=manifests.deployment_as_it_is(target),
        replica_set=active.name,
        digest=digest,
        revision=int(number) if number.isdecimal() else 1,
        label_key="" if order.label_key in labels else order.label_key,
        autoscalers=scalers.take(),
        keep=controller is not None,
    )
    owners = frozenset({target.uid, active.uid, *([controller.uid] if controller else [])})
    own = frozenset(raw["metadata"]["uid"] for raw in sets if owner_uid(raw) == target.uid)
    workloads = chain.from_iterable(look.take() for look in others)
    refusals.refuse_overlap(migration, owners | own, workloads)
    manifest = manifests.controller(order.controller, target, active, migration)
    if controller is None and ask:
        _Asked(cluster, manifest).refuse_mutated()
    return Goal(
        name=order.controller,
        migration=migration,
        rollback=False,
        controller=manifest,
        kept=None if controller is None else controller.uid,
        planned=active,
        timeout=order.timeout,
    )


# --- looks ---


def _autoscalers(cluster: Objects, kind: Kind, name: str) -> dict[str, Json]:
    return {
        raw["metadata"]["name"]: raw["spec"]["scaleTargetRef"]
        for raw in listed(cluster, AUTOSCALER)
        if targets(raw, kind.name, name)
    }


def _of_apps(cluster: Objects) -> list[Ahead[list[Json]]]:
    return [Ahead(partial(listed, cluster, kind)) for kind in (REPLICA_SET, DEPLOYMENT)]
