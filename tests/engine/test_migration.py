"""To a Deployment and back: the same pods, whatever happens to the client in the middle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollupdate.engine.order import Order
from rollupdate.errors import RefusedError
from tests.engine.migrations import Migrations, down, up, web
from tests.support.effort import kills

UP, UP_BACK = up(), up(rollback=True)
DOWN, DOWN_BACK = down(), down(rollback=True)


def plain() -> Migrations:
    return Migrations()


def updated() -> Migrations:
    return Migrations(web(updated=True))


def arrived() -> Migrations:
    world = Migrations()
    world.run(UP)
    world.watched_from_now()
    return world


WORLDS = pytest.mark.parametrize("made", [plain, updated])
BEFORE = pytest.mark.parametrize("before", [True, False], ids=["before", "after"])


@WORLDS
def test_to_a_deployment(made: Callable[[], Migrations]) -> None:
    world = made()
    world.run(UP)
    world.assert_up()
    world.assert_kept()


def test_there_and_back_and_there_again() -> None:
    world = plain()
    for _ in range(2):
        world.run(UP)
        world.assert_up()
        world.run(DOWN)
        world.assert_down(same=False)
    world.run(UP)
    world.assert_up()
    world.assert_kept()


def test_given_again_it_changes_nothing() -> None:
    world = arrived()
    assert world.run(UP).writes == 0
    with pytest.raises(RefusedError, match="no move of"):
        world.run(UP_BACK)
    world.assert_up()


def writes(made: Callable[[], Migrations], order: Order) -> int:
    return made().run(order).writes


def again(world: Migrations, order: Order) -> None:
    """The rollback of what has just come to its end, or was never begun, is refused."""
    try:
        world.run(order)
    except RefusedError as error:
        assert "no move of" in error.message


@WORLDS
@BEFORE
def test_killed_at_every_write_and_continued(made: Callable[[], Migrations], before: bool) -> None:
    for write in kills(writes(made, UP), before=before):
        world = made()
        assert world.killed_at(UP, write, before=before), write
        world.run(UP)
        world.assert_up()
        world.assert_kept()


@pytest.mark.sweep
@WORLDS
@BEFORE
def test_killed_at_every_write_and_rolled_back(made: Callable[[], Migrations], before: bool) -> None:
    total = writes(made, UP)
    for write in kills(total, before=before):
        world = made()
        assert world.killed_at(UP, write, before=before), write
        again(world, UP_BACK)
        if write == total and not before:
            world.assert_up()
        else:
            world.assert_down()
        world.assert_kept()


@pytest.mark.sweep
@BEFORE
def test_the_way_back_killed_at_every_write_and_continued(before: bool) -> None:
    for write in kills(writes(arrived, DOWN), before=before):
        world = arrived()
        assert world.killed_at(DOWN, write, before=before), write
        world.run(DOWN)
        world.assert_down(same=False)
        world.assert_kept()


@pytest.mark.sweep
@BEFORE
def test_the_way_back_killed_at_every_write_and_rolled_back(before: bool) -> None:
    total = writes(arrived, DOWN)
    for write in kills(total, before=before):
        world = arrived()
        assert world.killed_at(DOWN, write, before=before), write
        again(world, DOWN_BACK)
        if write == total and not before:
            world.assert_down(same=False)
        else:
            world.assert_up()
        world.assert_kept()
