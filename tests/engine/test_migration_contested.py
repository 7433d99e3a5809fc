"""Another client sets something back as soon as a move has changed it, each time: the move has an end."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from rollupdate.core.model import record
from rollupdate.engine.order import Order
from rollupdate.errors import StoppedError
from rollupdate.objects import CONFIG, CONTROLLER, Kind
from rollupdate.objects import DEPLOYMENT as DEPLOYMENT_KIND
from testing.objects import Json
from tests.engine import configs, test_config_migration
from tests.engine.configs import DCS
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up
from tests.engine.test_config_carried import refused
from tests.engine.test_migration import arrived, plain
from tests.engine.test_migration_kept import AUTOSCALER
from tests.engine.ways_out import pasted

Made = Callable[[], Migrations]
RC, DEPLOYMENT, HPA = "replicationcontrollers", "deployments", "horizontalpodautoscalers"
MANY = 60
"""Writes: more than a move needs there and back, and eight of one kind in both directions."""


def scaled() -> Migrations:
    world = Migrations()
    world.sandbox.create(AUTOSCALER)
    return world


def set_back(world: Migrations, kind: str, name: str, spec: Json) -> None:
    """As soon as it is otherwise."""
    for found in world.sandbox.objects(kind, "default"):
        known = {key: found["spec"].get(key) for key in spec}
        if found["metadata"]["name"] == name and known != spec:
            world.sandbox.patch(kind, "default", name, {"spec": spec})


@pytest.mark.parametrize(
    ("made", "order", "kind", "name", "spec"),
    [
        (scaled, up(), HPA, "web", AUTOSCALER["spec"]),
        (plain, up(), RC, NAME, {"replicas": 3}),
        (plain, up(), DEPLOYMENT, NAME, {"paused": None}),
        (plain, up(), DEPLOYMENT, NAME, {"paused": True}),
        (arrived, down(), DEPLOYMENT, NAME, {"paused": None}),
        (test_config_migration.plain, configs.up(), DCS, NAME, {"replicas": 3}),
        (test_config_migration.plain, configs.up(), RC, "web-1", {"replicas": 3}),
        (test_config_migration.arrived, configs.down(), DCS, NAME, {"replicas": 3}),
        (test_config_migration.arrived, configs.down(), DEPLOYMENT, NAME, {"paused": None}),
    ],
    ids=[
        "autoscaler",
        "size",
        "unpaused",
        "paused",
        "unpaused-down",
        "config",
        "size-of-rollout",
        "config-down",
        "unpaused-config-down",
    ],
)
def test_what_is_set_back_each_time(made: Made, order: Order, kind: str, name: str, spec: Json) -> None:
    """It is taken back; if that is set back as well, it stops. No pod is lost, and it comes to an end."""
    world = made()
    cluster = SandboxCluster(world.sandbox)

    def after(_: int) -> None:
        assert cluster.writes < MANY
        set_back(world, kind, name, spec)

    cluster.after = after
    stopped = False
    try:
        world.run_on(cluster, order)
    except StoppedError:
        stopped = True
    named = f"{kind.removesuffix('s')}/{name}"
    assert world.outcome.why == f"another client changes {named} back again and again"
    world.assert_kept()
    if stopped:  # once nobody does that any more
        world.run(replace(order, rollback=True))
        world.assert_kept()
    assert not any(record.MIGRATION in str(one["metadata"]) for one in world.controllers().values())


def scaled_object(world: Migrations, target: Json) -> None:
    """As KEDA makes its autoscaler."""
    found = copy.deepcopy(AUTOSCALER)
    found["spec"]["scaleTargetRef"] = target
    owner = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "web", "uid": "1"}
    found["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    world.sandbox.create(found)


def marked(world: Migrations, target: Json) -> None:
    found = copy.deepcopy(AUTOSCALER)
    found["spec"]["scaleTargetRef"] = target
    found["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "shop"}
    world.sandbox.create(found)


@pytest.mark.parametrize(
    ("governed", "says", "way"),
    [
        (scaled_object, 'belongs to ScaledObject "web"', "delete scaledobject.keda.sh/web"),
        (
            marked,
            "is managed by Argo CD",
            "annotate horizontalpodautoscaler/web argocd.argoproj.io/tracking-id-",
        ),
    ],
)
@pytest.mark.parametrize(
    ("made", "order", "kind", "goal"),
    [
        (plain, up(), CONTROLLER, "deployment/web"),
        (arrived, down(), DEPLOYMENT_KIND, "replicationcontroller/web"),
        (test_config_migration.plain, configs.up(), CONFIG, "deployment/web"),
        (test_config_migration.arrived, configs.down(), DEPLOYMENT_KIND, "deploymentconfig/web"),
    ],
    ids=["up", "down", "up-config", "down-config"],
)
def test_an_autoscaler_that_another_sets_back(
    made: Made,
    order: Order,
    kind: Kind,
    goal: str,
    governed: Callable[[Migrations, Json], None],
    says: str,
    way: str,
) -> None:
    """It is refused beforehand, with what to change."""
    world = made()
    governed(world, {"apiVersion": kind.version, "kind": kind.name, "name": NAME})
    error = refused(world, order)
    undo = f"which would undo that it names {goal}; nothing was changed"
    assert error.message == f'horizontalpodautoscaler "web" {says}, {undo}'
    assert pasted(world, error) == [f"kubectl {way}"]
    world.run(order)
    world.assert_kept()
