"""Several clients move the same pods at the same time: forwards, back, and beside an update."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from functools import partial

import pytest

from rollupdate.engine.order import Order
from rollupdate.engine.update import Update
from rollupdate.errors import RefusedError, RollingUpdateError, StoppedError
from tests.chaos.interleaving import FAR, Stepped
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.engine.migrations import NAME, Migrations, up
from tests.engine.test_migration import DOWN, DOWN_BACK, UP, UP_BACK, arrived, plain
from tests.support import changes
from tests.support.asking import asking
from tests.support.effort import examples, some

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("in_turn")]

Made = Callable[[], Migrations]
WAYS = pytest.mark.parametrize(
    ("made", "order", "back"), [(plain, UP, UP_BACK), (arrived, DOWN, DOWN_BACK)], ids=["up", "down"]
)
SEEDS = examples(gate=20, long=200)


def client(world: Migrations, order: Order) -> Stepped:
    name = "back" if order.rollback else "onwards"
    return Stepped(world.sandbox, partial(_carry_out, world, order), name)


def _carry_out(world: Migrations, order: Order, cluster: SandboxCluster) -> None:
    world.run_on(cluster, order)


def assert_whole(world: Migrations, order: Order) -> None:
    """Whoever was last: the same command ends it, one way or the other, with the same pods."""
    with contextlib.suppress(RefusedError):  # there may be nothing left to go back from
        world.run(order)
    world.sandbox.settle()
    if world.deployments():
        world.assert_up()
    else:
        world.assert_down(same=False)
    world.assert_kept()


@WAYS
def test_the_other_direction_at_every_write(made: Made, order: Order, back: Order) -> None:
    """One client is stopped before each of its writes in turn while another goes back, all the way or for
    some writes; then it goes on with what it had decided: its write is refused, and it stops."""
    total = made().run(order).writes
    for write in some(range(1, total + 1), 2):
        for second in (FAR, 2, 5):
            world = made()
            one, other = client(world, order), client(world, back)
            one.run_to(write)
            other.run_to(second)
            one.run_to()
            other.run_to()
            for each in (one, other):
                assert each.ended
                assert each.error is None or isinstance(each.error, RollingUpdateError), repr(each.error)
            assert_whole(world, back if other.error is None else order)


@WAYS
def test_two_of_the_same(made: Made, order: Order, back: Order) -> None:
    """Both go the same way: both come to the end, or one says that the other did."""
    total = made().run(order).writes
    for write in range(1, total + 1):
        world = made()
        one, other = client(world, order), client(world, order)
        one.run_to(write)
        other.run_to()
        one.run_to()
        assert other.error is None, repr(other.error)
        assert one.error is None or isinstance(one.error, (StoppedError, RefusedError)), repr(one.error)
        assert_whole(world, order)


@WAYS
@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_random_turns(made: Made, order: Order, back: Order, seed: int) -> None:
    """Three clients, each some writes at a time."""
    dice = random.Random(seed)
    world = made()
    clients = [client(world, order), client(world, back), client(world, dice.choice((order, back)))]
    while any(not each.ended for each in clients):
        running = dice.choice([each for each in clients if not each.ended])
        running.run_to(running.decided + dice.randint(1, 4))
    for each in clients:
        assert each.error is None or isinstance(each.error, RollingUpdateError), repr(each.error)
    assert_whole(world, order)


def test_beside_an_update() -> None:
    """Begun at the same instant: one of the two has the controller, and the other says so."""
    for write in range(1, 6):
        for first in ("update", "move"):
            world = Migrations()
            request = asking(NAME, change=changes.image("web:2.0"), timeout=60.0)

            def update(cluster: SandboxCluster, world: Migrations = world, request=request) -> None:  # type: ignore[no-untyped-def]
                clock = FakeClock(world.sandbox)
                Update(cluster, clock, request.intent, request.policy, world.events.append).run().checked()

            updating = Stepped(world.sandbox, update, "update")
            moving = client(world, up(timeout=60.0))
            one, other = (updating, moving) if first == "update" else (moving, updating)
            one.run_to(write)
            other.run_to()
            one.run_to()
            errors = [each.error for each in (one, other)]
            assert all(error is None or isinstance(error, RollingUpdateError) for error in errors), errors
            assert errors.count(None) >= 1, errors
            world.sandbox.settle()
            assert len(world.active_pods()) == 3
            assert len(world.controllers()) + len(world.deployments()) == 1
            assert not world.alone
