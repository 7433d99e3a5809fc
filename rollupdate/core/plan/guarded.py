"""Pods that are to be evicted and that two PodDisruptionBudgets cover: the server evicts none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollupdate.advice import Advice, Setting, Without
from rollupdate.core.model.allowance import covers
from rollupdate.core.model.controller import Controller
from rollupdate.errors import RefusedError
from rollupdate.objects import Json

WAY_OUT = Advice("to delete pods whatever a budget says: ", Without(Setting.EVICT))


def words(controller: str, budgets: Sequence[str] = ()) -> str:
    """``budgets``: their names, if they are known."""
    named = f" ({', '.join(budgets)})" if budgets else ""
    return (
        f"pods of {controller} are covered by more than one PodDisruptionBudget{named}, "
        "and the server evicts no such pod"
    )


def refuse_two_budgets(budgets: Iterable[Json], controllers: Iterable[Controller]) -> None:
    """Raises RefusedError. ``controllers``: whose pods are to go, if they have any. Malformed budgets are
    passed over."""
    known = list(budgets)
    for controller in controllers:
        if not controller.max_pods:
            continue
        names = [str(budget["metadata"]["name"]) for budget in known if _covers(budget, controller)]
        if len(names) > 1:
            raise RefusedError(f"{words(controller.name, names)}; nothing was changed", hint=WAY_OUT)


def _covers(budget: Json, controller: Controller) -> bool:
    try:
        return covers(budget, controller.labels)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
