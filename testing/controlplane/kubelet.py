"""A hollow kubelet, with the scheduler in it: it makes pods look as if they ran, and runs nothing.

It watches all pods, binds them to its node, lets them become Running and Ready after a set latency, keeps
pods whose image has a set substring from it as a :class:`Rule` says, and finishes deletions. Works through
the API only, with a few threads and one connection pool; keeps up with a thousand pods at once.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3

from testing.client import STRATEGIC_PATCH, ApiError, Client
from testing.controlplane import pod_status
from testing.controlplane.pod_status import Container, Happening, Json, State

NODE = "hollow-node"
_RETRY = 0.2
"""Seconds until a request that met an unavailable server is sent again."""
_log = logging.getLogger(__name__)


class Behaviour(enum.Enum):
    """What containers of an image do."""

    RUNS = "runs"
    PULL_FAILS = "pull-fails"
    CRASHES = "crashes"
    NEVER_READY = "never-ready"


@dataclass(frozen=True)
class Rule:
    """For images that contain ``substring``; ``ready_after`` overrides the kubelet's.

    ``exit_code`` and ``log`` are those of a crash; None is the log of :func:`crash_log`.
    """

    substring: str
    behaviour: Behaviour = Behaviour.RUNS
    ready_after: float | None = None
    exit_code: int = 1
    log: str | None = None


DEFAULT_RULES = (
    Rule("missing", Behaviour.PULL_FAILS),
    Rule("crashing", Behaviour.CRASHES),
    Rule("never-ready", Behaviour.NEVER_READY),
)


def crash_log(image: str) -> str:
    """What an image prints that crashes."""
    return f"starting {image}\nerror: cannot read /etc/settings: no such file\n"


@dataclass(frozen=True)
class KubeletConfig:
    """Latencies in seconds; the first rule that fits an image counts."""

    ready_after: float = 0.5
    terminate_after: float = 0.1
    rules: tuple[Rule, ...] = DEFAULT_RULES
    back_off: float = 1.0
    """The first delay between two attempts of what fails; doubles up to ``back_off_limit``."""
    back_off_limit: float = 60.0
    workers: int = 12

    def rule(self, image: str) -> Rule:
        """The rule for an image."""
        return next((rule for rule in self.rules if rule.substring in image), Rule(""))


@dataclass
class _Pod:
    """What is known and planned for one pod. Changed by the one task it has under way, but for ``ending``."""

    object: Json
    address: str
    start: str
    attempt: int = 0
    ending: bool = False
    status: tuple[Container, ...] = ()
    events: dict[Happening, tuple[str, int]] = field(default_factory=dict)

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
        self._pods: dict[str, _Pod] = {}
        self._tasks: list[tuple[float, int, _Pod, Callable[[_Pod], None]]] = []
        self._order = itertools.count()
        self._addresses = itertools.count()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; returns at once."""
        targets = [self._watch, *[self._work] * self.config.workers]
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

    # What the API server asks for

    def containers(self, namespace: str, name: str) -> tuple[Container, ...] | None:
        """As last reported, of a pod; None where it is not known."""
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        return next((pod.status for pod in list(self._pods.values()) if pod.path == path), None)

    def printed(self, image: str) -> str:
        """What a container of that image has printed, in each of its runs."""
        rule = self.config.rule(image)
        if rule.behaviour is not Behaviour.CRASHES:
            return f"starting {image}\n"
        return crash_log(image) if rule.log is None else rule.log

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
            self._see(item)
        return str(answer["metadata"]["resourceVersion"])

    def _see(self, found: Json) -> None:
        uid = found["metadata"]["uid"]
        pod = self._pods.get(uid)
        if pod is None:
            number = next(self._addresses) + 2
            address = f"10.244.{number // 250 % 250}.{number % 250 + 2}"
            pod = self._pods[uid] = _Pod(found, address, _now())
            bound = found["spec"].get("nodeName")
            if bound not in (None, NODE):
                return  # somebody else's node
            # A pod that was ready before this kubelet started needs nothing but its end.
            if not _is_ready(found) and not found["metadata"].get("deletionTimestamp"):
                self._plan(0, pod, self._create if bound else self._bind)
        if found["metadata"].get("deletionTimestamp") and not pod.ending:
            pod.ending = True
            grace = found["metadata"].get("deletionGracePeriodSeconds", 30)
            self._plan(min(self.config.terminate_after, grace), pod, self._finish)

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

    # What a pod goes through

    def _bind(self, pod: _Pod) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        metadata = {"name": pod.object["metadata"]["name"], "uid": pod.uid}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        try:
            self._client.create(f"{pod.path}/binding", body)
        except ApiError as error:
            if error.code != 409:  # bound already: an answer was lost
                raise
        self._create(pod)

    def _create(self, pod: _Pod) -> None:
        containers = pod.object["spec"]["containers"]
        now = _now()
        self._report(pod, [Container(c["name"], c["image"], State.CREATING, now) for c in containers])
        delays = [self.config.rule(c["image"]).ready_after for c in containers]
        self._plan(max(self.config.ready_after if d is None else d for d in delays), pod, self._run)

    def _run(self, pod: _Pod) -> None:
        """One attempt to have all containers run; what fails is tried again after its back-off."""
        config, attempt, now = self.config, pod.attempt, _now()
        containers: list[Container] = []
        warnings: list[Happening] = []
        delays: list[float] = []
        back_off = min(config.back_off * 2 ** min(attempt, 16), config.back_off_limit)
        for old in pod.status:
            behaviour = config.rule(old.image).behaviour
            state, restarts = State.READY, old.restarts
            if behaviour is Behaviour.PULL_FAILS:
                state = State.PULL_BACK_OFF if attempt else State.PULL_FAILED
            elif behaviour is Behaviour.CRASHES:
                # It ends before it is ready, as a process with a wrong flag does.
                state = State.CRASH_BACK_OFF if attempt % 2 else State.UNREADY
                restarts += attempt % 2
            elif behaviour is Behaviour.NEVER_READY:
                state = State.UNREADY
            since = old.since if state is old.state else now
            exit_code = config.rule(old.image).exit_code
            container = Container(old.name, old.image, state, since, restarts, exit_code)
            containers.append(container)
            if behaviour is not Behaviour.RUNS:
                runs_a_moment = behaviour is Behaviour.CRASHES and state is State.UNREADY
                delays.append(config.back_off / 5 if runs_a_moment else back_off)
                warnings += pod_status.happenings(container)
                if behaviour is Behaviour.NEVER_READY:
                    warnings.append(pod_status.unhealthy(container))
        self._report(pod, containers)
        pod.attempt += 1
        if delays:
            self._plan(min(delays), pod, self._run)
        for warning in warnings:
            with contextlib.suppress(ApiError):  # an event is never worth a second attempt
                self._record(pod, warning)

    def _report(self, pod: _Pod, containers: list[Container]) -> None:
        if tuple(containers) == pod.status:
            return
        status = pod_status.pod_status(containers, pod.address, pod.start, _now())
        # The uid makes the server refuse the patch for another pod of the same name.
        body = {"metadata": {"uid": pod.uid}, "status": status}
        self._client.patch(f"{pod.path}/status", body, STRATEGIC_PATCH)
        pod.status = tuple(containers)

    def _record(self, pod: _Pod, happening: Happening) -> None:
        namespace = pod.object["metadata"]["namespace"]
        name, count = pod.events.get(happening, ("", 0))
        if count:
            change: dict[str, Any] = {"count": count + 1, "lastTimestamp": _now()}
            self._client.patch(f"/api/v1/namespaces/{namespace}/events/{name}", change)
        else:
            name = f"{pod.object['metadata']['name']}.{time.time_ns():x}{next(self._order):x}"
            body = pod_status.event(pod.object, happening, name, NODE, _now())
            self._client.create(f"/api/v1/namespaces/{namespace}/events", body)
        pod.events[happening] = (name, count + 1)

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


def _is_ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
