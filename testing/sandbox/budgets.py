"""PodDisruptionBudgets: which pods they cover, how many they want healthy, what their status says. Pure.

Who refuses a pod is in ``eviction``, who counts the pods in ``disruption``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from testing.kubelet.pod_status import is_ready
from testing.objects import Json
from testing.sandbox import label_selectors
from testing.sandbox.objects import condition, is_being_deleted, labels_of, name_of, seconds_of

_CONDITION = "DisruptionAllowed"
_CONDITIONS = 21
"""The release from which on the status has a condition."""
_DELETION_TIMEOUT = 120.0
"""Seconds, within which a pod whose eviction was allowed is to be seen as being deleted."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """What a budget's status tells. ``disrupted``: since when pods are expected to be deleted, by name."""

    healthy: int
    desired: int
    expected: int
    disrupted: Mapping[str, str]

    @property
    def allowed(self) -> int:
        return max(self.healthy - self.desired, 0) if self.expected > 0 else 0


def covers(budget: Json, pod: Json) -> bool:
    """An empty selector covers all pods, but in v1beta1, where it covers none; so does no selector."""
    selector = budget["spec"].get("selector")
    if selector is None:
        return False
    if not any(selector.values()):
        return bool(budget["apiVersion"] == "policy/v1")
    return label_selectors.matches(selector, labels_of(pod))


def is_of_sizes(budget: Json) -> bool:
    """Whether it depends on the sizes of the controllers, not on the pods that there are alone."""
    spec = budget["spec"]
    return "maxUnavailable" in spec or isinstance(spec.get("minAvailable"), str)


def desired(budget: Json, expected: int) -> int:
    """How many of so many pods are to be healthy. Percentages are rounded up, of either kind."""
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        return max(expected - _of(spec["maxUnavailable"], expected), 0)
    return _of(spec.get("minAvailable", 0), expected)


def _of(amount: int | str, total: int) -> int:
    return -(-int(amount.rstrip("%")) * total // 100) if isinstance(amount, str) else amount


def disrupted(budget: Json, pods: Iterable[Json]) -> dict[str, str]:
    """What the status says of pods that are there, and not being deleted by now."""
    known = budget["status"].get("disruptedPods") or {}
    waited = (name_of(pod) for pod in pods if not is_being_deleted(pod))
    return {name: known[name] for name in waited if name in known}


def due(since: str) -> float:
    """From when on a pod is not expected to be deleted any more: seconds since 1970."""
    return (seconds_of(since) or 0.0) + _DELETION_TIMEOUT


def healthy(pods: Iterable[Json], disrupted: Collection[str]) -> int:
    """How many are ready and stay."""
    staying = (pod for pod in pods if not is_being_deleted(pod) and name_of(pod) not in disrupted)
    return sum(map(is_ready, staying))


def counted(budget: Json, count: Count, now: str, minor: int) -> Json:
    """The status of the budget as it is now."""
    status: Json = {"observedGeneration": budget["metadata"]["generation"]}
    if count.disrupted:
        status["disruptedPods"] = dict(count.disrupted)
    status |= {
        "disruptionsAllowed": count.allowed,
        "currentHealthy": count.healthy,
        "desiredHealthy": count.desired,
        "expectedPods": count.expected,
    }
    return _with_condition({**budget, "status": status}, budget, now, minor)


def evicted(budget: Json, pod: Json, now: str, minor: int) -> Json:
    """The status when the eviction of the pod was allowed, before anybody counts anew."""
    before = budget["status"]
    status = {
        **before,
        "disruptionsAllowed": before["disruptionsAllowed"] - 1,
        "disruptedPods": {**(before.get("disruptedPods") or {}), name_of(pod): now},
    }
    return _with_condition({**budget, "status": status}, budget, now, minor)


def failed(budget: Json, problem: str, now: str, minor: int) -> Json:
    """The status if the pods can't be counted: nothing is allowed, and the generation is not observed."""
    status = {**budget["status"], "disruptionsAllowed": 0}
    return _with_condition({**budget, "status": status}, budget, now, minor, problem)


def _with_condition(new: Json, old: Json, now: str, minor: int, problem: str = "") -> Json:
    """The status of the new one, with the condition that fits. Its time is that of the last change."""
    status: Json = new["status"]
    if minor < _CONDITIONS:
        return status
    allowed = status["disruptionsAllowed"] > 0
    reason = "SyncFailed" if problem else "SufficientPods" if allowed else "InsufficientPods"
    state, before = "True" if allowed else "False", condition(old, _CONDITION) or {}
    stays = before.get("status") == state
    told = {
        "type": _CONDITION,
        "status": state,
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": before["lastTransitionTime"] if stays else now,
        "reason": reason,
        "message": problem,
    }
    return {**status, "conditions": [told]}
