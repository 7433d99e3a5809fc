"""What a pod goes through, step by step: it is bound, created, and tried until it runs.

A kubelet keeps a :class:`Life` for each pod. When the pod is due it asks for the next :class:`Step`, does
what that says, and keeps the life that the step leads to. What could not be done is asked for again.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from testing.kubelet import pod_status
from testing.kubelet.behaviour import Behaviour, Delay, KubeletConfig
from testing.kubelet.events import KUBELET, SCHEDULER, Happening
from testing.kubelet.pod_status import Container, State
from testing.objects import Json

NODE = "hollow-node"
"""The only one: any number of pods fit on it."""
_UNSCHEDULABLE = "0/1 nodes are available: 1 Insufficient cpu."
_UNDER_PRESSURE = (
    "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }."
)
_EVICTED = (
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. "
    "Container {name} was using 900Mi, request is 0, has larger consumption of memory. "
)
_UNHEALTHY = "Readiness probe failed: HTTP probe failed with statuscode: 503"
_NOT_MOUNTED = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
_UNSCHEDULABLE_AGAIN = 30.0
_CREATING_AFTER = 0.002
_PULLS = {
    Behaviour.PULL_FAILS: pod_status.pull_error,
    Behaviour.REGISTRY_AWAY: pod_status.registry_error,
    Behaviour.BAD_NAME: pod_status.name_error,
}


class Stage(enum.Enum):
    """What comes next."""

    BIND = enum.auto()
    CREATE = enum.auto()
    TRY = enum.auto()


@dataclass(frozen=True)
class Life:
    """How far a pod is. ``attempt`` counts those to have its containers run."""

    stage: Stage
    address: str
    containers: tuple[Container, ...] = ()
    attempt: int = 0


@dataclass(frozen=True)
class Step:
    """What to do, in this order: bind the pod, write its status, write events, come again."""

    life: Life
    """After it."""
    binds: bool = False
    status: Json | None = None
    events: tuple[Happening, ...] = ()
    component: str = KUBELET
    """Whose step it is."""
    after: tuple[Delay, ...] = ()
    """The longest of these is when to come again; none: never."""
    evicts: bool = False
    """From now on, and for a while, the node takes no pods."""


def begin(pod: Json, number: int) -> Life | None:
    """The life of the ``number``-th pod that is seen; None where there is nothing to do but to end it.

    That is so of a pod on another node, which is another kubelet's, and of one that is ready.
    """
    bound = pod["spec"].get("nodeName")
    address = f"10.244.{number // 250 % 250}.{number % 250 + 2}"
    if pod_status.is_ready(pod) or bound not in (None, "", NODE):
        return None
    return Life(Stage.CREATE if bound else Stage.BIND, address)


def first_delay(life: Life, config: KubeletConfig) -> Delay:
    return config.schedule_after if life.stage is Stage.BIND else 0.0


def grace(pod: Json) -> float:
    """Seconds that a pod has for its end, at most."""
    return float(pod["metadata"].get("deletionGracePeriodSeconds", 30))


def next_step(life: Life, pod: Json, config: KubeletConfig, now: str, *, under_pressure: bool) -> Step:
    """``pod`` is as stored, ``now`` as the API writes times; ``under_pressure``: the node takes no pods."""
    if life.stage is Stage.BIND and not pod["spec"].get("nodeName"):
        return _bind(life, pod, config, now, under_pressure)
    if life.stage is not Stage.TRY:
        return _create(life, pod, config, now)
    return _try(life, pod, config, now)


def set_ready(life: Life, pod: Json, ready: bool, now: str) -> Step:
    """A running pod becomes ready or not, as by its readiness probe."""
    state = State.READY if ready else State.UNREADY
    return _report(life, pod, [replace(container, state=state) for container in life.containers], now)


def _bind(life: Life, pod: Json, config: KubeletConfig, now: str, under_pressure: bool) -> Step:
    images = [container["image"] for container in pod["spec"]["containers"]]
    why_not = _UNDER_PRESSURE if under_pressure else ""
    if any(config.behaviour(image) is Behaviour.UNSCHEDULABLE for image in images):
        why_not = _UNSCHEDULABLE
    if why_not:
        return Step(
            life,
            status=pod_status.unschedulable_status(pod["status"], why_not, now),
            events=(Happening("FailedScheduling", why_not),),
            component=SCHEDULER,
            after=(_UNSCHEDULABLE_AGAIN,),
        )
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    scheduled = Happening("Scheduled", f"Successfully assigned {name} to {NODE}", kind="Normal")
    return Step(
        replace(life, stage=Stage.CREATE),
        binds=True,
        events=(scheduled,) if config.normal_events else (),
        component=SCHEDULER,
        after=(_CREATING_AFTER,),
    )


def _create(life: Life, pod: Json, config: KubeletConfig, now: str) -> Step:
    found = pod["spec"]["containers"]
    containers = [Container(each["name"], each["image"], State.CREATING, now) for each in found]
    pulling = tuple(
        Happening("Pulling", f'Pulling image "{each.image}"', each.name, "Normal")
        for each in containers
        if config.normal_events or config.behaviour(each.image) in _PULLS
    )
    step = _report(replace(life, stage=Stage.TRY), pod, containers, now)
    return replace(step, events=pulling, after=tuple(config.ready_delay(each.image) for each in containers))


def _try(life: Life, pod: Json, config: KubeletConfig, now: str) -> Step:
    """One attempt to have all containers run; what fails is tried again after its back-off."""
    attempt = life.attempt
    behaviours = [config.behaviour(container.image, attempt) for container in life.containers]
    if Behaviour.EVICTED in behaviours:
        message = _EVICTED.format(name=life.containers[0].name)
        status = pod_status.evicted_status(pod["status"], message)
        return Step(life, status=status, events=(Happening("Evicted", message),), evicts=True)
    containers = [
        _attempt(container, behaviour, attempt, config, now)
        for container, behaviour in zip(life.containers, behaviours, strict=True)
    ]
    back_off = min(config.back_off * 2 ** min(attempt, 16), config.back_off_limit)
    events: list[Happening] = []
    again: list[float] = []
    for container, behaviour in zip(containers, behaviours, strict=True):
        if behaviour is Behaviour.RUNS:
            events += _started(container) if config.normal_events else ()
            continue
        runs_a_moment = behaviour is Behaviour.CRASHES and container.state is State.UNREADY
        again.append(config.back_off / 5 if runs_a_moment else back_off)
        events += pod_status.warnings(container)
        if behaviour is Behaviour.NEVER_READY:
            events.append(Happening("Unhealthy", _UNHEALTHY, container.name))
        elif behaviour is Behaviour.NO_VOLUME:
            events.append(Happening("FailedMount", _NOT_MOUNTED, container.name))
    step = _report(replace(life, attempt=attempt + 1), pod, containers, now)
    return replace(step, events=tuple(events), after=(min(again),) if again else ())


def _attempt(
    old: Container, behaviour: Behaviour, attempt: int, config: KubeletConfig, now: str
) -> Container:
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
    since = old.since if state is old.state else now
    exit_code = config.rule(old.image).exit_code
    return Container(old.name, old.image, state, since, restarts, cause, exit_code)


def _started(container: Container) -> tuple[Happening, ...]:
    return tuple(
        Happening(reason, message, container.name, "Normal")
        for reason, message in (
            ("Pulled", f'Successfully pulled image "{container.image}"'),
            ("Created", f"Created container {container.name}"),
            ("Started", f"Started container {container.name}"),
        )
    )


def _report(life: Life, pod: Json, containers: Sequence[Container], now: str) -> Step:
    status = pod_status.pod_status(pod["status"], containers, life.address, now)
    return Step(replace(life, containers=tuple(containers)), status=status)
