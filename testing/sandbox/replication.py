"""What keeps as many pods as a ReplicationController or a ReplicaSet wants, and its status.

One implementation for both kinds, as in kube-controller-manager, on which it is modelled: it adopts and
releases, creates and deletes, and only then writes a status with the counts from before. So
``observedGeneration`` may be current while ``replicas`` is not; the pods it made or deleted wake it again,
and the next status is right. Which pods go first is in ``ranking``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from testing.kubelet.events import Happening
from testing.kubelet.pod_status import is_ready
from testing.objects import Json
from testing.sandbox import ranking
from testing.sandbox.clock import Clock
from testing.sandbox.events import Recorder
from testing.sandbox.label_selectors import is_selected
from testing.sandbox.objects import (
    condition,
    controller_of,
    is_active,
    is_being_deleted,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    seconds_of,
    selects,
    uid_of,
)
from testing.sandbox.options import DeleteOptions
from testing.sandbox.owning import Owners, claim
from testing.sandbox.resources import PODS, Resource
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.workqueue import Finish, Latency, WorkQueue

_ACTORS = {"ReplicationController": "replication-controller", "ReplicaSet": "replicaset-controller"}
_BURST = 500
"""Pods created or deleted in one sync, at most."""


@dataclass(frozen=True)
class ManagerConfig:
    """Seconds, shortest and longest: from a change to the sync, and from there to the status."""

    latency: Latency = (0.005, 0.05)
    status_latency: Latency = (0.001, 0.01)


class ReplicationManager:
    """Of the controllers of one kind. It acts on its own, through the clock's queue."""

    def __init__(
        self,
        store: Store,
        verbs: Verbs,
        clock: Clock,
        rng: random.Random,
        config: ManagerConfig,
        resource: Resource,
    ) -> None:
        self.config = config
        self._store = store
        self._verbs = verbs
        self._clock = clock
        self._rng = rng
        self._resource = resource
        self._actor = _ACTORS[resource.kind]
        self._owners = Owners(store, resource)
        self._recorder = Recorder(store, verbs, rng, self._actor)
        self._queue = WorkQueue(clock, rng, config.latency, self._sync)
        store.listeners.append(self._see)

    def pause(self) -> None:
        self._queue.pause()

    def resume(self) -> None:
        self._queue.resume()

    # What wakes it

    def _see(self, change: Change) -> None:
        if change.resource is self._resource:
            self._queue.add(f"{change.namespace}/{change.name}")
        elif change.resource is PODS:
            new, old = change.new, change.old
            for controller in self._owners.to_wake(old, new):
                self._queue.add(_key(controller))
            if new is not None and old is not None and is_ready(new) and not is_ready(old):
                self._wake_when_available(new)

    def _wake_when_available(self, pod: Json) -> None:
        owner = self._owners.of(pod)
        seconds = owner["spec"].get("minReadySeconds", 0) if owner is not None else 0
        if owner is not None and seconds:
            # A second more than needed, as timestamps are whole seconds.
            self._queue.add_after(_key(owner), seconds + 1)

    # What it does

    def _sync(self, key: str, finish: Finish) -> None:
        namespace, _, name = key.partition("/")
        controller = self._store.get(self._resource, namespace, name)
        if controller is None:
            finish(True)
            return
        error: ApiError | None = None
        try:
            pods = self._claim(controller)
        except ApiError:
            finish(False)
            return
        if not is_being_deleted(controller):
            error = self._manage(controller, pods)
        status = self._status(controller, pods, error)

        def write() -> None:
            finish(self._write_status(controller, status) and error is None)

        self._clock.schedule(self._rng.uniform(*self.config.status_latency), write)

    def _claim(self, controller: Json) -> list[Json]:
        """The active pods that are the controller's, after adopting and releasing."""
        pods = filter(is_active, self._store.objects(PODS, namespace_of(controller)))
        return claim(self._verbs, controller, pods, PODS, self._actor)

    def _manage(self, controller: Json, pods: Sequence[Json]) -> ApiError | None:
        """Create what is missing, or delete what is too much. The first error is returned."""
        difference = len(pods) - controller["spec"]["replicas"]
        if difference < 0:
            return self._create(controller, min(-difference, _BURST))
        if difference > 0:
            surplus = ranking.surplus(pods, min(difference, _BURST), self._related(controller))
            errors = [self._delete(controller, pod) for pod in surplus]
            return next(filter(None, errors), None)
        return None

    def _create(self, controller: Json, count: int) -> ApiError | None:
        """In batches of 1, 2, 4, ...: after a batch with a failure no other is tried."""
        batch = 1
        while count > 0:
            errors = [self._create_one(controller) for _ in range(min(batch, count))]
            if first := next(filter(None, errors), None):
                return first
            count -= batch
            batch *= 2
        return None

    def _create_one(self, controller: Json) -> ApiError | None:
        template = controller["spec"]["template"]
        metadata: Json = {
            "generateName": f"{name_of(controller)}-",
            "ownerReferences": [owner_reference(controller)],
        }
        for field in ("labels", "annotations", "finalizers"):
            if template["metadata"].get(field):
                metadata[field] = template["metadata"][field]
        pod: Json = {"metadata": metadata, "spec": template["spec"]}
        try:
            made = self._verbs.create(PODS, namespace_of(controller), pod, actor=self._actor)
        except ApiError as error:
            self._recorder.record(controller, Happening("FailedCreate", f"Error creating: {error}"))
            return error
        done = Happening("SuccessfulCreate", f"Created pod: {name_of(made)}", kind="Normal")
        self._recorder.record(controller, done)
        return None

    def _delete(self, controller: Json, pod: Json) -> ApiError | None:
        options = DeleteOptions(uid=uid_of(pod))
        try:
            self._verbs.delete(PODS, namespace_of(pod), name_of(pod), options, actor=self._actor)
        except ApiError as error:
            self._recorder.record(controller, Happening("FailedDelete", f"Error deleting: {error}"))
            return error
        done = Happening("SuccessfulDelete", f"Deleted pod: {name_of(pod)}", kind="Normal")
        self._recorder.record(controller, done)
        return None

    def _related(self, controller: Json) -> list[Json]:
        owner = controller_of(controller)
        if owner is None:
            return []
        namespace = namespace_of(controller)
        siblings = [
            other
            for other in self._store.each(self._resource, namespace)
            if (controller_of(other) or {}).get("uid") == owner["uid"]
        ]
        pods = self._store.each(PODS, namespace)
        return [pod for pod in pods if any(is_selected(sibling, labels_of(pod)) for sibling in siblings)]

    # Status

    def _status(self, controller: Json, pods: Sequence[Json], error: ApiError | None) -> Json:
        spec, before = controller["spec"], controller["status"]
        counts = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(
                selects(spec["template"]["metadata"].get("labels") or {}, labels_of(pod)) for pod in pods
            ),
            "readyReplicas": sum(is_ready(pod) for pod in pods),
            "availableReplicas": sum(self._is_available(pod, spec.get("minReadySeconds", 0)) for pod in pods),
            "observedGeneration": controller["metadata"]["generation"],
        }
        # Zero counts are left out, but for the first.
        status: Json = {key: count for key, count in counts.items() if count or key == "replicas"}
        conditions = before.get("conditions") or []
        if error is None:
            conditions = [entry for entry in conditions if entry["type"] != "ReplicaFailure"]
        elif condition(controller, "ReplicaFailure") is None:
            # While it goes on failing, whatever the reason is by then, the condition stays as it is.
            creates = len(pods) < spec["replicas"]
            failed = {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": self._verbs.now(),
                "reason": "FailedCreate" if creates else "FailedDelete",
                "message": str(error) if creates else f"unable to delete pods: {error}",
            }
            conditions = [*conditions, failed]
        if conditions:
            status["conditions"] = conditions
        return status

    def _is_available(self, pod: Json, min_ready_seconds: int) -> bool:
        if not is_ready(pod):
            return False
        since = seconds_of((condition(pod, "Ready") or {}).get("lastTransitionTime"))
        return not min_ready_seconds or (since or 0.0) + min_ready_seconds <= self._clock.wall()

    def _write_status(self, controller: Json, status: Json) -> bool:
        """Once more after a conflict, with the same counts and the generation they were taken at."""
        if controller["status"] == status:
            self._recheck_availability(controller)
            return True
        namespace, name = namespace_of(controller), name_of(controller)
        current = self._store.get(self._resource, namespace, name)
        if current is None:
            return True
        try:
            stored = self._verbs.write(self._resource, current, {**current, "status": status}, self._actor)
        except ApiError:
            return False
        self._recheck_availability(stored)
        return True

    def _recheck_availability(self, controller: Json) -> None:
        spec, status = controller["spec"], controller["status"]
        seconds, wanted = spec.get("minReadySeconds", 0), spec["replicas"]
        if seconds and status.get("readyReplicas", 0) == wanted != status.get("availableReplicas", 0):
            self._queue.add_after(_key(controller), seconds)


def _key(controller: Json) -> str:
    return f"{namespace_of(controller)}/{name_of(controller)}"
