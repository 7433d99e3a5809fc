"""What is wrong with one pod, or with making pods, read from status and events. Pure.

A problem is *terminal* if waiting will not cure it by itself: the image does not exist, the container crashes
again and again, its configuration is wrong. What passes (a registry that is away, a first restart, eviction,
preemption, a full cluster, a full quota) is not, so that no update stops for it early.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import CLASS
from rollupdate.objects import Json

LONGEST_TEXT = 300
CLOCKS_DIFFER = timedelta(seconds=2)
"""Those of the API server and of the controller manager; each writes whole seconds."""
_PULL = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_PERMANENT_PULL = re.compile(
    r"not found|not exist|manifest unknown|denied|unauthorized|no basic auth|invalid reference|forbidden|"
    r"signature ?validation ?failed",
    re.IGNORECASE,
)
_PULL_PREAMBLE = re.compile(
    r'(Failed to pull image "[^"]*"|Back-off pulling image "[^"]*"|ErrImagePull|'
    r"rpc error: code = \w+ desc =)(: | |$)"
)
_BAD_CONFIG = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "PostStartHookError",
)
_PASSING = re.compile(r"timed out|timeout|deadline exceeded|try again|temporar|unavailable", re.IGNORECASE)
_FAILED_VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
QUOTA = "Quota"
"""Code of a pod that a quota has refused."""
BEYOND_RANGE = re.compile(r"(maximum|minimum|max|min)\b.* per (Container|Pod)\b")
"""Said of a pod that is larger or smaller than a LimitRange allows."""
_AGAIN = 2
"""Restarts from which on a crash is no first one any more."""


@dataclass(frozen=True)
class LogOf:
    """The log of a container that ended; ``run`` tells one end from the next."""

    pod: str
    container: str
    previous: bool
    """The container has been started again: it is the run before the one that the log is of now."""
    run: tuple[str, int]


@dataclass(frozen=True)
class PodProblem:
    """What is wrong with one pod (or with making any), and whether it is terminal."""

    code: str
    text: str
    terminal: bool = False
    retrying: bool = False
    """It has failed before, and runs at the moment: how that ends is not known yet."""
    log: LogOf | None = None
    fingerprint: str = ""
    """The text without what is different in each pod: causes alike in this are one problem."""


def of_controller(
    controller: Controller, events: Sequence[Json], *, since: str | None = None
) -> PodProblem | None:
    """Pods that cannot even be made: quota, limit range, admission. ``events`` are the controller's own. A
    hold of ours is no problem, nor what is left of it. ``since``: see ``summary.diagnose``."""
    if controller.held or (not controller.failure and controller.current >= controller.replicas):
        return None
    message = refusal(controller, events)
    if not message:
        return None
    failed = _refused(events)
    if failed and is_before(_time(failed[-1]), since):
        if not controller.failure:
            return None
        again = "the controller manager has not tried again since"
        return _problem("BackOff", f"pods of {controller.name} could not be created; {again}", {})
    said = without_pod(message)
    if "exceeded quota" in said or said.startswith("failed quota"):
        code = QUOTA
    elif BEYOND_RANGE.search(said):
        code = "LimitRange"
    else:
        code = "Refused"
    return _problem(code, f"pods of {controller.name} cannot be created: {said}", {})


def without_pod(message: str) -> str:
    """The server's words on a pod that it refuses, without its name, which differs each time."""
    return re.sub(r'^pods "[^"]*" is forbidden: ', "", message)


def refusal(controller: Controller, events: Sequence[Json]) -> str:
    """The server's words on the last pod that could not be created; empty if there are none."""
    # The condition keeps what was said first; the newest event has what is said now.
    failed = _refused(events)
    return ((_told(failed[-1]) if failed else "") or controller.failure).removeprefix("Error creating: ")


def _refused(events: Sequence[Json]) -> list[Json]:
    """In order, without those of a hold."""
    failed = [event for event in in_order(events) if event.get("reason") == "FailedCreate"]
    return [event for event in failed if CLASS not in _told(event)]


def of_pod(pod: Json, events: Sequence[Json]) -> PodProblem | None:
    """``events`` are the pod's own. None where nothing is known to be wrong."""
    events = in_order(events)
    status = _dict(pod.get("status"))
    containers = dicts(status.get("containerStatuses"))
    for kind, container_status in [
        *(
            ("init container", container_status)
            for container_status in dicts(status.get("initContainerStatuses"))
        ),
        *(("container", container_status) for container_status in containers),
    ]:
        problem = _of_container(kind, container_status, pod, events)
        if problem is not None:
            return problem
    for condition in dicts(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            said = condition.get("message") or condition.get("reason") or ""
            return _problem("Unschedulable", f"cannot be scheduled: {said}", pod)
    return _of_events(
        pod,
        events,
        running=[
            running
            for container_status in containers
            if isinstance(running := _dict(container_status.get("state")).get("running"), dict)
        ],
    )


def of_ended_pod(pod: Json) -> PodProblem | None:
    """A pod that is no more, or soon will not be, because its node wanted to be rid of it."""
    status = _dict(pod.get("status"))
    if status.get("phase") == "Failed" and status.get("reason"):
        # Evicted, Preempting, OutOfcpu, NodeShutdown, Terminated, UnexpectedAdmissionError, ...
        return _problem(str(status["reason"]), f"{status['reason']}: {status.get('message') or ''}", pod)
    for condition in dicts(status.get("conditions")):
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            said = condition.get("message") or ""
            reason = str(condition.get("reason") or "DisruptionTarget")
            return _problem(reason, f"removed from its node: {reason}: {said}", pod)
    return None


def _of_container(kind: str, container: Json, pod: Json, events: Sequence[Json]) -> PodProblem | None:
    name = container.get("name")
    waiting = _dict(_dict(container.get("state")).get("waiting"))
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason in _PULL:
        return _of_pull(container, reason, message, pod, events)
    if reason in _BAD_CONFIG:
        text = f"{kind} {name} cannot be started: {message or reason}"
        return _problem("Config", text, pod, terminal=not _PASSING.search(message))
    return _of_crash(kind, container, reason, pod, events)


def _of_pull(container: Json, reason: str, message: str, pod: Json, events: Sequence[Json]) -> PodProblem:
    image = str(container.get("image") or "")
    cause = _pull_cause(message)
    if reason != "ErrImagePull" or not cause:
        # While it backs off the status may only say so; the event of the last attempt has the cause.
        told = [_told(event) for event in events if event.get("reason") == "Failed"]
        attempts = [_pull_cause(text) for text in told if f'pull image "{image}"' in text]
        cause = attempts[-1] if attempts and attempts[-1] else cause
    # An image may be named after what is looked for here.
    repository = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    plain = cause.replace(image, "").replace(repository, "") if repository else cause
    permanent = reason in ("InvalidImageName", "ErrImageNeverPull") or bool(_PERMANENT_PULL.search(plain))
    return _problem("Image", f'image "{image}" cannot be pulled: {cause or reason}', pod, terminal=permanent)


def _pull_cause(message: str) -> str:
    """What is new in the message, behind the words that only say that a pull has failed."""
    while (found := _PULL_PREAMBLE.match(message)) is not None:
        message = message[found.end() :]
    return message


def _of_crash(
    kind: str, container: Json, reason: str, pod: Json, events: Sequence[Json]
) -> PodProblem | None:
    name, state = container.get("name"), _dict(container.get("state"))
    ended = _dict(state.get("terminated")) or _dict(_dict(container.get("lastState")).get("terminated"))
    if not ended or container.get("ready"):
        return None
    code = ended.get("exitCode")
    if reason != "CrashLoopBackOff" and not code:
        return None
    text = f"{kind} {name} {'crashes' if code else 'ends again and again'}: exit code {code}"
    if ended.get("reason") not in (None, "", "Error", "Completed"):
        text += f" ({ended['reason']})"
    probes = [_told(event) for event in events if event.get("reason") == "Unhealthy"]
    killed = [probe for probe in probes if probe.startswith(("Liveness", "Startup"))]
    last_words = str(ended.get("message") or "").strip().splitlines()
    if killed:
        text += f": {killed[-1]}"
    elif last_words:
        text += f": {last_words[-1]}"
    restarts = container.get("restartCount")
    restarts = restarts if isinstance(restarts, int) else 0
    again = restarts >= _AGAIN
    meta = _dict(pod.get("metadata"))
    log = LogOf(
        pod=str(meta.get("name") or ""),
        container=str(name or ""),
        previous="terminated" not in state,
        run=(str(meta.get("uid") or ""), restarts),
    )
    runs = "running" in state
    return _problem("Crash", text, pod, terminal=again and not runs, retrying=again and runs, log=log)


def _of_events(pod: Json, events: Sequence[Json], *, running: Sequence[Json]) -> PodProblem | None:
    """What no status tells. An event stays after its cause has gone: it counts where it fits the state."""
    runs = bool(running)
    started = max((str(container.get("startedAt") or "") for container in running), default="")
    for event in reversed(events):
        reason, message = event.get("reason"), _told(event)
        if reason == "NodeNotReady":
            return _problem("Node", f"its node {_dict(pod.get('spec')).get('nodeName')} is not ready", pod)
        if reason == "Unhealthy" and runs and not is_before(_time(event), started):
            return _problem("NotReady", message, pod)
        if reason in _FAILED_VOLUME and not runs:
            return _problem("Volume", f"volume not mounted: {_cause_of(message, events)}", pod)
        if reason == "FailedCreatePodSandBox" and not runs:
            return _problem("Sandbox", f"cannot be set up: {message}", pod)
    return None


def _cause_of(message: str, events: Sequence[Json]) -> str:
    """A mount that only timed out says nothing: another event may have the cause."""
    if not message.startswith("Unable to attach or mount volumes"):
        return message
    others = [_told(event) for event in events if event.get("reason") in _FAILED_VOLUME]
    return next((text for text in reversed(others) if not text.startswith("Unable to attach")), message)


def _told(event: Json) -> str:
    """Its message. Of many that differ but little a recorder keeps one, and says so."""
    return str(event.get("message") or "").removeprefix("(combined from similar events): ")


def _problem(
    code: str,
    text: str,
    pod: Json,
    *,
    terminal: bool = False,
    retrying: bool = False,
    log: LogOf | None = None,
) -> PodProblem:
    meta, status = _dict(pod.get("metadata")), _dict(pod.get("status"))
    fingerprint = text
    for own in (meta.get("uid"), meta.get("name"), status.get("podIP")):
        fingerprint = fingerprint.replace(str(own), "") if own else fingerprint
    return PodProblem(code, line(text), terminal, retrying, log, fingerprint=f"{code} {line(fingerprint)}")


def in_order(events: Iterable[Json]) -> list[Json]:
    """By time, the newest last."""
    return sorted(events, key=_time)


def _time(event: Json) -> str:
    """RFC 3339."""
    series = _dict(event.get("series"))
    return str(event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or "")


def is_before(at: str, since: str | None) -> bool:
    """Whether ``at`` is before ``since`` (RFC 3339), beyond what two clocks may differ by; no if one of them
    is not known."""
    try:
        return since is not None and moment(at) + CLOCKS_DIFFER < moment(since)
    except ValueError:
        return False


def moment(stamp: str) -> datetime:
    """Raises ValueError if it is no RFC 3339."""
    at = datetime.fromisoformat(stamp)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def dicts(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def line(text: str) -> str:
    """One line of bounded length."""
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_TEXT else folded[: LONGEST_TEXT - 1] + "…"
