"""Towards the controller: the rungs downwards, in their order (see the package)."""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core.migration import manifests, writes
from rollupdate.core.migration.climbing import targets
from rollupdate.core.migration.common import (
    arranged,
    at_rest,
    bare,
    crossing,
    edit_left,
    epoch_of,
    held_again,
    moved,
    owned,
    pods_cleaned,
    size_passed_on,
    taken_over,
    unproven,
    write,
)
from rollupdate.core.migration.rolling import not_its_pods
from rollupdate.core.migration.scene import Place, Rule, size_of
from rollupdate.core.migration.standing import fill_config, pause_config, restore_config
from rollupdate.core.model import record
from rollupdate.core.model.belonging import Belongings
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Write, carried_over
from rollupdate.core.phases import holding, waiting
from rollupdate.core.phases.crossing import listed, seen_of
from rollupdate.core.phases.steps import ListPods, Step, WriteObjects
from rollupdate.events import Event, Migrated
from rollupdate.objects import CONTROLLER, DEPLOYMENT


def pause_deployment(place: Place) -> Step | None:
    target = _target(place)
    if target is None:
        return None
    return at_rest(place, target)


def keep_history(place: Place) -> Step | None:
    """What the Deployment can be rolled back to the controller can be rolled back to as well."""
    if _target(place) is None or place.migration.to_deployment:
        return None
    wanted = tuple(manifests.revisions_of(place))
    missing = carried_over(place.scene.revisions, wanted, place.controller)
    return WriteObjects(writes=missing) if missing else None


def delete_history(place: Place) -> Step | None:
    """Before the Deployment loses its active ReplicaSet: paused and without one it would scale up another."""
    target = _target(place)
    if target is None:
        return None
    return bare(place)


def hand_back(place: Place) -> Step | None:
    """The ReplicaSet, with its pods, gets the controller as its owner in one write."""
    target, replica_set = _target(place), place.replica_set
    if target is None or replica_set is None or not place.owns(target):
        return None
    if place.has_its_pods and not replica_set.current:
        return None  # a client of the other direction has created it when there was nothing left for it
    after = taken_over(place, replica_set)
    told = arranged("handed over", replica_set.raw, other=f"{CONTROLLER.word}/{place.controller.name}")
    return write(replica_set.raw, after, told)


def delete_deployment(place: Place) -> Step | None:
    """What another client has made of it until then: its size goes along, an edit is told. Finalizers that
    it has got from what stays are still there, and nobody would take them off it."""
    target, replica_set = _target(place), place.replica_set
    if target is None:
        return None
    home = place.controller.raw if place.config is None else place.config.raw
    held_by, stays = (Belongings.of(obj["metadata"]) for obj in (target.raw, home))
    if set(held_by.finalizers) & set(stays.finalizers):
        return write(target.raw, writes.without_finalizers(target.raw, stays.finalizers))
    told: tuple[Event, ...] = ()
    if replica_set is None and place.emptied and size_of(place.controller) != target.replicas:
        after = writes.marked(place.controller.raw, {record.SCALED_TO: target.replicas})
        return write(place.controller.raw, after)
    if replica_set is not None and place.owns(place.controller) and not replica_set.held:
        if replica_set.replicas != target.replicas:
            return write(replica_set.raw, writes.resized(replica_set.raw, target.replicas))
        told = edit_left(target, place.controller.raw, replica_set)
    return write(target.raw, None, *told, arranged("deleted", target.raw))


def hold_replica_set(place: Place) -> Step | None:
    """It lacks one pod then, which is refused: the proof."""
    controller, replica_set = place.controller, place.replica_set
    if replica_set is None or place.has_its_pods:
        return None
    step = owned(place, replica_set)
    if step is not None:
        return step
    if not replica_set.held:
        step = holding.failing(replica_set)
        if step is None and not replica_set.observed:
            step = waiting.unobserved(replica_set)
        lacking = max(replica_set.replicas, replica_set.current) + 1
        return step or held_again(place, replica_set, lacking, again=size_of(replica_set))
    if not place.emptied and controller.held:
        return None  # it was proved before
    return unproven(place, replica_set)


def move_back(place: Place) -> Step | None:
    """Rungs 3 to 1: the controller is held with its own selector, gets the pods, and is live. If another
    client has deleted the ReplicaSet with them, it makes as many anew."""
    controller, replica_set = place.controller, place.replica_set
    if place.emptied:
        if not controller.observed or controller.current:
            return waiting.unobserved(controller)  # pods that another client's size has made are to go first
        after = writes.respecified(controller, place.migration, size_of(replica_set or controller))
        return write(controller.raw, after, arranged("held", controller.raw))
    if not controller.held:
        return None
    step = fill_config(place)
    if step is not None:
        return step
    if replica_set is not None:
        step = moved(place, replica_set, up=False)
        if step is not None:
            return step
    elif not controller.observed:
        return waiting.unobserved(controller)  # of pods that were left behind it adopts those that match
    told = arranged("moved", controller.raw, pods=controller.current, other=place.migration.replica_set)
    if replica_set is None:
        told = arranged("restored", controller.raw)
    counts = replace(place.migration, moved=controller.current)
    after = writes.marked(writes.live(controller, controller.replicas), {record.MIGRATION: counts.encode()})
    return write(controller.raw, after, told)


def delete_replica_set(place: Place) -> Step | None:
    """It has no pod, and a list made since says so."""
    controller, replica_set = place.controller, place.replica_set
    if replica_set is None:
        return None
    way = crossing(place, replica_set, up=False)
    pods, seen = listed(place.scene.pods, way.selector), seen_of(controller, replica_set)
    if pods is None or pods.missed or pods.seen != seen:
        return ListPods(selector=way.selector, seen=seen)
    if not replica_set.observed:
        return waiting.unobserved(replica_set)
    # Those that never were the controller's it has made itself, as its hold did not hold: they go with it.
    came = [pod for pod in pods.of(replica_set.uid) if pod.names(controller.uid)]
    if came or (pods.of(replica_set.uid) and not place.migration.to_deployment):
        return held_again(place, controller, controller.replicas)  # another client has taken its hold off
    step = pods_cleaned(place, controller, replica_set)
    if step is not None:
        return step
    if replica_set.current != pods.active(replica_set.uid):
        return waiting.unobserved(replica_set)
    return write(replica_set.raw, None, arranged("deleted", replica_set.raw))


def end(place: Place) -> Step:
    """The autoscalers name the controller, or what that belongs to, again; our annotations are off it."""
    controller, migration = place.controller, place.migration
    kind, name = place.home
    for autoscaler in place.scene.autoscalers:
        known = autoscaler["metadata"]["name"] in migration.autoscalers
        if epoch_of(autoscaler) or (known and targets(autoscaler, DEPLOYMENT.name, migration.name)):
            after = writes.marked(writes.pointed(autoscaler, place, upwards=False), {record.EPOCH: None})
            told = arranged("pointed", autoscaler, other=f"{kind.word}/{name}")
            return replace(write(autoscaler, after, told), closing=True)
    done = Migrated(
        f"{DEPLOYMENT.qualified}/{migration.name}",
        f"{kind.qualified}/{name}",
        migration.come_along(controller.replicas),
        migration.undone,
    )
    if migration.config is not None and place.scene.revisions and not migration.to_deployment:
        # They were kept for a way back from here; from now on its rollouts are its history.
        kept = tuple(Write(one.raw, None) for one in place.scene.revisions if one.raw is not None)
        return WriteObjects(writes=kept, closing=True)
    return write(controller.raw, writes.unmarked(controller.raw), done)


def _target(place: Place) -> Deployment | None:
    """The Deployment, if it is ours; another one of its name is nothing to a way back."""
    target = place.deployment
    return target if target is not None and place.is_ours(target) else None


RULES: tuple[Rule, ...] = (
    pause_config,
    size_passed_on,
    not_its_pods,
    pause_deployment,
    keep_history,
    delete_history,
    hand_back,
    delete_deployment,
    hold_replica_set,
    move_back,
    delete_replica_set,
    restore_config,
    end,
)
"""The order is the safety argument, as on the way up."""
