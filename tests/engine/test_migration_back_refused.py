"""What is refused of a way back because of the Deployment itself, before anything is written."""

from __future__ import annotations

from rollupdate.engine.order import Order
from testing.objects import Json
from tests.engine.migrations import SIZE, Migrations
from tests.engine.test_config_carried import refused
from tests.engine.test_migration_refused import BACK, Made
from tests.engine.ways_out import commands_of


def without_room(world: Migrations) -> str:
    """A quota has room for one pod less than there are, and one has died. The name of the ReplicaSet."""
    quota: Json = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": str(SIZE - 1)}}}
    world.sandbox.create({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    world.sandbox.delete("Pod", "default", min(world.names()))
    world.sandbox.settle()
    world.sandbox.advance(60)
    assert len(world.active_pods()) == SIZE - 1
    (name,) = world.replica_sets()
    return name


@BACK
def test_a_deployment_that_has_not_its_pods(made: Made, order: Order) -> None:
    """It would wait for them in the middle, with a Deployment that is gone already."""
    world = made()
    active = without_room(world)
    error = refused(world, order)
    assert error.message == f'replicaset "{active}" has 2 pods and wants 3; nothing was changed'
    assert commands_of(error) == [f"kubectl describe replicaset {active}"]
    world.sandbox.delete("ResourceQuota", "default", "few")
    world.sandbox.settle()
    world.sandbox.advance(600)
    world.watched_from_now()
    world.run(order)
    world.assert_kept()
