"""ResourceQuota: what is refused at admission, and the quota's own status.

Objects of all kinds are counted (``pods``, ``count/pods``, ``replicationcontrollers``, ...), and of pods the
requests and limits of their containers, in the scopes that a pod's specification decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.clock import Clock
from testing.sandbox.limits import quantity
from testing.sandbox.objects import name_of, namespace_of
from testing.sandbox.resources import PODS, QUOTAS, RESOURCES, Resource
from testing.sandbox.store import Change, Store

_ACTOR = "resourcequota-controller"
_COUNTED = {
    **{resource.plural: resource for resource in RESOURCES.values() if not resource.group},
    **{f"count/{resource.qualified}": resource for resource in RESOURCES.values()},
}
"""What a quota may name: the kinds of a group only with ``count/``."""
_MUST_BE_SAID = tuple(
    f"{kind}{resource}" for kind in ("", "limits.", "requests.") for resource in ("cpu", "memory")
)
"""By each container of a pod that a quota of it counts."""


def admit(store: Store, resource: Resource, obj: Json) -> None:
    """Raise 403 if such an object is more than a quota of its namespace allows."""
    namespace = namespace_of(obj)
    for quota in store.objects(QUOTAS, namespace):
        hard = quota.get("spec", {}).get("hard") or {}
        if not _is_in_scope(quota, resource, obj):
            continue
        if resource is PODS:
            _refuse_silent_containers(quota, hard, obj)
        asked = _usage(resource, obj)
        names = sorted(name for name in hard if asked.get(name))
        used = {name: _used(store, quota, name) for name in names}
        over = [name for name in names if used[name] + asked[name] > quantity(hard[name])]
        if over:
            requested = ",".join(f"{name}={_written(name, asked[name])}" for name in over)
            in_use = ",".join(f"{name}={_written(name, used[name])}" for name in over)
            limited = ",".join(f"{name}={hard[name]}" for name in over)
            counts = f"requested: {requested}, used: {in_use}, limited: {limited}"
            detail = f"exceeded quota: {name_of(quota)}, {counts}"
            raise statuses.forbidden(resource, name_of(obj), detail)


def _refuse_silent_containers(quota: Json, hard: Json, pod: Json) -> None:
    missing = {
        name
        for container in _containers(pod)
        for name in _MUST_BE_SAID
        if name in hard and name not in _amounts([container])
    }
    if missing:
        detail = f"failed quota: {name_of(quota)}: must specify {','.join(sorted(missing))}"
        raise statuses.forbidden(PODS, name_of(pod), detail)


# --- what is counted ---


def _usage(resource: Resource, obj: Json) -> dict[str, Fraction]:
    """What one object counts for. ``count/`` is of what is stored, the rest of what has not ended."""
    counted = {name: Fraction(1) for name, kind in _COUNTED.items() if kind is resource}
    if resource is not PODS:
        return counted
    if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {"count/pods": counted["count/pods"]}
    amounts = _amounts(obj["spec"]["containers"])
    for container in obj["spec"].get("initContainers") or ():
        for name, amount in _amounts([container]).items():
            amounts[name] = max(amount, amounts.get(name, amount))
    return {**counted, **amounts}


def _amounts(containers: Iterable[Json]) -> dict[str, Fraction]:
    """The sum, by the names that a quota has for it."""
    total: dict[str, Fraction] = {}
    for container in containers:
        for kind in ("requests", "limits"):
            for resource, amount in ((container.get("resources") or {}).get(kind) or {}).items():
                names = [f"{kind}.{resource}"]
                if kind == "requests" and "/" not in resource:
                    names.append(resource)
                for name in names:
                    total[name] = total.get(name, Fraction()) + quantity(amount)
    return total


def _containers(pod: Json) -> list[Json]:
    return [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]


def _is_in_scope(quota: Json, resource: Resource, obj: Json) -> bool:
    spec = quota.get("spec") or {}
    terms = [{"scopeName": scope} for scope in spec.get("scopes") or ()]
    terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return not terms or (resource is PODS and all(_matches(term, obj) for term in terms))


def _matches(term: Json, pod: Json) -> bool:
    best_effort = not any(container.get("resources") for container in _containers(pod))
    terminating = pod["spec"].get("activeDeadlineSeconds") is not None
    of_class, classes = pod["spec"].get("priorityClassName") or "", term.get("values") or ()
    match term["scopeName"]:
        case "PriorityClass":
            operator = term.get("operator") or "Exists"
            answers = {"In": of_class in classes, "NotIn": of_class not in classes, "Exists": bool(of_class)}
            return {**answers, "DoesNotExist": not of_class}[operator]
        case scope:
            answers = {"BestEffort": best_effort, "Terminating": terminating}
            return answers[scope] if scope in answers else not answers[scope.removeprefix("Not")]


def _used(store: Store, quota: Json, name: str) -> Fraction:
    resource = _COUNTED.get(name, PODS)
    found = (
        _usage(resource, obj).get(name, Fraction())
        for obj in store.each(resource, namespace_of(quota))
        if _is_in_scope(quota, resource, obj)
    )
    return sum(found, Fraction())


def _written(name: str, amount: Fraction) -> str:
    """As the server has it: bytes in binary units, parts in thousandths."""
    if amount.denominator != 1:
        return f"{amount * 1000}m"
    if name.endswith(("memory", "storage")) and amount:
        for power, unit in enumerate(("Ti", "Gi", "Mi", "Ki")):
            if amount % 1024 ** (4 - power) == 0:
                return f"{amount / 1024 ** (4 - power)}{unit}"
    return str(amount)


class QuotaController:
    """Keeps ``status.used`` up, a little later, as information. Admission counts for itself."""

    def __init__(self, store: Store, clock: Clock, delay: float = 0.05) -> None:
        self._store = store
        self._clock = clock
        self._delay = delay
        self._queued: set[str] = set()
        self._watched = False
        store.listeners.append(self._see)

    def _see(self, change: Change) -> None:
        if change.resource is QUOTAS:
            self._watched = True
        if not self._watched or change.actor == _ACTOR or change.namespace in self._queued:
            return
        if change.resource is QUOTAS or change.resource is PODS or change.old is None or change.new is None:
            self._queued.add(change.namespace)
            self._clock.schedule(self._delay, lambda: self._update(change.namespace))

    def _update(self, namespace: str) -> None:
        self._queued.discard(namespace)
        for quota in self._store.objects(QUOTAS, namespace):
            hard = quota.get("spec", {}).get("hard") or {}
            used = {name: _written(name, _used(self._store, quota, name)) for name in sorted(hard)}
            status = {"hard": hard, "used": used}
            if quota.get("status") != status:
                self._store.replace(QUOTAS, quota, {**quota, "status": status}, _ACTOR)
