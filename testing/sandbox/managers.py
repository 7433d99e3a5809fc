"""The controllers of pods and budgets, put together: one process, as kube-controller-manager is one."""

from __future__ import annotations

import random

from testing.sandbox.clock import Clock
from testing.sandbox.deployments import DeploymentController
from testing.sandbox.disruption import DisruptionController
from testing.sandbox.replication import ManagerConfig, ReplicationManager
from testing.sandbox.resources import CONTROLLERS, REPLICA_SETS
from testing.sandbox.store import Store
from testing.sandbox.verbs import Verbs


class ControllerManager:
    """Of ReplicationControllers, ReplicaSets, Deployments and PodDisruptionBudgets. For tests it can be held,
    all of it or by kind: then it lags behind, and does all that is left when it is resumed."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, config: ManagerConfig
    ) -> None:
        self.replication = ReplicationManager(store, verbs, clock, rng, config, CONTROLLERS)
        self.replica_sets = ReplicationManager(store, verbs, clock, rng, config, REPLICA_SETS)
        self.deployments = DeploymentController(store, verbs, clock, rng, config.latency)
        self.disruption = DisruptionController(store, verbs, clock, rng, config.latency)
        self._all = (self.replication, self.replica_sets, self.deployments, self.disruption)

    def pause(self) -> None:
        """As if the process were gone."""
        for controller in self._all:
            controller.pause()

    def resume(self) -> None:
        for controller in self._all:
            controller.resume()
