"""What the live view shows, as values: from what was told, and the time, to bars and lines. Pure.

How it looks (colours, widths) is in ``live``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollupdate.core.model.duration import format_duration
from rollupdate.counts import counted
from rollupdate.events import ApiReachable, ApiUnreachable, Event, Pods, Progress


@dataclass(frozen=True)
class Bar:
    """The pods of one controller. The numbers are pods; what is left of ``View.scale`` is empty."""

    role: str
    controller: str
    available: int
    starting: int
    failing: int
    leaving: int
    says: str


@dataclass(frozen=True)
class View:
    bars: tuple[Bar, ...]
    scale: int
    """Pods that a full bar stands for."""
    bounds: tuple[str, ...]
    """Shown on one line if it fits; so are ``times``."""
    times: tuple[str, ...]
    waiting: str
    """Why nothing is done right now; empty where something is."""


@dataclass(frozen=True)
class Mark:
    """So much was done at that time (clock seconds)."""

    at: float
    done: int


@dataclass(frozen=True)
class Seen:
    """What was told so far, as much as the view needs of it."""

    progress: Progress | None = None
    moved_at: float = 0.0
    """When something moved last, by the clock."""
    due_at: float | None = None
    """When the pods that are ready are available, if they only have to stay ready."""
    first: Mark = Mark(0.0, 0)
    last: Mark = Mark(0.0, 0)
    unreachable: str = ""
    """The API server's trouble."""


def follow(seen: Seen, event: Event, now: float) -> Seen:
    """``seen``, with one more event at ``now`` (clock seconds)."""
    match event:
        case ApiUnreachable(problem):
            return replace(seen, unreachable=f"API server unreachable: {problem}")
        case ApiReachable():
            return replace(seen, unreachable="")
        case Progress():
            mark = Mark(now, _done(event))
            before = seen.progress
            again = before is None or (before.rollback, before.target) != (event.rollback, event.target)
            return replace(
                seen,
                progress=event,
                moved_at=now - event.idle + (event.available_in or 0.0),
                due_at=None if event.available_in is None else now + event.available_in,
                first=mark if again else seen.first,
                last=mark if again or mark.done > seen.last.done else seen.last,
            )
        case _:
            return seen


def view(seen: Seen, now: float) -> View | None:
    """What to show at ``now``; None as long as there is nothing."""
    here = seen.progress
    if here is None:
        return None
    available = sum(pods.available for pods in here.pods)
    current = sum(pods.current for pods in here.pods)
    waiting = seen.unreachable or "; ".join(text for text in (here.waiting, here.cause) if text)
    due = None if seen.due_at is None or seen.due_at <= now else seen.due_at - now
    times = [
        f"no progress for {_seconds(now - seen.moved_at)}"
        if due is None
        else f"ready pods are available in {_seconds(due)}"
    ]
    left = time_left(seen, now)
    if left is not None:
        times.insert(0, f"about {_seconds(left)} left")
    return View(
        bars=tuple(_bar(pods, here, due) for pods in here.pods),
        scale=max(1, here.ceiling, here.target, *(pods.size + pods.leaving for pods in here.pods)),
        bounds=(
            f"{available} available (floor {here.floor})",
            f"{counted(current, 'pod')} (ceiling {here.ceiling})",
        ),
        times=tuple(times),
        waiting=waiting,
    )


def time_left(seen: Seen, now: float) -> float | None:
    """Seconds, judging by the pace so far; None where that would be a guess: too little has happened yet, or
    it stands still, with or without a known cause."""
    here, first, last = seen.progress, seen.first, seen.last
    if here is None or here.cause or seen.unreachable:
        return None
    elapsed, done = last.at - first.at, last.done - first.done
    standing_still = now - last.at
    if done < 2 or elapsed < 1 or standing_still > 2 * elapsed:
        return None
    return max(0.0, elapsed / done * (here.original + here.target - last.done) - standing_still)


def _growing(progress: Progress) -> str:
    return "old" if progress.rollback else "new"


def _done(progress: Progress) -> int:
    """Pods that are as they are to be: new ones available, old ones gone (or the other way round)."""
    growing = _growing(progress)
    there = sum(pods.available for pods in progress.pods if pods.role == growing)
    rest = sum(max(pods.current, pods.size) for pods in progress.pods if pods.role != growing)
    return min(there, progress.target) + max(0, progress.original - rest)


def _bar(pods: Pods, progress: Progress, due: float | None) -> Bar:
    """``due``: seconds until the ready pods of the growing controller are available."""
    growing = pods.role == _growing(progress)
    of = progress.target if growing else pods.size
    says = [f"{pods.available} of {of} available"]
    staying = pods.staying if growing and due is not None else 0
    for count, what in (
        (staying, "" if due is None else f"ready, available in {_seconds(due)}"),
        (max(0, pods.starting - staying), "starting" if growing else "unavailable"),
        (pods.failing, "failing"),
        (pods.leaving, "leaving"),
    ):
        if count:
            says.append(f"{count} {what}")
    return Bar(
        role=pods.role,
        controller=pods.controller,
        available=pods.available,
        starting=pods.starting,
        failing=pods.failing,
        leaving=pods.leaving,
        says=", ".join(says),
    )


def _seconds(seconds: float) -> str:
    """Whole seconds: they are redrawn once in a second."""
    return format_duration(float(int(max(0.0, seconds))))
