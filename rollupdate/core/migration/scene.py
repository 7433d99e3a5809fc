"""What a migration looks at: its objects as last observed, and what this client remembers of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rollupdate.core.model import record
from rollupdate.core.model.config import Config, without_deployer
from rollupdate.core.model.controller import Controller, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Revision
from rollupdate.core.model.migration import Migration
from rollupdate.core.phases.readiness import NONE_STAYS, Staying
from rollupdate.core.phases.steps import PodList, Step, WriteObjects
from rollupdate.events import Event
from rollupdate.objects import Json, Kind


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a run is to reach."""

    name: str
    """Of the ReplicationController."""
    migration: Migration
    """As it is to be begun. Once one has begun, what stands on the controller counts."""
    rollback: bool
    controller: Json | None = None
    """The controller to create, where the pods are to come from a Deployment."""
    kept: str | None = None
    """The uid of the controller that is there, without pods, and is to become that one."""
    planned: Controller | None = None
    """What has the pods, as it was when this was planned; None if it is in progress already."""
    timeout: float = 300.0
    """Seconds without any progress after which it stops; 0 waits for ever."""
    left: tuple[str, ...] = ()
    """What has no counterpart, in sentences."""

    @property
    def upwards(self) -> bool:
        """Whether the pods are to go to the Deployment."""
        return self.migration.to_deployment != self.rollback

    @property
    def found(self) -> bool:
        """It is in progress already."""
        return self.planned is None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The objects of one migration. None and empty: it does not exist."""

    controller: Controller | None
    replica_set: Controller | None = None
    deployment: Deployment | None = None
    others: tuple[Controller, ...] = ()
    """Further ReplicaSets that the Deployment owns."""
    autoscalers: tuple[Json, ...] = ()
    revisions: tuple[Revision, ...] = ()
    """The history of the controller."""
    pods: PodList | None = None
    """As last listed."""
    config: Config | None = None
    """The DeploymentConfig around the controller, unless it is being deleted."""
    rollouts: tuple[Controller, ...] = ()
    """Its controllers, by version."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """What this client remembers of its own run. Times are clock seconds."""

    progress_at: float
    claimed: bool = False
    """The direction on the cluster was seen to be ours."""
    migration: Migration | None = None
    """As seen on the controller last; None if it was not seen there."""
    epoch: int = 0
    """Of its direction then."""
    closing: bool = False
    """This client has begun to take the marks off."""
    unproven_since: float | None = None
    """Since when a hold was observed that nothing has proved yet."""
    not_moved: str = ""
    """Why the server refuses, for good, to move pods to their new owner."""
    not_returned: str = ""
    """The same of moving them back."""
    moved: int | None = None
    """How many pods this client has seen change owners, once all of them had."""
    parting: tuple[Event, ...] = ()
    """Of the last write, which was made: to be told at the end."""
    holds: int = 0
    """How often this client has held or paused something."""
    contested: str = ""
    """What another client changes back each time: KIND/NAME; empty while nobody does."""
    best: tuple[int, ...] = ()
    """The furthest that the counts have come, each taken alone: progress is what beats it."""

    staying: Staying = NONE_STAYS
    """Pods of the ReplicaSet that are ready, and only have to stay so."""

    def idle(self, now: float) -> float:
        """Seconds without anything under way."""
        return now - self.staying.idle_since(self.progress_at, now)

    @property
    def begun(self) -> bool:
        return self.migration is not None

    @property
    def turned(self) -> str:
        """Why it goes back of itself; empty if it does not."""
        return "" if self.migration is None else self.migration.why


def size_of(controller: Controller) -> int:
    """What it is to have once it makes pods: for its proof a ReplicaSet is held at one more, and a controller
    that has given its pods away says how many they were."""
    known = controller.record.scaled_to
    return controller.replicas if known is None else known


@dataclass(frozen=True)
class Place:
    """Where a migration is: all that a rule looks at. Controller and record are there."""

    scene: Scene
    controller: Controller
    migration: Migration
    goal: Goal
    session: Session
    now: float
    """Clock seconds."""

    @property
    def replica_set(self) -> Controller | None:
        return self.scene.replica_set

    @property
    def deployment(self) -> Deployment | None:
        return self.scene.deployment

    @property
    def config(self) -> Config | None:
        """The DeploymentConfig that it began with, if that is still there."""
        found, known = self.scene.config, self.migration.config
        return found if found is not None and known is not None and found.uid == known.uid else None

    @property
    def home(self) -> tuple[Kind, str]:
        """Kind and name of what users have in the place of the Deployment."""
        return self.migration.home, self.migration.home_of(self.controller.name)

    @property
    def template(self) -> Json:
        """The controller's, without what a deployer has added."""
        template = self.controller.template
        return template if self.migration.config is None else without_deployer(template)

    @property
    def emptied(self) -> bool:
        """The controller wants no pod, and none matches its selector."""
        return self.controller.selector != self.migration.selector

    @property
    def has_its_pods(self) -> bool:
        """The controller is live, with its own selector: on the way down the ReplicaSet is only to be
        deleted."""
        return not self.emptied and not self.controller.held

    @property
    def marks(self) -> dict[str, str | int | None]:
        """What stands on every object that is written to, but on the controller and the Deployment."""
        return {record.SOURCE_ID: self.controller.identity, record.EPOCH: self.controller.record.epoch}

    @property
    def label(self) -> str:
        """What stands on the Deployment."""
        return f"{self.controller.uid}.{self.controller.record.epoch}"

    def owns(self, owner: Controller | Deployment) -> bool:
        """Whether the ReplicaSet is the ``owner``'s."""
        return self.replica_set is not None and owner_uid(self.replica_set.raw) == owner.uid

    def is_ours(self, deployment: Deployment) -> bool:
        """Whether it is the Deployment of this migration, and none of the same name."""
        return (
            deployment.source_uid == self.controller.uid
            or deployment.uid == self.migration.deployment["metadata"].get("uid")
            or deployment.migrated_from == self.controller.identity
            or self.owns(deployment)
        )


@dataclass(frozen=True, kw_only=True)
class LastWrite(WriteObjects):
    """Its events are those of the end: told once what it deletes has gone, which finalizers may hold."""


@dataclass(frozen=True, kw_only=True)
class Ended(Step):
    """It has come to its end."""


Rule = Callable[[Place], Step | None]


def observed(session: Session, scene: Scene, goal: Goal, now: float) -> Session:
    """What the client remembers of a look."""
    controller, replica_set, deployment = scene.controller, scene.replica_set, scene.deployment
    migration = controller.record.migration if controller is not None else None
    waits = replica_set is not None and replica_set.held and replica_set.observed and not replica_set.proven
    counts = tuple(
        count
        for one in (controller, replica_set)
        for count in ((one.ready, one.status_available) if one else (0, 0))
    )
    counts += (deployment.updated, deployment.available) if deployment else (0, 0)
    best = tuple(max(pair) for pair in zip(counts, session.best or counts, strict=True))
    beaten = bool(session.best) and best != session.best
    since = session.unproven_since
    return replace(
        session,
        migration=session.migration if migration is None else migration,
        epoch=session.epoch if controller is None or migration is None else controller.record.epoch,
        claimed=session.claimed or (migration is not None and migration.upwards == goal.upwards),
        unproven_since=(now if since is None else since) if waits else None,
        best=best,
        staying=session.staying
        if replica_set is None
        else session.staying.observe(replica_set, (replica_set,), now),
        progress_at=now if beaten else session.progress_at,
    )
