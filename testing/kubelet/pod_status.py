"""Statuses of pods and of the node as a kubelet writes them, and its warnings."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from testing.kubelet.events import Happening
from testing.objects import Json

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


def warnings(container: Container) -> list[Happening]:
    """Of a container that enters its state or stays in it."""
    image = container.image
    found: tuple[tuple[str, str], ...] = ()
    match container.state:
        case State.PULL_FAILED:
            found = (
                ("Failed", f'Failed to pull image "{image}": {container.cause}'),
                ("Failed", "Error: ErrImagePull"),
            )
        case State.PULL_BACK_OFF:
            found = (
                ("BackOff", f'Back-off pulling image "{image}"'),
                ("Failed", "Error: ImagePullBackOff"),
            )
        case State.BAD_NAME:
            found = (("InspectFailed", container.cause), ("Failed", "Error: InvalidImageName"))
        case State.CRASH_BACK_OFF:
            found = (("BackOff", "Back-off restarting failed container"),)
        case State.BAD_CONFIG:
            found = (("Failed", f"Error: {container.cause}"),)
    return [Happening(reason, message, container.name) for reason, message in found]


def is_ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def node(name: str, now: str, port: int | None = None) -> Json:
    """A Node that is ready for any number of pods; its kubelet is asked at ``port``, on loopback."""
    resources = {"cpu": "1k", "memory": "4Ti", "pods": "100k", "ephemeral-storage": "4Ti"}
    ready = {
        "type": "Ready",
        "status": "True",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "reason": "KubeletReady",
        "message": "hollow kubelet is ready",
    }
    endpoint = {} if port is None else {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS if port is None else "127.0.0.1"}],
            "conditions": [ready],
            **endpoint,
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
        "imageID": f"hollow://{container.image}" if pulled else "",
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
