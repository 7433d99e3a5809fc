"""ResourceQuota of object counts: what is refused at admission, and the quota's own status.

Counts only (``pods``, ``count/pods``, ``replicationcontrollers``, ...); quantities of cpu and memory are kept
and ignored.
"""

from __future__ import annotations

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.clock import Clock
from testing.sandbox.objects import name_of, namespace_of
from testing.sandbox.resources import PODS, QUOTAS, RESOURCES, Resource
from testing.sandbox.store import Change, Store

_ACTOR = "resourcequota-controller"
_COUNTED = {
    **{resource.plural: resource for resource in RESOURCES.values() if not resource.group},
    **{f"count/{resource.qualified}": resource for resource in RESOURCES.values()},
}
"""What a quota may name: the kinds of a group only with ``count/``."""


def admit(store: Store, resource: Resource, obj: Json) -> None:
    """Raise 403 if one more such object is more than a quota of its namespace allows."""
    namespace = namespace_of(obj)
    for quota in store.objects(QUOTAS, namespace):
        hard = quota.get("spec", {}).get("hard") or {}
        names = sorted(name for name in hard if _counted(name) is resource)
        used = {name: _used(store, name, namespace) for name in names}
        over = [name for name in names if used[name] + 1 > int(hard[name])]
        if over:
            requested = ",".join(f"{name}=1" for name in over)
            in_use = ",".join(f"{name}={used[name]}" for name in over)
            limited = ",".join(f"{name}={hard[name]}" for name in over)
            counts = f"requested: {requested}, used: {in_use}, limited: {limited}"
            detail = f"exceeded quota: {name_of(quota)}, {counts}"
            raise statuses.forbidden(resource, name_of(obj), detail)


def _counted(name: str) -> Resource | None:
    return _COUNTED.get(name)


def _used(store: Store, name: str, namespace: str) -> int:
    resource = _counted(name)
    if resource is None:
        return 0
    objects = store.each(resource, namespace)
    if name == "pods":
        # The plain name leaves out what has ended; count/pods is what is stored.
        return sum(pod["status"].get("phase") not in ("Succeeded", "Failed") for pod in objects)
    return sum(1 for _ in objects)


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
            used = {name: str(_used(self._store, name, namespace)) for name in sorted(hard)}
            status = {"hard": hard, "used": used}
            if quota.get("status") != status:
                self._store.replace(QUOTAS, quota, {**quota, "status": status}, _ACTOR)
