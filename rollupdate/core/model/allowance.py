"""What a PodDisruptionBudget allows now, by its own status; and which pods it covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollupdate.core.model.selecting import selects
from rollupdate.objects import Json


def covers(budget: Json, labels: Mapping[str, str]) -> bool:
    """Whether a budget covers pods with those labels.

    Raises AttributeError, KeyError, TypeError or ValueError for what the API would not store."""
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return bool(budget.get("apiVersion") != "policy/v1beta1")  # where an empty one selected nothing
    return selects(selector, labels)


@dataclass(frozen=True)
class Allowance:
    """Of one budget."""

    name: str
    allowed: int
    """Disruptions."""
    healthy: int
    desired: int
    """Healthy pods that it asks for."""
    counted: bool = True
    """The status speaks of the budget as it is."""
    of_sizes: bool = False
    """It is a share of the sizes of the controllers, or what may be missing from them."""
    uncountable: str = ""
    """Why the disruption controller cannot count its pods; empty where it can."""
    always_unready: bool = False
    """Pods that are not ready may go at any time."""
    budget: Json = field(default_factory=dict, repr=False, compare=False)
    """The object."""

    @classmethod
    def of(cls, budget: Json) -> Allowance:
        """Raises AttributeError, KeyError, TypeError or ValueError for what the API would not store."""
        covers(budget, {})
        meta, spec, status = budget["metadata"], budget["spec"], budget.get("status") or {}
        allowed, healthy, desired, observed = (
            int(status.get(key) or 0)
            for key in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "observedGeneration")
        )
        return cls(
            name=str(meta["name"]),
            allowed=allowed,
            healthy=healthy,
            desired=desired,
            counted=observed >= int(meta.get("generation") or 0),
            uncountable=_failure(status),
            of_sizes=spec.get("maxUnavailable") is not None or str(spec.get("minAvailable")).endswith("%"),
            always_unready=spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow",
            budget=budget,
        )

    def covers(self, labels: Mapping[str, str]) -> bool:
        return covers(self.budget, labels)

    @property
    def unready_may_go(self) -> bool:
        """Nobody misses a pod that is not ready: enough others are."""
        return self.always_unready or self.healthy >= self.desired > 0

    @property
    def words(self) -> str:
        """What is waited for."""
        if self.uncountable:
            return f"{self.name} allows 0: its pods cannot be counted: {self.uncountable}"
        if not self.counted:
            return f"{self.name} allows 0: it is not counted yet"
        return f"{self.name} allows {self.allowed}: {self.healthy} of {self.desired} healthy"


def _failure(status: Mapping[str, Any]) -> str:
    """By its condition DisruptionAllowed (from Kubernetes 1.21 on), whose reason is SyncFailed then."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "DisruptionAllowed" and condition.get("reason") == "SyncFailed":
            return str(condition.get("message") or condition["reason"])
    return ""
