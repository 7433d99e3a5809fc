"""The hollow kubelet on a real cluster, by its API. What pods go through is in ``testing.kubelet``.

A thread watches all pods, and a few more with one connection pool do what is due; a thousand pods at once are
no trouble.
"""

from __future__ import annotations

import contextlib
import datetime
import heapq
import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import urllib3

from testing.client import TROUBLE, ApiError, Client
from testing.kubelet import lifecycle, logs, pod_status
from testing.kubelet.behaviour import KubeletConfig, draw
from testing.kubelet.events import KUBELET, Happening, again, event
from testing.kubelet.lifecycle import NODE, Life
from testing.objects import Json

WORKERS = 12
CONNECTIONS = WORKERS + 2
"""Those, the watch and its list."""
_RETRY = 0.2
"""Seconds until a request that met an unavailable server is sent again."""
_log = logging.getLogger(__name__)


@dataclass
class _Pod:
    """What is known of one pod. Changed by the one task it has under way, but for ``ending``.

    ``life`` is None where it only is to be ended.
    """

    object: Json
    """As of the last answer about it."""
    life: Life | None
    ending: bool = False
    events: dict[Happening, Json] = field(default_factory=dict)

    @property
    def path(self) -> str:
        metadata = self.object["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    @property
    def uid(self) -> str:
        return str(self.object["metadata"]["uid"])


class HollowKubelet:
    """Runs from :meth:`start` to :meth:`stop`. ``config`` may be replaced meanwhile.

    What fails heeds the new one at its next attempt; what runs stays as it is.
    """

    def __init__(self, client: Client, config: KubeletConfig | None = None) -> None:
        self.config = config or KubeletConfig()
        self._client = client
        self._rng = random.Random()
        self._pods: dict[str, _Pod] = {}
        self._tasks: list[tuple[float, int, _Pod, Callable[[_Pod], None]]] = []
        self._order = itertools.count()
        self._seen = itertools.count(1)
        self._pressure_until = 0.0
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @contextlib.contextmanager
    def configured(self, config: KubeletConfig) -> Iterator[None]:
        """With another ``config`` meanwhile."""
        before, self.config = self.config, config
        try:
            yield
        finally:
            self.config = before

    def start(self) -> None:
        """Start the threads; returns at once."""
        targets = [self._watch, *[self._work] * WORKERS]
        self._threads = [
            threading.Thread(target=target, name=f"hollow-kubelet-{number}", daemon=True)
            for number, target in enumerate(targets)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, without waiting for a watch that is silent."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads[1:]:
            thread.join(5)
        self._client.close()

    def read_log(
        self, namespace: str, name: str, container: str, previous: bool, lines: int | None, size: int | None
    ) -> str | None:
        """None where the pod is not known. Raises :class:`testing.kubelet.logs.NoLogError`."""
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        pod = next((pod.object for pod in list(self._pods.values()) if pod.path == path), None)
        if pod is None:
            return None
        return logs.read(pod, container, self.config, previous=previous, lines=lines, size=size)

    # Watching

    def _watch(self) -> None:
        version = ""
        while not self._stopped.is_set():
            try:
                if not version:
                    version = self._list()
                for event in self._client.watch("/api/v1/pods", version):
                    if self._stopped.is_set():
                        return
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] == "DELETED":
                        self._pods.pop(event["object"]["metadata"]["uid"], None)
                    elif event["type"] != "BOOKMARK":
                        self._see(event["object"])
            except ApiError as error:
                _log.debug("watch: %s", error)
                version = ""
                self._stopped.wait(_RETRY)
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                _log.debug("watch: %s", error)
                self._stopped.wait(_RETRY)

    def _list(self) -> str:
        answer = self._client.get("/api/v1/pods")
        items: list[Json] = answer.get("items") or []
        there = {item["metadata"]["uid"] for item in items}
        for uid in set(self._pods) - there:
            self._pods.pop(uid, None)
        for item in items:
            self._see({"kind": "Pod", **item})
        return str(answer["metadata"]["resourceVersion"])

    def _see(self, found: Json) -> None:
        uid = found["metadata"]["uid"]
        pod = self._pods.get(uid)
        if pod is None:
            life = lifecycle.begin(found, next(self._seen))
            pod = self._pods[uid] = _Pod(found, life)
            if life is not None:
                self._plan(draw(lifecycle.first_delay(life, self.config), self._rng), pod, self._go_on)
        if found["metadata"].get("deletionTimestamp") and not pod.ending:
            pod.ending = True
            self._plan(
                min(draw(self.config.terminate_after, self._rng), lifecycle.grace(found)), pod, self._finish
            )

    # Tasks: a heap of what is due when, and threads that take from it

    def _plan(self, delay: float, pod: _Pod, task: Callable[[_Pod], None]) -> None:
        with self._changed:
            heapq.heappush(self._tasks, (time.monotonic() + delay, next(self._order), pod, task))
            self._changed.notify()

    def _work(self) -> None:
        while (due := self._next()) is not None:
            pod, task = due
            if task != self._finish and (pod.ending or pod.uid not in self._pods):
                continue
            try:
                task(pod)
            except ApiError as error:
                if error.code == 429 or error.code >= 500:
                    self._plan(_RETRY, pod, task)
                elif error.code not in (404, 409):  # gone, or another pod of that name
                    _log.warning("%s", error)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                _log.debug("%s", error)
                self._plan(_RETRY, pod, task)
            except Exception:
                _log.exception("pod %s", pod.path)

    def _next(self) -> tuple[_Pod, Callable[[_Pod], None]] | None:
        with self._changed:
            while not self._stopped.is_set():
                wait = self._tasks[0][0] - time.monotonic() if self._tasks else None
                if wait is not None and wait <= 0:
                    _, _, pod, task = heapq.heappop(self._tasks)
                    return pod, task
                self._changed.wait(wait)
        return None

    # What is to be done

    def _go_on(self, pod: _Pod) -> None:
        assert pod.life is not None
        pressed = time.monotonic() < self._pressure_until
        step = lifecycle.next_step(pod.life, pod.object, self.config, _now(), under_pressure=pressed)
        if step.binds:
            self._bind(pod)
        if step.status is not None:
            self._report(pod, step.status)
        pod.life = step.life
        if step.evicts:
            self._pressure_until = time.monotonic() + self.config.pressure
        for happening in step.events:
            with contextlib.suppress(*TROUBLE):  # an event is never worth a second attempt
                self._tell(pod, happening, step.component)
        if step.after:
            self._plan(max(draw(delay, self._rng) for delay in step.after), pod, self._go_on)

    def _bind(self, pod: _Pod) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        metadata = {"name": pod.object["metadata"]["name"], "uid": pod.uid}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        try:
            self._client.create(f"{pod.path}/binding", body)
        except ApiError as error:
            if error.code != 409:  # bound already: an answer was lost
                raise

    def _report(self, pod: _Pod, status: Json) -> None:
        # What is not in it any more has to be named. The uid makes the server refuse the patch for another
        # pod of the same name.
        whole = {**dict.fromkeys(pod.object["status"]), **status}
        patch = {"metadata": {"uid": pod.uid}, "status": whole}
        pod.object = self._client.patch(f"{pod.path}/status", patch)

    def _tell(self, pod: _Pod, happening: Happening, component: str) -> None:
        path = f"/api/v1/namespaces/{pod.object['metadata']['namespace']}/events"
        told = pod.events.get(happening)
        if told is None:
            name = f"{pod.object['metadata']['name']}.{time.time_ns():x}{next(self._order):x}"
            host = NODE if component == KUBELET else ""
            told = self._client.create(path, event(pod.object, happening, name, component, host, _now()))
        else:
            told = self._client.patch(f"{path}/{told['metadata']['name']}", again(told, _now()))
        pod.events[happening] = told

    def _finish(self, pod: _Pod) -> None:
        self._client.delete(pod.path, {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid}})


def register_node(client: Client, port: int | None = None) -> None:
    """Create the node that pods are bound to; fine if it is there. ``port``: where its logs are served."""
    body = pod_status.node(NODE, _now(), port)
    try:
        client.create("/api/v1/nodes", body)
    except ApiError as error:
        if error.code != 409:
            raise
    client.patch(f"/api/v1/nodes/{NODE}/status", {"status": body["status"]})


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
