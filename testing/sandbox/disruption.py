"""The disruption controller: it counts the pods of each PodDisruptionBudget, and says how many may go.

A budget is counted when it or one of its pods changes, and at no other time: not when a controller has
another size, though percentages and maxUnavailable are of that size. (The real one looks at all of them once
more after half a day.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from testing.kubelet.events import Happening
from testing.objects import Json
from testing.sandbox import budgets
from testing.sandbox.clock import Clock
from testing.sandbox.events import Recorder
from testing.sandbox.objects import controller_of, name_of, namespace_of, uid_of
from testing.sandbox.resources import BUDGETS, BY_KIND, DEPLOYMENTS, PODS, REPLICA_SETS
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.workqueue import Finish, Latency, WorkQueue

_ACTOR = "disruption-controller"
_SOURCE = "controllermanager"
"""Of its events."""
_UNMANAGED = 22
"""The release from which on pods without a controller are left out of the sizes. Before, it was an error."""


class _CountError(Exception):
    """Why the pods of a budget can't be counted."""


class DisruptionController:
    """Acts on its own, through the clock's queue."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, latency: Latency
    ) -> None:
        self._store = store
        self._verbs = verbs
        self._clock = clock
        self._recorder = Recorder(store, verbs, rng, _SOURCE)
        self._queue = WorkQueue(clock, rng, latency, self._sync)
        store.listeners.append(self._see)

    def pause(self) -> None:
        self._queue.pause()

    def resume(self) -> None:
        self._queue.resume()

    def _see(self, change: Change) -> None:
        if change.resource.kind == BUDGETS.kind:
            self._queue.add(f"{change.namespace}/{change.name}")
        elif change.resource is PODS:
            # Of several one is looked at, whichever. None that covered it only as it was before.
            found = next(self._covering(change.final), None)
            if found is not None:
                self._queue.add(f"{change.namespace}/{name_of(found)}")

    def _covering(self, pod: Json) -> Iterator[Json]:
        every = self._store.each(BUDGETS, namespace_of(pod))
        return (budget for budget in every if budgets.covers(budget, pod))

    def _sync(self, key: str, finish: Finish) -> None:
        namespace, _, name = key.partition("/")
        budget = self._store.get(BUDGETS, namespace, name)
        try:
            if budget is not None:
                status = self._status(key, budget)
                self._verbs.write(BUDGETS, budget, {**budget, "status": status}, _ACTOR)
            finish(True)
        except ApiError:
            finish(False)

    def _status(self, key: str, budget: Json) -> Json:
        every = self._store.objects(PODS, namespace_of(budget))
        pods = [pod for pod in every if budgets.covers(budget, pod)]
        try:
            expected = self._expected(budget, pods)
        except _CountError as error:
            message = f"Failed to calculate the number of expected pods: {error}"
            self._recorder.record(budget, Happening("CalculateExpectedPodCountFailed", message))
            return budgets.failed(budget, str(error), self._verbs.now(), self._verbs.minor)
        disrupted = self._disrupted(key, budget, pods)
        count = budgets.Count(
            healthy=budgets.healthy(pods, disrupted),
            desired=budgets.desired(budget, expected),
            expected=expected,
            disrupted=disrupted,
        )
        return budgets.counted(budget, count, self._verbs.now(), self._verbs.minor)

    def _disrupted(self, key: str, budget: Json, pods: Sequence[Json]) -> dict[str, str]:
        """Since when which pods are expected to be deleted. One that never is counts again in the end."""
        known, now = budgets.disrupted(budget, pods), self._clock.wall()
        kept = {name: since for name, since in known.items() if budgets.due(since) >= now}
        if kept:
            left = min(map(budgets.due, kept.values())) - now
            self._queue.add_after(key, left, background=True)
        for pod in pods:
            if name_of(pod) in known.keys() - kept.keys():
                # The server names the namespace twice, and not the budget.
                where = f"{namespace_of(budget)}/{namespace_of(budget)}"
                message = f"Pod was expected by PDB {where} to be deleted but it wasn't"
                self._recorder.record(pod, Happening("NotDeleted", message))
        return kept

    # Sizes

    def _expected(self, budget: Json, pods: Sequence[Json]) -> int:
        """How many pods there should be."""
        if not budgets.is_of_sizes(budget):
            return len(pods) if "minAvailable" in budget["spec"] else 0
        sizes: dict[str, int] = {}
        for pod in pods:
            reference = controller_of(pod)
            if reference is not None:
                found = self._scaled(pod, reference)
                sizes[uid_of(found)] = found["spec"]["replicas"]
            elif self._verbs.minor < _UNMANAGED:
                message = f'found no controller ref for pod "{name_of(pod)}"'
                self._recorder.record(budget, Happening("NoControllerRef", message))
                raise _CountError(message)
        return sum(sizes.values())

    def _scaled(self, pod: Json, reference: Json) -> Json:
        """Whose size it is that keeps the pod: of a ReplicaSet, its Deployment's."""
        kind, version = reference["kind"], reference["apiVersion"]
        if kind not in BY_KIND or BY_KIND[kind].version != version:
            raise _CountError(f'no matches for kind "{kind}" in version "{version}"')
        owner = self._owner(pod, reference)
        if owner is None:
            raise _CountError(f'found no controllers for pod "{name_of(pod)}"')
        above = controller_of(owner) if kind == REPLICA_SETS.kind else None
        if above is None or above["kind"] != DEPLOYMENTS.kind:
            return owner
        return self._owner(owner, above) or owner

    def _owner(self, owned: Json, reference: Json) -> Json | None:
        """If it is there, and has a size."""
        resource = BY_KIND[reference["kind"]]
        if "scale" not in resource.subresources:
            return None
        owner = self._store.get(resource, namespace_of(owned), reference["name"])
        return owner if owner is not None and uid_of(owner) == reference["uid"] else None
