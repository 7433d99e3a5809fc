"""One answer in the middle is none, or not the one that was due: at every write of a move from a
DeploymentConfig, of the way back, and of updates whose old pods are evicted.

The write was carried out and nobody knows; or it was not, for a reason that passes. The run goes on by itself
and ends as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from rollupdate.engine.order import Order
from rollupdate.errors import ApiError, ClusterError, UnreachableError
from testing.objects import Json
from tests.engine.configs import Configs
from tests.engine.evictions import BACK_EVICT, EVICT, Evictions, budget
from tests.engine.test_config_migration import DOWN, UP, arrived, changed, rolled_out
from tests.engine.test_evicting_kills import assert_ended, assert_promises
from tests.engine.test_kills import run_killed
from tests.support.asking import Asking
from tests.support.effort import examples

SIZE = 4
Hook = Callable[[int], None]


@dataclass(frozen=True)
class Answer:
    """What the client gets to one write; ``done``: once that was carried out, else in its place."""

    error: ClusterError
    done: bool = False

    def around(self, write: int) -> tuple[Hook | None, Hook | None]:
        """For a run: what is called before each write, and after it."""

        def answers(number: int) -> None:
            if number == write:
                raise self.error

        return (None, answers) if self.done else (answers, None)


ANSWERS = {
    "reset": Answer(UnreachableError("connection reset by peer"), done=True),
    "timeout-not-done": Answer(UnreachableError("the read operation timed out")),
    "409": Answer(ApiError(409, "Conflict", "the object has been modified", {})),
    "429": Answer(ApiError(429, "TooManyRequests", "too many requests", {"retryAfterSeconds": 1})),
    "500": Answer(ApiError(500, "InternalError", "Internal error occurred", {})),
    "500-done": Answer(ApiError(500, "InternalError", "Internal error occurred", {}), done=True),
}


def points(total: int, answer: Answer, one_in: int) -> range:
    """Every write in the long runs; in the gate one in so many, with each answer other ones."""
    step = examples(one_in, 1)
    return range(1 + 3 * list(ANSWERS.values()).index(answer) % step, total + 1, step)


with_each_answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=[*ANSWERS])


@pytest.mark.sweep
@with_each_answer
@pytest.mark.parametrize(
    ("made", "order"),
    [(rolled_out, UP), (arrived, DOWN), (changed, DOWN)],
    ids=["up", "down", "down-changed"],
)
def test_of_a_move(made: Callable[[], Configs], order: Order, answer: Answer) -> None:
    """The same pods, and nothing is left over."""
    total = made().run(order).writes
    for write in points(total, answer, 17):
        world = made()
        before, after = answer.around(write)
        world.run(order, before=before, after=after)
        if order.to_deployment:
            world.assert_arrived()
        else:
            world.assert_home(same=made is arrived)
        world.assert_kept()
        assert not world.outcome.gave_up, (write, world.outcome.why)


def begun(budgets: tuple[Json, ...]) -> Evictions:
    return Evictions(*budgets, size=SIZE)


def half_way(budgets: tuple[Json, ...]) -> Evictions:
    """Two pods have gone."""
    world = begun(budgets)
    assert run_killed(world, EVICT, 12, before=False)
    world.sandbox.settle()
    return world


@pytest.mark.sweep
@with_each_answer
@pytest.mark.parametrize("budgets", [(), (budget(minAvailable=SIZE),)], ids=["free", "budget"])
@pytest.mark.parametrize(("made", "asked"), [(begun, EVICT), (half_way, BACK_EVICT)], ids=["update", "back"])
def test_of_an_update_with_evictions(
    made: Callable[[tuple[Json, ...]], Evictions], asked: Asking, budgets: tuple[Json, ...], answer: Answer
) -> None:
    """No pod is deleted by the manager, none comes again, and floor and ceiling hold."""
    total = made(budgets).update(asked).writes
    for write in points(total, answer, 19):
        world = made(budgets)
        gone = len(world.replaced)
        before, after = answer.around(write)
        world.run(asked, before=before, after=after)
        assert world.deleted == [], write
        assert asked.intent.rollback or len(world.replaced) == gone, write
        assert_ended(world, asked)
        assert_promises(world, asked)
