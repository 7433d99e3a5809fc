"""The controller of Deployments: it claims ReplicaSets, creates the new one, and moves sizes from old to new.

Modelled on kube-controller-manager. Which ReplicaSet is new and how large each is to be is in ``rollouts``,
what the status says in ``progress``; pods are the business of ``replication``. For a paused Deployment
ReplicaSets are claimed and scaled as for any other: only nothing is created for it, and nothing rolls.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from testing.kubelet.events import Happening
from testing.objects import Json
from testing.sandbox import progress, rollouts
from testing.sandbox.clock import Clock
from testing.sandbox.events import Recorder
from testing.sandbox.objects import (
    controller_of,
    is_being_deleted,
    name_of,
    namespace_of,
    uid_of,
)
from testing.sandbox.options import DeleteOptions
from testing.sandbox.owning import Owners, claim
from testing.sandbox.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.workqueue import Finish, Latency, WorkQueue

_ACTOR = "deployment-controller"


class DeploymentController:
    """Acts on its own, through the clock's queue."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, latency: Latency
    ) -> None:
        self._store = store
        self._verbs = verbs
        self._recorder = Recorder(store, verbs, rng, _ACTOR)
        self._owners = Owners(store, DEPLOYMENTS)
        self._sets = Owners(store, REPLICA_SETS)
        self._queue = WorkQueue(clock, rng, latency, self._sync)
        store.listeners.append(self._see)

    def pause(self) -> None:
        self._queue.pause()

    def resume(self) -> None:
        self._queue.resume()

    def _see(self, change: Change) -> None:
        if change.resource is DEPLOYMENTS:
            self._queue.add(f"{change.namespace}/{change.name}")
        elif change.resource is REPLICA_SETS:
            for deployment in self._owners.to_wake(change.old, change.new):
                self._queue.add(_key(deployment))
        elif change.resource is PODS and change.new is None:
            # One that recreates its pods may have waited for this.
            replica_set = self._sets.of(change.final)
            owner = None if replica_set is None else self._owners.of(replica_set)
            if owner is not None and not rollouts.is_rolling(owner):
                self._queue.add(_key(owner))

    def _sync(self, key: str, finish: Finish) -> None:
        namespace, _, name = key.partition("/")
        deployment = self._store.get(DEPLOYMENTS, namespace, name)
        if deployment is None:
            finish(True)
            return
        try:
            found = self._store.objects(REPLICA_SETS, namespace)
            claimed = claim(self._verbs, deployment, found, REPLICA_SETS, _ACTOR)
            rollout = _Rollout(self._store, self._verbs, self._recorder, deployment, claimed)
            rollout.go_on()
        except ApiError:
            finish(False)
            return
        left = progress.seconds_left(rollout.deployment, self._verbs.now())
        if left is not None and rollout.waits:
            self._queue.add_after(key, max(left, 0.0) + 1, background=True)
        finish(True)


class _Rollout:
    """One look at one Deployment and its ReplicaSets, with what is done about them."""

    def __init__(
        self, store: Store, verbs: Verbs, recorder: Recorder, deployment: Json, claimed: Sequence[Json]
    ) -> None:
        self.deployment = deployment
        self.waits = False
        """Whether there is nothing to do until something else happens, or never does."""
        self._store = store
        self._verbs = verbs
        self._recorder = recorder
        self._new, self._old = rollouts.split(deployment, claimed)

    def go_on(self) -> None:
        """Do what is due now. Raises ApiError for a write that is refused: then it is to be tried again."""
        if is_being_deleted(self.deployment):
            self._recognise()
            self._write_status(progress.counted(self.deployment, self._new, self._old, self._verbs.now()))
            return
        if news := progress.pause_changed(self.deployment):
            self._set(news)
        self._recognise()
        paused = self.deployment["spec"].get("paused")
        if paused or rollouts.was_scaled(self.deployment, self._all()):
            self._scale(rollouts.rescaled(self.deployment, self._new, self._old))
            if paused:
                self._forget()
            self._write_status(progress.counted(self.deployment, self._new, self._old, self._verbs.now()))
            return
        if rollouts.is_rolling(self.deployment):
            self._roll()
        else:
            self._recreate()
        status = progress.judged(self.deployment, self._new, self._old, self._verbs.now())
        self.waits = status == self.deployment["status"]
        self._write_status(status)

    def _all(self) -> list[Json]:
        return [*self._old, self._new] if self._new is not None else list(self._old)

    # The strategies

    def _roll(self) -> None:
        new = self._new or self._create()
        old = rollouts.active(self._old)
        sizes = rollouts.scale_up(self.deployment, new, old) or rollouts.scale_down(self.deployment, new, old)
        self._scale(sizes)
        if not sizes:
            self._forget_if_complete()

    def _recreate(self) -> None:
        """All old pods go before a new one comes."""
        active = rollouts.active(self._old)
        self._scale([(replica_set, 0) for replica_set in active])
        if active or self._old_pods_run():
            return
        new = self._new or self._create()
        self._scale(rollouts.scale_up(self.deployment, new, []))
        self._forget_if_complete()

    def _old_pods_run(self) -> bool:
        ours = {uid_of(replica_set) for replica_set in self._old}
        running = (
            pod
            for pod in self._store.each(PODS, namespace_of(self.deployment))
            if pod["status"].get("phase") not in ("Succeeded", "Failed")
        )
        return rollouts.count(self._old) > 0 or any(
            (controller_of(pod) or {}).get("uid") in ours for pod in running
        )

    # The new ReplicaSet

    def _recognise(self) -> None:
        """Number the new one, if there is one, and give it what follows from the Deployment."""
        if self._new is None:
            return
        wanted = rollouts.with_revision(self.deployment, self._new, self._old)
        seconds = self.deployment["spec"].get("minReadySeconds", 0)
        if wanted != self._new or self._new["spec"].get("minReadySeconds", 0) != seconds:
            self._new = self._update({**wanted, "spec": {**wanted["spec"], "minReadySeconds": seconds}})
            return
        self._number(self._new)
        if progress.has_deadline(self.deployment) and not self._has_progress():
            self._set(progress.found(self._new))

    def _has_progress(self) -> bool:
        conditions = self.deployment["status"].get("conditions") or ()
        return any(entry["type"] == progress.PROGRESSING for entry in conditions)

    def _create(self) -> Json:
        made = rollouts.new_replica_set(self.deployment, self._old)
        namespace, name, size = namespace_of(made), name_of(made), rollouts.size(made)
        try:
            new = self._verbs.create(REPLICA_SETS, namespace, made, actor=_ACTOR)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                self._collide()
            else:
                message = f'Failed to create new replica set "{name}": {error}'
                if progress.has_deadline(self.deployment):
                    self._set(progress.not_created(message))
                self._recorder.record(self.deployment, Happening("ReplicaSetCreateError", message))
            raise
        if size:
            self._tell(f"Scaled up replica set {name} to {size}")
        self._number(new)
        if progress.has_deadline(self.deployment):
            self._set(progress.created(new))
        self._new = new
        return new

    def _collide(self) -> None:
        """The name is taken, by a ReplicaSet of another template or another owner: try another name."""
        status = self.deployment["status"]
        self._write_status({**status, "collisionCount": status.get("collisionCount", 0) + 1})

    def _number(self, new: Json) -> None:
        """The Deployment has the revision of its new ReplicaSet."""
        text = (new["metadata"].get("annotations") or {}).get(rollouts.REVISION)
        annotations = self.deployment["metadata"].get("annotations") or {}
        if text is not None and annotations.get(rollouts.REVISION) != text:
            metadata = {
                **self.deployment["metadata"],
                "annotations": {**annotations, rollouts.REVISION: text},
            }
            self._write({**self.deployment, "metadata": metadata})

    # Writes

    def _scale(self, sizes: rollouts.Sizes) -> None:
        for replica_set, size in sizes:
            wanted = rollouts.with_sizes(self.deployment, replica_set)
            if wanted == replica_set and size == rollouts.size(replica_set):
                continue
            self._update({**wanted, "spec": {**wanted["spec"], "replicas": size}})
            if size != rollouts.size(replica_set):
                way = "up" if size > rollouts.size(replica_set) else "down"
                self._tell(f"Scaled {way} replica set {name_of(replica_set)} to {size}")

    def _forget_if_complete(self) -> None:
        if progress.is_complete(self.deployment, self.deployment["status"]):
            self._forget()

    def _forget(self) -> None:
        for replica_set in rollouts.forgotten(self.deployment, self._old, self._verbs.minor):
            namespace, name = namespace_of(replica_set), name_of(replica_set)
            self._verbs.delete(REPLICA_SETS, namespace, name, DeleteOptions(), actor=_ACTOR)

    def _update(self, replica_set: Json) -> Json:
        namespace, name = namespace_of(replica_set), name_of(replica_set)
        return self._verbs.update(REPLICA_SETS, namespace, name, replica_set, actor=_ACTOR)

    def _set(self, condition: progress.Condition) -> None:
        self._write_status(progress.with_condition(self.deployment["status"], condition, self._verbs.now()))

    def _write_status(self, status: Json) -> None:
        self._write({**self.deployment, "status": status})

    def _write(self, deployment: Json) -> None:
        self.deployment = self._verbs.write(DEPLOYMENTS, self.deployment, deployment, _ACTOR)

    def _tell(self, message: str) -> None:
        self._recorder.record(self.deployment, Happening("ScalingReplicaSet", message, kind="Normal"))


def _key(deployment: Json) -> str:
    return f"{namespace_of(deployment)}/{name_of(deployment)}"
