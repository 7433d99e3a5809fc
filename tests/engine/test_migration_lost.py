"""Another client deletes the ReplicaSet with the pods in the middle: whichever way it goes, there are as many
again in the end, and nothing is left of the move."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollupdate.engine.order import Order
from rollupdate.events import Migrated
from testing.sandbox.objects import controller_of
from tests.engine import configs, test_config_migration
from tests.engine.configs import OURS, Configs
from tests.engine.migrations import SIZE, Migrations, down, up
from tests.engine.test_migration import arrived, plain

Made = Callable[[], Migrations]
Ordered = Callable[..., Order]
WAYS = pytest.mark.parametrize(
    ("made", "ordered"),
    [
        (plain, up),
        (arrived, down),
        (test_config_migration.plain, configs.up),
        (test_config_migration.arrived, configs.down),
    ],
    ids=["up", "down", "up-config", "down-config"],
)


def deleted(world: Migrations, *, deployment: bool) -> bool:
    """Whether there was something."""
    found = [("Deployment", name) for name in world.deployments()] if deployment else []
    found += [("ReplicaSet", name) for name in world.replica_sets()]
    for kind, name in found:
        if kind == "Deployment" or name in world.replica_sets():
            world.sandbox.delete(kind, "default", name, "Background")
    world.sandbox.settle()
    world.sandbox.advance(60)
    return bool(found)


def assert_ended(world: Migrations, order: Order) -> None:
    world.sandbox.settle()
    world.sandbox.advance(60)
    to_deployment = order.to_deployment != order.rollback
    sets, controllers = list(world.replica_sets().values()), list(world.controllers().values())
    for one in (*sets, *controllers, *world.deployments().values()):
        assert not set(one["metadata"].get("annotations") or {}) & OURS
    assert bool(world.deployments()) == bool(world.replica_sets()) == to_deployment
    if isinstance(world, Configs):
        spec = world.config()["spec"]
        assert (spec["replicas"], bool(spec.get("paused"))) == ((0, True) if to_deployment else (SIZE, False))
    (owner,) = (one for one in (sets if to_deployment else controllers) if one["spec"]["replicas"])
    pods = world.active_pods()
    assert len(pods) == SIZE
    assert {(controller_of(pod) or {}).get("uid") for pod in pods} == {owner["metadata"]["uid"]}


@WAYS
@pytest.mark.parametrize("deployment", [False, True], ids=["replicaset", "both"])
@pytest.mark.parametrize("rollback", [False, True], ids=["same", "rollback"])
def test_there_are_as_many_pods_again(made: Made, ordered: Ordered, deployment: bool, rollback: bool) -> None:
    order, write, tried = ordered(rollback=rollback), 0, 0
    while (write := write + 1) < 60:
        world = made()
        world.events.clear()
        if not world.killed_at(ordered(), write, before=False) or not world.controllers():
            break
        live = any(not one["spec"].get("paused") for one in world.deployments().values())
        if live or not deleted(world, deployment=deployment):
            continue  # one that is live has new pods at once
        lost = world.before - world.names()
        world.run(order)
        assert_ended(world, order)
        if order.to_deployment == rollback:
            *_, end = (event for event in world.events if isinstance(event, Migrated))
            assert end.pods <= SIZE - len(lost)
        tried += 1
    assert tried
