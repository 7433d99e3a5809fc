"""A migration whose record, or whose controller, another client has taken away in the middle: it is found by
what the other objects say, and goes on."""

from __future__ import annotations

from collections.abc import Iterable

from rollupdate.core.migration import anew
from rollupdate.core.migration.scene import Goal, Scene
from rollupdate.core.model import record
from rollupdate.core.model.config import config_of
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.migration import HASH_LABEL
from rollupdate.engine.migration import listed
from rollupdate.engine.order import Order
from rollupdate.engine.ports import Objects
from rollupdate.engine.surroundings import aims, autoscalers
from rollupdate.objects import CONTROLLER, DEPLOYMENT, REPLICA_SET, Json


def unrecorded(cluster: Objects, order: Order, raw: Json | None, raw_target: Json | None) -> Goal | None:
    """To be asked where an order is refused, or seems to be done. ``raw``, ``raw_target``: the controller and
    the Deployment of these names. None if no such migration is in progress."""
    if any(one is not None and one["metadata"].get("deletionTimestamp") for one in (raw, raw_target)):
        return None
    target = None if raw_target is None else Deployment.parse(raw_target)
    if raw is not None:
        return _without_record(cluster, order, Controller.parse(raw), target)
    return _without_controller(cluster, order) if target is None else None


def _without_record(
    cluster: Objects, order: Order, controller: Controller, target: Deployment | None
) -> Goal | None:
    if config_of(controller):
        return None  # what its DeploymentConfig was is not known
    but = (HASH_LABEL, order.label_key)
    selecting = label_selector({key: text for key, text in controller.selector.items() if key not in but})
    found = listed(cluster, REPLICA_SET, selecting)
    sets = [Controller.parse(raw) for raw in found if _source(raw) == controller.identity]
    if target is not None and _is_other_end(target, controller):
        sets += [Controller.parse(raw) for raw in found if owner_uid(raw) == target.uid]
    else:
        target = None
    scene = Scene(controller=controller, replica_set=_most(sets), deployment=target)
    return _goal(cluster, order, scene) if anew.unfinished(scene) else None


def _without_controller(cluster: Objects, order: Order) -> Goal | None:
    """A ReplicaSet that nobody owns has the pods."""
    sets = [
        Controller.parse(raw)
        for raw in listed(cluster, REPLICA_SET)
        if _source(raw).partition(":")[0] == order.controller and owner_uid(raw) is None
    ]
    left = _most(sets)
    return None if left is None else _goal(cluster, order, Scene(controller=None, replica_set=left))


def _goal(cluster: Objects, order: Order, scene: Scene) -> Goal:
    source = (CONTROLLER, order.controller) if order.to_deployment else (DEPLOYMENT, order.deployment)
    asked = anew.Asked(
        to_deployment=order.to_deployment,
        rollback=order.rollback,
        deployment=order.deployment,
        label_key=order.label_key,
        keep=order.keeps,
    )
    migration = anew.rebuilt(scene, asked, aims(autoscalers(cluster, *source)))
    return Goal(name=order.controller, migration=migration, rollback=order.rollback, timeout=order.timeout)


def _source(raw: Json) -> str:
    return str((raw["metadata"].get("annotations") or {}).get(record.SOURCE_ID, ""))


def _is_other_end(target: Deployment, controller: Controller) -> bool:
    return (
        target.source_uid == controller.uid
        or target.migrated_from == controller.identity
        or controller.migrated_from == f"{target.name}:{target.uid}"
    )


def _most(sets: Iterable[Controller]) -> Controller | None:
    """The one with the pods."""
    return max(sets, key=lambda one: (one.record.source_id is not None, one.max_pods), default=None)
