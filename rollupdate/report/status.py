"""``--status`` as text, and as the value that ``-o`` prints: what is in progress and why it waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rollupdate.core.diagnosis.summary import Diagnosis
from rollupdate.core.model.duration import format_duration
from rollupdate.core.model.leaving import has_arrived
from rollupdate.core.model.migration import Migration
from rollupdate.core.status.update_status import UpdateStatus
from rollupdate.counts import counted
from rollupdate.events import Pods
from rollupdate.report.running import other_pods
from rollupdate.report.text import printable

SCHEMA = 2
"""Grows when a key is taken away or means something else."""


def one_line(seen: UpdateStatus, diagnosis: Diagnosis, now: datetime | None = None) -> str:
    """In short, for ``--watch``. ``now``: for what is told in seconds from it."""
    if not seen.in_progress:
        if seen.moved_to:
            return printable(f"{seen.name}: its pods have gone to {seen.moved_to}")
        found = seen.running
        further = f"; {other_pods(seen.name, found)}" if found.others else ""
        return printable(f"{seen.name}: no update in progress; {_available(seen.pods[0])}{further}")
    if seen.migration is not None:
        return printable(f"{seen.name}: {_migrating(seen.migration, seen)}")
    growing = _growing(seen)
    which = "old pods" if seen.rollback else "new pods"
    parts = [f"{growing.available if growing else 0} of {seen.target} {which} are available"]
    if growing is not None:
        parts[0] += _staying(growing, available_in(seen, diagnosis, now))
    for pods in seen.pods:
        if pods is not growing:
            parts.append(f"{pods.controller} has {counted(max(pods.size, pods.current), 'pod')} left")
    state = _state(seen)
    waiting = _waiting(seen, diagnosis)
    return printable(
        f"{seen.name} {state}: {', '.join(parts)}" + (f"; waiting: {waiting}" if waiting else "")
    )


def text(seen: UpdateStatus, diagnosis: Diagnosis, now: datetime, rollback: str, onwards: str = "") -> str:
    """All of it, a line for each controller; ``rollback``: the command that rolls it back, if one does (the
    one that takes the finalizers off a controller that is ``leaving``), ``onwards``: the one that goes on
    with a migration."""
    if not seen.in_progress:
        return one_line(seen, diagnosis, now) + "\n"
    if seen.migration is not None:
        about = {"Started": _begun(seen, now), "Note": seen.note}
        lines = [one_line(seen, diagnosis, now)]
        lines += [f"  {head + ':':<10}{words}" for head, words in about.items() if words]
        other = (
            "To roll back:" if seen.leaving is None else "To take its finalizers off, if nothing needs them:"
        )
        lines += ["To resume:", f"  {onwards}", *([other, f"  {rollback}"] if rollback else [])]
        return printable("\n".join(lines) + "\n")
    lines = [f"{seen.name} {_state(seen)} ({seen.phase})"]
    images = dict(seen.images)
    due = available_in(seen, diagnosis, now)
    rows = [
        (
            pods.role,
            pods.controller,
            _available(pods) + (_staying(pods, due) if pods is _growing(seen) else ""),
            ", ".join(images[pods.controller]),
        )
        for pods in seen.pods
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        lines.append(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    about = {
        "Replicas": f"{seen.target} (was {seen.original})" if seen.original else f"{seen.target}",
        "Started": _begun(seen, now),
        "Waiting": _waiting(seen, diagnosis),
        "Note": seen.note,
    }
    if seen.paused is not None:
        about["Waiting"] = f"paused at {counted(seen.paused, 'new pod')}, by --pause-at"
    lines += [f"  {head + ':':<10}{words}" for head, words in about.items() if words]
    resume = "To resume: the command that started it."
    if rollback:
        lines += ["To resume the rollback:" if seen.rollback else f"{resume} To roll back:", f"  {rollback}"]
    else:
        lines.append(resume)
    return printable("\n".join(lines) + "\n")


def available_in(seen: UpdateStatus, diagnosis: Diagnosis, now: datetime | None) -> float | None:
    """Seconds until the pods that are ready have been so for ``minReadySeconds``; None if none has to be, or
    that is not known."""
    growing = seen.waiting_for
    if now is None or growing is None or not growing.staying_ready or diagnosis.last_ready is None:
        return None
    since = _moment(diagnosis.last_ready)
    if since is None:
        return None
    return max(0.0, growing.min_ready_seconds - (now - since).total_seconds())


def body(seen: UpdateStatus, diagnosis: Diagnosis, now: datetime | None = None) -> dict[str, Any]:
    """The schema is documented in docs/watching.md."""
    images, due = dict(seen.images), available_in(seen, diagnosis, now)
    return {
        "schema": SCHEMA,
        "name": seen.name,
        "inProgress": seen.in_progress,
        "direction": ("back" if seen.rollback else "forwards") if seen.in_progress else None,
        "phase": seen.phase,
        "pausedAt": seen.paused,
        "original": seen.original,
        "target": seen.target,
        "startedBy": seen.started_by,
        "startedAt": seen.started_at,
        "lastWrite": seen.last_write,
        "waiting": seen.waiting or None,
        "availableIn": None if due is None else round(due),
        "note": seen.note or None,
        "notMoved": seen.not_moved,
        "movesTo": None
        if seen.migration is None
        else f"{seen.migration.goal.word}/{seen.migration.goal_of(seen.name)}",
        "movedTo": seen.moved_to or None,
        "otherPods": {
            "pods": seen.running.others,
            "looked": seen.running.looked,
            "differs": list(seen.running.differs),
            "revision": seen.running.revision,
        }
        if seen.running.others
        else None,
        "reasons": [
            {"pods": count, "reason": problem.text, "fatal": problem.terminal}
            for problem, count in diagnosis.causes
        ],
        "controllers": [
            {
                "role": pods.role,
                "name": pods.controller,
                "images": list(images[pods.controller]),
                "size": pods.size,
                "current": pods.current,
                "ready": pods.ready,
                "available": pods.available,
                "failing": pods.failing,
            }
            for pods in seen.pods
        ],
    }


def _migrating(migration: Migration, seen: UpdateStatus) -> str:
    back = " back" if migration.undone else ""
    goal = f"{migration.goal.word}/{migration.goal_of(seen.name)}"
    if seen.leaving is not None and has_arrived(migration, seen.leaving):
        return f"its pods have gone{back} to {goal}"
    return f"its pods are on their way{back} to {goal}"


def _growing(seen: UpdateStatus) -> Pods | None:
    role = "old" if seen.rollback else "new"
    return next((pods for pods in seen.pods if pods.role == role), None)


def _state(seen: UpdateStatus) -> str:
    if seen.paused is not None:
        return "is paused"
    return "is being rolled back" if seen.rollback else "is being updated"


def _available(pods: Pods) -> str:
    return f"{pods.available} of {pods.size} pods are available"


def _staying(pods: Pods, due: float | None) -> str:
    return "" if due is None else f", {pods.staying} ready, available in {format_duration(float(round(due)))}"


def _waiting(seen: UpdateStatus, diagnosis: Diagnosis) -> str:
    return "; ".join(cause for cause in (seen.waiting, diagnosis.text) if cause)


def _begun(seen: UpdateStatus, now: datetime) -> str:
    """What is known of it; a time that the server does not say is left out."""
    began = [_ago(seen.started_at, now), f"by {seen.started_by}" if seen.started_by else ""]
    written = _ago(seen.last_write, now)
    parts = [" ".join(filter(None, began)), f"last written to {written}" if written else ""]
    return ", ".join(filter(None, parts))


def _ago(stamp: str | None, now: datetime) -> str:
    if not stamp:
        return ""
    at = _moment(stamp)
    if at is None:
        return stamp
    return f"{format_duration(float(int(max(0.0, (now - at).total_seconds()))))} ago"


def _moment(stamp: str) -> datetime | None:
    """None if it is no RFC 3339."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
