"""The arithmetic of an update: no size that it proposes breaks the floor or the ceiling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, Sizes
from rollupdate.core.phases import arithmetic
from rollupdate.core.phases.arithmetic import scaled_by_others
from tests.core.worlds import controller

pods = st.integers(0, 30)


@st.composite
def controllers(draw: st.DrawFn, name: str) -> Controller:
    """Any that there can be: pods missing or too many, ready or not, available or not."""
    current = draw(pods)
    ready = draw(st.integers(0, current))
    available = draw(st.integers(0, ready))
    return controller(name, replicas=draw(pods), current=current, ready=ready, available=available)


budgets = st.builds(
    Budget,
    st.builds(Amount, st.integers(0, 100), st.booleans()),
    st.builds(Amount, st.integers(0, 100), st.booleans()),
)


def fewest_available(each: Controller, replicas: int) -> int:
    """Available pods once the manager has carried out ``replicas``, at the worst: pods that are not ready go
    first, and of those that are, the available ones."""
    kept = min(each.current, replicas)
    return max(0, min(each.status_available, kept - each.ready_not_available))


@given(controllers("new"), controllers("old"), budgets, pods, pods)
def test_no_proposed_size_breaks_the_ceiling(
    growing: Controller, shrinking: Controller, budget: Budget, original: int, desired: int
) -> None:
    """A scale-up never makes more pods than allowed while the other controller has any, those included that
    are pending termination; and it never goes beyond the goal."""
    bounds = Sizes(original, desired).bounds(budget, rollback=False)
    up = arithmetic.scale_up_to(growing, [shrinking], desired, bounds)
    assert growing.replicas <= up <= max(growing.replicas, desired)
    if up > growing.replicas and shrinking.max_pods > 0:
        assert up + max(shrinking.current, shrinking.replicas) <= bounds.ceiling


@given(controllers("new"), controllers("old"), budgets, pods, pods)
def test_no_proposed_size_breaks_the_floor(
    growing: Controller, shrinking: Controller, budget: Budget, original: int, desired: int
) -> None:
    """A scale-down leaves as many available pods as must be kept, or at least every one that there was."""
    bounds = Sizes(original, desired).bounds(budget, rollback=False)
    down = arithmetic.scale_down_to(growing, shrinking, desired, bounds)
    assert 0 <= down <= shrinking.replicas
    new = fewest_available(growing, growing.replicas)
    before = min(shrinking.status_available, shrinking.current)
    if down < shrinking.replicas:
        assert new + fewest_available(shrinking, down) >= min(bounds.floor, new + before)


@given(budgets, pods, pods)
def test_the_two_together_always_get_there(budget: Budget, original: int, desired: int) -> None:
    """With pods that become available at once there is always something to do until all is done."""
    bounds = Sizes(original, desired).bounds(budget, rollback=False)
    new, old = controller("new", replicas=0), controller("old", replicas=original)
    for _ in range(2 * (original + desired) + 2):
        up = arithmetic.scale_up_to(new, [old], desired, bounds)
        if up > new.replicas:
            new = controller("new", replicas=up)
            continue
        down = arithmetic.scale_down_to(new, old, desired, bounds)
        if down == old.replicas:
            break
        old = controller("old", replicas=down)
    assert (new.replicas, old.replicas) == (desired, 0)


def test_old_pods_that_are_not_ready_hold_nothing_back() -> None:
    """Three old pods, none of them ready, three new ones available: all old ones may go."""
    old = controller("old", replicas=3, available=0)
    new = controller("new", replicas=3)
    bounds = Budget().bounds(original=3, desired=3)
    assert arithmetic.scale_down_to(new, old, 5, bounds) == 0


def test_pods_that_may_be_deleted_instead_are_kept_in_addition() -> None:
    """Of four old pods one is ready for less than minReadySeconds: the manager may delete an available one in
    its place, so one more stays."""
    old = controller("old", replicas=4, ready=4, available=3, current=4)
    new = controller("new", replicas=1)
    bounds = Budget().bounds(original=3, desired=3)
    assert arithmetic.scale_down_to(new, old, 3, bounds) == 3
    settled_old = controller("old", replicas=4)
    assert arithmetic.scale_down_to(new, settled_old, 3, bounds) == 2


def test_nothing_is_kept_for_a_goal_of_nothing() -> None:
    """An update to 0 replicas removes the old pods at once."""
    old = controller("old", replicas=3)
    bounds = Budget().bounds(original=3, desired=0)
    assert arithmetic.scale_down_to(controller("new", replicas=0), old, 0, bounds) == 0


# --- what others scale ---


@pytest.mark.parametrize(
    ("replicas", "reference", "size", "added"),
    [
        (3, None, 3, None),  # nothing of ours was written yet
        (2, 2, 3, None),
        (1, 2, 3, -1),  # a shrink counts for what it took away
        (0, 2, 3, -2),
        (3, 2, 3, 0),  # an autoscaler that holds its minimum adds nothing
        (5, 2, 3, 2),  # a growth counts for what goes beyond the size
        (5, 4, 3, 1),
        (5, 5, 3, None),
    ],
)
def test_what_others_add_to_the_goal(
    replicas: int, reference: int | None, size: int, added: int | None
) -> None:
    """``reference`` is what we wrote last, ``size`` what the controller stands for in the update."""
    assert scaled_by_others(controller("foo", replicas=replicas), reference, size) == added


def pair(
    *, old: dict[str, str], new: dict[str, str], replicas: tuple[int, int] = (1, 2)
) -> tuple[Controller, Controller]:
    return (
        controller("old", replicas=replicas[0], annotations=old),
        controller("new", replicas=replicas[1], annotations=new),
    )


def test_sizes_come_from_the_record() -> None:
    """Original size from the old controller, desired size from the new one, what others added on top."""
    original, successor = pair(
        old={record.ORIGINAL_REPLICAS: "4", record.SCALED_BY: "2"},
        new={record.DESIRED_REPLICAS: "5", record.SCALED_BY: "-1", record.SOURCE_REPLICAS: "9"},
    )
    assert Rollout(original, successor).recorded == Sizes(4, 5)
    assert Rollout(original, successor).sizes == Sizes(5, 6)


def test_sizes_without_a_record_on_the_old_controller() -> None:
    """Before our first write to it, the new one knows its size; and else it is as large as it looks."""
    original, successor = pair(old={}, new={record.DESIRED_REPLICAS: "5", record.SOURCE_REPLICAS: "4"})
    assert Rollout(original, successor).sizes == Sizes(4, 5)
    original, successor = pair(old={}, new={record.DESIRED_REPLICAS: "5"})
    assert Rollout(original, successor).sizes == Sizes(1, 5)


@given(st.integers(-20, 20), pods)
def test_sizes_after_the_finish_has_begun(scaled_by: int, replicas: int) -> None:
    """The record is off the new controller: the size it has is the goal, whatever others had added to reach
    it. (Counted again it grew without end.)"""
    original, successor = pair(
        old={record.ORIGINAL_REPLICAS: "3", record.SCALED_BY: str(scaled_by)}, new={}, replicas=(0, replicas)
    )
    assert Rollout(original, successor).sizes.desired == replicas


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(-(2**31) + 1, 2**31 - 1), pods, pods)
def test_sizes_are_never_negative(first: int, second: int, original: int, desired: int) -> None:
    """Whatever the record says that others did."""
    old, new = pair(
        old={record.ORIGINAL_REPLICAS: str(original), record.SCALED_BY: str(first)},
        new={record.DESIRED_REPLICAS: str(desired), record.SCALED_BY: str(second)},
    )
    assert Rollout(old, new).sizes.original >= 0
    assert Rollout(old, new).sizes.desired >= 0


def test_a_rollback_has_its_bounds_the_other_way_round() -> None:
    """Percentages are of the size to reach, which is then the original one."""
    budget = Budget(Amount.parse("50%"), Amount.parse("0"))
    assert Sizes(10, 4).bounds(budget, rollback=False).ceiling == 6
    assert Sizes(10, 4).bounds(budget, rollback=True).ceiling == 9


def test_the_ceiling_that_is_told() -> None:
    """From 0 pods to 3 it is what will be there: nothing bounds the size once no old pod is left."""
    bounds = Budget().bounds(original=0, desired=3)
    assert bounds.ceiling == 1
    assert arithmetic.reached([controller("old", replicas=0)], 3, bounds) == 3
    assert arithmetic.reached([controller("old", replicas=2)], 3, Budget().bounds(original=2, desired=3)) == 3
    assert (
        arithmetic.reached([controller("old", replicas=3)], 10, Budget().bounds(original=3, desired=10)) == 4
    )
