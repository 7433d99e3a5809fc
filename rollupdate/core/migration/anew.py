"""Another client has taken the record of a migration off the controller in the middle, or has deleted the
controller: either is made again, of what this client remembers or of what the other objects say.

Those bear marks until the end: the ReplicaSet names the controller, the Deployment has its uid as a label, a
hold is in a template, and an emptied controller has a selector of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollupdate.core.migration import manifests, writes
from rollupdate.core.migration.climbing import targets
from rollupdate.core.migration.common import arranged, epoch_of, write
from rollupdate.core.migration.scene import Goal, Scene, Session, size_of
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, owner_uid
from rollupdate.core.model.hold import class_of
from rollupdate.core.model.migration import DESIRED, HASH_LABEL, REVISION, Migration
from rollupdate.core.model.template import is_hash
from rollupdate.core.phases.steps import Step
from rollupdate.counts import whole
from rollupdate.objects import DEPLOYMENT, Json

_OF_DEPLOYMENTS = "deployment.kubernetes.io/"
"""What the annotations begin with that only a ReplicaSet of a Deployment has."""


def unfinished(scene: Scene) -> bool:
    """Whether a migration of the controller, which has no record of one, is not at its end."""
    controller, replica_set = scene.controller, scene.replica_set
    if controller is None:
        return False
    known = controller.record
    if known.newer or known.source_id or known.next_name or known.migration is not None:
        return False  # of an update, or not ours to read
    return (
        (controller.held and known.hold is None)
        or (writes.is_unmatched(controller) and not controller.migrated_to)
        or (replica_set is not None and _is_of(replica_set, controller))
        or (scene.deployment is not None and scene.deployment.source_uid == controller.uid)
        or (scene.config is not None and scene.config.stopped)
    )


def _is_of(replica_set: Controller, controller: Controller) -> bool:
    named = replica_set.record.source_id == controller.identity
    return named or owner_uid(replica_set.raw) == controller.uid


def noted_again(scene: Scene, goal: Goal, session: Session) -> Step | None:
    """None if the migration has come to its end."""
    controller, replica_set = scene.controller, scene.replica_set
    if controller is None or not (unfinished(scene) or _names_what_is_gone(scene, session)):
        return None
    migration = session.migration or goal.migration
    marks: dict[str, str | int | None] = {}
    if controller.held:
        marks[record.HOLD] = class_of((replica_set or controller).template)
    if writes.is_unmatched(controller) and controller.record.scaled_to is None:
        marks[record.SCALED_TO] = _size(scene)
    noted = writes.noted(controller, migration, _next_epoch(scene, session))
    return write(controller.raw, writes.marked(noted, marks), arranged("noted", controller.raw))


def _names_what_is_gone(scene: Scene, session: Session) -> bool:
    """On the way down an autoscaler still has the Deployment for its target."""
    known = session.migration
    if known is None or known.upwards or session.closing or scene.deployment is not None:
        return False
    mine = (one for one in scene.autoscalers if one["metadata"]["name"] in known.autoscalers)
    return any(targets(one, DEPLOYMENT.name, known.name) for one in mine)


def created_again(scene: Scene, goal: Goal, session: Session) -> Step:
    """The controller, which takes its ReplicaSet over: nobody owns that, or the Deployment does."""
    replica_set = scene.replica_set
    assert replica_set is not None, "it has the pods"
    migration = session.migration or goal.migration
    epoch = _next_epoch(scene, session)
    manifest = manifests.controller_again(goal.name, migration, replica_set, epoch, _size(scene))
    return write(None, manifest, arranged("created", manifest))


def _size(scene: Scene) -> int:
    """Of whatever has the pods, or is to get them."""
    replica_set = scene.replica_set
    if replica_set is None:
        return 0 if scene.deployment is None else scene.deployment.replicas
    wanted = whole((replica_set.raw["metadata"].get("annotations") or {}).get(DESIRED))
    if replica_set.held and replica_set.record.scaled_to is None and wanted is not None:
        return wanted  # its own size is that of its proof
    return size_of(replica_set)


def _next_epoch(scene: Scene, session: Session) -> int:
    """What another client of the migration has under way is refused from then on."""
    return 1 + max(session.epoch, last_epoch(scene))


def last_epoch(scene: Scene) -> int:
    """Of the marks on the other objects."""
    known = [scene.replica_set, scene.config, *scene.others]
    marked = [epoch_of(one.raw) for one in known if one is not None]
    return max([0 if scene.deployment is None else scene.deployment.epoch, *marked])


# --- what the other objects say ---


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Of a migration without a record: what the command says of it."""

    to_deployment: bool
    rollback: bool
    deployment: str
    """The name of the Deployment."""
    label_key: str
    keep: bool


def rebuilt(scene: Scene, asked: Asked, autoscalers: dict[str, Json]) -> Migration:
    """What stood on the controller, as far as it can be known. ``scene``: controller or ReplicaSet are there.
    ``autoscalers``: by name, what each has as its target."""
    source = scene.controller or scene.replica_set
    assert source is not None, "there is something to go on with"
    selector, labels = (
        {key: text for key, text in of.items() if key != HASH_LABEL}
        for of in (source.selector, source.labels)
    )
    key = asked.label_key if is_hash(selector.get(asked.label_key)) else ""
    target, replica_set = scene.deployment, scene.replica_set
    if target is None:
        bare = replace(source, selector=selector)
        carries = _without_owner_marks(source) if scene.controller is None else None
        deployment = manifests.deployment_of(bare, asked.deployment, {}, key, carries)
    else:
        deployment = manifests.deployment_as_it_is(target)
        if target.source_uid:  # the pause is the migration's
            deployment["spec"].pop("paused", None)
    digest = "" if replica_set is None else replica_set.labels.get(HASH_LABEL, "")
    digest = digest or manifests.digest_of(writes.without_hash(source.template), key)
    name = manifests.name_of(asked.deployment, digest) if replica_set is None else replica_set.name
    said = {} if replica_set is None else replica_set.raw["metadata"].get("annotations") or {}
    return Migration(
        to_deployment=asked.to_deployment,
        undone=asked.rollback,
        selector=selector,
        labels=labels,
        deployment=deployment,
        replica_set=name,
        digest=digest,
        revision=whole(said.get(REVISION)) or 1,
        label_key=key,
        autoscalers=autoscalers,
        keep=asked.keep,
    )


def _without_owner_marks(replica_set: Controller) -> Json:
    """The metadata of the ReplicaSet that is not its own: a Deployment copies its annotations there."""
    carries = manifests.carried(replica_set.raw["metadata"], but=_OF_DEPLOYMENTS)
    carries["labels"] = {key: text for key, text in carries.get("labels", {}).items() if key != HASH_LABEL}
    return carries
