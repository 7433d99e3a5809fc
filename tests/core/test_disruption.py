"""PodDisruptionBudgets beside an update: which cover its pods, and which ask for more than it keeps."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.changes.target import Ending
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import Policy
from rollupdate.core.status.disruption import broken_budgets
from testing.objects import Json
from tests.core.worlds import old_and_new

EQUAL = {"matchLabels": {"app": "nginx"}}


def rollout() -> Rollout:
    """Four pods to four, their labels ``app``, ``tier`` and one that tells old and new apart."""
    old, new = old_and_new(old=4, new=0, original=4, desired=4, old_available=4, new_available=0)
    for found in (old, new):
        found.labels["tier"] = "web"
    return Rollout(old, new)


def found(*budgets: Any, unavailable: int = 1) -> list[tuple[str, int]]:
    """Of an update of four pods."""
    policy = Policy(budget=Budget(Amount(1), Amount(unavailable)))
    goal = Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, policy=policy)
    return broken_budgets(budgets, rollout(), goal)


def budget(spec: Any, version: str = "policy/v1") -> Json:
    return {"apiVersion": version, "metadata": {"name": "web"}, "spec": spec}


@pytest.mark.parametrize(
    ("asked", "pods"),
    [
        ({"minAvailable": 4}, 4),
        ({"minAvailable": 3}, None),
        ({"minAvailable": 5}, None),  # more than there ever are
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
    """More than the three that the update keeps, and not more than could be kept."""
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
    assert not found(budget({"selector": EQUAL, "minAvailable": 4}), unavailable=0)


@pytest.mark.parametrize("malformed", [{}, {"spec": None}, {"spec": {"selector": 3}}, "text", None])
def test_one_that_is_malformed_hides_no_other(malformed: Any) -> None:
    good = budget({"selector": EQUAL, "minAvailable": 4})
    assert found(malformed, good) == [("web", 4)]
