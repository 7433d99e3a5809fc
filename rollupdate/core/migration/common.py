"""What both directions of a migration share: which way it goes, the hold, the pods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rollupdate.advice import Advice, Kubectl, Resume
from rollupdate.core.migration import writes
from rollupdate.core.migration.scene import Place, Scene, size_of
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Write
from rollupdate.core.model.migration import HASH_LABEL, Migration
from rollupdate.core.model.template import differences
from rollupdate.core.phases import waiting
from rollupdate.core.phases.crossing import Crossing, cleaned
from rollupdate.core.phases.holding import MOST_HOLDS, POD_CREATED, awaited_proof
from rollupdate.core.phases.steps import Step, Stop, Wait, WriteObjects
from rollupdate.core.plan.refusals import taken_back, way_of
from rollupdate.counts import whole
from rollupdate.errors import StoppedError
from rollupdate.events import Arranged, EditLeft, Event
from rollupdate.objects import DEPLOYMENT, REPLICA_SET, Json


def write(before: Json | None, after: Json | None, *events: Event) -> WriteObjects:
    """One object: created (``before`` is None), deleted (``after`` is None) or changed."""
    return WriteObjects(writes=(Write(before, after),), events=events)


def arranged(act: str, obj: Json, *, pods: int = 0, other: str = "") -> Arranged:
    """The event of a write to ``obj``."""
    return Arranged(act, f"{obj['kind'].lower()}/{obj['metadata']['name']}", pods, other)


def edit_left(source: Controller | Deployment, target: Json, replica_set: Controller) -> tuple[Event, ...]:
    """What is told if ``source``, which goes or is left behind, has not the pod template that the pods have
    come along with. Labels apart: they tell whose pods they are."""
    edited = differences(source.template["spec"], replica_set.template["spec"], "spec")
    one, other = (f"{obj['kind'].lower()}/{obj['metadata']['name']}" for obj in (source.raw, target))
    return (EditLeft(one, other, tuple(edited[:5])),) if edited else ()


def size_passed_on(place: Place) -> Step | None:
    """A size that another client gives the controller, or what it belongs to, while that has no pods is meant
    for whatever has them: the Deployment, else the ReplicaSet. That one gets it first."""
    controller, config, replica_set = place.controller, place.config, place.replica_set
    if place.emptied and controller.replicas:
        after = writes.marked(writes.resized(controller.raw, 0), {record.SCALED_TO: controller.replicas})
        return _sized(place, controller.replicas) or write(controller.raw, after)
    arrived = place.migration.upwards and replica_set is not None and not replica_set.held
    if config is not None and config.emptied and config.replicas and (place.emptied or arrived):
        return _sized(place, config.replicas) or write(config.raw, writes.told_no_pods(config))
    return None


def _sized(place: Place, size: int) -> Step | None:
    """None once that is the size of whatever has the pods."""
    target, replica_set = place.deployment, place.replica_set
    if target is not None and place.is_ours(target):
        if target.replicas != size:
            return write(target.raw, writes.resized(target.raw, size))
    elif replica_set is not None and size_of(replica_set) != size:
        if replica_set.held:
            return write(replica_set.raw, writes.marked(replica_set.raw, {record.SCALED_TO: size}))
        return write(replica_set.raw, writes.resized(replica_set.raw, size))
    return None


# --- which way it goes ---


def fence(place: Place) -> Step | None:
    """The direction stands on the controller, and its number then on everything else that is written to: what
    a client of the direction before has under way is refused from then on."""
    goal, migration, controller = place.goal, place.migration, place.controller
    epoch = controller.record.epoch
    if migration.upwards != goal.upwards and not migration.why:
        if place.session.claimed:
            did = "is taking it back" if migration.undone else "resumed it"
            return Stop(error=StoppedError(f"another client {did}; stopping"))
        return turn(place, undone=goal.rollback)
    if place.session.closing:
        return None
    target = place.deployment
    marked = target is not None and (target.source_uid == controller.uid or epoch > 1)
    if target is not None and marked and place.is_ours(target) and target.epoch < epoch:
        return write(target.raw, writes.labelled(target.raw, place.label))
    for obj in _fenced_objects(place):
        if epoch_of(obj) < epoch:
            return write(obj, writes.marked(obj, {record.EPOCH: epoch}))
    return None


def turn(place: Place, *, undone: bool, why: str = "") -> Step:
    """From now on it goes the other way. ``why``: if it turns of itself."""
    turned = replace(place.migration, undone=undone, why=why)
    controller = place.controller
    after = writes.noted(controller, turned, controller.record.epoch + 1)
    return write(controller.raw, after, arranged("turned", controller.raw, other=why))


def epoch_of(obj: Json) -> int:
    """Of the direction in which a client has marked it; 0 if none has."""
    return whole((obj["metadata"].get("annotations") or {}).get(record.EPOCH)) or 0


def _fenced_objects(place: Place) -> Iterable[Json]:
    """In the first direction only what is marked from its birth: nobody can have written to the rest. After a
    turn everything that a client of the other direction may write to."""
    turned = place.controller.record.epoch > 1
    if place.replica_set is not None and (turned or place.owns(place.controller)):
        yield place.replica_set.raw
    if place.config is not None and (turned or epoch_of(place.config.raw)):
        yield place.config.raw
    for autoscaler in place.scene.autoscalers:
        known = autoscaler["metadata"]["name"] in place.migration.autoscalers
        if epoch_of(autoscaler) or (turned and known):
            yield autoscaler
    if turned:
        yield from (one.raw for one in place.scene.others)


def marked_sets(scene: Scene) -> list[Json]:
    """The ReplicaSets with marks of ours."""
    sets = (scene.replica_set, *scene.others)
    return [one.raw for one in sets if one is not None and (one.record.source_id or epoch_of(one.raw))]


def unmark(place: Place) -> Step | None:
    """The marks go off what stays, when only the last writes of all are left."""
    stay = marked_sets(place.scene)
    stay += [one for one in place.scene.autoscalers if epoch_of(one)]
    gone = [Write(one, writes.unmarked(one)) for one in stay]
    if place.config is not None and place.migration.keep and epoch_of(place.config.raw):
        gone.append(Write(place.config.raw, writes.left(place.config, place.migration.name)))
    return WriteObjects(writes=tuple(gone), closing=True) if gone else None


def give_up(place: Place, why: str) -> Step:
    """What was begun is taken back, if it has not turned round before."""
    if place.migration.undone or place.goal.rollback:
        return Stop(error=StoppedError(why, hint="nothing was restarted; the same command goes on"))
    return turn(place, undone=True, why=why)


def contested(place: Place) -> Step | None:
    """The same write was made again and again: the other client has its way."""
    name = place.session.contested
    if not name:
        return None
    if place.session.closing:
        return Stop(
            error=StoppedError(changed_back(name), hint="nothing was restarted; the same command goes on")
        )
    return give_up(place, changed_back(name))


def changed_back(name: str) -> str:
    return f"another client changes {name} back again and again"


# --- the Deployment ---


def at_rest(place: Place, target: Deployment) -> Step | None:
    """None once it is paused, and its controller has observed that: it makes no ReplicaSet from then on."""
    if not target.paused or not target.source_uid:
        after = writes.labelled(target.raw, place.label)
        after["spec"]["paused"] = True
        return write(target.raw, after, arranged("paused", target.raw))
    return None if target.observed else Wait(reason=f"{target.name} is to observe that it is paused")


def bare(place: Place) -> Step | None:
    """None once the Deployment, at rest, owns no ReplicaSet but perhaps that with the pods. Those that are
    empty go first: it would scale one of them up if it lost the last with pods."""
    others = place.scene.others
    empty = [one for one in others if not (one.replicas or one.current)]
    gone = tuple(Write(one.raw, None) for one in empty or others if not one.deleting)
    if gone:
        return WriteObjects(writes=gone)
    return Wait(reason="other replicasets are being deleted") if others else None


def awaited(target: Deployment, migration: Migration, replica_set: Controller | None) -> Wait | None:
    """None once the Deployment has all the pods, and as many of them are available as were when it began, or
    as it asks for if those are fewer: it is not the move that makes them available. Where nobody has noted
    how many were, the status of the ReplicaSet says it."""
    if not target.observed:
        return Wait(reason=f"{target.name} is not observed yet")
    known = migration.available
    if known is None:
        known = target.replicas if replica_set is None else replica_set.status_available
    owned = target.updated == target.replicas == target.current
    if owned and target.available >= min(known, target.replicas):
        return None
    reason = f"{target.available} of {target.replicas} pods of {target.name} are available"
    if replica_set is not None:
        reason += waiting.staying_words(replica_set)
    status = Kubectl(("rollout", "status", f"{DEPLOYMENT.word}/{target.name}"))
    return Wait(reason=reason, advice=Advice("they are the Deployment's by now; see: ", status))


# --- the hold ---


def held_again(place: Place, controller: Controller, replicas: int, *, again: int | None = None) -> Step:
    """``controller`` is held: another client has taken its hold off, or it is on the way back. ``again``:
    see :func:`writes.held`."""
    if place.session.holds >= MOST_HOLDS:
        return give_up(place, f"the priority class of {controller.name} is taken off again and again")
    after = writes.held(controller, replicas, again=again)
    return write(controller.raw, after, arranged("held", controller.raw))


def unproven(place: Place, replica_set: Controller) -> Step | None:
    """None once the manager was refused a pod of the ReplicaSet, which lacks one, for its class."""
    if not replica_set.observed:
        return waiting.unobserved(replica_set)
    if replica_set.proven:
        return None
    if replica_set.current >= replica_set.replicas:
        return give_up(place, POD_CREATED)
    found = awaited_proof(replica_set, place.session.unproven_since, place.now)
    return give_up(place, found) if isinstance(found, str) else found


# --- the pods ---


def crossing(place: Place, replica_set: Controller, *, up: bool) -> Crossing:
    """The pods on their way to or from the ReplicaSet."""
    controller = place.controller
    source, destination = (controller, replica_set) if up else (replica_set, controller)
    return Crossing(
        source=source,
        destination=destination,
        selector=label_selector(_common(place)),
        claims=(controller, replica_set),
        epoch=controller.record.epoch if controller.record.epoch > 1 else None,
        back=place.migration.undone,
        # Pods that the ReplicaSet has made have only its labels.
        labels={HASH_LABEL: place.migration.digest} if up else {**place.migration.selector, HASH_LABEL: None},
    )


def moved(place: Place, replica_set: Controller, *, up: bool) -> Step | None:
    """None once all of them have changed owners, and both controllers' status says so."""
    session = place.session
    if session.not_moved:
        return give_up(place, f"the pods of {place.controller.name} cannot be moved: {session.not_moved}")
    return crossing(place, replica_set, up=up).step(place.scene.pods, place.now, session.not_returned)


def pods_cleaned(place: Place, owner: Controller, other: Controller) -> Step | None:
    """None once no pod bears a trace of the move."""
    selector = label_selector(_common(place))
    return cleaned(owner, other, selector, place.scene.pods, back=place.migration.undone)


def _common(place: Place) -> dict[str, str]:
    """Labels that all of the pods have, before and after."""
    selector: dict[str, str] = place.migration.deployment["spec"]["selector"].get("matchLabels") or {}
    return selector


def owned(place: Place, replica_set: Controller) -> Step | None:
    """None once the ReplicaSet is the controller's: without an owner any Deployment would adopt it."""
    if place.owns(place.controller):
        return None
    if owner_uid(replica_set.raw) is not None:
        return taken(place, REPLICA_SET.word, replica_set.name)
    return write(replica_set.raw, taken_over(place, replica_set))


def taken_over(place: Place, replica_set: Controller) -> Json:
    """The ReplicaSet as the controller's, with our marks."""
    return writes.owned_by(replica_set, place.controller, writes.marked(replica_set.raw, place.marks))


def taken(place: Place, kind: str, name: str) -> Stop:
    """There is an object of another's under a name of ours."""
    names = way_of(place.migration, place.controller.name)
    return Stop(
        error=StoppedError(
            f'{kind} "{name}" exists and is none of this migration',
            hint=Advice(
                "once that one is gone: ",
                Resume(names),
                "\nto go back: ",
                taken_back(names),
            ),
        )
    )
