"""A world whose pods go to a Deployment and back: who owned them at every instant, what was made and lost."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from rollupdate.core.migration.scene import Goal
from rollupdate.core.model import record
from rollupdate.core.model.hold import CLASS
from rollupdate.core.model.migration import HASH_LABEL
from rollupdate.engine.migration import Migrating, MigrationRun
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Order
from rollupdate.events import Event
from testing.objects import Json
from testing.sandbox import Change, Sandbox
from testing.sandbox.objects import controller_of, is_active, is_being_deleted
from testing.sandbox.resources import PODS
from tests.engine.inprocess import FakeClock, Killed, SandboxCluster

NAME = "web"
SIZE = 3
APART = "5d41402abc4b2a76b9719d911017c592"
"""The label of a controller that was updated before."""


def web(size: int = SIZE, image: str = "web:1.0", *, updated: bool = False) -> Json:
    """A controller; ``updated``: with the label that an update gives it."""
    labels = {"app": NAME, **({"deployment": APART} if updated else {})}
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": NAME, "labels": {"app": NAME}, "annotations": {"team": "shop"}},
        "spec": {
            "replicas": size,
            "selector": dict(labels),
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


def up(**more: Any) -> Order:
    return Order(**{"name": NAME, "new_name": NAME, "to_deployment": True, **more})


def down(**more: Any) -> Order:
    return Order(**{"name": NAME, "new_name": NAME, "to_deployment": False, **more})


class Migrations:
    """One namespace with ``web``, settled. Pods that were made, that went, and that were seen without a
    controller are noted from then on. ``stored``: the objects of the namespace instead, ``at`` so many
    seconds after the start."""

    def __init__(
        self,
        manifest: Json | None = None,
        *,
        stored: Sequence[Json] = (),
        at: float = 0.0,
        seed: int = 0,
        **more: Any,
    ) -> None:
        self.sandbox = Sandbox(seed=seed, **more)
        self.events: list[Event] = []
        if stored:
            self.sandbox.advance(at)
            self.sandbox.restore(stored)
        else:
            self.sandbox.create(manifest or web())
        self.sandbox.settle()
        self.sandbox.advance(600)  # of pods too many the manager deletes the youngest
        self.alone: list[str] = []
        self.made: list[str] = []
        self.gone: list[str] = []
        self.watched_from_now()
        self.sandbox.on_write(self._watch)

    def watched_from_now(self) -> None:
        self.sandbox.settle()
        self.before = self.names()
        found = self.controllers()
        self.spec = copy.deepcopy(found[NAME]["spec"]) if NAME in found else None
        self.alone.clear()
        self.made.clear()
        self.gone.clear()

    def _watch(self, change: Change) -> None:
        if change.resource is not PODS:
            return
        if change.old is None:
            self.made.append(change.name)
        elif change.new is None or (is_being_deleted(change.new) and not is_being_deleted(change.old)):
            self.gone.append(change.name)
        if change.new is not None and not is_being_deleted(change.new) and controller_of(change.new) is None:
            self.alone.append(change.name)

    # --- what there is ---

    def names(self) -> set[str]:
        return {pod["metadata"]["name"] for pod in self.sandbox.pods()}

    def _objects(self, plural: str) -> dict[str, Json]:
        return {one["metadata"]["name"]: one for one in self.sandbox.objects(plural, "default")}

    def controllers(self) -> dict[str, Json]:
        return self._objects("replicationcontrollers")

    def replica_sets(self) -> dict[str, Json]:
        return self._objects("replicasets")

    def deployments(self) -> dict[str, Json]:
        return self._objects("deployments")

    def active_pods(self) -> list[Json]:
        return [pod for pod in self.sandbox.pods() if is_active(pod) and not is_being_deleted(pod)]

    # --- runs ---

    def run(
        self,
        order: Order,
        *,
        before: Callable[[int], None] | None = None,
        after: Callable[[int], None] | None = None,
    ) -> SandboxCluster:
        """One run to its end. Raises what it ended with."""
        cluster = SandboxCluster(self.sandbox)
        cluster.before, cluster.after = before or cluster.before, after or cluster.after
        self.run_on(cluster, order)
        return cluster

    def run_on(self, cluster: SandboxCluster, order: Order) -> None:
        """The same through that cluster."""
        goal = plan(cluster, order)
        if isinstance(goal, Goal):
            clock = FakeClock(self.sandbox)
            run = MigrationRun(cluster, clock, goal, self.events.append, jitter=lambda: 0.5)
            self.outcome: Migrating = run.run()
            if self.outcome.error is not None:
                raise self.outcome.error

    def killed_at(self, order: Order, write: int, *, before: bool) -> bool:
        """The client dies before or after that write, and no more of it arrives. Whether it came so far."""
        dead, one_at_a_time = False, Lock()  # pods are written by several threads

        def earlier(number: int) -> None:
            nonlocal dead
            one_at_a_time.acquire()
            if dead or (before and number == write):
                dead = True
                one_at_a_time.release()
                raise Killed(number)

        def later(number: int) -> None:
            nonlocal dead
            dead = dead or (not before and number == write)
            one_at_a_time.release()
            if dead:
                raise Killed(number)

        try:
            self.run(order, before=earlier, after=later)
        except Killed:
            return True
        return False

    def disturbed_at(self, order: Order, write: int, happens: Callable[[], object]) -> bool:
        """``happens`` right after that write; the client goes on. Whether there was such a write."""
        done, one_at_a_time = False, Lock()

        def earlier(_: int) -> None:
            one_at_a_time.acquire()

        def later(number: int) -> None:
            nonlocal done
            if number == write:
                done = True
                happens()
            one_at_a_time.release()

        self.run(order, before=earlier, after=later)
        return done

    # --- the promises ---

    def assert_kept(self) -> None:
        """No pod was made, none went, none was without a controller."""
        assert (self.made, self.gone, self.alone) == ([], [], [])
        assert self.names() == self.before

    def _assert_pods_of(self, owner: Json) -> None:
        for pod in self.active_pods():
            meta = pod["metadata"]
            assert [one["uid"] for one in meta["ownerReferences"]] == [owner["metadata"]["uid"]]
            assert not set(meta.get("annotations") or {}) & set(record.KEYS)

    def assert_none_lost(self) -> None:
        """All pods that there were are there, and none was without a controller."""
        assert self.before <= self.names()
        assert not self.alone

    def assert_up(self, name: str = NAME, *, keep: bool = False) -> Json:
        """The Deployment has the pods, in one ReplicaSet, and nothing is left of the migration."""
        self.sandbox.settle()
        found = self.controllers()
        if keep:
            assert found[NAME]["spec"]["replicas"] == 0
            assert not set(found[NAME]["metadata"].get("annotations") or {}) & set(record.KEYS)
        else:
            assert not found, list(found)
        (deployment,) = self.deployments().values()
        assert deployment["metadata"]["name"] == name
        annotations = deployment["metadata"]["annotations"]
        assert not set(annotations) & set(record.KEYS)
        size = deployment["spec"]["replicas"]
        status = deployment["status"]
        assert not deployment["spec"].get("paused")
        assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (size,) * 3
        sets = self.replica_sets()
        (active,) = (one for one in sets.values() if one["spec"]["replicas"])
        for one in sets.values():
            assert not set(one["metadata"].get("annotations") or {}) & set(record.KEYS)
            assert one["spec"]["template"]["spec"].get("priorityClassName") != CLASS
            assert [owner["uid"] for owner in one["metadata"]["ownerReferences"]] == [
                deployment["metadata"]["uid"]
            ]
        self._assert_pods_of(active)
        assert all(HASH_LABEL in pod["metadata"]["labels"] for pod in self.active_pods())
        return deployment

    def assert_down(self, *, same: bool = True) -> Json:
        """The controller has the pods, and nothing is left of the migration. ``same``: it is as it was."""
        self.sandbox.settle()
        assert not self.replica_sets(), list(self.replica_sets())
        assert not self.deployments(), list(self.deployments())
        (controller,) = self.controllers().values()
        assert not set(controller["metadata"].get("annotations") or {}) & set(record.KEYS)
        size = controller["spec"]["replicas"]
        status = controller["status"]
        assert (status["replicas"], status.get("availableReplicas", 0)) == (size, size)
        if same:
            assert controller["spec"] == self.spec
        self._assert_pods_of(controller)
        assert not any(HASH_LABEL in pod["metadata"]["labels"] for pod in self.active_pods())
        return controller
