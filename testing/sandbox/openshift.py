"""The stand-in of OpenShift's DeploymentConfig controller, on the sandbox's verbs and clock.

What it decides is in ``testing.openshift``. It comes past the API's faults and rights, as controllers do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from testing.objects import Json
from testing.openshift import names
from testing.openshift.controller import ConfigController
from testing.sandbox.clock import Clock
from testing.sandbox.messages import target_of
from testing.sandbox.objects import controller_of, copied, labels_of
from testing.sandbox.options import DeleteOptions
from testing.sandbox.reading import Reading
from testing.sandbox.resources import CONTROLLERS
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.workqueue import Finish, Latency, WorkQueue

_ACTOR = "deploymentconfig-controller"


class DeploymentConfigs:
    """Acts on its own, through the clock's queue. It can be held, as the other controllers."""

    def __init__(
        self,
        store: Store,
        verbs: Verbs,
        reading: Reading,
        clock: Clock,
        rng: random.Random,
        latency: Latency,
    ) -> None:
        self._controller = ConfigController(_Requests(verbs, reading), verbs.now)
        self._queue = WorkQueue(clock, rng, latency, self._work)
        store.listeners.append(self._see)

    def pause(self) -> None:
        self._queue.pause()

    def resume(self) -> None:
        self._queue.resume()

    def _see(self, change: Change) -> None:
        if change.resource.plural == names.PLURAL:
            self._queue.add(f"{change.namespace}/{change.name}")
        elif change.resource is CONTROLLERS:
            for controller in (change.old, change.new):
                for name in () if controller is None else _configs_of(controller):
                    self._queue.add(f"{change.namespace}/{name}")

    def _work(self, key: str, finish: Finish) -> None:
        namespace, _, name = key.partition("/")
        try:
            again = self._controller.work(namespace, name)
        except ApiError:
            finish(False)
            return
        finish(True)
        if again:
            self._queue.add(key)


class _Requests:
    """Those of the controller, answered by the verbs themselves."""

    def __init__(self, verbs: Verbs, reading: Reading) -> None:
        self._verbs = verbs
        self._reading = reading

    def request(self, method: str, path: str, body: Any = None) -> Json:
        target = target_of(path, self._verbs.served)
        resource, namespace = target.resource, target.namespace or ""
        match method:
            case "GET":
                return self._reading.page(resource, namespace, {})
            case "POST":
                return self._verbs.create(resource, namespace, copied(body), actor=_ACTOR)
            case "PUT":
                return self._verbs.update(
                    resource,
                    namespace,
                    target.name,
                    copied(body),
                    subresource=target.subresource,
                    actor=_ACTOR,
                )
            case _:
                options = DeleteOptions(policy=body["propagationPolicy"])
                return self._verbs.delete(resource, namespace, target.name, options, actor=_ACTOR)


def _configs_of(controller: Json) -> Iterator[str]:
    """The names of those that own it or may want it."""
    owner = controller_of(controller)
    if owner is not None and owner["kind"] == names.KIND:
        yield owner["name"]
    if marked := labels_of(controller).get(names.CONFIG):
        yield marked
