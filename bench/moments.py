"""When an update came to what, read from the lines of ``--progress=json``. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.command import BenchError, Ran


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Seconds from the start of the command, in this order."""

    created: float
    """The new controller is there."""
    available: float
    """The last new pod is available."""
    replaced: float
    """The last old pod is gone, too: the finish begins."""
    finished: float
    ended: float
    """The command has ended."""
    window: tuple[float, float]
    """The finish in seconds since 1970, to find its requests in the audit log."""

    @property
    def loop(self) -> float:
        return self.replaced - self.created

    @property
    def finish(self) -> float:
        return self.finished - self.replaced


def moments(ran: Ran) -> Moments:
    """Of one update of a controller that kept its size. Raises BenchError where an event is missing."""
    told = events(ran)
    created, _ = _first(told, "Created")
    available, _ = _first(told, "Progress", _all_available)
    replaced, begun = _first(told, "Progress", lambda event: _all_available(event) and not _old_pods(event))
    finished, ended = _first(told, "Finished")
    return Moments(
        created=created,
        available=available,
        replaced=replaced,
        finished=finished,
        ended=ran.seconds,
        window=(_wall(begun), _wall(ended)),
    )


def events(ran: Ran) -> list[tuple[float, dict[str, Any]]]:
    """All that it told, each with the seconds from its start."""
    return [(seconds, event) for seconds, line in ran.lines if (event := _event(line)) is not None]


def _event(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None  # a line on standard error
    return found if isinstance(found, dict) and "event" in found else None


def _first(
    told: Sequence[tuple[float, dict[str, Any]]], name: str, fits: Any = lambda _: True
) -> tuple[float, dict[str, Any]]:
    for seconds, event in told:
        if event["event"] == name and fits(event):
            return seconds, event
    raise BenchError(f"no event {name} as expected in: " + ", ".join(event["event"] for _, event in told))


def _all_available(event: dict[str, Any]) -> bool:
    new = [pods for pods in event["pods"] if pods["role"] == "new"]
    return bool(new) and all(pods["available"] >= event["target"] for pods in new)


def _old_pods(event: dict[str, Any]) -> int:
    return sum(pods["current"] for pods in event["pods"] if pods["role"] != "new")


def _wall(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()
