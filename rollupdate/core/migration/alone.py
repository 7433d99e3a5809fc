"""The controller was deleted by another client once the Deployment had the pods: the migration comes to its
end all the same, by what this client remembers of it."""

from __future__ import annotations

from rollupdate.advice import Advice, Kubectl
from rollupdate.core.migration import writes
from rollupdate.core.migration.common import arranged, marked_sets, write
from rollupdate.core.migration.scene import Goal, Scene
from rollupdate.core.model.controller import owner_uid
from rollupdate.core.model.history import Write
from rollupdate.core.phases.steps import Step, Stop, Wait, WriteObjects
from rollupdate.errors import StoppedError
from rollupdate.events import Migrated
from rollupdate.objects import DEPLOYMENT


def step(scene: Scene, goal: Goal) -> Step | None:
    """None where nothing is left of it."""
    target, replica_set, migration = scene.deployment, scene.replica_set, goal.migration
    if scene.controller is not None or not goal.upwards or not migration.to_deployment:
        return None
    gone = f'replicationcontroller "{goal.name}" was deleted by another client, and its pods with it'
    if target is None:
        return Stop(error=StoppedError(gone, hint="to run them again, create it from its file"))
    if not target.source_uid or (target.migrated_from or "").partition(":")[0] != goal.name:
        return None
    if replica_set is None or owner_uid(replica_set.raw) != target.uid:
        hint = Advice(
            f"for new ones of deployment/{target.name}: ",
            Kubectl(("rollout", "resume", f"{DEPLOYMENT.word}/{target.name}")),
        )
        return Stop(error=StoppedError(gone, hint=hint))
    held = [one for one in scene.others if one.held]
    if held:
        return WriteObjects(writes=tuple(Write(one.raw, writes.shown(one)) for one in held))
    if target.paused and not migration.deployment["spec"].get("paused"):
        return write(target.raw, writes.unpaused(target), arranged("unpaused", target.raw))
    if not target.paused and not target.complete:
        return Wait(reason=f"{target.available} of {target.replicas} pods of {target.name} are available")
    stay = marked_sets(scene)
    if stay:
        return WriteObjects(writes=tuple(Write(one, writes.unmarked(one)) for one in stay))
    told = Migrated(
        f"{migration.home.qualified}/{migration.home_of(goal.name)}",
        f"{DEPLOYMENT.qualified}/{target.name}",
        migration.come_along(target.replicas),
        migration.undone,
    )
    return write(target.raw, writes.labelled(target.raw, None), told)
