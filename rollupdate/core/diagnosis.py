"""Why new pods do not get available, read from their status and events. Pure: what to look at is given.

A trouble is *fatal* where waiting will not cure it by itself: the image does not exist, the container crashes
again and again, its configuration is wrong. What passes (a registry that is away, a first restart, eviction,
preemption, a full cluster, a full quota) is not, so that no update stops for it early.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rollupdate.core.controller import Controller

Json = dict[str, Any]

MOST_PODS = 50
"""Pods looked at: enough to tell, few enough not to weigh on the API."""
_LONGEST_TEXT = 300
_HOPELESS_PULL = re.compile(
    r"not found|not exist|manifest unknown|denied|unauthorized|no basic auth|invalid reference|forbidden",
    re.IGNORECASE,
)
_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_BAD_CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreStartHookError")
_FAILED_VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one pod (or with making any): a stable code, one line, and whether it is fatal."""

    code: str
    text: str
    fatal: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """What keeps a controller from having all its pods available."""

    troubles: tuple[tuple[Trouble, int], ...] = ()
    """Each with the number of pods that have it, most pods first."""
    fatal: bool = False
    """There are unavailable pods, and each of them has a fatal trouble."""

    @property
    def text(self) -> str | None:
        """One line for the most common trouble; None where none was found."""
        if not self.troubles:
            return None
        trouble, count = self.troubles[0]
        if count == 0:
            return trouble.text
        return f"{count} {'pod' if count == 1 else 'pods'}: {trouble.text}"


NOTHING_KNOWN = Diagnosis()


def diagnose(controller: Controller, pods: Sequence[Json], events: Sequence[Json]) -> Diagnosis:
    """``pods`` of that controller, ``events`` of its namespace. Anything malformed is passed over."""
    counted: dict[Trouble, int] = {}
    sick = [pod for pod in pods if isinstance(pod, dict) and not _available(pod)]
    fatal = bool(sick)
    for pod in sick:
        trouble = _of_pod(pod, _events_of(pod, events))
        if trouble is None:
            fatal = False
            continue
        counted[trouble] = counted.get(trouble, 0) + 1
        fatal = fatal and trouble.fatal
    ranked = sorted(counted.items(), key=lambda item: (-item[1], not item[0].fatal, item[0].text))
    creating = _of_controller(controller)
    if creating is not None:
        ranked.insert(0, (creating, 0))
        fatal = False
    return Diagnosis(tuple(ranked), fatal)


def _of_controller(controller: Controller) -> Trouble | None:
    """Pods that cannot even be made: quota, limit range, admission."""
    status = controller.raw.get("status") or {}
    for condition in _dicts(status.get("conditions")):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            message = str(condition.get("message") or condition.get("reason") or "")
            code = "Quota" if "exceeded quota" in message else "Refused"
            return Trouble(code, _line(f"pods of {controller.name} cannot be created: {message}"))
    return None


def _of_pod(pod: Json, events: Sequence[Json]) -> Trouble | None:
    status = pod.get("status") or {}
    if status.get("reason") in ("Evicted", "Preempting", "NodeLost", "Terminated"):
        return Trouble(str(status["reason"]), _line(f"{status['reason']}: {status.get('message', '')}"))
    for container in [*_dicts(status.get("initContainerStatuses")), *_dicts(status.get("containerStatuses"))]:
        trouble = _of_container(container, events)
        if trouble is not None:
            return trouble
    for condition in _dicts(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Trouble("Unschedulable", _line(f"cannot be scheduled: {condition.get('message', '')}"))
    for event in reversed(events):
        if event.get("reason") in _FAILED_VOLUME:
            return Trouble("Volume", _line(f"volume not mounted: {event.get('message', '')}"))
        if event.get("reason") == "Unhealthy":
            return Trouble("NotReady", _line(str(event.get("message", ""))))
    return None


def _of_container(container: Json, events: Sequence[Json]) -> Trouble | None:
    name = container.get("name")
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in _PULL:
        # While it backs off the status only says so; the event of the last attempt has the cause.
        causes = [str(event.get("message", "")) for event in events if event.get("reason") == "Failed"]
        cause = next((each for each in reversed(causes) if "pull image" in each), message)
        image = container.get("image")
        hopeless = reason in ("InvalidImageName", "ErrImageNeverPull") or bool(_HOPELESS_PULL.search(cause))
        return Trouble("Image", _line(f'image "{image}" cannot be pulled: {cause or reason}'), hopeless)
    if reason in _BAD_CONFIG:
        return Trouble("Config", _line(f"container {name} cannot be started: {message or reason}"), True)
    ended = (container.get("lastState") or {}).get("terminated") or {}
    ended = ended or (container.get("state") or {}).get("terminated") or {}
    restarts = container.get("restartCount")
    if ended and not container.get("ready") and (reason == "CrashLoopBackOff" or ended.get("exitCode")):
        text = f"container {name} crashes: exit code {ended.get('exitCode')}"
        if ended.get("reason") not in (None, "", "Error"):
            text += f" ({ended['reason']})"
        last_words = str(ended.get("message") or "").strip().splitlines()
        if last_words:
            text += f": {last_words[-1]}"
        again = isinstance(restarts, int) and restarts >= 2
        return Trouble("Crash", _line(text), fatal=again)
    return None


def _available(pod: Json) -> bool:
    status = pod.get("status") or {}
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in _dicts(status.get("conditions"))
    )


def _events_of(pod: Json, events: Iterable[Json]) -> list[Json]:
    uid = (pod.get("metadata") or {}).get("uid")
    found = [each for each in events if (each.get("involvedObject") or {}).get("uid") == uid]
    return sorted(found, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))


def _dicts(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _line(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _LONGEST_TEXT else folded[: _LONGEST_TEXT - 1] + "…"
