"""PodDisruptionBudgets beside an update. Pure.

A budget holds back evictions (drains of nodes), never a controller's scale-down: an update is not bound by
it. But an update that keeps fewer pods available than a budget asks for contradicts its owner: no
node can be drained meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from rollupdate.core.model.budget import Amount
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.model.selecting import selects
from rollupdate.core.plan.goal import Goal
from rollupdate.objects import Json


def broken_budgets(budgets: Iterable[Json], rollout: Rollout, goal: Goal) -> list[tuple[str, int]]:
    """Those that cover the pods, old and new, and ask for more available pods than the update keeps and could
    keep: names, and how many pods they ask for. Malformed ones are passed over."""
    now = rollout.sizes
    floor = now.bounds(goal.policy.budget, rollback=goal.rollback).floor
    whole = min(now.original, now.desired)
    found: list[tuple[str, int]] = []
    for budget in budgets:
        try:
            covers = all(_covers(budget, controller.labels) for controller in (rollout.old, rollout.new))
            asked = _asked(budget["spec"], whole)
            if covers and floor < asked <= whole:
                found.append((str(budget["metadata"]["name"]), asked))
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return found


def _asked(spec: Json, size: int) -> int:
    """Pods that must be available of ``size``; percentages rounded up, as the disruption controller does."""
    if spec.get("minAvailable") is not None:
        return Amount.parse(spec["minAvailable"]).of(size, round_up=True)
    if spec.get("maxUnavailable") is not None:
        return max(0, size - Amount.parse(spec["maxUnavailable"]).of(size, round_up=True))
    return 0


def _covers(budget: Json, labels: dict[str, str]) -> bool:
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return bool(budget.get("apiVersion") != "policy/v1beta1")  # where an empty one selected nothing
    return selects(selector, labels)
