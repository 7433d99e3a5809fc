"""A hollow kubelet with the scheduler in it: pods look as if they ran. How that looks is in ``pod_status``.

Pods are bound, become Running and Ready after a while, fail the way their image is said to, and take a while
to end.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from testing.sandbox import pod_status, statuses
from testing.sandbox.clock import Clock
from testing.sandbox.events import Recorder
from testing.sandbox.objects import Json, is_being_deleted, is_ready, name_of, namespace_of, uid_of
from testing.sandbox.options import DeleteOptions
from testing.sandbox.pod_status import Container, State
from testing.sandbox.resources import PODS, Resource
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.workqueue import Latency

ACTOR = "kubelet"
NODE = "sandbox-node"
_UNSCHEDULABLE = "0/1 nodes are available: 1 Insufficient cpu."
_UNDER_PRESSURE = (
    "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }."
)
_EVICTED = (
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. "
    "Container {name} was using 900Mi, request is 0, has larger consumption of memory. "
)
_UNSCHEDULABLE_AGAIN = 30.0
_CREATING_AFTER = 0.002


class Behaviour(enum.Enum):
    """What containers of an image do."""

    RUNS = "runs"
    PULL_FAILS = "pull-fails"
    REGISTRY_AWAY = "registry-away"
    BAD_NAME = "bad-name"
    CRASHES = "crashes"
    BAD_CONFIG = "bad-config"
    NO_VOLUME = "no-volume"
    NEVER_READY = "never-ready"
    UNSCHEDULABLE = "unschedulable"
    EVICTED = "evicted"
    REFUSED = "refused"


_PULLS = {
    Behaviour.PULL_FAILS: pod_status.pull_error,
    Behaviour.REGISTRY_AWAY: pod_status.registry_error,
    Behaviour.BAD_NAME: pod_status.name_error,
}


@dataclass(frozen=True)
class Rule:
    """For images that contain ``substring``. ``ready_after`` overrides the kubelet's.

    ``recovers_after``: from that many failed attempts on it runs. ``exit_code`` and ``log`` are those of a
    crash; None is the log of :func:`crash_log`.
    """

    substring: str
    behaviour: Behaviour = Behaviour.RUNS
    ready_after: float | Latency | None = None
    recovers_after: int | None = None
    exit_code: int = 1
    log: str | None = None


DEFAULT_RULES = (
    Rule("missing", Behaviour.PULL_FAILS),
    Rule("unreachable", Behaviour.REGISTRY_AWAY),
    Rule("Misnamed", Behaviour.BAD_NAME),
    Rule("crashing", Behaviour.CRASHES),
    Rule("bad-config", Behaviour.BAD_CONFIG),
    Rule("no-volume", Behaviour.NO_VOLUME),
    Rule("never-ready", Behaviour.NEVER_READY),
    Rule("unschedulable", Behaviour.UNSCHEDULABLE),
    Rule("evicted", Behaviour.EVICTED),
    Rule("refused", Behaviour.REFUSED),
)


def crash_log(image: str) -> str:
    """What an image prints that crashes."""
    return f"starting {image}\nerror: cannot read /etc/settings: no such file\n"


@dataclass(frozen=True)
class KubeletConfig:
    """Latencies in seconds, fixed or (shortest, longest); the first rule that fits an image counts."""

    ready_after: float | Latency = 0.5
    terminate_after: float | Latency = 0.1
    schedule_after: float | Latency = 0.005
    rules: tuple[Rule, ...] = DEFAULT_RULES
    back_off: float = 1.0
    """The first delay between two attempts of what fails; doubles up to ``back_off_limit``."""
    back_off_limit: float = 60.0
    pressure: float = 60.0
    """How long the node takes no pods after it has evicted one."""
    normal_events: bool = False
    """Also write the events of pods that do well (Scheduled, Pulled, Created, Started)."""

    def rule(self, image: str) -> Rule:
        return next((rule for rule in self.rules if rule.substring in image), Rule(""))


@dataclass
class _Pod:
    """What is known of one pod beside what is stored."""

    namespace: str
    name: str
    address: str
    attempt: int = 0
    ending: bool = False
    containers: tuple[Container, ...] = field(default=())


class Kubelet:
    """Runs by the clock's queue. ``config`` may be replaced at any time; what has begun goes on as it was."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, config: KubeletConfig
    ) -> None:
        self.config = config
        self.paused = False
        """Whether nothing happens to pods, as with their node cut off. What was due meanwhile is dropped."""
        self._store = store
        self._verbs = verbs
        self._clock = clock
        self._rng = rng
        self._recorder = Recorder(store, verbs, rng, ACTOR, NODE)
        self._scheduler = Recorder(store, verbs, rng, "default-scheduler")
        self._pods: dict[str, _Pod] = {}
        self._pressure_until = 0.0
        self._addresses = 0
        store.listeners.append(self._see)

    def set_ready(self, namespace: str, name: str, ready: bool) -> None:
        """Make a running pod ready or not, as its readiness probe would."""
        found = self._verbs.get(PODS, namespace, name)
        pod = self._pods[uid_of(found)]
        state = State.READY if ready else State.UNREADY
        self._report(
            pod, found, [Container(c.name, c.image, state, c.since, c.restarts) for c in pod.containers]
        )

    def log(self, image: str) -> str:
        """What a container of that image has printed, in each of its runs."""
        rule = self.config.rule(image)
        if rule.behaviour is not Behaviour.CRASHES:
            return f"starting {image}\n"
        return crash_log(image) if rule.log is None else rule.log

    def admit(self, resource: Resource, obj: Json) -> None:
        """The admission webhook of those who do not want an image here."""
        if resource is not PODS:
            return
        for container in obj["spec"]["containers"]:
            if self.config.rule(container["image"]).behaviour is Behaviour.REFUSED:
                told = f'image "{container["image"]}" is not allowed'
                raise statuses.denied_by_webhook("images.example.com", told)

    def _see(self, change: Change) -> None:
        if change.resource is not PODS:
            return
        uid = uid_of(change.final)
        if change.new is None:
            self._pods.pop(uid, None)
            return
        pod = self._pods.get(uid)
        if pod is None:
            self._addresses += 1
            address = f"10.244.{self._addresses // 250 % 250}.{self._addresses % 250 + 2}"
            pod = self._pods[uid] = _Pod(change.namespace, change.name, address)
            bound = change.new["spec"].get("nodeName")
            # What is bound to another node is another kubelet's, but for its end.
            if not is_ready(change.new) and (not bound or bound == NODE):
                self._later(
                    0 if bound else self.config.schedule_after, uid, self._create if bound else self._bind
                )
        if is_being_deleted(change.new) and not pod.ending:
            pod.ending = True
            grace = change.new["metadata"].get("deletionGracePeriodSeconds", 30)
            self._later(min(self._draw(self.config.terminate_after), grace), uid, self._finish)

    def _later(self, delay: float | Latency, uid: str, task: Callable[[_Pod, Json], None]) -> None:
        def act() -> None:
            pod = self._pods.get(uid)
            if pod is None or self.paused or (pod.ending and task != self._finish):
                return
            stored = self._store.get(PODS, pod.namespace, pod.name)
            if stored is None or uid_of(stored) != uid:
                return
            try:
                task(pod, stored)
            except ApiError:
                self._later(0.05, uid, task)  # somebody else wrote in between, or was in the way

        self._clock.schedule(self._draw(delay), act)

    def _draw(self, latency: float | Latency) -> float:
        return self._rng.uniform(*latency) if isinstance(latency, tuple) else latency

    # What a pod goes through

    def _bind(self, pod: _Pod, stored: Json) -> None:
        if stored["spec"].get("nodeName"):
            self._create(pod, stored)
            return
        why_not = self._why_not_here(stored)
        if why_not:
            status = pod_status.unschedulable_status(stored["status"], why_not, self._verbs.now())
            self._verbs.write(PODS, stored, {**stored, "status": status}, "default-scheduler")
            self._scheduler.record(stored, "Warning", "FailedScheduling", why_not)
            self._later(_UNSCHEDULABLE_AGAIN, uid_of(stored), self._bind)
            return
        self._verbs.bind(stored, NODE, "default-scheduler")
        if self.config.normal_events:
            message = f"Successfully assigned {pod.namespace}/{pod.name} to {NODE}"
            self._scheduler.record(stored, "Normal", "Scheduled", message)
        self._later(_CREATING_AFTER, uid_of(stored), self._create)

    def _why_not_here(self, stored: Json) -> str:
        rules = [self.config.rule(container["image"]) for container in stored["spec"]["containers"]]
        if any(rule.behaviour is Behaviour.UNSCHEDULABLE for rule in rules):
            return _UNSCHEDULABLE
        return _UNDER_PRESSURE if self._clock.now() < self._pressure_until else ""

    def _create(self, pod: _Pod, stored: Json) -> None:
        containers = stored["spec"]["containers"]
        now = self._verbs.now()
        self._report(pod, stored, [Container(c["name"], c["image"], State.CREATING, now) for c in containers])
        delays = []
        for container in containers:
            rule = self.config.rule(container["image"])
            delays.append(
                self._draw(self.config.ready_after if rule.ready_after is None else rule.ready_after)
            )
            if self.config.normal_events or rule.behaviour in _PULLS:
                message = f'Pulling image "{container["image"]}"'
                self._recorder.record(stored, "Normal", "Pulling", message, container["name"])
        self._later(max(delays), uid_of(stored), self._run)

    def _run(self, pod: _Pod, stored: Json) -> None:
        """One attempt to have all containers run; what fails is tried again after its back-off."""
        config, attempt = self.config, pod.attempt
        pod.attempt += 1
        if any(self._behaviour(each.image, attempt) is Behaviour.EVICTED for each in pod.containers):
            self._evict(stored)
            return
        containers = [self._attempt(container, attempt) for container in pod.containers]
        self._report(pod, stored, containers)
        again: list[float] = []
        back_off = min(config.back_off * 2 ** min(attempt, 16), config.back_off_limit)
        for container in containers:
            behaviour = self._behaviour(container.image, attempt)
            if behaviour is Behaviour.RUNS:
                if config.normal_events:
                    self._record_start(stored, container)
                continue
            runs_a_moment = behaviour is Behaviour.CRASHES and container.state is State.UNREADY
            again.append(config.back_off / 5 if runs_a_moment else back_off)
            warnings = pod_status.happenings(container)
            if behaviour is Behaviour.NEVER_READY:
                warnings.append(pod_status.UNHEALTHY)
            elif behaviour is Behaviour.NO_VOLUME:
                warnings.append(pod_status.NOT_MOUNTED)
            for warning in warnings:
                self._recorder.record(stored, "Warning", warning.reason, warning.message, container.name)
        if again:
            self._later(min(again), uid_of(stored), self._run)

    def _behaviour(self, image: str, attempt: int) -> Behaviour:
        rule = self.config.rule(image)
        recovered = rule.recovers_after is not None and attempt >= rule.recovers_after
        return Behaviour.RUNS if recovered else rule.behaviour

    def _attempt(self, old: Container, attempt: int) -> Container:
        behaviour = self._behaviour(old.image, attempt)
        state, restarts, cause = State.READY, old.restarts, ""
        if behaviour in _PULLS:
            state = State.PULL_BACK_OFF if attempt else State.PULL_FAILED
            state = State.BAD_NAME if behaviour is Behaviour.BAD_NAME else state
            cause = _PULLS[behaviour](old.image)
        elif behaviour is Behaviour.CRASHES:
            # It ends before it is ready, as a process with a wrong flag does, and is started again.
            state = State.CRASH_BACK_OFF if attempt % 2 else State.UNREADY
            restarts += attempt % 2
        elif behaviour is Behaviour.BAD_CONFIG:
            state, cause = State.BAD_CONFIG, 'configmap "settings" not found'
        elif behaviour is Behaviour.NO_VOLUME:
            state = State.CREATING
        elif behaviour is Behaviour.NEVER_READY:
            state = State.UNREADY
        since = old.since if state is old.state else self._verbs.now()
        exit_code = self.config.rule(old.image).exit_code
        return Container(old.name, old.image, state, since, restarts, cause, exit_code)

    def _evict(self, stored: Json) -> None:
        """The node is short of memory: this pod goes, and for a while no other may come."""
        message = _EVICTED.format(name=stored["spec"]["containers"][0]["name"])
        status = pod_status.evicted_status(stored["status"], message)
        self._verbs.write(PODS, stored, {**stored, "status": status}, ACTOR)
        self._recorder.record(stored, "Warning", "Evicted", message)
        self._pressure_until = self._clock.now() + self.config.pressure

    def _report(self, pod: _Pod, stored: Json, containers: list[Container]) -> None:
        status = pod_status.pod_status(stored["status"], containers, pod.address, self._verbs.now())
        self._verbs.write(PODS, stored, {**stored, "status": status}, ACTOR)
        pod.containers = tuple(containers)

    def _record_start(self, stored: Json, container: Container) -> None:
        for reason, message in (
            ("Pulled", f'Successfully pulled image "{container.image}"'),
            ("Created", f"Created container {container.name}"),
            ("Started", f"Started container {container.name}"),
        ):
            self._recorder.record(stored, "Normal", reason, message, container.name)

    def _finish(self, _pod: _Pod, stored: Json) -> None:
        options = DeleteOptions(uid=uid_of(stored), grace_seconds=0)
        self._verbs.delete(PODS, namespace_of(stored), name_of(stored), options, actor=ACTOR)
