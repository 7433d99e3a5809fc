"""Another client lets the Deployment run in the middle of a move, or rolls it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rollupdate.core.model import record
from rollupdate.engine.order import Order
from rollupdate.errors import StoppedError
from rollupdate.events import Migrated
from testing.objects import Json
from testing.sandbox.objects import controller_of
from tests.engine import configs, test_config_migration
from tests.engine.configs import Configs
from tests.engine.migrations import NAME, SIZE, Migrations, down, up
from tests.engine.test_migration import arrived, plain
from tests.engine.ways_out import commands_of, pasted

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


IMAGE: Json = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2.0"}]}}}}
ROLLED = "was rolled out by another client meanwhile"


def live(made: Made, ordered: Ordered) -> Iterator[Migrations]:
    """A world for each write after which the client dies and leaves a live Deployment with the record."""
    write = 0
    while (write := write + 1) < 60:
        world = made()
        if not world.killed_at(ordered(), write, before=False):
            return
        target = world.deployments().get(NAME)
        if target and not target["spec"].get("paused") and world.controllers() and in_progress(world):
            yield world


def in_progress(world: Migrations) -> bool:
    return any(
        record.MIGRATION in (one["metadata"].get("annotations") or {}) for one in world.controllers().values()
    )


def image_set(world: Migrations) -> None:
    world.sandbox.patch("deployments", "default", NAME, IMAGE)
    world.sandbox.advance(1)


def replica_set_deleted(world: Migrations) -> None:
    (name,) = world.replica_sets()
    world.sandbox.delete("ReplicaSet", "default", name, "Background")
    world.sandbox.advance(1)


def paused_half_way(world: Migrations) -> None:
    world.sandbox.patch("deployments", "default", NAME, IMAGE)
    world.sandbox.advance(0.5)
    world.sandbox.patch("deployments", "default", NAME, {"spec": {"paused": True}})
    world.sandbox.settle()


@pytest.mark.parametrize(
    ("made", "ordered", "happens"),
    [
        (plain, up, image_set),
        (plain, up, replica_set_deleted),
        (plain, up, paused_half_way),
        (test_config_migration.plain, configs.up, image_set),
        (test_config_migration.plain, configs.up, paused_half_way),
    ],
)
def test_a_rollback_leaves_a_rollout_alone(
    made: Made, ordered: Ordered, happens: Callable[[Migrations], None]
) -> None:
    """Its pods are none that could go back; both commands that are told work, and keep its new pods."""
    back = configs.down() if ordered is configs.up else down()
    tried = 0
    for world in live(made, ordered):
        happens(world)
        was_paused = world.deployments()[NAME]["spec"].get("paused")
        with pytest.raises(StoppedError, match=ROLLED) as caught:
            world.run(ordered(rollback=True))
        assert world.deployments()[NAME]["spec"].get("paused") == was_paused
        *first, on, home = commands_of(caught.value)
        assert bool(first) == bool(was_paused)
        if was_paused:
            with pytest.raises(StoppedError, match="is paused in the middle of a rollout") as stopped:
                world.run(ordered())
            assert pasted(world, stopped.value) == first
        named = "deploymentconfig/web" if ordered is configs.up else NAME
        kind = "deploymentconfig" if ordered is configs.up else "replicationcontroller"
        assert on == f"kubectl rolling-update {named} --to=deployment"
        assert home == f"kubectl rolling-update deployment/web --to={kind}"
        world.run(ordered())
        world.watched_from_now()
        assert len(world.active_pods()) == SIZE
        world.run(back)
        world.assert_kept()
        tried += 1
    assert tried


def test_a_rollout_that_begins_before_the_deployment_is_paused_on_the_way_back() -> None:
    """It goes on, and the move is taken back."""
    for made, order in ((arrived, down()), (test_config_migration.arrived, configs.down())):
        stopped, write = 0, 0
        while (write := write + 1) < 10:
            world = made()

            def rolled() -> None:
                nonlocal stopped
                if world.deployments() and not world.deployments()[NAME]["spec"].get("paused"):  # noqa: B023
                    image_set(world)  # noqa: B023
                    stopped += 1

            before = stopped
            world.disturbed_at(order, write, rolled)
            if stopped == before:
                break
            assert world.outcome.gave_up
            assert ROLLED in world.outcome.why
            world.sandbox.settle()
            (target,) = world.deployments().values()
            assert target["status"]["updatedReplicas"] == target["status"]["availableReplicas"] == SIZE
            assert not target["spec"].get("paused")
            assert not in_progress(world)
            world.watched_from_now()
            world.run(order)
            world.assert_kept()
        assert stopped
