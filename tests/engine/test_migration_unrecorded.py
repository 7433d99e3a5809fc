"""Another client takes the record of a move away, or the controller that bears it, and leaves the pods: by
what the other objects say the move goes on, in the same run and in the next one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rollupdate.core.model import record
from rollupdate.engine.order import Order
from rollupdate.errors import RollingUpdateError, StoppedError
from tests.engine.migrations import NAME, SIZE, Migrations, down, up, web
from tests.engine.test_migration import arrived, plain, updated
from tests.engine.ways_out import commands_of
from tests.support.effort import some

Made = Callable[[], Migrations]
Ordered = Callable[..., Order]
SAID = 'controller "web" was deleted by another|the other end of the move was deleted|"web" not found'
RC = "replicationcontrollers"
WAYS = pytest.mark.parametrize(
    ("made", "ordered"), [(plain, up), (updated, up), (arrived, down)], ids=["up", "up-labelled", "down"]
)


def bared(world: Migrations) -> None:
    """As `kubectl annotate` would: all of ours."""
    for name, one in world.controllers().items():
        gone = {key: None for key in one["metadata"].get("annotations") or {} if key in record.KEYS}
        world.sandbox.patch(RC, "default", name, {"metadata": {"annotations": gone}})


def replaced(world: Migrations) -> None:
    """`kubectl replace` with the file that it comes from: it is live again, and makes pods."""
    for name, found in world.controllers().items():
        manifest = web()
        manifest["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        path = f"/api/v1/namespaces/default/replicationcontrollers/{name}"
        assert world.sandbox.request("PUT", path, {}, manifest).status == 200


def orphaned(world: Migrations) -> None:
    for name in world.controllers():
        world.sandbox.delete(RC, "default", name, "Orphan")


def met(world: Migrations, order: Order, write: int, by: Callable[[Migrations], None], *, live: bool) -> None:
    """``live``: while the command runs, at that write; else it was killed there, and is given again later."""
    if live:
        world.disturbed_at(order, write, lambda: by(world))
        return
    assert world.killed_at(order, write, before=False)
    by(world)
    world.sandbox.settle()
    world.sandbox.advance(30)
    world.run(order)


def assert_ended(world: Migrations, order: Order) -> None:
    if order.to_deployment != order.rollback:
        world.assert_up()
    else:
        world.assert_down(same=False)
    assert world.before == world.names()
    assert len(world.active_pods()) == SIZE


@pytest.mark.sweep
@WAYS
def test_the_record_is_taken_off_in_the_middle(made: Made, ordered: Ordered) -> None:
    for write in some(range(1, made().run(ordered()).writes), 2):
        world = made()
        try:
            world.disturbed_at(ordered(), write, lambda: bared(world))  # noqa: B023
        except StoppedError as error:
            # All that was there is a ReplicaSet that had no pods yet: as if it had been taken back.
            assert "another client took it back" in error.message
            assert_ended(world, ordered(rollback=True))
            assert write <= 3
        else:
            assert_ended(world, ordered())
        assert not world.alone


@pytest.mark.sweep
@WAYS
@pytest.mark.parametrize("rollback", [False, True], ids=["same", "rollback"])
def test_the_record_is_taken_off_while_no_client_runs(made: Made, ordered: Ordered, rollback: bool) -> None:
    for write in some(range(2, made().run(ordered()).writes - 1), 2):
        world = made()
        assert world.killed_at(ordered(), write, before=False)
        bared(world)
        world.sandbox.advance(30)
        order = ordered(rollback=rollback)
        world.run(order)
        assert_ended(world, order)
        assert not world.alone


@pytest.mark.sweep
@pytest.mark.parametrize(("made", "ordered"), [(plain, up), (arrived, down)], ids=["up", "down"])
@pytest.mark.parametrize("live", [True, False], ids=["same-run", "next"])
def test_the_controller_is_replaced(made: Made, ordered: Ordered, live: bool) -> None:
    """Whatever it comes to, no pod goes that was there, and nothing stays held."""
    ended: list[bool] = []
    for write in some(range(1, made().run(ordered()).writes + 1), 2):
        world = made()
        try:
            met(world, ordered(), write, replaced, live=live)
            ended.append(True)
        except RollingUpdateError as error:
            ended.append(False)
            if "another client replaced" in error.message:
                for command in commands_of(error):
                    assert command.endswith(("--rollback", "delete rc web"))
        world.sandbox.settle()
        world.sandbox.advance(60)
        assert world.before <= world.names()
        assert not world.alone
        sets = [*world.controllers().values(), *world.replica_sets().values()]
        assert not [one for one in sets if one["spec"]["template"]["spec"].get("priorityClassName")]
    assert ended.count(True) >= len(ended) // 2


def test_pods_of_its_own_beside_those_of_the_deployment() -> None:
    """On the way back the youngest go: its own."""
    world = plain()
    # Then it is unpaused, each pod is cleaned, and two more.
    handed_over = plain().run(up()).writes - SIZE - 3
    assert world.killed_at(up(), handed_over, before=False)
    replaced(world)
    world.sandbox.settle()
    world.sandbox.advance(30)
    with pytest.raises(StoppedError, match="it makes pods of its own beside those of deployment/web"):
        world.run(up())
    world.run(up(rollback=True))
    world.assert_down(same=False)
    assert world.before == world.names()


def test_the_record_is_taken_off_again_and_again() -> None:
    world = arrived()
    with pytest.raises(StoppedError, match="another client changes replicationcontroller/web back again"):
        world.run(down(), after=lambda write: bared(world) if write > 6 else None)
    world.run(down())
    assert_ended(world, down())


@pytest.mark.sweep
@WAYS
@pytest.mark.parametrize("live", [True, False], ids=["same-run", "next"])
def test_the_controller_is_deleted_and_leaves_its_pods(made: Made, ordered: Ordered, live: bool) -> None:
    ended: list[bool] = []
    for write in some(range(2, made().run(ordered()).writes), 2):
        world = made()
        try:
            met(world, ordered(), write, orphaned, live=live)
        except RollingUpdateError as error:
            # One of the other ends is there no more, or is the Deployment's business.
            assert re.search(SAID, error.message)
            world.sandbox.settle()
            assert world.before == world.names()
            ended.append(False)
            continue
        assert_ended(world, ordered())
        ended.append(True)
    assert ended.count(True) >= len(ended) // 2


def test_the_deployment_is_deleted_as_soon_as_it_has_the_pods() -> None:
    """Its own last write was the deletion of the controller: that was nobody else."""
    for policy, left in (("Orphan", True), ("Background", False)):
        world = plain()
        last = plain().run(up()).writes

        def deleted() -> None:
            world.sandbox.delete("Deployment", "default", NAME, policy)  # noqa: B023

        with pytest.raises(StoppedError, match='"web" had the pods, and was deleted by another') as caught:
            world.disturbed_at(up(), last, deleted)
        assert ("still has them" in str(caught.value.advice)) == left
        assert ("with them" in caught.value.message) != left
        world.sandbox.settle()
        world.sandbox.advance(60)
        assert (world.before == world.names()) == left
