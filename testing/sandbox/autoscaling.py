"""The controller of HorizontalPodAutoscalers, without metrics: a size outside of the limits is corrected.

Between these it leaves sizes alone, as the real one does as long as it has no metrics. The limits are all
that a move of pods can run into.
"""

from __future__ import annotations

import random

from testing.kubelet.events import Happening
from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.clock import Clock
from testing.sandbox.events import Recorder
from testing.sandbox.objects import name_of, namespace_of
from testing.sandbox.resources import AUTOSCALERS, Resource, resource_of
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs

_ACTOR = "horizontal-pod-autoscaler"
_FORMER_VERSIONS = {("v1", "DeploymentConfig"): "apps.openshift.io"}
"""Kinds as they were named before they had a group: OpenShift's controller manager still finds them. That of
Kubernetes does not."""
_INTERVAL = 15.0
"""Seconds from one look at an autoscaler to the next, and from its creation to the first."""


class Autoscaler:
    """Looks at each of them again and again, whether anything changed or not."""

    def __init__(self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random) -> None:
        self._store = store
        self._verbs = verbs
        self._clock = clock
        self._recorder = Recorder(store, verbs, rng, _ACTOR)
        self._queued: set[tuple[str, str]] = set()
        store.listeners.append(self._see)

    def _see(self, change: Change) -> None:
        if change.resource is AUTOSCALERS and change.new is not None:
            self._queue(change.namespace, change.name)

    def _queue(self, namespace: str, name: str) -> None:
        if (namespace, name) not in self._queued:
            self._queued.add((namespace, name))
            self._clock.schedule(_INTERVAL, lambda: self._look(namespace, name), background=True)

    def _look(self, namespace: str, name: str) -> None:
        self._queued.discard((namespace, name))
        autoscaler = self._store.get(AUTOSCALERS, namespace, name)
        if autoscaler is None:
            return
        self._queue(namespace, name)
        try:
            target = self._target(autoscaler)
        except ApiError as error:
            self._recorder.record(autoscaler, Happening("FailedGetScale", str(error)))
            return
        size = int(target["spec"]["replicas"])
        wanted = _wanted(autoscaler["spec"], size)
        try:
            if wanted != size:
                self._scale(autoscaler, target, wanted)
            status = {**autoscaler.get("status", {}), "currentReplicas": size, "desiredReplicas": wanted}
            self._verbs.write(AUTOSCALERS, autoscaler, {**autoscaler, "status": status}, _ACTOR)
        except ApiError as error:
            self._recorder.record(autoscaler, Happening("FailedRescale", str(error)))

    def _target(self, autoscaler: Json) -> Json:
        """What is to be scaled. Raises 404 if that is not there, or has no scale."""
        reference = autoscaler["spec"]["scaleTargetRef"]
        version, kind = reference.get("apiVersion", ""), reference["kind"]
        group = _FORMER_VERSIONS.get((version, kind), version.rpartition("/")[0])
        try:
            resource = self._resource(kind)
        except KeyError as error:
            raise statuses.no_such_resource() from error
        if resource.kind != kind or resource.group != group or "scale" not in resource.subresources:
            raise statuses.no_such_resource()
        return self._verbs.get(resource, namespace_of(autoscaler), reference["name"])

    def _resource(self, kind: str) -> Resource:
        return resource_of(kind, self._verbs.served)

    def _scale(self, autoscaler: Json, target: Json, wanted: int) -> None:
        resource = self._resource(target["kind"])
        limit = "below Spec.MinReplicas" if wanted > target["spec"]["replicas"] else "above Spec.MaxReplicas"
        new = {**target, "spec": {**target["spec"], "replicas": wanted}}
        self._verbs.update(resource, namespace_of(target), name_of(target), new, actor=_ACTOR)
        message = f"New size: {wanted}; reason: Current number of replicas {limit}"
        self._recorder.record(autoscaler, Happening("SuccessfulRescale", message, kind="Normal"))


def _wanted(spec: Json, size: int) -> int:
    """What is at 0 is off: it is left there."""
    least, most = int(spec["minReplicas"]), int(spec["maxReplicas"])
    return size if size == 0 and least else min(max(size, least), most)
