"""PodDisruptionBudgets beside an update: which cover its pods, and which ask for more than it keeps."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.target import Ending, beside
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import Policy
from rollupdate.core.status.disruption import Guard, before, during
from rollupdate.events import BudgetBroken
from testing.objects import Json
from tests.core.worlds import old_and_new

EQUAL = {"matchLabels": {"app": "nginx"}}


def rollout(old: int = 4, new: int = 0) -> Rollout:
    """Four pods to four, their labels ``app``, ``tier`` and one that tells old and new apart."""
    pair = old_and_new(old=old, new=new, original=4, desired=4, old_available=old, new_available=new)
    for found in pair:
        found.labels["tier"] = "web"
    return Rollout(*pair)


def broken(
    *budgets: Any, unavailable: int = 1, surge: int = 0, rollback: bool = False, evicts: bool = False
) -> list[BudgetBroken]:
    """By an update of four pods."""
    policy = Policy(budget=Budget(Amount(surge), Amount(unavailable)), evicts=evicts)
    goal = Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, policy=policy, rollback=rollback)
    return list(during(budgets, rollout(), goal))


def found(*budgets: Any, unavailable: int = 1, surge: int = 0) -> list[tuple[str, int]]:
    return [(told.budget, told.asked) for told in broken(*budgets, unavailable=unavailable, surge=surge)]


def budget(spec: Any, version: str = "policy/v1") -> Json:
    return {"apiVersion": version, "metadata": {"name": "web"}, "spec": spec}


@pytest.mark.parametrize(
    ("asked", "pods"),
    [
        ({"minAvailable": 4}, 4),
        ({"minAvailable": 3}, None),
        ({"minAvailable": 5}, 5),  # more than there ever are
        ({"minAvailable": "76%"}, 4),  # rounded up
        ({"minAvailable": "75%"}, None),
        ({"maxUnavailable": 0}, 4),
        ({"maxUnavailable": 1}, None),
        ({"maxUnavailable": "1%"}, None),  # rounded up: one may go
        ({}, None),
        ({"minAvailable": "many"}, None),
    ],
)
def test_what_it_asks_for(asked: Json, pods: int | None) -> None:
    """More than the three that the update keeps."""
    assert found(budget({"selector": EQUAL, **asked})) == ([] if pods is None else [("web", pods)])


def expression(key: str, operator: str, *values: str) -> Json:
    return {
        "matchExpressions": [{"key": key, "operator": operator, **({"values": [*values]} if values else {})}]
    }


@pytest.mark.parametrize(
    ("selector", "covers"),
    [
        (EQUAL, True),
        ({"matchLabels": {"app": "nginx", "tier": "web"}}, True),
        ({"matchLabels": {"app": "other"}}, False),
        ({"matchLabels": {"deployment": "v1"}}, False),  # the old pods alone
        (expression("tier", "In", "web", "api"), True),
        (expression("tier", "In", "api"), False),
        (expression("tier", "NotIn", "api"), True),
        (expression("tier", "NotIn", "web"), False),
        (expression("tier", "Exists"), True),
        (expression("other", "Exists"), False),
        (expression("other", "DoesNotExist"), True),
        (expression("tier", "DoesNotExist"), False),
        ({**EQUAL, **expression("tier", "In", "api")}, False),
        (expression("tier", "Gt", "1"), False),  # no operator of a label selector
        ({}, True),
        (None, False),
    ],
)
def test_which_pods_it_covers(selector: Json | None, covers: bool) -> None:
    """Both the old ones and the new ones."""
    assert bool(found(budget({"selector": selector, "minAvailable": 4}))) == covers


def test_an_empty_selector_covered_nothing_in_the_beta_version() -> None:
    assert not found(budget({"selector": {}, "minAvailable": 4}, "policy/v1beta1"))


def test_an_update_that_keeps_all_pods_breaks_none() -> None:
    """Nor is one told of that no update would keep, as it counts old and new pods, if all pods stay
    available: it lets no pod be evicted at any other time either."""
    for asked in ({"minAvailable": 4}, {"minAvailable": "100%"}, {"maxUnavailable": 0}):
        assert not found(budget({"selector": EQUAL, **asked}), unavailable=0, surge=1)


def test_whatever_is_told_comes_with_flags_after_which_it_is_not() -> None:
    """Whatever it is told of: nobody follows two hints in a row."""
    all_asked: tuple[Json, ...] = (
        {"minAvailable": "100%"},
        {"maxUnavailable": 0},
        {"maxUnavailable": 1},
        {"minAvailable": 6},
    )
    for asked, surge, unavailable in itertools.product(all_asked, range(4), range(3)):
        flags: Json = {"surge": surge, "unavailable": unavailable}
        guard = budget({"selector": EQUAL, **asked})
        for told in broken(guard, **flags):
            hinted = re.findall(r"--max-(surge|unavailable)=(\d)", str(told.hint))
            assert hinted
            assert not found(guard, **(flags | {name: int(value) for name, value in hinted}))


def test_a_service_of_no_pods_breaks_none() -> None:
    """Before or after the update: there is nothing to be evicted."""
    for size, desired in ((0, 3), (3, 0), (0, 0)):
        old = replace(rollout().old, replicas=size)
        template = {"metadata": {"labels": {"app": "nginx"}}, "spec": {}}
        target = beside(
            old, name="bar", selector={}, template=template, digest="", metadata={}, replicas=desired
        )
        goal = Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, target=target)
        assert not list(before([budget({"selector": EQUAL, "minAvailable": 1})], goal, [old]))


# --- the sizes of both controllers ---


@pytest.mark.parametrize(
    ("asked", "surge", "unavailable", "pods"),
    [
        ({"minAvailable": "75%"}, 0, 1, None),  # three of four
        ({"minAvailable": "75%"}, 1, 1, 4),  # four of five
        ({"minAvailable": "80%"}, 1, 0, None),
        ({"minAvailable": "80%"}, 2, 0, 5),
        ({"maxUnavailable": 1}, 1, 0, None),
        ({"maxUnavailable": 1}, 1, 1, 4),
        ({"maxUnavailable": "20%"}, 1, 1, 4),
        ({"maxUnavailable": "25%"}, 1, 1, None),  # of five, rounded up: two may go
    ],
)
def test_they_are_counted_together(asked: Json, surge: int, unavailable: int, pods: int | None) -> None:
    """The disruption controller expects as many pods as both are to have."""
    expected = [] if pods is None else [("web", pods)]
    assert found(budget({"selector": EQUAL, **asked}), surge=surge, unavailable=unavailable) == expected


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.one_of(st.integers(0, 25), st.integers(0, 100).map(lambda percent: f"{percent}%")),
    st.booleans(),
)
def test_as_the_disruption_controller_counts(
    expected: int, others: int, healthy: int, said: int | str, least: bool
) -> None:
    """Its own words: what is desired of all pods that it expects, against those that are healthy."""
    amount = Amount.parse(said)
    whole = expected + others
    share = math.ceil(Fraction(amount.value * whole, 100)) if amount.percent else amount.value
    desired = share if least else max(0, whole - share)
    guard = Guard("web", amount if least else None, None if least else amount, others, min(others, healthy))
    for available in range(expected + 1):
        short = available + min(others, healthy) < desired
        assert short == (available < guard.asked(expected))


def test_pods_of_others_that_it_covers() -> None:
    """As many as the budget itself says: six of another controller, five of them available."""
    spec = {"selector": EQUAL, "minAvailable": 8}
    status = {"expectedPods": 10, "currentHealthy": 9}
    assert not found({**budget(spec), "status": status})
    assert found(budget(spec)) == [("web", 8)]
    assert found({**budget({**spec, "minAvailable": 9}), "status": status}) == [("web", 4)]


# --- the flags that would do ---

KEEP = "no update keeps it, as old and new pods count; to keep 4: the same command with"


@pytest.mark.parametrize(
    ("asked", "surge", "unavailable", "hint"),
    [
        ({"minAvailable": 4}, 1, 1, "to keep them: the same command with --max-unavailable=0"),
        ({"maxUnavailable": 1}, 3, 0, "to keep them: the same command with --max-surge=1"),
        (
            {"maxUnavailable": 1},
            3,
            1,
            "to keep them: the same command with --max-unavailable=0 --max-surge=1",
        ),
        ({"minAvailable": "80%"}, 2, 0, "to keep them: the same command with --max-surge=1"),
        ({"minAvailable": 5}, 1, 0, "to exceed that between two steps: the same command with --max-surge=2"),
        ({"minAvailable": 7}, 1, 0, "to exceed that between two steps: the same command with --max-surge=4"),
        (
            {"minAvailable": "100%"},
            1,
            1,
            f"{KEEP} --max-unavailable=0",
        ),
        (
            {"maxUnavailable": 0},
            2,
            1,
            f"{KEEP} --max-unavailable=0",
        ),
        (
            {"maxUnavailable": 0},
            0,
            1,
            f"{KEEP} --max-unavailable=0 --max-surge=1",
        ),
    ],
)
def test_the_flags(asked: Json, surge: int, unavailable: int, hint: str) -> None:
    (told,) = broken(budget({"selector": EQUAL, **asked}), surge=surge, unavailable=unavailable)
    assert str(told.hint) == hint


EXCEED = "to exceed that between two steps: the same command with"
DELETE = "it asks for less; to delete pods whatever a budget says: the same command without --evict"
LAST = f"its last pods wait until {DELETE}"
NONE = f"no pod goes before {DELETE}"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"minAvailable": 5}, f"{EXCEED} --max-surge=2; {LAST}"),
        ({"minAvailable": "100%"}, NONE),
        ({"minAvailable": "99%"}, NONE),
        ({"maxUnavailable": 0}, NONE),
    ],
)
def test_evictions_that_come_to_no_end(asked: Json, hint: str) -> None:
    """When the last old pod is to go there are as many others as there will be; of a share of all of them not
    even the first can."""
    (told,) = broken(budget({"selector": EQUAL, **asked}), surge=1, unavailable=1, evicts=True)
    assert str(told.hint) == hint


@pytest.mark.parametrize(
    "asked", [{"minAvailable": 1}, {"minAvailable": 4}, {"maxUnavailable": 1}, {"minAvailable": "80%"}]
)
@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (1, 1), (3, 3)])
def test_evictions_that_come_to_their_end(asked: Json, surge: int, unavailable: int) -> None:
    """The budget is kept, so nothing is told, however few available pods the flags allow."""
    guard = budget({"selector": EQUAL, **asked})
    assert not list(broken(guard, surge=surge, unavailable=unavailable, evicts=True))


@pytest.mark.parametrize(
    ("asked", "hint"), [(3, None), (4, f"{EXCEED} --max-surge=1"), (5, f"{EXCEED} --max-surge=2")]
)
def test_evictions_that_need_a_surge(asked: int, hint: str | None) -> None:
    """One pod goes before another comes: then none above the budget is ever there."""
    found = list(
        broken(budget({"selector": EQUAL, "minAvailable": asked}), surge=0, unavailable=1, evicts=True)
    )
    assert [str(told.hint).partition(";")[0] for told in found] == ([hint] if hint else [])


def test_a_rollback_whose_pods_are_too_few() -> None:
    """Of what is left to be evicted and what is there already no surge makes more."""
    back = rollout(old=4, new=1)
    policy = Policy(budget=Budget(Amount(1), Amount(0)), evicts=True)
    goal = Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, policy=policy, rollback=True)
    (told,) = during([budget({"selector": EQUAL, "minAvailable": 5})], back, goal)
    assert str(told.hint) == NONE


def test_with_the_flags_it_is_kept() -> None:
    """No word more is said, but of a service that is smaller than its budget asks for."""
    for asked in ({"minAvailable": 4}, {"maxUnavailable": 1}, {"minAvailable": "80%"}):
        assert found(budget({"selector": EQUAL, **asked}), surge=2, unavailable=1)
        assert not found(budget({"selector": EQUAL, **asked}), surge=1, unavailable=0)
    assert not found(budget({"selector": EQUAL, "minAvailable": 5}), surge=2, unavailable=0)


def test_before_it_begins() -> None:
    """By the labels of the template, and the sizes to be."""
    old = rollout().old
    template = {"metadata": {"labels": {"app": "nginx", "deployment": "v2"}}, "spec": {}}
    target = beside(old, name="bar", selector={}, template=template, digest="", metadata={}, replicas=6)
    policy = Policy(budget=Budget(Amount(1), Amount(1)))
    goal = Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, policy=policy, target=target)
    (told,) = before([budget({"selector": EQUAL, "minAvailable": 4})], goal, [old])
    assert (told.asked, told.floor) == (4, 3)
    old_alone = budget({"selector": {"matchLabels": {"tier": "web"}}, "minAvailable": 4})
    assert not list(before([old_alone], goal, [old]))
    nothing_begins = replace(goal, target=None)
    assert not list(before([budget({"selector": EQUAL, "minAvailable": 4})], nothing_begins, [old]))


@pytest.mark.parametrize("malformed", [{}, {"spec": None}, {"spec": {"selector": 3}}, "text", None])
def test_one_that_is_malformed_hides_no_other(malformed: Any) -> None:
    good = budget({"selector": EQUAL, "minAvailable": 4})
    assert found(malformed, good) == [("web", 4)]
