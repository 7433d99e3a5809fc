"""The next step of a migration: one pure decision, made anew from what is there."""

from __future__ import annotations

from dataclasses import replace

from rollupdate.advice import Advice, DeleteController
from rollupdate.core.migration import alone, anew, climbing, descending
from rollupdate.core.migration.common import arranged, changed_back, contested, fence, write
from rollupdate.core.migration.rolling import makes_pods
from rollupdate.core.migration.scene import Ended, Goal, Place, Scene, Session
from rollupdate.core.migration.writes import become, is_unmatched, noted
from rollupdate.core.model.belonging import Belongings
from rollupdate.core.model.controller import Controller, owner_uid
from rollupdate.core.model.leaving import deleted, let_go
from rollupdate.core.phases import waiting
from rollupdate.core.phases.steps import Step, Stop, Wait
from rollupdate.core.plan.refusals import changed_meanwhile
from rollupdate.errors import RefusedError, StoppedError


def decide(scene: Scene, goal: Goal, session: Session, now: float) -> Step:
    """The next step. Pure and total: every state of the cluster has an answer."""
    step = _next(scene, goal, session, now)
    if isinstance(step, Wait) and goal.timeout and session.idle(now) >= goal.timeout:
        why = f"timed out waiting for any progress: {step.reason}"
        return Stop(error=StoppedError(why, hint=step.advice))
    return step


def _next(scene: Scene, goal: Goal, session: Session, now: float) -> Step:
    controller = scene.controller
    for one in (controller, scene.replica_set):
        if one is not None and one.deleting:
            command = let_go(one)
            advice = None if command is None else Advice("to take them off, if nothing needs them: ", command)
            return Wait(reason=deleted(one), advice=advice)
    if scene.deployment is not None and scene.deployment.deleting:
        # What is handed over to it would go with it.
        holding = Belongings.of(scene.deployment.raw["metadata"]).holding
        return Wait(reason=f"deployment/{scene.deployment.name} is being deleted{holding}")
    migration = None if controller is None else controller.record.migration
    if controller is None or migration is None:
        return _without_record(scene, goal, session)
    place = Place(scene, controller, migration, goal, session, now)
    step = contested(place) or fence(place)
    if step is not None:
        return step
    for rule in climbing.RULES if migration.upwards else descending.RULES:
        step = rule(place)
        if step is not None:
            return step
    raise AssertionError("the last rule always has a step")


def _without_record(scene: Scene, goal: Goal, session: Session) -> Step:
    controller = scene.controller
    if session.contested:
        return Stop(error=StoppedError(changed_back(session.contested)))
    if session.begun or goal.found or anew.unfinished(scene):
        return (
            _came_too_late(scene, session)
            or alone.step(scene, goal, session)
            or anew.noted_again(scene, goal, session)
            or _ended(scene, goal, session)
        )
    if not _is_planned(scene.replica_set if goal.controller else controller, goal.planned):
        return Stop(error=changed_meanwhile(goal.name))
    if controller is None:
        if goal.controller is None:
            text = f'replicationcontroller "{goal.name}" not found; nothing was changed'
            return Stop(error=RefusedError(text))
        return write(None, goal.controller, arranged("created", goal.controller))
    if not controller.record.empty or (goal.controller is not None and goal.kept != controller.uid):
        return Stop(error=changed_meanwhile(controller.name))
    if goal.controller is not None:
        return write(controller.raw, become(controller, goal.controller))
    begun = replace(goal.migration, available=controller.status_available)
    return write(controller.raw, noted(controller, begun, 1))


def _is_planned(source: Controller | None, planned: Controller | None) -> bool:
    """Whether what has the pods is still what it was, its size apart."""
    return planned is None or (
        source is not None
        and source.uid == planned.uid
        and source.selector == planned.selector
        and source.labels == planned.labels
        and source.fingerprint == planned.fingerprint
    )


def _came_too_late(scene: Scene, session: Session) -> Step | None:
    """A creation is conditional on nothing: what we have created when another client had come to the end of
    the way back already goes again. It has no pods, and the controller has all of them."""
    controller, replica_set, target = scene.controller, scene.replica_set, scene.deployment
    upwards = session.migration is not None and session.migration.upwards
    if controller is None or not upwards or controller.held or is_unmatched(controller):
        return None
    if target is not None and target.source_uid == controller.uid and target.paused and not target.current:
        owner = None if replica_set is None else owner_uid(replica_set.raw)
        return None if owner == target.uid else write(target.raw, None)
    ours = replica_set is not None and replica_set.record.source_id == controller.identity
    if replica_set is not None and ours and replica_set.held and not replica_set.current:
        return write(replica_set.raw, None) if controller.settled else waiting.unobserved(controller)
    return None


def _ended(scene: Scene, goal: Goal, session: Session) -> Step:
    """Our last write, or another client's, has been made."""
    controller, target = scene.controller, scene.deployment
    upwards = (session.migration or goal.migration).upwards
    if upwards:
        if target is not None and (controller is None or not controller.replicas):
            return Ended(events=session.parting)
        if target is not None and controller is not None and not target.source_uid:
            hint = Advice("if they are not needed: ", DeleteController(controller.name))
            return Stop(error=StoppedError(makes_pods(controller, target), hint=hint))
    elif controller is not None and controller.selector == goal.migration.selector:
        return Ended()
    did = "took it back" if upwards else "went on with it"
    return Stop(error=StoppedError(f"another client {did}; stopping"))
