"""What is refused of a way back because of the Deployment itself, before anything is written."""

from __future__ import annotations

from rollupdate.engine.order import Order
from testing.objects import Json
from tests.engine import configs
from tests.engine.migrations import NAME, SIZE, Migrations
from tests.engine.test_config_carried import refused
from tests.engine.test_migration_refused import BACK, DEPLOYMENT, Made
from tests.engine.ways_out import commands_of

SHOP: Json = {"apiVersion": "example.com/v1", "kind": "Shop", "name": "books", "uid": "7", "controller": True}


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


@BACK
def test_a_deployment_that_something_controls(made: Made, order: Order) -> None:
    """It would make it again beside what the pods have gone to."""
    world = made()
    world.sandbox.patch(DEPLOYMENT, "default", NAME, {"metadata": {"ownerReferences": [SHOP]}})
    error = refused(world, order)
    assert error.message.startswith('deployment "web" belongs to Shop "books", which would undo this; ')
    assert str(error.advice) == 'it is Shop "books" that must be changed instead'
    free: Json = {"metadata": {"ownerReferences": [{**SHOP, "controller": False}]}}
    world.sandbox.patch(DEPLOYMENT, "default", NAME, free)
    world.run(order)
    world.assert_kept()


def test_a_config_that_something_controls_by_now() -> None:
    """It is given back by a write, which its owner would undo."""
    world = configs.Configs()
    world.run(configs.up())
    world.watched_from_now()
    world.patch({"metadata": {"ownerReferences": [SHOP]}})
    error = refused(world, configs.down())
    assert error.message.startswith('deploymentconfig "web" belongs to Shop "books", which would undo this; ')
    world.patch({"metadata": {"ownerReferences": None}})
    world.run(configs.down())
    world.assert_kept()
