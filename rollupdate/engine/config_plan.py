"""What a migration from or to an OpenShift DeploymentConfig begins with.

Its pods are those of one ReplicationController, the active one, and go along as from any other. A
DeploymentConfig is never created: the way back leads to the one that is still there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from rollupdate.advice import Setting
from rollupdate.ahead import Ahead
from rollupdate.core.migration import back_refusals, config_refusals, configs, manifests, refusals
from rollupdate.core.migration.scene import Goal
from rollupdate.core.migration.writes import become, format_of, marked, unmatched, without_hash
from rollupdate.core.model import record
from rollupdate.core.model.config import (
    LABEL,
    Config,
    Origin,
    config_of,
    revisions,
    rollouts,
    with_deployer,
    without_deployer,
)
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.migration import HASH_LABEL, Around, Migration
from rollupdate.core.model.template import template_hash
from rollupdate.core.plan.refusals import migrating, moved_to_deployment, refuse_gone_on
from rollupdate.engine.migration import seen
from rollupdate.engine.order import Arrived, Kept, Order
from rollupdate.engine.ports import Objects
from rollupdate.engine.rights import refuse_missing
from rollupdate.engine.surroundings import AskedFirst, Leaving, aims, autoscalers, selected
from rollupdate.engine.to_deployment import Source, to_deployment
from rollupdate.errors import ApiError
from rollupdate.objects import CONFIG, CONTROLLER, DEPLOYMENT, Json
from rollupdate.rights import POINT, migration_of_config, needed


def plan(cluster: Objects, order: Order, *, ask: bool) -> Goal | Arrived | Kept:
    """As that of ``migration_plan``, for an order that is of a DeploymentConfig."""
    deletes = order.to_deployment and not order.keeps
    rights = Ahead(
        partial(refuse_missing, cluster, needed(migration_of_config(deletes=deletes)) if ask else ())
    )
    found_target = Ahead(partial(cluster.find, DEPLOYMENT, order.deployment))
    found_controllers = Ahead(partial(cluster.list_all, CONTROLLER))
    rights.take()
    raw_target = found_target.take()
    target = None if raw_target is None else Deployment.parse(raw_target)
    controllers = [Controller.parse(raw) for raw in found_controllers.take()]
    begun = _begun(order, controllers)
    if begun is not None:
        return begun
    refusals.refuse_deleting(raw_target)
    if target is not None:
        refusals.refuse_unfinished(target, controllers)
    goal: Goal | Arrived | Kept
    if order.to_deployment:
        goal = _up(cluster, order, controllers, target, ask=ask)
    else:
        goal = _down(cluster, order, controllers, target)
        if ask and isinstance(goal, Goal) and goal.controller is not None:
            (controller,) = (one for one in controllers if one.name == goal.name)
            AskedFirst(cluster, controller, become(controller, goal.controller)).refuse()
    if ask and isinstance(goal, Goal) and goal.migration.autoscalers:
        refuse_missing(cluster, (POINT,))
    return goal


def _begun(order: Order, controllers: Iterable[Controller]) -> Goal | None:
    """What is in progress already. Raises InProgressError if that is another one."""
    for one in controllers:
        known = one.record.migration
        if known is None or known.config is None:
            continue
        asked = known.config.name if order.to_deployment else known.name
        if asked != order.name:
            continue
        another = known.to_deployment != order.to_deployment or known.name != order.deployment
        if another or (order.rollback and one.deleting):
            raise migrating(known, one)
        if not order.rollback:
            refusals.refuse_other_flags(known, one.name, order.keep, order.spec)
        return Goal(name=one.name, migration=known, rollback=order.rollback, timeout=order.timeout)
    return None


def _config(cluster: Objects, name: str) -> Config | None:
    """None if it does not exist. Raises RefusedError if the cluster does not know the kind."""
    raw = cluster.find(CONFIG, name)
    if raw is not None:
        return Config.parse(raw)
    try:
        cluster.list_all(CONFIG)
    except ApiError as error:
        if error.is_not_found:
            raise config_refusals.no_such_kind() from None
        if not error.is_forbidden:
            raise
    return None


# --- to a Deployment ---


def _up(
    cluster: Objects,
    order: Order,
    controllers: list[Controller],
    target: Deployment | None,
    *,
    ask: bool,
) -> Goal | Arrived:
    config = _config(cluster, order.name)
    origin = None if target is None else Origin.of(target.annotations)
    came = origin is not None and origin.name == order.name
    stands = config is None or (
        origin is not None and config.uid == origin.uid and record.MIGRATED_TO in config.annotations
    )
    if target is not None and came and stands:
        return _arrived_up(cluster, order, target, config)
    if order.rollback:
        raise refusals.not_in_progress(order.name, None)
    if config is None:
        raise config_refusals.not_found(order.name)
    refusals.refuse_deleting(config.raw)
    refusals.refuse_controlled(config.raw)
    config_refusals.refuse_strategy(config)
    own = rollouts(config.name, controllers)
    config_refusals.refuse_rolling_out(config, own)
    controller = config_refusals.active_of(config, own)
    gone = controller.migrated_to
    if gone and cluster.find(DEPLOYMENT, gone) is None:
        refuse_gone_on(controller, controllers)
        config_refusals.refuse_lost(config, controller, gone)
    source = _source(order, config, controller, own)
    return to_deployment(cluster, order, source, target, ask=ask)


def _source(order: Order, config: Config, controller: Controller, own: tuple[Controller, ...]) -> Source:
    deployment = manifests.deployment_of(
        controller,
        order.deployment,
        configs.spec_of(config, order.spec),
        LABEL,
        configs.metadata_of(config, controller),
    )
    origin = Origin(name=config.name, uid=config.uid, manifest=configs.manifest_of(config))
    return Source(
        controller=controller,
        home=(CONFIG, config.name),
        raw=config.raw,
        template=without_deployer(controller.template),
        label_key=LABEL,
        deployment=marked(deployment, {record.MIGRATED_CONFIG: origin.encode()}),
        revisions=partial(revisions, own),
        config=Around(
            name=config.name,
            uid=config.uid,
            version=config.latest_version,
            was_paused=config.paused,
        ),
        left=configs.left_behind(config, controller),
    )


def _arrived_up(cluster: Objects, order: Order, target: Deployment, config: Config | None) -> Arrived:
    """``config``: None if it is gone, and with it the way back to it."""
    kind = CONTROLLER if config is None else CONFIG
    back = (f"{DEPLOYMENT.word}/{target.name}", f"{Setting.TO}={kind.word}")
    if order.rollback:
        raise refusals.not_in_progress(order.name, back)
    return Arrived(
        obj=target.raw,
        scaled=bool(autoscalers(cluster, DEPLOYMENT, target.name)),
        source=f"{CONFIG.qualified}/{order.name}",
        back=back,
        left=config.name if config is not None and config.paused and not config.replicas else "",
    )


# --- and back ---


def _down(
    cluster: Objects, order: Order, controllers: list[Controller], target: Deployment | None
) -> Goal | Arrived | Kept:
    if target is None:
        return _arrived_down(cluster, order)
    origin = Origin.of(target.annotations)
    if order.rollback:
        raise refusals.not_in_progress(order.name, None)
    if origin is None:
        raise config_refusals.from_no_config(order.name)
    config = _config(cluster, origin.name)
    if config is None:
        if order.manifest_only and origin.manifest is not None:
            return Kept(manifest=_paused(origin.manifest))
        raise config_refusals.gone(origin)
    refusals.refuse_deleting(config.raw)
    if not order.manifest_only:
        refusals.refuse_managed(DEPLOYMENT.word, target.raw)
        refusals.refuse_managed(CONFIG.word, config.raw)
    refusals.refuse_controlled(target.raw)
    refusals.refuse_controlled(config.raw)
    back_refusals.refuse_expressions(target)
    own = rollouts(config.name, controllers)
    config_refusals.refuse_rolling_out(config, own)
    controller = config_refusals.active_of(config, own, back=True)
    refusals.refuse_deleting(controller.raw)
    back_refusals.refuse_pods_of_its_own(controller, CONFIG, config.name)
    return _to_config(cluster, order, config, controller, own[-1], origin, target)


def refuse_from_config(cluster: Objects, target: Deployment) -> None:
    """Its pods are to go to a ReplicationController, and the DeploymentConfig from which they have come is
    there: nothing would lead back to that one."""
    origin = Origin.of(target.annotations)
    config = None if origin is None else cluster.find(CONFIG, origin.name)
    if origin is not None and config is not None and config["metadata"]["uid"] == origin.uid:
        raise config_refusals.from_config(target.name, origin.name)


def _arrived_down(cluster: Objects, order: Order) -> Arrived:
    """Raises ApiError if the Deployment never was one that has gone back."""
    for raw in seen(partial(cluster.list_all, CONFIG)):
        config = Config.parse(raw)
        if config.annotations.get(record.MIGRATED_FROM) != order.name:
            continue
        further = () if config.name == order.name else (order.name,)
        named, flag = moved_to_deployment(config.name)
        back = (named, *further, flag)
        if order.rollback:
            raise refusals.not_in_progress(order.name, back)
        scaled = bool(autoscalers(cluster, CONFIG, config.name))
        return Arrived(obj=raw, scaled=scaled, source=f"{DEPLOYMENT.qualified}/{order.name}", back=back)
    if order.rollback:
        raise refusals.not_in_progress(order.name, None)
    raise ApiError(404, "NotFound", f'deployments.apps "{order.name}" not found')


def _paused(manifest: Json) -> Json:
    """Created so it makes no pods beside those of the Deployment."""
    return {**manifest, "spec": {**manifest["spec"], "paused": True}}


def _to_config(
    cluster: Objects,
    order: Order,
    config: Config,
    controller: Controller,
    last: Controller,
    origin: Origin,
    target: Deployment,
) -> Goal:
    """``controller``: the one that gets the pods; ``last``: of the last rollout, which may have failed."""
    pods = selected(cluster, _selector(controller))
    found = Leaving.of(cluster, target)
    if not order.manifest_only:
        refusals.refuse_autoscalers(found.autoscalers, f"{CONFIG.word}/{config.name}")
    active = found.active
    template = without_hash(active.template)
    edited = template_hash(template, "") != template_hash(_plain(controller), "")
    running = with_deployer(template, controller, config.name) if edited else controller.template
    labels = dict(with_deployer(template, controller, config.name)["metadata"]["labels"])
    migration = Migration(
        to_deployment=False,
        selector=_selector(controller),
        labels=labels,
        deployment=manifests.deployment_as_it_is(target),
        replica_set=active.name,
        digest=found.digest,
        revision=found.revision,
        label_key=LABEL,
        autoscalers=aims(found.autoscalers),
        keep=True,
        config=Around(
            name=config.name,
            uid=config.uid,
            version=config.latest_version,
            was_paused=origin.was_paused,
            edited=edited,
        ),
    )
    refusals.refuse_overlap(migration, found.own | {controller.uid}, found.workloads)
    back_refusals.refuse_without_controller(pods.take(), f"{CONTROLLER.word}/{controller.name}")
    return Goal(
        name=controller.name,
        migration=migration,
        rollback=False,
        controller=_becoming(controller, running, active, migration),
        kept=controller.uid,
        planned=active,
        timeout=order.timeout,
        left=_left(config, last, edited=edited),
    )


def _plain(controller: Controller) -> Json:
    """What the pods of an emptied controller were of."""
    template = copy.deepcopy(without_deployer(controller.template))
    return without_hash(template)


def _selector(controller: Controller) -> dict[str, str]:
    """The one that it had, whether or not it has been emptied since."""
    return {key: text for key, text in controller.selector.items() if key != HASH_LABEL}


def _becoming(controller: Controller, template: Json, active: Controller, migration: Migration) -> Json:
    """The controller with nothing that matches it, and the record on it."""
    spec: Json = {"template": copy.deepcopy(template)}
    if active.min_ready_seconds:
        spec["minReadySeconds"] = active.min_ready_seconds
    marks: dict[str, str | int | None] = {
        record.MIGRATION: migration.encode(),
        record.EPOCH: 1,
        record.FORMAT: format_of(migration),
        record.SCALED_TO: active.replicas,
    }
    manifest = {
        "apiVersion": CONTROLLER.version,
        "kind": CONTROLLER.name,
        "metadata": {"name": controller.name},
        "spec": spec,
    }
    return unmatched(marked(manifest, marks), migration, controller.uid)


def _left(config: Config, last: Controller, *, edited: bool) -> tuple[str, ...]:
    if not configs.edited_since(config, last):
        return ()
    if edited:
        return ("its pod template was edited while it was paused: it gets the one that the pods run instead",)
    return ("its pod template was edited while it was paused: it rolls that out once it has its pods again",)


def controller_with_pods(cluster: Objects, name: str) -> str:
    """The name of the controller that has the pods of that DeploymentConfig, or the record of a migration of
    them. Raises ApiError and RefusedError."""
    controllers = [Controller.parse(raw) for raw in cluster.list_all(CONTROLLER)]
    for one in controllers:
        known = one.record.migration
        if known is not None and known.config is not None and known.config.name == name:
            return one.name
    config = _config(cluster, name)
    if config is None:
        raise config_refusals.not_found(name)
    return config_refusals.seen_of(config, rollouts(name, controllers)).name


def belongs_to(controller: Controller) -> str:
    """The DeploymentConfig of the controller, also after that was deleted in the middle of a migration."""
    known = controller.record.migration
    if known is not None and known.config is not None:
        return known.config.name
    return config_of(controller)


def as_of_config(order: Order, config: str) -> Order:
    """The order for one of its controllers as the one for the DeploymentConfig."""
    return replace(order, name=config, config=True)
