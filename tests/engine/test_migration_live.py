"""Another client lets the Deployment run in the middle of a move, or rolls it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rollupdate.engine.order import Order
from rollupdate.events import Migrated
from testing.sandbox.objects import controller_of
from tests.engine import configs, test_config_migration
from tests.engine.configs import Configs
from tests.engine.migrations import NAME, SIZE, Migrations, up
from tests.engine.test_migration import plain

Made = Callable[[], Migrations]
Ordered = Callable[..., Order]
SOURCES = pytest.mark.parametrize(
    ("made", "ordered"),
    [(plain, up), (test_config_migration.plain, configs.up)],
    ids=["controller", "config"],
)


def killed(made: Made, ordered: Ordered) -> Iterator[Migrations]:
    """A world for each write after which the client dies and leaves a paused Deployment beside what had
    the pods."""
    write = 0
    while True:
        write += 1
        world = made()
        if not world.killed_at(ordered(), write, before=False):
            return
        if world.deployments() and world.controllers() and world.deployments()[NAME]["spec"].get("paused"):
            world.sandbox.settle()
            yield world


def resumed_by_hand(world: Migrations) -> None:
    """As `kubectl rollout resume` does it."""
    world.sandbox.patch("deployments", "default", NAME, {"spec": {"paused": None}})


def assert_ended(world: Migrations, order: Order) -> None:
    """The original pods are there and no others, and have one owner."""
    world.sandbox.settle()
    world.sandbox.advance(60)
    if isinstance(world, Configs):
        world.assert_home() if order.rollback else world.assert_arrived()
    else:
        world.assert_down() if order.rollback else world.assert_up()
    assert world.names() == world.before
    (end,) = (event for event in world.events if isinstance(event, Migrated))
    assert end.pods == SIZE


@SOURCES
@pytest.mark.parametrize("rollback", [False, True], ids=["same", "rollback"])
def test_resumed_by_hand_after_the_client_has_died(made: Made, ordered: Ordered, rollback: bool) -> None:
    """It makes pods of its own if it has none yet: those go again, and not the ones that were there."""
    made_anew = 0
    for world in killed(made, ordered):
        resumed_by_hand(world)
        world.sandbox.settle()
        world.sandbox.advance(60)
        made_anew += len(world.active_pods()) > SIZE
        order = ordered(rollback=rollback)
        world.run(order)
        assert_ended(world, order)
        assert not world.alone
    assert made_anew


@SOURCES
def test_resumed_by_hand_during_the_run(made: Made, ordered: Ordered) -> None:
    """As soon as it is there, and with the time to act."""
    world, done = made(), False

    def resumed(_: int) -> None:
        nonlocal done
        if not done and world.deployments():
            done = True
            resumed_by_hand(world)
            world.sandbox.settle()
            assert len(world.active_pods()) > SIZE

    world.run(ordered(), after=resumed)
    assert done
    assert_ended(world, ordered())


@SOURCES
def test_resumed_and_paused_again_by_hand(made: Made, ordered: Ordered) -> None:
    """A paused Deployment with two ReplicaSets that have pods shrinks both."""
    for world in killed(made, ordered):
        resumed_by_hand(world)
        world.sandbox.settle()
        world.sandbox.patch("deployments", "default", NAME, {"spec": {"paused": True}})
        world.sandbox.settle()
        world.run(ordered())
        assert_ended(world, ordered())


def test_a_controller_is_not_deleted_while_the_pods_are_its_own() -> None:
    """The Deployment takes no other ReplicaSet for that of the pods, whatever its name and age."""
    for world in killed(plain, up):
        resumed_by_hand(world)
        world.sandbox.advance(5)
        world.run(up())
        (target,) = world.deployments().values()
        for one in world.replica_sets().values():
            assert (controller_of(one) or {})["uid"] == target["metadata"]["uid"]
        assert_ended(world, up())
