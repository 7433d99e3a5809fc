"""``--progress=json``: an object a line for each fact, for programs. docs/events.md documents the keys.

Whatever is an event is here, also what the plain lines leave out. Objects of the cluster are not: ``-o``
prints them. The names of events on the wire are written down here; a class may be renamed without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from rollupdate import events
from rollupdate.advice import Advice
from rollupdate.events import Event
from rollupdate.report.text import ascii_json

SCHEMA = 2
"""Grows when a key is taken away or means something else; a new key or event is no new schema."""

NAMES: dict[type[Event], str] = {
    events.Progress: "Progress",
    events.Resuming: "Resuming",
    events.Continuing: "Continuing",
    events.Labelling: "Labelling",
    events.Created: "Created",
    events.RollingBack: "RollingBack",
    events.ScalingPlanned: "ScalingPlanned",
    events.Scaled: "Scaled",
    events.Evicted: "Evicted",
    events.ScaledByOthers: "ScaledByOthers",
    events.SizeContested: "SizeContested",
    events.Succeeded: "Succeeded",
    events.Renaming: "Renaming",
    events.NotMoved: "NotMoved",
    events.TemplateRestored: "TemplateRestored",
    events.Returning: "HandingBack",
    events.Finished: "Finished",
    events.UpToDate: "UpToDate",
    events.Undoing: "Undoing",
    events.Arranged: "Arranged",
    events.Migrated: "Migrated",
    events.EditLeft: "EditLeft",
    events.LeftBehind: "LeftBehind",
    events.HistoryNotKept: "HistoryNotKept",
    events.PodsDiffer: "PodsDiffer",
    events.PodsNotSeen: "PodsNotSeen",
    events.Waiting: "Waiting",
    events.Paused: "Paused",
    events.Verifying: "Verifying",
    events.VerifyOutput: "VerifyOutput",
    events.Verified: "Verified",
    events.Superseding: "Superseding",
    events.SupersededGone: "SupersededGone",
    events.LookLeftOut: "LookLeftOut",
    events.ApiUnreachable: "ApiAway",
    events.ApiReachable: "ApiBack",
    events.NoRoom: "NoRoom",
    events.PodRefused: "PodRefused",
    events.BudgetBroken: "BudgetBroken",
    events.ReferencesUnseen: "ReferencesUnseen",
    events.Stopped: "Stopped",
}
"""The value of ``event`` for each class."""


class JsonLines:
    """Writes to ``out``, flushed line by line. ``now``: the time of day."""

    def __init__(self, out: TextIO, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._out = out
        self._now = now

    def __call__(self, event: Event) -> None:
        self._out.write(line(event, self._now()) + "\n")
        self._out.flush()


def line(event: Event, now: datetime) -> str:
    # Only ASCII: nothing that comes from a cluster can drive a terminal, or end the line.
    return ascii_json(body(event, now))


def body(event: Event, now: datetime) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event": NAMES[type(event)],
        "context": event.subject.context,
        "namespace": event.subject.namespace,
        "name": event.subject.name,
        **_values(event),
    }


def _values(fact: Any) -> dict[str, Any]:
    return {
        _camel(field.name): _value(getattr(fact, field.name))
        for field in fields(fact)
        if field.name not in ("obj", "subject")
    }


def _value(value: Any) -> Any:
    if is_dataclass(value):
        return _values(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Advice):
        return str(value)
    return round(value, 3) if isinstance(value, float) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
