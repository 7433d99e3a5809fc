"""PodDisruptionBudgets beside an update. Pure.

A budget holds back evictions (drains of nodes), never a controller's scale-down: an update is not bound by
it. But an update that keeps fewer pods available than a budget asks for contradicts its owner: no node can be
drained meanwhile. Computed as the disruption controller does, which counts the sizes of both controllers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rollupdate.advice import Advice, Again, Setting
from rollupdate.core.model.allowance import covers
from rollupdate.core.model.budget import Amount, Bounds, Budget
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, Sizes
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.guarded import WAY_OUT
from rollupdate.events import BudgetBroken
from rollupdate.objects import Json

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Guard:
    """A PodDisruptionBudget that covers all pods of an update."""

    name: str
    least: Amount | None
    """``minAvailable``; else"""
    most: Amount | None
    """``maxUnavailable``."""
    others: int = 0
    """Pods that it covers and that are not of the update, and"""
    healthy: int = 0
    """those of them that are available."""

    def asked(self, expected: int) -> int:
        """How many of the update's pods must be available if its controllers are of ``expected`` pods in all.
        Percentages are rounded up."""
        whole = expected + self.others
        if self.least is not None:
            least = self.least.of(whole, round_up=True)
        elif self.most is not None:
            least = max(0, whole - self.most.of(whole, round_up=True))
        else:
            least = 0
        return max(0, least - self.healthy)

    def withholds(self, pods: int) -> bool:
        """With so many pods, all available, it lets none be evicted."""
        return self.asked(pods) >= pods

    def is_kept(self, bounds: Bounds) -> bool:
        """With as many pods as an update may have, and no more available than it must."""
        return self.asked(bounds.ceiling) <= bounds.floor


def before(budgets: Iterable[Json], goal: Goal, controllers: Sequence[Controller]) -> Iterator[BudgetBroken]:
    """Of an update that is to begin: ``controllers`` exist by now, the old one first."""
    target = goal.target
    if target is not None:
        labels = (controllers[0].labels, target.pod_labels)
        sizes = Sizes(target.baseline, target.replicas)
        yield from _broken(budgets, labels, controllers, controllers, sizes, goal)


def during(budgets: Iterable[Json], rollout: Rollout, goal: Goal) -> Iterator[BudgetBroken]:
    """Of one that is in progress, or rolled back."""
    old, new, earlier = rollout.old, rollout.new, rollout.superseded
    shrinking, labels = (new if goal.rollback else old, *earlier), (old.labels, new.labels)
    yield from _broken(budgets, labels, (old, new, *earlier), shrinking, rollout.sizes, goal)


def _broken(
    budgets: Iterable[Json],
    labels: Sequence[Labels],
    controllers: Sequence[Controller],
    shrinking: Sequence[Controller],
    sizes: Sizes,
    goal: Goal,
) -> Iterator[BudgetBroken]:
    """Malformed budgets are passed over."""
    wanted = goal.policy.budget
    bounds = sizes.bounds(wanted, rollback=goal.rollback)
    going = sum(controller.max_pods for controller in shrinking)
    for budget in budgets:
        try:
            covered = all(covers(budget, pod_labels) for pod_labels in labels)
            guard = _guard(budget, controllers)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        if not covered:
            continue
        if goal.policy.evicts:
            told = _held_back(guard, sizes, bounds, going, rollback=goal.rollback)
            if told is not None:
                yield told
        elif not guard.is_kept(bounds):
            hint = _way_out(guard, sizes, wanted, rollback=goal.rollback)
            if hint is not None:
                yield BudgetBroken(guard.name, guard.asked(bounds.ceiling), bounds.floor, hint)


def _held_back(
    guard: Guard, sizes: Sizes, bounds: Bounds, going: int, *, rollback: bool
) -> BudgetBroken | None:
    """What is told where evictions do not come to an end; None if they do: the budget is kept in any case.
    Each eviction needs one available pod more than the budget asks for. ``going``: pods to be evicted."""
    left = sizes.original if rollback else sizes.desired
    last = min(bounds.ceiling, left + 1)  # pods when the last of them is to go, which is the hardest
    if not (left and going and guard.withholds(last)):
        return None
    asked, most = guard.asked(last), last
    base = min(sizes.original, sizes.desired)
    never, surge, hint = guard.withholds(bounds.ceiling), bounds.ceiling - base, Advice(*WAY_OUT.parts)
    possible = range(surge + 1, left + going - base + 1) if never else ()
    more = next((further for further in possible if not guard.withholds(base + further)), None)
    if more is not None:
        never, last = False, min(base + more, left + 1)
    if guard.withholds(last):
        until = "no pod goes before" if never else "its last pods wait until"
        hint = Advice(f"{until} it asks for less; ", *hint.parts)
    if more is not None:
        flags = Again(Setting.MAX_SURGE, str(more))
        hint = Advice("to exceed that between two steps: ", flags, "; ", *hint.parts)
    return BudgetBroken(guard.name, asked, most, hint, evicts=True)


def _way_out(guard: Guard, sizes: Sizes, wanted: Budget, *, rollback: bool) -> Advice | None:
    """The flags with which it is kept; else those with which an update has more pods for moments than it asks
    for, so that one can be evicted; else those with which all pods stay available. None if there are none: a
    budget that only another size of the service would keep is kept no better without the update."""
    base = min(sizes.original, sizes.desired)
    bounds = sizes.bounds(wanted, rollback=rollback)
    surge = bounds.ceiling - base
    if base == 0:
        return None
    for less in range(max(1, surge), 0, -1):
        careful = Budget(Amount(less), Amount(0))
        if guard.is_kept(sizes.bounds(careful, rollback=rollback)):
            return Advice("to keep them: ", _keeping_all(wanted, surge, less))
    asked = guard.asked(base)
    if guard.least is not None and not guard.least.percent and asked >= base + surge:
        more = _keeping_all(wanted, surge, asked - base + 1)
        return Advice("to exceed that between two steps: ", more)
    if bounds.floor >= base:
        return None
    keeping = _keeping_all(wanted, surge, max(1, surge))
    return Advice(f"no update keeps it, as old and new pods count; to keep {base}: ", keeping)


def _keeping_all(wanted: Budget, surge: int, to: int) -> Again:
    """With all pods available, and a surge of ``to`` instead of ``surge``; one of the two is not so yet."""
    flags: list[tuple[Setting, str | None]] = []
    if wanted.max_unavailable.value:
        flags.append((Setting.MAX_UNAVAILABLE, "0"))
    if to != surge:
        flags.append((Setting.MAX_SURGE, str(to)))
    (setting, value), *further = flags
    return Again(setting, value, tuple(further))


def _guard(budget: Json, controllers: Sequence[Controller]) -> Guard:
    spec, status = budget["spec"], budget.get("status") or {}
    least, most = (
        None if spec.get(key) is None else Amount.parse(spec[key])
        for key in ("minAvailable", "maxUnavailable")
    )
    expected, healthy = (status.get(key) or 0 for key in ("expectedPods", "currentHealthy"))
    others = max(0, expected - sum(controller.max_pods for controller in controllers))
    theirs = max(0, healthy - sum(controller.available for controller in controllers))
    return Guard(str(budget["metadata"]["name"]), least, most, others, min(others, theirs))
