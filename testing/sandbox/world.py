"""The sandbox itself: store, API and controllers put together, with what tests and the demo need around them.

What each part does is in its own module. It knows nothing of HTTP: ``server`` serves it.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from testing.kubelet import pod_status
from testing.kubelet.behaviour import KubeletConfig
from testing.kubelet.lifecycle import NODE
from testing.objects import Json
from testing.openshift import definition
from testing.sandbox import defaults, faults, priority
from testing.sandbox.api import Api
from testing.sandbox.autoscaling import Autoscaler
from testing.sandbox.clock import Clock, FakeClock, RealClock
from testing.sandbox.custom import CustomKinds
from testing.sandbox.eviction import Evictions
from testing.sandbox.faults import Fault, Interceptor
from testing.sandbox.garbage import GarbageCollector, NamespaceController
from testing.sandbox.kubelet import Kubelet
from testing.sandbox.managers import ControllerManager
from testing.sandbox.messages import JSON, Request, Response
from testing.sandbox.objects import copied
from testing.sandbox.openshift import DeploymentConfigs
from testing.sandbox.quota import QuotaController
from testing.sandbox.reading import Reading
from testing.sandbox.replication import ManagerConfig
from testing.sandbox.resources import (
    NAMESPACES,
    NODES,
    PRIORITY_CLASSES,
    Resource,
    resource_of,
)
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Listener, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.watch import Watch
from testing.sandbox.workqueue import Latency

_ACTOR = "sandbox"
TODAY = 36
"""The release of Kubernetes, 1.TODAY, whose objects the sandbox has unless told otherwise."""


class Sandbox:
    """A small cluster in this process.

    With ``real_time=False`` (a fake clock) nothing happens by itself: :meth:`advance` and its kin do what is
    due, in the same order for the same ``seed``. With ``real_time=True`` a thread does, until :meth:`close`.
    ``kubelet=None`` leaves pods pending. ``minor``: of which release, 1.minor, the objects are.
    ``autoscaler``: whether HorizontalPodAutoscalers scale anything; otherwise they are only there.
    ``deployment_configs``: whether it is an OpenShift, that knows these and has their controller.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        real_time: bool = False,
        kubelet: KubeletConfig | None = KubeletConfig(),  # noqa: B008 - frozen
        manager: ManagerConfig = ManagerConfig(),  # noqa: B008 - frozen
        garbage_latency: Latency = (0.01, 0.1),
        namespaces: tuple[str, ...] = ("default",),
        history_limit: int = 100_000,
        minor: int = TODAY,
        autoscaler: bool = False,
        deployment_configs: bool = False,
    ) -> None:
        self.clock: Clock = RealClock() if real_time else FakeClock()
        self.store = Store(history_limit)
        rng = random.Random(seed)
        with self.clock.lock:
            custom = CustomKinds([definition.DEFINITION] if deployment_configs else [])
            self.verbs = Verbs(self.store, self.clock, rng, minor, custom)
            self.reading = Reading(self.store, self.clock)
            self.evictions = Evictions(self.store, self.verbs)
            self._make_cluster(namespaces)
            self.manager = ControllerManager(self.store, self.verbs, self.clock, rng, manager)
            self.garbage = GarbageCollector(self.store, self.verbs, self.clock, rng, garbage_latency)
            self.namespaces = NamespaceController(self.store, self.verbs, self.clock, rng, garbage_latency)
            self.autoscaler = Autoscaler(self.store, self.verbs, self.clock, rng) if autoscaler else None
            self.deployment_configs = (
                DeploymentConfigs(self.store, self.verbs, self.reading, self.clock, rng, manager.latency)
                if deployment_configs
                else None
            )
            self.quotas = QuotaController(self.store, self.clock)
            config = kubelet or KubeletConfig()
            self.kubelet = Kubelet(self.store, self.verbs, self.clock, rng, config)
            self.kubelet.paused = kubelet is None
            self.verbs.admission.append(self.kubelet.admit)
            self.api = Api(self.verbs, self.reading, self.evictions, self.clock.wall, self.kubelet.read_log)

    def _make_cluster(self, namespaces: tuple[str, ...]) -> None:
        for name in dict.fromkeys(("default", "kube-system", *namespaces)):
            self.verbs.create(NAMESPACES, "", {"metadata": {"name": name}}, actor=_ACTOR)
        self.verbs.create(NODES, "", pod_status.node(NODE, self.verbs.now()), actor=_ACTOR)
        for found in priority.system_classes(self.verbs.now()):
            self.store.create(PRIORITY_CLASSES, found, _ACTOR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the clock. May be called more than once."""
        self.clock.close()

    # Requests

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """What the HTTP server would answer; the body is the caller's to keep and change.

        Raises :class:`testing.sandbox.faults.DroppedError` only where a fault asks for a lost connection.
        """
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(method, path, query or {}, copied(body), content_type, lowered)
        response = self.handle(request)
        return Response(response.status, copied(response.body), response.headers, response.watch)

    def handle(self, request: Request) -> Response:
        """As :meth:`request`, without copies: for the server."""
        with self.clock.lock:
            return self.api.handle(request)

    def subscribe(
        self, resource: str, namespace: str | None, name: str | None = None, *, from_now: bool = True
    ) -> Watch:
        """A watch without a request. ``from_now=False`` begins with what there is."""
        kind = self._resource(resource)
        with self.clock.lock:
            predicate = None if name is None else lambda obj: bool(obj["metadata"]["name"] == name)
            watch = Watch(self.store, self.clock, kind, namespace, predicate)
            return watch.open(self.store.version if from_now else None)

    # Shorthands: each raises ApiError where the API says no

    def _resource(self, kind: str) -> Resource:
        return resource_of(kind, self.verbs.served)

    def _path(self, kind: str, namespace: str, name: str = "") -> str:
        resource = self._resource(kind)
        space = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
        return f"{resource.root}{space}/{resource.plural}" + (f"/{name}" if name else "")

    def create(self, manifest: Json, namespace: str = "default") -> Json:
        space = manifest.get("metadata", {}).get("namespace", namespace)
        return _checked(self.request("POST", self._path(manifest["kind"], space), body=manifest))

    def get(self, kind: str, namespace: str, name: str) -> Json:
        return _checked(self.request("GET", self._path(kind, namespace, name)))

    def find(self, kind: str, namespace: str, name: str) -> Json | None:
        """As :meth:`get`, None where there is none."""
        with self.clock.lock:
            found = self.store.get(self._resource(kind), namespace, name)
        return None if found is None else copied(found)

    def objects(self, kind: str, namespace: str, selector: str = "", fields: str = "") -> list[Json]:
        query = {"labelSelector": selector, "fieldSelector": fields}
        items: list[Json] = _checked(self.request("GET", self._path(kind, namespace), query))["items"]
        return items

    def pods(self, namespace: str = "default", selector: str = "") -> list[Json]:
        return self.objects("pods", namespace, selector)

    def patch(self, kind: str, namespace: str, name: str, patch: Any) -> Json:
        """A JSON Patch (a list) or a merge patch (a dict)."""
        type_ = "json-patch" if isinstance(patch, list) else "merge-patch"
        path = self._path(kind, namespace, name)
        return _checked(self.request("PATCH", path, body=patch, content_type=f"application/{type_}+json"))

    def scale(self, namespace: str, name: str, replicas: int, kind: str = "replicationcontrollers") -> Json:
        """As another client would."""
        return self.patch(kind, namespace, name, {"spec": {"replicas": replicas}})

    def restore(self, objects: Iterable[Json]) -> None:
        """Store objects as they were in another cluster, with uid, generation and status but a new
        resourceVersion. The controllers and the kubelet see them as after a restart."""
        with self.clock.lock:
            for obj in objects:
                kind = self._resource(str(obj["kind"]))
                self.store.create(kind, defaults.as_sent(kind, copied(obj), self.verbs.minor), _ACTOR)

    def delete(
        self,
        kind: str,
        namespace: str,
        name: str,
        policy: str | None = None,
        grace_seconds: int | None = None,
    ) -> Json:
        body = {"propagationPolicy": policy, "gracePeriodSeconds": grace_seconds}
        given = {field: value for field, value in body.items() if value is not None}
        return _checked(self.request("DELETE", self._path(kind, namespace, name), body=given or None))

    # Time

    def _fake_clock(self) -> FakeClock:
        if not isinstance(self.clock, FakeClock):
            raise TypeError("real time can't be advanced")
        return self.clock

    def now(self) -> float:
        """Seconds since the start."""
        return self.clock.now()

    def run_next(self) -> bool:
        """Do what is due next, moving the clock there. False when nothing is."""
        return self._fake_clock().run_next()

    def advance(self, seconds: float) -> None:
        """Let that much time pass, with all that is due in it."""
        self._fake_clock().advance(seconds)

    def advance_until(self, predicate: Callable[[], bool], limit: float = 60.0) -> bool:
        """Let time pass until ``predicate`` holds; False if it does not within ``limit`` seconds."""
        return self._fake_clock().advance_until(predicate, limit)

    def settle(self, limit: float = 60.0) -> bool:
        """Let time pass until nothing is left to do; False if that is not so within ``limit`` seconds."""
        return self._fake_clock().settle(limit)

    # Watching, and trouble

    def on_write(self, listener: Listener) -> None:
        """Have ``listener`` called with every stored :class:`~testing.sandbox.store.Change`, as it is made.

        It may read (objects are not to be changed) and raise, but not write.
        """
        self.store.listeners.insert(0, listener)

    def intercept(self, interceptor: Interceptor) -> None:
        """Ask ``interceptor`` before every request: a Response of it is the answer, None lets it through."""
        self.api.faults.interceptors.append(interceptor)

    def fail_next(
        self,
        method: str | None = None,
        path: str = "",
        *,
        status: int | None = 500,
        message: str | None = None,
        retry_after: int | None = None,
        after: bool = False,
        times: int = 1,
    ) -> None:
        """Fail the next requests of that method (None: any write) whose path contains ``path``.

        ``status=None`` drops the connection; with ``after`` the request takes effect all the same.
        """

        def fits(request: Request) -> bool:
            return path in request.path and (request.is_write if method is None else request.method == method)

        response = None if status is None else faults.failure(status, message, retry_after)
        self.api.faults.add(Fault(fits, response, after, times))

    def forbid(self, verb: str, resource: str, namespace: str = "") -> None:
        """Refuse that from now on, as RBAC names it (``*`` for all), and say so when access is reviewed."""
        self.api.rights.forbid(verb, resource, namespace)

    def warn(self, text: str, method: str | None = None) -> None:
        """Put a ``Warning`` header on every answer, or every answer to one method."""
        self.api.faults.warnings.append((text, lambda request: method in (None, request.method)))

    def compact(self) -> None:
        """Forget the history: watches and pages from earlier versions get 410. Open watches go on."""
        with self.clock.lock:
            self.store.compact()

    def upgrade(self, minor: int) -> None:
        """Let a server of another release, 1.``minor``, answer from now on: what it makes of what was stored
        before is the same object in the same version, but it may look different."""
        with self.clock.lock:
            self.verbs.minor = minor
            for resource in self.verbs.served.values():
                self.store.rewrite(resource, functools.partial(defaults.as_sent, resource, minor=minor))


def _checked(response: Response) -> Json:
    if not response.ok:
        raise ApiError(response.body, response.headers)
    body: Json = response.body
    return body
