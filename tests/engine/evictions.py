"""A world in which old pods go by eviction: who deleted which pod, and for how long a controller was held."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from testing.sandbox import Change
from testing.sandbox.objects import controller_of, is_being_deleted
from testing.sandbox.resources import CONTROLLERS, PODS
from tests.engine.moves import Moves, is_held
from tests.engine.world import to_image
from tests.support.asking import Asking
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
EVICT = to_image(evicts=True)
PLAIN = to_image()
BACK = to_image(rollback=True)
BACK_EVICT = to_image(rollback=True, evicts=True)
SIZE = 3
LABELLED: dict[str, Any] = {"replicas": SIZE, "labels": {"deployment": "v1"}, "selector": True}


def budget(name: str = "guard", selector: Json | None = None, **spec: Any) -> Json:
    """A PodDisruptionBudget of all pods of ``my-nginx``."""
    selector = {"matchLabels": {"app": "nginx"}} if selector is None else selector
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {**spec, "selector": selector},
    }


class Evictions(Moves):
    """``evicted`` and ``deleted``: names of pods, by clients and by the manager. ``made``: old pods that the
    manager has made since. ``held``: seconds of each hold of a controller that still had its own pods."""

    def __init__(self, *budgets: Json, size: int = SIZE, manifest: Json | None = None, **more: Any) -> None:
        self.size = size
        labelled = my_nginx(**{**LABELLED, "replicas": size})
        super().__init__(manifest or labelled, **more)
        for obj in budgets:
            self.sandbox.create(obj)
        self.settled_anew()
        self.evicted: list[str] = []
        self.deleted: list[str] = []
        self.replaced: list[str] = []
        self.holds: list[float] = []
        self._held_since: dict[str, float] = {}
        self.sandbox.on_write(self._watch_evictions)

    def _watch_evictions(self, change: Change) -> None:
        if change.resource is CONTROLLERS and change.new is not None and not self.begun:
            now, since = self.sandbox.now(), self._held_since
            if is_held(change.new):
                since.setdefault(change.name, now)
            elif change.name in since:
                self.holds.append(now - since.pop(change.name))
        if change.resource is not PODS:
            return
        goes = change.new is None or is_being_deleted(change.new)
        if goes and change.old is not None and not is_being_deleted(change.old):
            (self.evicted if change.actor == "client" else self.deleted).append(change.name)
        owner = (controller_of(change.final) or {}).get("name")
        if change.old is None and owner == self.before["metadata"]["name"]:
            self.replaced.append(change.name)

    def run(self, asked: Asking = EVICT, **more: Any) -> None:
        self.update(asked, **more)

    def assert_updated(self, size: int | None = None) -> None:
        super().assert_updated(self.size if size is None else size)

    def assert_as_before(self, size: int | None = None) -> None:
        super().assert_as_before(self.size if size is None else size)

    def allow(self, **spec: Any) -> None:
        """The budget is another one from now on."""
        self.sandbox.patch("poddisruptionbudgets", "default", "guard", {"spec": spec})

    @property
    def status(self) -> Json:
        """Of the budget."""
        found: Json = self.sandbox.get("PodDisruptionBudget", "default", "guard")["status"]
        return found
