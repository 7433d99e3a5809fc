"""Another client rolls the Deployment out in the middle of a move, or has the controller make pods: there are
pods then that the move is not of. Looked at before anything is written, so that nothing is left half way."""

from __future__ import annotations

from rollupdate.advice import Advice, Kubectl, Resume
from rollupdate.core.migration import writes
from rollupdate.core.migration.common import turn
from rollupdate.core.migration.scene import Place
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases.steps import Step, Stop
from rollupdate.core.plan.refusals import taken_back, way_back, way_of
from rollupdate.errors import StoppedError
from rollupdate.objects import CONTROLLER, DEPLOYMENT


def stopped_half_way(place: Place) -> Step | None:
    """On the way up: it was paused in a rollout. A live one comes to the end of it."""
    target = place.deployment
    if target is None or not target.paused or not _has_others(place, target):
        return None
    return Stop(
        error=StoppedError(
            f"{DEPLOYMENT.word}/{target.name} is paused in the middle of a rollout",
            hint=Advice("let it go on, then run the command again: ", _resume(target)),
        )
    )


def pods_of_its_own(place: Place) -> Step | None:
    """On the way up: another client has replaced the controller, which has no pods, by one that has made some
    beside those of the Deployment. On the way back they are the surplus: the youngest go."""
    target = place.deployment
    if target is None or not place.owns(target) or not place.has_its_pods:
        return None
    hint = Advice("to go back: ", taken_back(way_of(place.migration, place.controller.name)))
    return Stop(error=StoppedError(makes_pods(place.controller, target), hint=hint))


def makes_pods(controller: Controller, target: Deployment) -> str:
    """What is said of a controller that is live beside the Deployment."""
    return (
        f"another client replaced {CONTROLLER.word}/{controller.name} meanwhile: it makes pods of its own "
        f"beside those of {DEPLOYMENT.word}/{target.name}"
    )


def not_its_pods(place: Place) -> Step | None:
    """On the way down: the Deployment keeps its pods, whatever they are of."""
    target, replica_set = place.deployment, place.replica_set
    if target is None or not place.is_ours(target) or place.has_its_pods:
        return None
    begun = not target.paused and (
        replica_set is None or (place.owns(target) and _is_edited(target, replica_set))
    )
    if not begun and not _has_others(place, target):
        return None
    why = f"{DEPLOYMENT.word}/{target.name} was rolled out by another client meanwhile"
    if not place.migration.to_deployment:
        return turn(place, undone=True, why=why)
    on, back = (way(place.migration, place.controller.name) for way in (way_of, way_back))
    let_go = ("let that go on: ", _resume(target), "\n") if target.paused else ()
    return Stop(
        error=StoppedError(
            why,
            hint=Advice(*let_go, "to go on: ", Resume(on), "\nthen back, with its new pods: ", Resume(back)),
        )
    )


def _has_others(place: Place, target: Deployment) -> bool:
    """Pods in ReplicaSets of its own, beside that of the move, which is its own as well or no more."""
    if not place.is_ours(target) or (place.replica_set is not None and not place.owns(target)):
        return False
    return any(one.replicas or one.current for one in place.scene.others)


def _is_edited(target: Deployment, replica_set: Controller) -> bool:
    """As the refusals of the way back compare them."""
    return template_hash(target.template, "") != template_hash(writes.without_hash(replica_set.template), "")


def _resume(target: Deployment) -> Kubectl:
    return Kubectl(("rollout", "resume", f"{DEPLOYMENT.word}/{target.name}"))
