"""Towards the Deployment: the rungs upwards, in their order (see the package)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rollupdate.core.migration import manifests, writes
from rollupdate.core.migration.common import (
    arranged,
    at_rest,
    awaited,
    bare,
    edit_left,
    give_up,
    held_again,
    moved,
    owned,
    pods_cleaned,
    size_passed_on,
    taken,
    unmark,
    unproven,
    write,
)
from rollupdate.core.migration.rolling import pods_of_its_own, stopped_half_way
from rollupdate.core.migration.scene import LastWrite, Place, Rule, size_of
from rollupdate.core.migration.standing import empty_config, gone_with, pause_config
from rollupdate.core.model import record
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Write
from rollupdate.core.model.migration import DESIRED, MOST, REVISION
from rollupdate.core.model.template import differences, template_hash
from rollupdate.core.phases import waiting
from rollupdate.core.phases.steps import Move, Step, Wait, WriteObjects
from rollupdate.events import Event, Migrated
from rollupdate.objects import DEPLOYMENT, Json


def park_autoscalers(place: Place) -> Step | None:
    """An autoscaler that names the controller, or what that belongs to, names the Deployment, which does not
    exist yet: it rests."""
    kind, named_so = place.home
    named = [one for one in place.scene.autoscalers if targets(one, kind.name, named_so)]
    for autoscaler in named:
        name = autoscaler["metadata"]["name"]
        if name not in place.migration.autoscalers:
            known = {**place.migration.autoscalers, name: autoscaler["spec"]["scaleTargetRef"]}
            noted = replace(place.migration, autoscalers=known)
            after = writes.noted(place.controller, noted, place.controller.record.epoch)
            return write(place.controller.raw, after)
        marks = {record.EPOCH: place.controller.record.epoch}
        after = writes.marked(writes.pointed(autoscaler, place, upwards=True), marks)
        told = arranged("pointed", autoscaler, other=f"{DEPLOYMENT.word}/{place.migration.name}")
        return write(autoscaler, after, told)
    return None


def finish_live(place: Place) -> Step | None:
    """The Deployment is live and has the pods: nothing else may be written to but what is left of the
    migration. One that another client has unpaused before is not there yet (:func:`hand_over`)."""
    target = place.deployment
    if target is None or target.paused or not place.is_ours(target):
        return None
    if place.replica_set is not None and not place.owns(target):
        return None
    return _finish(place, target)


def create_replica_set(place: Place) -> Step | None:
    if place.replica_set is not None:
        return None
    if not place.emptied:
        controller = place.controller  # held it does not get the pods that it lacks
        if not (controller.observed if controller.held else controller.settled):
            return waiting.unobserved(controller)
        digest = manifests.digest_of(place.template, place.migration.label_key)
        if place.migration.to_deployment and digest != place.migration.digest:
            # The pods are not of what it says by now, and what they are of was not kept anywhere.
            return give_up(place, f"the pod template of {place.controller.name} was edited meanwhile")
    manifest = manifests.replica_set(place)
    return write(None, manifest, arranged("created", manifest))


def move_pods(place: Place) -> Step | None:
    """Rungs 1 to 3: both are held, the pods move, and the ReplicaSet is live."""
    controller, replica_set = place.controller, place.replica_set
    assert replica_set is not None, "it was created before"
    if place.emptied:
        return _live(place, size_of(replica_set)) if replica_set.held else None
    step = owned(place, replica_set)
    if step is not None:
        return step
    if replica_set.held:
        step = _both_held(place)
    elif controller.held and controller.observed and not controller.current:
        if place.session.moved is not None:
            return None  # it is live since this run has seen that they are over
        step = None  # it is live: they are over, unless a list says otherwise
    else:
        step = _hold_again(place)
    step = step or moved(place, replica_set, up=True)
    if isinstance(step, Move) and not replica_set.held:
        return _hold_again(place)
    if step is None and replica_set.held:
        return _live(place, controller.replicas)
    return step


def _hold_again(place: Place) -> Step:
    """Another client has taken the ReplicaSet's hold off, and it has made pods: it is to keep all that it has
    and gets, until it is live and only those too many go, the youngest first."""
    replica_set = place.replica_set
    assert replica_set is not None
    return held_again(place, replica_set, max(1, replica_set.current + place.controller.current))


def _both_held(place: Place) -> Step | None:
    controller, replica_set = place.controller, place.replica_set
    assert replica_set is not None
    if not controller.held and (not replica_set.current or replica_set.replicas == 1):
        # Else it has got pods already, and the controller's hold was taken off since.
        step = unproven(place, replica_set)
        if step is not None:
            return step
    if replica_set.replicas < controller.replicas:
        after = writes.held(replica_set, controller.replicas)
        return write(replica_set.raw, after)
    if not controller.held:
        if not controller.observed:
            return waiting.unobserved(controller)
        return held_again(place, controller, controller.replicas)
    return None


def _live(place: Place, replicas: int) -> Step:
    replica_set = place.replica_set
    assert replica_set is not None
    told = arranged("moved", replica_set.raw, pods=replica_set.current, other=place.controller.name)
    return write(replica_set.raw, writes.live(replica_set, replicas), told)


def empty_controller(place: Place) -> Step | None:
    """Its size is the last that counts: what another client has set meanwhile goes along."""
    controller, replica_set = place.controller, place.replica_set
    if place.emptied:
        return None
    assert replica_set is not None
    if place.migration.config is None and replica_set.replicas != controller.replicas:
        return write(replica_set.raw, writes.live(replica_set, controller.replicas))
    counts = place.session.moved
    moved = replace(place.migration, moved=replica_set.current if counts is None else counts)
    after = writes.marked(
        writes.emptied(controller, moved, replica_set.replicas), {record.MIGRATION: moved.encode()}
    )
    return write(controller.raw, after, arranged("emptied", controller.raw))


def create_deployment(place: Place) -> Step | None:
    target, replica_set = place.deployment, place.replica_set
    assert replica_set is not None
    if target is not None:
        return None if place.is_ours(target) else taken(place, DEPLOYMENT.word, target.name)
    if not replica_set.observed:
        return waiting.unobserved(replica_set)
    manifest = manifests.deployment(place, replica_set.replicas, replica_set.template)
    return write(None, manifest, arranged("created", manifest))


def hand_over(place: Place) -> Step | None:
    """The ReplicaSet, with its pods, gets the Deployment as its owner in one write. What a Deployment that
    another client has unpaused made before goes first: of two ReplicaSets of one template it might take its
    own for the newest, and replace the pods."""
    target, replica_set = place.deployment, place.replica_set
    assert target is not None
    assert replica_set is not None
    if place.owns(target):
        return None
    if target.generation > 1 or place.scene.others:  # else nobody has unpaused it since it was created
        step = at_rest(place, target) or bare(place)
        if step is not None:
            return step
    size = str(target.replicas)
    spec = place.migration.deployment["spec"]
    most = str(target.replicas + manifests.surge(spec, target.replicas))
    obj = writes.marked(writes.unmarked(replica_set.raw), {DESIRED: size, MOST: most})
    after = writes.owned_by(replica_set, target, obj)
    told = arranged("handed over", replica_set.raw, other=f"{DEPLOYMENT.word}/{target.name}")
    return write(replica_set.raw, after, told)


def prove(place: Place) -> Step | None:
    """The Deployment counts the pods as pods of its own template, so it will restart none of them."""
    target, replica_set = place.deployment, place.replica_set
    assert target is not None
    assert replica_set is not None
    differs = differences(target.template, writes.without_hash(replica_set.template))
    if differs:
        return give_up(
            place,
            f'the server gives deployment "{target.name}" another pod template than replicaset '
            f'"{replica_set.name}" ({", ".join(differs[:5])})',
        )
    found = target.revision == (replica_set.raw["metadata"].get("annotations") or {}).get(REVISION)
    if target.observed and found and target.updated == replica_set.current:
        return None
    return Wait(reason=f"{target.name} is to count the pods of {replica_set.name} as its own")


def create_history(place: Place) -> Step | None:
    """Older revisions, each held at first, so that one that comes late cannot make a pod."""
    known = {one.name: one for one in place.scene.others}
    # Those that a way back has not come to delete are there under the names of the Deployment's controller.
    there = [writes.without_hash(one.template) for one in place.scene.others if not one.held]
    digests = {template_hash(template, place.migration.label_key) for template in there}
    wanted = [
        one
        for one in manifests.history(place)
        if one["metadata"]["name"] in known or manifests.hash_of_set(one, place.migration) not in digests
    ]
    missing = tuple(Write(None, one) for one in wanted if one["metadata"]["name"] not in known)
    if missing:
        return WriteObjects(writes=missing)
    held = [known[one["metadata"]["name"]] for one in wanted if known[one["metadata"]["name"]].held]
    if held:
        return WriteObjects(writes=tuple(Write(one.raw, writes.shown(one)) for one in held))
    return None


def unpause(place: Place) -> Step | None:
    target = place.deployment
    assert target is not None
    if not target.paused or place.migration.deployment["spec"].get("paused"):
        return _finish(place, target)
    return write(target.raw, writes.unpaused(target), arranged("unpaused", target.raw))


def _finish(place: Place, target: Deployment) -> Step:
    replica_set, controller = place.replica_set, place.controller
    wait = None if target.paused else awaited(target, place.migration, replica_set)
    if wait is not None:
        return wait
    if replica_set is not None:
        step = pods_cleaned(place, replica_set, controller)
        if step is not None:
            return step
    if target.source_uid:
        return WriteObjects(writes=(Write(target.raw, writes.labelled(target.raw, None)),), closing=True)
    step = unmark(place)
    if step is not None:
        return step
    told: list[Event] = []
    if replica_set is not None:
        told += edit_left(controller, target.raw, replica_set)
    kind, name = place.home
    told.append(
        Migrated(
            f"{kind.qualified}/{name}",
            f"{DEPLOYMENT.qualified}/{target.name}",
            place.migration.come_along(0 if replica_set is None else replica_set.current),
            place.migration.undone,
        )
    )
    if place.config is None and gone_with(place):
        return Wait(reason=f"{controller.name} is to go with {name}")
    if place.migration.keep or (place.migration.config is not None and place.config is None):
        after = writes.marked(writes.unmarked(controller.raw), {record.MIGRATED_TO: target.name})
        return _last(controller.raw, after, told)
    if place.config is not None:
        return _last(place.config.raw, None, told)  # its controllers go with it
    return _last(controller.raw, None, told)


def _last(before: Json, after: Json | None, told: list[Event]) -> LastWrite:
    return LastWrite(writes=(Write(before, after),), events=tuple(told))


def targets(autoscaler: Json, kind: str, name: str) -> bool:
    """Whether that is its target."""
    reference: Mapping[str, object] = (autoscaler.get("spec") or {}).get("scaleTargetRef") or {}
    return (reference.get("kind"), reference.get("name")) == (kind, name)


RULES: tuple[Rule, ...] = (
    pause_config,
    size_passed_on,
    park_autoscalers,
    finish_live,
    stopped_half_way,
    pods_of_its_own,
    create_replica_set,
    move_pods,
    empty_config,
    empty_controller,
    create_deployment,
    hand_over,
    prove,
    create_history,
    unpause,
)
"""The order is the safety argument: nothing that may make or delete a pod is live beside another one."""
