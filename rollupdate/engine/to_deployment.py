"""What a way to a Deployment begins with, whatever the controller belongs to: all that might be in the way of
it, and the record of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from rollupdate.ahead import Ahead
from rollupdate.core.migration import manifests, refusals
from rollupdate.core.migration.scene import Goal, Place, Scene, Session
from rollupdate.core.migration.writes import noted
from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Revision
from rollupdate.core.model.hold import class_of, with_class
from rollupdate.core.model.migration import Around, Migration
from rollupdate.core.plan.refusals import refuse_migrated
from rollupdate.engine.order import Order
from rollupdate.engine.ports import Objects
from rollupdate.engine.surroundings import Asked, AskedFirst, aims, autoscalers, of_apps, selecting_pods
from rollupdate.objects import CONTROLLER, DEPLOYMENT, REPLICA_SET, Json, Kind


@dataclass(frozen=True, kw_only=True)
class Source:
    """What has the pods now."""

    controller: Controller
    home: tuple[Kind, str]
    """Kind and name of what users have."""
    raw: Json
    """That object."""
    template: Json
    """The controller's, without what a deployer has added."""
    label_key: str
    """Of the label that tells its pods apart; empty if none does."""
    deployment: Json
    """That it is to be, without template and size."""
    revisions: Callable[[], tuple[Revision, ...]]
    config: Around | None = None
    left: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """As a command has it, in which a name alone is a ReplicationController's."""
        kind, name = self.home
        return name if kind is CONTROLLER else f"{kind.word}/{name}"


def to_deployment(
    cluster: Objects, order: Order, source: Source, target: Deployment | None, *, ask: bool
) -> Goal:
    """Raises RefusedError."""
    controller, key, deployment = source.controller, source.label_key, source.deployment
    kind, home = source.home
    wanted = label_selector(deployment["spec"]["selector"]["matchLabels"])
    digest = manifests.digest_of(source.template, key)
    name = manifests.name_of(order.deployment, digest)
    listing = Ahead(partial(cluster.list_all, CONTROLLER))
    apps = of_apps(cluster)
    scalers = Ahead(partial(autoscalers, cluster, kind, home))
    revisions = Ahead(source.revisions)
    taken = Ahead(partial(cluster.find, REPLICA_SET, name))
    referring = selecting_pods(cluster)
    listed_pods = Ahead(partial(cluster.list_pods, wanted, identity_only=True))
    controllers = listing.take()
    refusals.refuse_deleting(controller.raw)
    refusals.refuse_name(DEPLOYMENT, order.deployment)
    parsed = [Controller.parse(raw) for raw in controllers]
    refuse_migrated(controller, parsed)
    refusals.refuse_updating(controller, parsed)
    if source.config is None:
        refusals.refuse_owned(controller)
    scaling = scalers.take()
    if not order.manifest_only:
        refusals.refuse_autoscalers(scaling, f"{DEPLOYMENT.word}/{order.deployment}")
        refusals.refuse_managed("rc" if kind is CONTROLLER else kind.word, source.raw)
    refusals.refuse_unsettled(controller)
    refusals.refuse_selector(controller, key)
    migration = Migration(
        to_deployment=True,
        selector=controller.selector,
        labels=controller.labels,
        deployment=deployment,
        replica_set=name,
        digest=digest,
        revision=1,
        label_key=key,
        autoscalers=aims(scaling),
        keep=order.keeps,
        config=source.config,
    )
    migration = manifests.renumbered(migration, revisions.take(), source.template)
    found = chain.from_iterable(look.take() for look in referring)
    refusals.refuse_selecting(found, controller.labels, key, controller.name, DEPLOYMENT)
    workloads = chain.from_iterable(look.take() for look in apps)
    refusals.refuse_overlap(migration, frozenset({controller.uid}), [*controllers, *workloads])
    if taken.take() is not None:
        refusals.refuse_taken(REPLICA_SET.word, name, source.named, order.deployment)
    if target is not None:
        refusals.refuse_taken(DEPLOYMENT.word, target.name, source.named, order.deployment)
    refusals.refuse_others_pods(
        listed_pods.take(), frozenset({controller.uid}), f"deployment/{order.deployment}"
    )
    goal = Goal(
        name=controller.name,
        migration=migration,
        rollback=False,
        planned=controller,
        timeout=order.timeout,
        left=source.left,
    )
    if ask:
        _ask(cluster, goal, controller)
    return goal


def _ask(cluster: Objects, goal: Goal, controller: Controller) -> None:
    """The server is asked for the first write, for what will be created, and whether it leaves the pod
    templates as they are."""
    first = noted(controller, goal.migration, 1)
    asked_first = AskedFirst(cluster, controller, first)
    begun = Controller.parse(first)
    scene = Scene(controller=begun)
    place = Place(scene, begun, goal.migration, goal, Session(progress_at=0), 0)
    replica_set = manifests.replica_set(place)
    template = with_class(replica_set["spec"]["template"], class_of(controller.template))
    deployment = manifests.deployment(place, controller.replicas, template)
    named_first = (deployment, replica_set)  # by the user: what is wrong with the name is said of that one
    for ask in [Asked(cluster, manifest) for manifest in named_first]:
        ask.refuse_mutated()
    asked_first.refuse()
