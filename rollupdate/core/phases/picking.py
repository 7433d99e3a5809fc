"""Which pods may go by eviction now: in their order, as far as their budgets allow, and no ready one in the
place of one that is not."""

from __future__ import annotations

from dataclasses import dataclass

from rollupdate.core.model.allowance import Allowance
from rollupdate.core.model.evictable import EvictablePod, PodLook


@dataclass(frozen=True)
class Pick:
    """The pods that may go by what their budgets say."""

    pods: tuple[EvictablePod, ...] = ()
    blocked: Allowance | None = None
    """The budget that keeps the first of those that may not."""
    unready: bool = False
    """That one is not ready."""
    doubled: tuple[str, ...] = ()
    """Budgets that cover one pod, more than one: the server evicts it not at all."""

    @classmethod
    def of(cls, look: PodLook, size: int, most: int) -> Pick:
        """At most ``most`` pods, so that ``size`` are left, and ``size`` ready ones: where a budget keeps one
        that is not ready, no ready one goes in its place."""
        ready = sum(pod.ready for pod in look.pods if pod.active) - size
        allowances = look.allowances or ()
        spent = dict.fromkeys((one.name for one in allowances), 0)
        picked: list[EvictablePod] = []
        blocked, unready = None, False
        for pod in look.in_order:
            if len(picked) >= min(most, look.left - size):
                break
            asked = [one for one in allowances if pod.budget_asked and one.covers(pod.labels)]
            if len(asked) > 1:
                return cls(doubled=tuple(one.name for one in asked))
            if pod.ready and ready <= 0:
                break
            free = not asked or (not pod.ready and asked[0].unready_may_go)
            if not free:
                budget = asked[0]
                if not budget.counted or spent[budget.name] >= budget.allowed:
                    unready = unready if blocked else not pod.ready
                    blocked = blocked or budget
                    continue
                spent[budget.name] += 1
            ready -= pod.ready
            picked.append(pod)
        return cls(tuple(picked), blocked, unready)
