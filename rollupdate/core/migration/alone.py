"""The controller is not there any more: this client has come to its end, or another one has deleted it. What
has the pods says what is left to do."""

from __future__ import annotations

from rollupdate.advice import Advice, Kubectl, pods_with
from rollupdate.core.migration import anew, writes
from rollupdate.core.migration.common import arranged, awaited, marked_sets, write
from rollupdate.core.migration.scene import Goal, Scene, Session
from rollupdate.core.model.controller import label_selector, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Write
from rollupdate.core.model.migration import Migration
from rollupdate.core.phases.steps import Step, Stop, Wait, WriteObjects
from rollupdate.errors import StoppedError
from rollupdate.events import Migrated
from rollupdate.objects import CONFIG, CONTROLLER, DEPLOYMENT, REPLICA_SET


def step(scene: Scene, goal: Goal, session: Session) -> Step | None:
    """None if it is there, or nothing is left to do."""
    if scene.controller is not None:
        return None
    migration = session.migration or goal.migration
    target, replica_set = scene.deployment, scene.replica_set
    owner = None if replica_set is None else owner_uid(replica_set.raw)
    if migration.upwards and session.closing and target is None:
        return _arrived_and_deleted(scene, migration)
    if migration.upwards and target is not None and owner == target.uid:
        return _finished_without(scene, goal, migration, target)
    if migration.upwards and target is not None and not target.source_uid:
        return None  # it has come to its end, and was rolled out since
    if replica_set is None:
        return Stop(error=_nothing_left(goal, migration, target))
    if owner is None and target is not None and target.source_uid:
        return Wait(reason=f"{target.name} is to get {REPLICA_SET.word}/{replica_set.name}")
    if owner is not None and (target is None or owner != target.uid):
        return Wait(reason=f"{REPLICA_SET.word}/{replica_set.name} is to go with {goal.name}")
    if migration.config is not None:
        return Stop(error=_cut_off(goal, migration, replica_set.name))
    return anew.created_again(scene, goal, session)


def _finished_without(scene: Scene, goal: Goal, migration: Migration, target: Deployment) -> Step | None:
    """The Deployment has the pods: the migration comes to its end all the same."""
    stay = marked_sets(scene)
    if not target.source_uid and not stay:
        return None
    held = [one for one in scene.others if one.held]
    if held:
        return WriteObjects(writes=tuple(Write(one.raw, writes.shown(one)) for one in held))
    if target.paused and target.source_uid and not migration.deployment["spec"].get("paused"):
        return write(target.raw, writes.unpaused(target), arranged("unpaused", target.raw))
    wait = None if target.paused else awaited(target, migration, scene.replica_set)
    if wait is not None:
        return wait
    if stay:
        return WriteObjects(writes=tuple(Write(one, writes.unmarked(one)) for one in stay))
    told = Migrated(
        f"{migration.home.qualified}/{migration.home_of(goal.name)}",
        f"{DEPLOYMENT.qualified}/{target.name}",
        migration.come_along(target.replicas),
        migration.undone,
    )
    return write(target.raw, writes.labelled(target.raw, None), told)


def _arrived_and_deleted(scene: Scene, migration: Migration) -> Stop:
    """Another client has deleted the Deployment as soon as it had the pods."""
    replica_set, name = scene.replica_set, migration.name
    gone = f'{DEPLOYMENT.word} "{name}" had the pods, and was deleted by another client'
    if replica_set is None or owner_uid(replica_set.raw) is not None:
        return Stop(
            error=StoppedError(f"{gone}, with them", hint="to run them again, create it from its file")
        )
    named = f"{REPLICA_SET.word}/{replica_set.name}"
    hint = Advice(
        f"{named} still has them; a Deployment of that selector and template gets it; to delete them: ",
        Kubectl(("delete", named)),
    )
    return Stop(error=StoppedError(gone, hint=hint))


def _nothing_left(goal: Goal, migration: Migration, target: Deployment | None) -> StoppedError:
    """No ReplicaSet is there that could have pods."""
    gone = f'{CONTROLLER.word} "{goal.name}" was deleted by another client'
    if target is not None and target.source_uid:
        resume = Kubectl(("rollout", "resume", f"{DEPLOYMENT.word}/{target.name}"))
        return StoppedError(
            f"{gone}, and its pods with it",
            hint=Advice(f"for new ones of deployment/{target.name}: ", resume),
        )
    selecting = label_selector(migration.selector)
    return StoppedError(
        gone,
        hint=Advice(
            "created from its file it makes pods again, and gets those that were left behind; see: ",
            pods_with(selecting),
        ),
    )


def _cut_off(goal: Goal, migration: Migration, replica_set: str) -> StoppedError:
    """Only its DeploymentConfig could make a controller of its own again."""
    assert migration.config is not None
    named = f"{REPLICA_SET.word}/{replica_set}"
    return StoppedError(
        f'{CONTROLLER.word} "{goal.name}" was deleted by another client; {named} has its pods, held: '
        "one that dies is not replaced",
        hint=Advice(
            f"roll {CONFIG.word}/{migration.config.name} out for new pods, then delete these: ",
            Kubectl(("delete", named)),
        ),
    )
