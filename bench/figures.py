"""What a measurement comes to: samples, their median and spread, and whether a goal is met. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Samples:
    """Repetitions of one measurement, in the order they were taken."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Samples:
        return cls(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def show(self, digits: int = 2) -> str:
        """The median, and the smallest and largest in brackets."""
        low, high = min(self.values), max(self.values)
        spread = f" ({low:.{digits}f} to {high:.{digits}f})" if len(self.values) > 1 else ""
        return f"{self.median:.{digits}f}{spread}"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Samples:
    """Of what was measured in turn, pair by pair: what else the machine does meets both of a pair."""
    return Samples.of([one / other for one, other in zip(ours, theirs, strict=True)])


@dataclass(frozen=True)
class Goal:
    """The most that a figure may be."""

    most: float
    unit: str = ""

    def met(self, value: float) -> bool:
        return value <= self.most

    def show(self) -> str:
        return f"at most {self.most:g}{self.unit}"


@dataclass(frozen=True)
class Row:
    """One figure of a table, with its goal where it has one."""

    what: str
    shown: str
    value: float | None = None
    goal: Goal | None = None
    explained: str = ""
    """What a miss comes from, taken from the same run."""

    @property
    def missed(self) -> bool:
        return self.goal is not None and self.value is not None and not self.goal.met(self.value)

    @property
    def verdict(self) -> str:
        if self.goal is None or self.value is None:
            return ""
        return "**missed**" if self.missed else "met"


@dataclass
class Section:
    title: str
    said: str
    rows: list[Row] = field(default_factory=list)
    table: str = ""
    """A table of another shape, in Markdown, after the rows."""


def floor_seconds(size: int, surge: int, unavailable: int, ready: float) -> float:
    """The critical path of an update: seconds that pass if only readiness takes time, in pods and seconds."""
    new = available = 0
    old = size
    seconds = 0.0
    while True:
        before = None
        while before != (new, old):
            before = (new, old)
            new = max(new, min(size, size + surge - old))
            old = max(0, min(old, size - unavailable - available))
        if available == size and old == 0:
            return seconds
        seconds += ready
        available = new


def rounds(size: int, surge: int, unavailable: int) -> int:
    """How often new pods have to become ready, one batch after the other."""
    return round(floor_seconds(size, surge, unavailable, 1.0))
