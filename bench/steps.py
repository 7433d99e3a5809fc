"""Where the time of a step goes, by the API server's own clock: its audit log has every request of everybody.

For an update of surge 1 and unavailable 0, in which one pod follows another: a write to the old controller, a
write to the new one, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.figures import Samples
from bench.site import AGENT
from testing.controlplane.audit import Request

CONTROLLERS = "replicationcontrollers"
MANAGER = "kube-controller-manager/"


@dataclass(frozen=True)
class Step:
    """Milliseconds of one step; the two of the client are from the status on the server to our next write."""

    shrinking: float
    """The write that takes a pod from the old controller, until it is answered."""
    going: float
    """Until the manager has written that the pod is going."""
    first: float
    """The client: until its next write has come in."""
    growing: float
    """The write that gives a pod to the new one, until it is answered."""
    making: float
    """Until the manager has made the pod."""
    available: float
    """Until the manager has written that it is available, without the time that it takes to get ready."""
    second: float
    """The client: until its next write has come in."""


PARTS: tuple[tuple[str, Callable[[Step], float]], ...] = (
    ("the API server answers the write that shrinks the old controller", lambda step: step.shrinking),
    ("the manager deletes a pod and writes so", lambda step: step.going),
    ("**the client** is told, decides, sends its next write", lambda step: step.first),
    ("the API server answers the write that grows the new controller", lambda step: step.growing),
    ("the manager makes a pod", lambda step: step.making),
    ("the kubelet starts it and the manager writes that it is available, without the readiness itself",
     lambda step: step.available),
    ("**the client** is told, decides, sends its next write", lambda step: step.second),
)  # fmt: skip


def steps(requests: Sequence[Request], name: str, ready: float) -> list[Step]:
    """Of one update of ``name``, whose requests these are (everybody's, of one namespace)."""
    ours = [
        each
        for each in requests
        if each.agent.startswith(AGENT)
        and each.verb == "patch"
        and each.resource == CONTROLLERS
        and each.status == 200
    ]
    found = []
    for shrinking, growing, after in zip(ours, ours[1:], ours[2:], strict=False):
        if shrinking.name != name or growing.name == name or after.name != name:
            continue
        going = _last(requests, shrinking.name, shrinking.answered, growing.received)
        available = _last(requests, growing.name, growing.answered, after.received)
        made = [
            each.answered
            for each in requests
            if each.agent.startswith(MANAGER)
            and (each.verb, each.resource) == ("create", "pods")
            and each.status < 300  # a held controller is refused one: that is the finish, and no step
            and growing.received < each.answered < after.received
        ]
        if going is None or available is None or not made:
            continue
        found.append(
            Step(
                shrinking=_ms(shrinking.received, shrinking.answered),
                going=_ms(shrinking.answered, going),
                first=_ms(going, growing.received),
                growing=_ms(growing.received, growing.answered),
                making=_ms(growing.answered, made[0]),
                available=_ms(made[0], available) - ready * 1000,
                second=_ms(available, after.received),
            )
        )
    return found


def table(found: Sequence[Step]) -> str:
    """In Markdown: the medians, and their sum."""
    lines = ["| a step over the floor, by its parts | ms |", "|---|---|"]
    total = 0.0
    for what, part in PARTS:
        samples = Samples.of([part(each) for each in found])
        total += samples.median
        lines.append(f"| {what} | {samples.show(0)} |")
    lines.append(f"| all of it (the medians together) | {total:.0f} |")
    return "\n".join(lines)


def client_share(found: Sequence[Step]) -> float:
    """Milliseconds of a step that are the client's own, median."""
    return Samples.of([each.first + each.second for each in found]).median


def _last(requests: Sequence[Request], name: str, after: float, before: float) -> float | None:
    """When the manager's last status of that controller was written in between."""
    times = [
        each.answered
        for each in requests
        if each.agent.startswith(MANAGER)
        and (each.verb, each.resource, each.name) == ("update", CONTROLLERS, name)
        and each.subresource == "status"
        and after < each.answered < before
    ]
    return max(times, default=None)


def _ms(start: float, end: float) -> float:
    return (end - start) * 1000
