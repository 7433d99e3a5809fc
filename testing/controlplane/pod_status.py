"""Statuses and events as a kubelet writes them, as plain dicts. Pure: no clock, no requests.

What a pod does when is decided in :mod:`testing.controlplane.kubelet`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

NODE_ADDRESS = "10.244.0.1"


class State(enum.Enum):
    """What one container does, as far as its status tells."""

    CREATING = "ContainerCreating"
    READY = "ready"
    UNREADY = "unready"
    PULL_FAILED = "ErrImagePull"
    PULL_BACK_OFF = "ImagePullBackOff"
    CRASH_BACK_OFF = "CrashLoopBackOff"


@dataclass(frozen=True)
class Container:
    """One container at one moment; ``since`` (RFC 3339) is when it started or last ended."""

    name: str
    image: str
    state: State
    since: str
    restarts: int = 0
    exit_code: int = 1

    @property
    def has_ended(self) -> bool:
        """At least once."""
        return self.restarts > 0 or self.state is State.CRASH_BACK_OFF


@dataclass(frozen=True)
class Happening:
    """What becomes an Event: ``container`` is None for the pod as a whole."""

    reason: str
    message: str
    container: str | None
    kind: str = "Warning"


def pod_status(containers: Sequence[Container], pod_ip: str, start: str, now: str) -> Json:
    """The ``status`` to patch into a pod: phase, conditions, addresses, container statuses."""
    unready = [c.name for c in containers if c.state is not State.READY]
    started = [c for c in containers if c.state in (State.READY, State.UNREADY, State.CRASH_BACK_OFF)]
    conditions: list[Json] = [_condition("Initialized", True, now)]
    for kind in ("Ready", "ContainersReady"):
        condition = _condition(kind, not unready, now)
        if unready:
            condition["reason"] = "ContainersNotReady"
            condition["message"] = f"containers with unready status: [{' '.join(unready)}]"
        else:
            # A strategic patch keeps what it does not name.
            condition["reason"] = condition["message"] = None
        conditions.append(condition)
    return {
        "phase": "Running" if len(started) == len(containers) else "Pending",
        "conditions": conditions,
        "hostIP": NODE_ADDRESS,
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "startTime": start,
        "containerStatuses": [_container_status(c) for c in containers],
    }


def happenings(container: Container) -> list[Happening]:
    """The warnings a kubelet writes when a container enters or stays in its state."""
    image, name = container.image, container.name
    match container.state:
        case State.PULL_FAILED:
            return [
                Happening("Failed", f'Failed to pull image "{image}": {_pull_error(image)}', name),
                Happening("Failed", "Error: ErrImagePull", name),
            ]
        case State.PULL_BACK_OFF:
            return [
                Happening("BackOff", f'Back-off pulling image "{image}"', name),
                Happening("Failed", "Error: ImagePullBackOff", name),
            ]
        case State.CRASH_BACK_OFF:
            return [Happening("BackOff", "Back-off restarting failed container", name)]
        case _:
            return []


def unhealthy(container: Container) -> Happening:
    """A failed readiness probe."""
    return Happening(
        "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", container.name
    )


def event(pod: Json, happening: Happening, name: str, node: str, now: str) -> Json:
    """A new Event about ``pod``; later occurrences raise ``count`` and ``lastTimestamp``."""
    reference: Json = {
        "kind": "Pod",
        "apiVersion": "v1",
        "namespace": pod["metadata"]["namespace"],
        "name": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"],
    }
    if happening.container is not None:
        reference["fieldPath"] = f"spec.containers{{{happening.container}}}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": pod["metadata"]["namespace"]},
        "involvedObject": reference,
        "reason": happening.reason,
        "message": happening.message,
        "type": happening.kind,
        "source": {"component": "kubelet", "host": node},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def node(name: str, now: str, port: int | None = None) -> Json:
    """A Node that is ready for any number of pods; its kubelet is asked at ``port``, on loopback."""
    resources = {"cpu": "1000", "memory": "4Ti", "pods": "100000", "ephemeral-storage": "4Ti"}
    ready = _condition("Ready", True, now)
    ready |= {"reason": "KubeletReady", "message": "hollow kubelet is ready", "lastHeartbeatTime": now}
    endpoint = {} if port is None else {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1" if port else NODE_ADDRESS}],
            "conditions": [ready],
            **endpoint,
        },
    }


def _container_status(container: Container) -> Json:
    state = container.state
    last: Json = {}
    if container.has_ended:
        ended = {
            "exitCode": container.exit_code,
            "reason": "Error",
            "startedAt": container.since,
            "finishedAt": container.since,
        }
        last = {"terminated": ended}
    if state in (State.READY, State.UNREADY):
        current: Json = {"running": {"startedAt": container.since}}
    else:
        current = {"waiting": {"reason": state.value, **_waiting_message(container)}}
    pulled = state in (State.READY, State.UNREADY, State.CRASH_BACK_OFF)
    return {
        "name": container.name,
        "image": container.image,
        "imageID": f"hollow://{container.image}" if pulled else "",
        "containerID": f"hollow://{container.name}" if pulled else "",
        "ready": state is State.READY,
        "started": state in (State.READY, State.UNREADY),
        "restartCount": container.restarts,
        "state": current,
        "lastState": last,
    }


def _waiting_message(container: Container) -> dict[str, str]:
    match container.state:
        case State.PULL_FAILED:
            return {"message": _pull_error(container.image)}
        case State.PULL_BACK_OFF:
            return {"message": f'Back-off pulling image "{container.image}"'}
        case State.CRASH_BACK_OFF:
            return {"message": f"back-off restarting failed container={container.name}"}
        case _:
            return {}


def _pull_error(image: str) -> str:
    return f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": not found'


def _condition(kind: str, status: bool, now: str) -> Json:
    return {"type": kind, "status": "True" if status else "False", "lastTransitionTime": now}
