"""Why a controller does not get its pods available: the causes of its pods, counted and weighed. Pure.

What is wrong with one pod is in ``problems``; who looks, and when, is the engine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rollupdate.core.diagnosis import problems
from rollupdate.core.diagnosis.problems import QUOTA, LogOf, PodProblem
from rollupdate.core.diagnosis.quota import Exceeded, exceeded
from rollupdate.core.model.controller import Controller
from rollupdate.counts import counted
from rollupdate.objects import Json

MOST_PODS = 50
"""Pods looked at: enough to tell, few enough not to weigh on the API."""
_MOST_TOLD = 2
"""Troubles told at a time."""
LOG_LINES = 3
_LONGEST_WORDS = 240
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Diagnosis:
    """What keeps a controller from having all its pods available."""

    causes: tuple[tuple[PodProblem, int], ...] = ()
    """Each with the number of pods that have it; first what keeps pods from being made (0), then what most
    pods have, then what became of pods that are no more."""
    terminal: bool = False
    """There are unavailable pods, and each of them has a terminal problem (or, where there are more than are
    looked at, each of those)."""
    retrying: bool = False
    """So it was, and some are being tried again just now."""
    last_words: str = ""
    """The end of :attr:`log`."""
    refused: Exceeded | None = None
    """The quota that has refused the last pod, if it was one."""
    room: bool | None = None
    """Whether that quota has room by now; None if that is not known."""
    last_ready: str | None = None
    """When the last of the pods that are ready became so (RFC 3339); None if none is, or it is not said."""

    @property
    def text(self) -> str | None:
        """One line for the most common causes; None where none was found."""
        told: list[str] = []
        for problem, count in self.causes[:_MOST_TOLD]:
            said = f"{counted(count, 'pod')}: {problem.text}" if count else problem.text
            if self.last_words and problem.log is not None and problem.log == self.log:
                said += f"; its log ends: {self.last_words}"
            told.append(said)
        return "; ".join(told) or None

    @property
    def fingerprint(self) -> str:
        """What is the same as long as the same is wrong: the log of a crash and a pod's address are not."""
        return "; ".join(f"{count} {problem.fingerprint}" for problem, count in self.causes[:_MOST_TOLD])

    @property
    def log(self) -> LogOf | None:
        """The log that may tell more of what is told."""
        return next((problem.log for problem, _ in self.causes[:_MOST_TOLD] if problem.log is not None), None)

    def with_room(self, room: bool | None) -> Diagnosis:
        """``room``: of the quota :attr:`refused`. If it has some, that it refused a pod is no reason."""
        causes = tuple(cause for cause in self.causes if not (room and cause[0].code == QUOTA))
        return replace(self, causes=causes, room=room)

    def with_log(self, text: str) -> Diagnosis:
        """``text``: the last lines of :attr:`log`."""
        return replace(self, last_words=_last_words(text))


NOTHING_KNOWN = Diagnosis()


def diagnose(
    controller: Controller, pods: Sequence[Json], events: Sequence[Json], *, since: str | None = None
) -> Diagnosis:
    """``pods`` of that controller, at most MOST_PODS; ``events`` about it and them, and about others.
    ``since``: when one of these commands last changed something (RFC 3339); what was refused before is no
    reason any more. Anything malformed is passed over."""
    told = _by_uid(events)
    found = [pod for pod in pods if isinstance(pod, dict)]
    active = [pod for pod in found if is_active(pod)]
    sick = [pod for pod in active if not _is_ready(pod)]
    causes = [problems.of_pod(pod, told.get(_uid(pod), [])) for pod in sick]
    gone = [problems.of_ended_pod(pod) for pod in found if not is_active(pod)]
    ranked = [*_counted(causes), *_counted(gone)]
    ready = max((at for pod in active if _is_ready(pod) and (at := _ready_at(pod))), default=None)
    about = told.get(controller.uid, [])
    creating = problems.of_controller(controller, about, since=since)
    refused = None if creating is None else exceeded(problems.refusal(controller, about))
    if creating is not None:
        ranked.insert(0, (creating, 0))
    unavailable = controller.replicas - controller.available
    complete = len(sick) >= unavailable or len(sick) >= MOST_PODS
    # A pod that is ready may count any moment, once its ``minReadySeconds`` are over.
    may_recover = (
        creating is not None or not sick or not complete or len(active) - len(sick) > controller.available
    )
    if may_recover or not all(
        problem is not None and (problem.terminal or problem.retrying) for problem in causes
    ):
        return Diagnosis(tuple(ranked), refused=refused, last_ready=ready)
    retrying = any(problem is not None and problem.retrying for problem in causes)
    return Diagnosis(tuple(ranked), terminal=not retrying, retrying=retrying, last_ready=ready)


def is_active(pod: Json) -> bool:
    """Whether its controller counts the pod."""
    status, meta = pod.get("status"), pod.get("metadata")
    ended = isinstance(status, dict) and status.get("phase") in ("Succeeded", "Failed")
    return not ended and not (isinstance(meta, dict) and meta.get("deletionTimestamp"))


def _counted(causes: Iterable[PodProblem | None]) -> list[tuple[PodProblem, int]]:
    """Those that are alike together, the most common first."""
    alike: dict[str, list[PodProblem]] = {}
    for problem in causes:
        if problem is not None:
            alike.setdefault(problem.fingerprint, []).append(problem)
    groups = sorted(alike.values(), key=lambda group: (-len(group), not group[0].terminal, group[0].text))
    return [(group[0], len(group)) for group in groups]


def _is_ready(pod: Json) -> bool:
    return _readiness(pod) is not None


def _ready_at(pod: Json) -> str | None:
    at = (_readiness(pod) or {}).get("lastTransitionTime")
    return at if isinstance(at, str) else None


def _readiness(pod: Json) -> Json | None:
    """The condition Ready of a pod that is ready."""
    status = pod.get("status")
    conditions = problems.dicts(status.get("conditions")) if isinstance(status, dict) else []
    ready = (condition for condition in conditions if condition.get("type") == "Ready")
    return next((condition for condition in ready if condition.get("status") == "True"), None)


def _by_uid(events: Iterable[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for event in events:
        about = event.get("involvedObject") if isinstance(event, dict) else None
        if isinstance(about, dict):
            found.setdefault(str(about.get("uid")), []).append(event)
    return found


def _uid(pod: Json) -> str:
    meta = pod.get("metadata")
    return str(meta.get("uid")) if isinstance(meta, dict) else ""


def _last_words(log: str) -> str:
    """The last lines as one; of one that is too long its end, where the cause is."""
    lines = [" ".join(line.split()) for line in _COLOURS.sub("", log).splitlines()]
    words = " | ".join([line for line in lines if line][-LOG_LINES:])
    return words if len(words) <= _LONGEST_WORDS else "…" + words[1 - _LONGEST_WORDS :]
