"""Pods that may have to go by eviction: what one look at them shows, and which go first.

What their PodDisruptionBudgets allow is in ``allowance``, which of them were chosen in ``chosen``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from rollupdate.core.model.allowance import Allowance
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import owner_uid
from rollupdate.objects import Json

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
"""On a pod: the lower, the earlier it goes."""
_PHASES = {"Pending": 0, "Unknown": 1}
_NO_BUDGET_ASKED = ("Pending", "Succeeded", "Failed")
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class EvictablePod:
    """A pod that is not being deleted."""

    name: str
    uid: str
    resource_version: str
    phase: str = "Running"
    ready: bool = True
    node: str = ""
    cost: int = 0
    ready_since: float = 0.0
    """Seconds since 1970."""
    created: float = 0.0
    restarts: int = 0
    labels: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pod: Json) -> EvictablePod:
        """Of a whole pod. Raises AttributeError, KeyError, TypeError or ValueError for what the API would not
        store."""
        meta, status = pod["metadata"], pod.get("status") or {}
        conditions = {found.get("type"): found for found in status.get("conditions") or ()}
        ready = conditions.get("Ready") or {}
        containers = status.get("containerStatuses") or ()
        return cls(
            name=meta["name"],
            uid=meta["uid"],
            resource_version=str(meta.get("resourceVersion") or ""),
            phase=str(status.get("phase") or ""),
            ready=ready.get("status") == "True",
            node=str((pod.get("spec") or {}).get("nodeName") or ""),
            cost=_cost((meta.get("annotations") or {}).get(DELETION_COST)),
            ready_since=_seconds(ready.get("lastTransitionTime")),
            created=_seconds(meta.get("creationTimestamp")),
            restarts=max((int(found.get("restartCount") or 0) for found in containers), default=0),
            labels=dict(meta.get("labels") or {}),
        )

    @property
    def active(self) -> bool:
        """Its controller counts it."""
        return self.phase not in _ENDED

    @property
    def budget_asked(self) -> bool:
        return self.phase not in _NO_BUDGET_ASKED


def _cost(text: object) -> int:
    try:
        return int(str(text or 0))
    except ValueError:
        return 0


def _seconds(stamp: object) -> float:
    return datetime.fromisoformat(stamp).timestamp() if isinstance(stamp, str) else 0.0


@dataclass(frozen=True)
class PodLook:
    """The pods of one controller, and what stands in the way of their eviction."""

    uid: str
    """Of the controller."""
    seen: tuple[int, int]
    """Its generation, and how many pods its status counted, when they were asked for."""
    at: float
    """Clock seconds."""
    pods: tuple[EvictablePod, ...] = ()
    """Those that it owns."""
    allowances: tuple[Allowance, ...] | None = ()
    """Of the budgets of the namespace; None: they may not be read."""
    cordoned: frozenset[str] = frozenset()
    """Names of nodes; none if they may not be read."""
    fresh: bool = True
    """None of the pods was evicted since."""
    unknown: bool = False
    """This client may not list pods."""

    @property
    def left(self) -> int:
        """How many its controller counts once it knows all of it."""
        return sum(pod.active for pod in self.pods)

    def gone(self, chosen: Evictions) -> int:
        """How many of the chosen pods are no more."""
        return len(chosen.names - {pod.name for pod in self.pods if pod.active})

    def standing(self, chosen: Evictions) -> tuple[EvictablePod, ...]:
        """The chosen pods that may still be evicted: they are as they were when they were chosen."""
        known = {pod.name: pod for pod in self.pods}
        found = ((known.get(name), version) for name, version in chosen.pods)
        return tuple(pod for pod, version in found if pod and pod.active and pod.resource_version == version)

    @property
    def in_order(self) -> list[EvictablePod]:
        """Active pods, those that are to go first at the front: not ready ones, then those on cordoned nodes,
        then in the order of the manager's own deletions (``ActivePodsWithRanks`` of Kubernetes)."""
        active = [pod for pod in self.pods if pod.active]
        on_node = Counter(pod.node for pod in active)
        return sorted(active, key=lambda pod: self._rank(pod, on_node[pod.node]))

    def _rank(self, pod: EvictablePod, on_node: int) -> tuple[float | str, ...]:
        return (
            pod.ready,
            pod.node not in self.cordoned,
            bool(pod.node),
            _PHASES.get(pod.phase, 2),
            pod.cost,
            -on_node,
            -pod.ready_since if pod.ready else 0.0,
            -pod.restarts,
            -pod.created,
            pod.name,
        )


def owned_by(uid: str, pods: Iterable[Json]) -> tuple[EvictablePod, ...]:
    """Those that the controller ``uid`` owns and that are not being deleted."""
    return tuple(
        EvictablePod.of(pod)
        for pod in pods
        if owner_uid(pod) == uid and not pod["metadata"].get("deletionTimestamp")
    )
