"""Pod statuses and warnings as a kubelet writes them. Pure: what happens when is decided in ``kubelet``."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from testing.sandbox.objects import Json

NODE_ADDRESS = "10.244.0.1"


class State(enum.Enum):
    """What one container does, as far as its status tells."""

    CREATING = "ContainerCreating"
    READY = "ready"
    UNREADY = "unready"
    PULL_FAILED = "ErrImagePull"
    PULL_BACK_OFF = "ImagePullBackOff"
    BAD_NAME = "InvalidImageName"
    CRASH_BACK_OFF = "CrashLoopBackOff"
    BAD_CONFIG = "CreateContainerConfigError"


@dataclass(frozen=True)
class Container:
    """One container at one moment; ``since`` is when it started or last ended.

    ``cause`` is why it does not start, ``exit_code`` how it ended the last time.
    """

    name: str
    image: str
    state: State
    since: str
    restarts: int = 0
    cause: str = ""
    exit_code: int = 1

    @property
    def runs(self) -> bool:
        return self.state in (State.READY, State.UNREADY)


@dataclass(frozen=True)
class Happening:
    """What becomes a warning Event."""

    reason: str
    message: str


def pod_status(before: Json, containers: Sequence[Container], pod_ip: str, now: str) -> Json:
    """The status after ``before``; conditions keep the time they last changed at."""
    unready = [container.name for container in containers if container.state is not State.READY]
    started = all(container.runs or container.state is State.CRASH_BACK_OFF for container in containers)
    why = f"containers with unready status: [{' '.join(unready)}]"
    conditions = [
        _condition(before, "Initialized", True, now),
        _condition(before, "Ready", not unready, now, "ContainersNotReady", why),
        _condition(before, "ContainersReady", not unready, now, "ContainersNotReady", why),
        _condition(before, "PodScheduled", True, now),
    ]
    return {
        "phase": "Running" if started else "Pending",
        "conditions": conditions,
        "hostIP": NODE_ADDRESS,
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "startTime": before.get("startTime", now),
        "containerStatuses": [_container_status(container) for container in containers],
        "qosClass": before.get("qosClass", "BestEffort"),
    }


def unschedulable_status(before: Json, message: str, now: str) -> Json:
    """A pod no node can take."""
    scheduled = _condition(before, "PodScheduled", False, now, "Unschedulable", message)
    return {**before, "conditions": [scheduled]}


def evicted_status(before: Json, message: str) -> Json:
    """A pod that its node got rid of: nothing else of it is kept."""
    return {
        "phase": "Failed",
        "reason": "Evicted",
        "message": message,
        "startTime": before.get("startTime"),
        "qosClass": before.get("qosClass", "BestEffort"),
    }


def unready_status(before: Json, now: str) -> Json:
    """As ``before``, with all containers running but not ready."""
    names = [entry["name"] for entry in before.get("containerStatuses") or ()]
    why = f"containers with unready status: [{' '.join(names)}]"
    conditions = [
        _condition(before, entry["type"], False, now, "ContainersNotReady", why)
        if entry["type"] in ("Ready", "ContainersReady")
        else entry
        for entry in before.get("conditions") or ()
    ]
    containers = [{**entry, "ready": False} for entry in before.get("containerStatuses") or ()]
    return {**before, "conditions": conditions, "containerStatuses": containers}


def happenings(container: Container) -> list[Happening]:
    """The warnings a kubelet writes when a container enters or stays in its state."""
    image = container.image
    match container.state:
        case State.PULL_FAILED:
            return [
                Happening("Failed", f'Failed to pull image "{image}": {container.cause}'),
                Happening("Failed", "Error: ErrImagePull"),
            ]
        case State.PULL_BACK_OFF:
            return [
                Happening("BackOff", f'Back-off pulling image "{image}"'),
                Happening("Failed", "Error: ImagePullBackOff"),
            ]
        case State.BAD_NAME:
            return [
                Happening("InspectFailed", container.cause),
                Happening("Failed", "Error: InvalidImageName"),
            ]
        case State.CRASH_BACK_OFF:
            return [Happening("BackOff", "Back-off restarting failed container")]
        case State.BAD_CONFIG:
            return [Happening("Failed", f"Error: {container.cause}")]
        case _:
            return []


UNHEALTHY = Happening("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
NOT_MOUNTED = Happening(
    "FailedMount", 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
)


def node(name: str, now: str) -> Json:
    """A Node that is ready for any number of pods."""
    resources = {"cpu": "1k", "memory": "4Ti", "pods": "100k", "ephemeral-storage": "4Ti"}
    ready = {
        "type": "Ready",
        "status": "True",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "reason": "KubeletReady",
        "message": "sandbox kubelet is ready",
    }
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}],
            "conditions": [ready],
        },
    }


def _container_status(container: Container) -> Json:
    last: Json = {}
    if container.restarts or container.state is State.CRASH_BACK_OFF:
        times = {"startedAt": container.since, "finishedAt": container.since}
        last = {"terminated": {"exitCode": container.exit_code, "reason": "Error", **times}}
    if container.runs:
        current: Json = {"running": {"startedAt": container.since}}
    else:
        current = {"waiting": {"reason": container.state.value, **_waiting_message(container)}}
    pulled = container.runs or container.state is State.CRASH_BACK_OFF
    return {
        "name": container.name,
        "image": container.image,
        "imageID": f"sandbox://{container.image}" if pulled else "",
        "ready": container.state is State.READY,
        "started": container.runs,
        "restartCount": container.restarts,
        "state": current,
        "lastState": last,
    }


def _waiting_message(container: Container) -> dict[str, str]:
    match container.state:
        case State.PULL_FAILED | State.BAD_NAME | State.BAD_CONFIG:
            return {"message": container.cause}
        case State.PULL_BACK_OFF:
            return {"message": f'Back-off pulling image "{container.image}"'}
        case State.CRASH_BACK_OFF:
            return {"message": f"back-off restarting failed container={container.name}"}
        case _:
            return {}


def pull_error(image: str) -> str:
    """Of an image that the registry does not have."""
    return f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": not found'


def registry_error(image: str) -> str:
    """Of a registry that does not answer."""
    return (
        f'rpc error: code = Unknown desc = failed to pull and unpack image "{image}": failed to do request: '
        'Head "https://registry.example/v2/": dial tcp 192.0.2.1:443: i/o timeout'
    )


def name_error(image: str) -> str:
    """Of what is no name of an image."""
    return (
        f'Failed to apply default image tag "{image}": couldn\'t parse image reference "{image}": '
        "invalid reference format"
    )


def _condition(before: Json, kind: str, status: bool, now: str, reason: str = "", message: str = "") -> Json:
    value = "True" if status else "False"
    old = next((entry for entry in before.get("conditions") or () if entry["type"] == kind), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == value else now
    condition = {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": since}
    if not status and reason:
        condition |= {"reason": reason, "message": message}
    return condition
