"""A client that evicts is killed, or meets another one, at every write: the next one goes on.

With or without ``--evict``, or back: the pods that have gone are counted, no other is lost, and nothing stays
held.
"""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.record import TOUCHED
from rollupdate.errors import ApiError, RefusedError, StoppedError
from testing.objects import Json
from testing.sandbox import ManagerConfig
from tests.engine.evictions import BACK, BACK_EVICT, EVICT, PLAIN, Evictions, budget
from tests.engine.test_kills import BEFORE, run_killed
from tests.support.asking import Asking
from tests.support.effort import examples, some

SIZE = 4
WIDE = EVICT.but(budget=Budget(Amount(2), Amount(1)))
NEXT = {"the same": EVICT, "without": PLAIN, "back": BACK, "back without": BACK_EVICT}
BUDGETS: dict[str, tuple[Json, ...]] = {
    "none": (),
    "all": (budget(minAvailable=SIZE),),
    "all but one": (budget(maxUnavailable=1),),
}
LAGGING = ManagerConfig(latency=(0.05, 1.5), status_latency=(0.01, 1.0))
with_each_next = pytest.mark.parametrize("then", NEXT.values(), ids=[*NEXT])


def world_of(budgets: tuple[Json, ...], **more: Any) -> Evictions:
    return Evictions(*budgets, size=SIZE, **more)


def writes_of(asked: Asking, budgets: tuple[Json, ...]) -> int:
    return world_of(budgets).update(asked).writes


def gone_on(world: Evictions, then: Asking) -> None:
    """The next client; where the killed one had just finished there is nothing left to do."""
    try:
        world.update(then)
    except RefusedError as error:
        assert any(text in error.message for text in ("is the same", "to rollback")), error
    except ApiError as error:
        assert error.is_not_found


def assert_promises(world: Evictions, asked: Asking) -> None:
    bounds = asked.policy.budget.bounds(original=SIZE, desired=SIZE)
    assert world.least_available >= bounds.floor
    assert world.most_pods <= bounds.ceiling


def assert_ended(world: Evictions, then: Asking) -> None:
    """But for the mark of a pod that was being touched just then, which says nothing."""
    world.sandbox.settle()
    for pod in world.sandbox.pods():
        if TOUCHED in (pod["metadata"].get("annotations") or {}):
            meta = {"metadata": {"annotations": {TOUCHED: None}}}
            world.sandbox.patch("pods", "default", pod["metadata"]["name"], meta)
    image = world.old["spec"]["template"]["spec"]["containers"][0]["image"]
    if then.intent.rollback and image == "nginx:1.7.9":
        world.assert_as_before()
    else:
        world.assert_updated()


@with_each_next
@BEFORE
def test_killed_at_every_write(then: Asking, before: bool) -> None:
    """The budgets in turn, or each of them."""
    each = list(BUDGETS.values())
    for write in some(range(1, 36), 8 if before else 4):
        for budgets in each if examples(0, 1) else [each[write % 3]]:
            world = world_of(budgets)
            if run_killed(world, EVICT, write, before=before):
                gone_on(world, then)
            assert_ended(world, then)
            assert_promises(world, EVICT)


@pytest.mark.sweep
@with_each_next
def test_killed_while_several_pods_go(then: Asking) -> None:
    """Some of those that were chosen have gone, others not."""
    for write in some(range(1, writes_of(WIDE, ()) + 1), 5):
        world = world_of(())
        run_killed(world, WIDE, write, before=write % 2 == 0)
        gone_on(world, then.but(budget=WIDE.policy.budget))
        assert_ended(world, then)
        assert_promises(world, WIDE)


@pytest.mark.sweep
@pytest.mark.parametrize("budgets", BUDGETS.values(), ids=[*BUDGETS])
def test_killed_twice(budgets: tuple[Json, ...]) -> None:
    """Forwards and back, each killed, and forwards again."""
    for write in some(range(1, writes_of(EVICT, budgets)), 8):
        for second in some(range(1, 12), 4):
            world = world_of(budgets)
            run_killed(world, EVICT, write, before=False)
            try:
                run_killed(world, BACK_EVICT, second, before=second % 2 == 0)
            except (RefusedError, ApiError):
                continue
            gone_on(world, EVICT)
            assert_ended(world, EVICT)
            assert_promises(world, EVICT)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(examples(3, 30)))
def test_killed_under_a_manager_that_lags(seed: int) -> None:
    """What it has not counted yet is not concluded from."""
    asked = list(NEXT.values())
    for write in some(range(1, 30), 5):
        world = world_of(BUDGETS["all but one"], seed=seed, manager=LAGGING)
        run_killed(world, EVICT, write, before=False)
        then = asked[(seed + write) % 4]
        gone_on(world, then)
        assert_ended(world, then)
        assert_promises(world, EVICT)


@pytest.mark.sweep
@with_each_next
def test_another_client_comes_at_every_write(then: Asking) -> None:
    """It runs to its end; the first one finds out, and does nothing that the other would not."""
    for write in some(range(3, writes_of(WIDE, ()) + 1), 5):
        world = world_of(())
        happened = False

        def comes(number: int, at: int = write, world: Evictions = world) -> None:
            nonlocal happened
            if number >= at and not happened:
                happened = True
                gone_on(world, then.but(budget=WIDE.policy.budget))

        try:
            world.run(WIDE, after=comes)
        except (StoppedError, ApiError, RefusedError):
            pass
        except Exception as error:
            assert "is left to roll back" in str(error) or "rollback" in str(error), (write, error)
        gone_on(world, then.but(budget=WIDE.policy.budget))
        assert_ended(world, then)
        assert_promises(world, WIDE)
