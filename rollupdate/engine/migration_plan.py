"""What a migration begins with: what is there, whether it may be begun, and the record of it.

Three waves of requests, in each of them all at the same time: the rights and the two objects that are named;
what might be in the way of it; what the server would make of the objects that will be created.
"""

from __future__ import annotations

from functools import partial

from rollupdate.advice import Setting
from rollupdate.ahead import Ahead
from rollupdate.core.migration import back_refusals, manifests, refusals
from rollupdate.core.migration.scene import Goal
from rollupdate.core.migration.writes import become, without_hash
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.migration import Migration
from rollupdate.core.model.template import is_hash
from rollupdate.core.plan.refusals import migrating, refuse_gone_on
from rollupdate.engine import config_plan
from rollupdate.engine.migration import history, listed
from rollupdate.engine.order import Arrived, Kept, Order
from rollupdate.engine.ports import Objects
from rollupdate.engine.rights import refuse_missing
from rollupdate.engine.surroundings import Asked, AskedFirst, Leaving, aims, autoscalers, selected
from rollupdate.engine.to_deployment import Source, to_deployment
from rollupdate.engine.unrecorded import unrecorded
from rollupdate.errors import ApiError, RefusedError
from rollupdate.objects import CONTROLLER, DEPLOYMENT, Json, kind_of
from rollupdate.rights import MIGRATION, POINT, needed


def plan(cluster: Objects, order: Order, *, ask: bool = True) -> Goal | Arrived | Kept:
    """Raises RefusedError, and ClusterError. Nothing is changed. ``ask``: the server, whether all this may be
    done, and for a dry run of what is to be created."""
    if order.config:
        return config_plan.plan(cluster, order, ask=ask)
    rights = Ahead(partial(refuse_missing, cluster, needed(MIGRATION) if ask else ()))
    named = (
        Ahead(partial(cluster.find, CONTROLLER, order.controller)),
        Ahead(partial(cluster.find, DEPLOYMENT, order.deployment)),
    )
    try:
        controller = named[0].take()
    except ApiError:
        rights.take()  # all that is missing is to be named, not this alone
        raise
    config = "" if controller is None else config_plan.belongs_to(Controller.parse(controller))
    if config and order.to_deployment:  # it says whose it is, and what that needs is asked for there
        return config_plan.plan(cluster, config_plan.as_of_config(order, config), ask=ask)
    rights.take()
    target = named[1].take()
    goal: Goal | Arrived | None
    try:
        goal = _found(cluster, order, controller, target, ask=ask)
        if isinstance(goal, Arrived):
            goal = unrecorded(cluster, order, controller, target) or goal
    except (RefusedError, ApiError) as error:
        if isinstance(error, ApiError) and not error.is_not_found:
            raise
        goal = unrecorded(cluster, order, controller, target)
        if goal is None:
            raise
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
        another = begun.to_deployment != order.to_deployment or begun.name != order.deployment
        if another or (order.rollback and controller.deleting):  # nothing goes back to that
            raise migrating(begun, controller)
        if not order.rollback:
            refusals.refuse_other_flags(begun, controller.name, order.keep, order.spec)
        return Goal(
            name=controller.name,
            migration=begun,
            rollback=order.rollback,
            timeout=order.timeout,
        )
    refusals.refuse_deleting(raw_target)
    if target is not None and target.source_uid:
        refusals.refuse_unfinished(target, map(Controller.parse, cluster.list_all(CONTROLLER)))
    arrived = _arrived(order, controller, target)
    back = _back(order)
    if order.rollback:
        raise refusals.not_in_progress(order.name, back if arrived else None)
    if arrived is not None:
        found_as, source = kind_of(arrived), CONTROLLER if order.to_deployment else DEPLOYMENT
        return Arrived(
            obj=arrived,
            scaled=bool(autoscalers(cluster, found_as, arrived["metadata"]["name"])),
            source=f"{source.qualified}/{order.name}",
            back=back,
        )
    refusals.refuse_deleting(raw)
    if order.to_deployment:
        if controller is None:
            raise ApiError(404, "NotFound", f'replicationcontrollers "{order.name}" not found')
        if controller.migrated_to and cluster.find(DEPLOYMENT, controller.migrated_to) is None:
            refuse_gone_on(controller, map(Controller.parse, cluster.list_all(CONTROLLER)))
            raise refusals.lost(controller)
        return to_deployment(cluster, order, _source(cluster, order, controller), target, ask=ask)
    if target is None:
        raise ApiError(404, "NotFound", f'deployments.apps "{order.name}" not found')
    return _to_controller(cluster, order, controller, target, ask=ask)


def _back(order: Order) -> tuple[str, ...]:
    """The command of the other direction, from the end."""
    further = () if order.ends_as == order.name else (order.name,)
    named = f"{DEPLOYMENT.word}/{order.ends_as}" if order.to_deployment else order.ends_as
    kind = CONTROLLER if order.to_deployment else DEPLOYMENT
    return (named, *further, f"{Setting.TO}={kind.word}")


def _arrived(order: Order, controller: Controller | None, target: Deployment | None) -> Json | None:
    if order.to_deployment:
        made_from = (target.migrated_from or "").partition(":")[0] if target else ""
        gone = controller is None or (target is not None and controller.identity == target.migrated_from)
        return target.raw if target and gone and made_from == order.name else None
    made_from = "" if controller is None else controller.migrated_from.partition(":")[0]
    return controller.raw if controller and target is None and made_from == order.name else None


# --- to a Deployment ---


def _source(cluster: Objects, order: Order, controller: Controller) -> Source:
    key = order.label_key if is_hash(controller.selector.get(order.label_key)) else ""
    return Source(
        controller=controller,
        home=(CONTROLLER, controller.name),
        raw=controller.raw,
        template=controller.template,
        label_key=key,
        deployment=manifests.deployment_of(controller, order.deployment, order.spec, key),
        revisions=partial(history, cluster, controller),
    )


# --- to a controller ---


def _refuse_not_kept(controller: Controller, target: Deployment) -> None:
    """It gets the pods again only if they have come from it, and it has none."""
    if controller.identity != target.migrated_from or not controller.record.empty:
        refusals.refuse_taken(
            CONTROLLER.word, controller.name, f"{DEPLOYMENT.word}/{target.name}", controller.name
        )
    refusals.refuse_owned(controller)
    back_refusals.refuse_pods_of_its_own(controller, CONTROLLER, controller.name)


def _to_controller(
    cluster: Objects, order: Order, controller: Controller | None, target: Deployment, *, ask: bool
) -> Goal:
    if not order.manifest_only:
        refusals.refuse_managed("deployment", target.raw)
    refusals.refuse_controlled(target.raw)
    config_plan.refuse_from_config(cluster, target)
    back_refusals.refuse_expressions(target)
    if controller is None:
        refusals.refuse_name(CONTROLLER, order.controller)
    else:
        _refuse_not_kept(controller, target)
    controllers = Ahead(partial(listed, cluster, CONTROLLER))
    pods = selected(cluster, target.selector)
    found = Leaving.of(cluster, target)
    if not order.manifest_only:
        refusals.refuse_autoscalers(found.autoscalers, f"{CONTROLLER.word}/{order.controller}")
    active = found.active
    labels = dict(without_hash(active.template)["metadata"]["labels"])
    migration = Migration(
        to_deployment=False,
        selector=target.selector,
        labels=labels,
        deployment=manifests.deployment_as_it_is(target),
        replica_set=active.name,
        digest=found.digest,
        revision=found.revision,
        label_key="" if order.label_key in labels else order.label_key,
        autoscalers=aims(found.autoscalers),
        keep=controller is not None,
    )
    owners = found.own | ({controller.uid} if controller else set())
    refusals.refuse_overlap(migration, owners, [*controllers.take(), *found.workloads])
    back_refusals.refuse_without_controller(pods.take(), f"{CONTROLLER.word}/{order.controller}")
    manifest = manifests.controller(order.controller, target, active, migration)
    if ask and controller is None:
        Asked(cluster, manifest).refuse_mutated()
    elif ask and controller is not None:
        AskedFirst(cluster, controller, become(controller, manifest)).refuse()
    return Goal(
        name=order.controller,
        migration=migration,
        rollback=False,
        controller=manifest,
        kept=None if controller is None else controller.uid,
        planned=active,
        timeout=order.timeout,
    )
