"""How many pods may be missing and how many may be too many while an update runs.

Percentages are of the size the update is to reach; surge rounds up, unavailable rounds down, and where
both come to nothing one pod may be unavailable, since otherwise no update could ever move.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rollupdate.counts import LARGEST

_AMOUNT = re.compile(r"(\d{1,10})(%?)", re.ASCII)


@dataclass(frozen=True)
class Amount:
    """A number of pods, or a percentage of them."""

    value: int
    percent: bool = False

    @classmethod
    def parse(cls, text: str | int) -> Amount:
        """``3`` or ``25%``. Raises ValueError for anything else, negative numbers included."""
        match = _AMOUNT.fullmatch(str(text))
        if not match or int(match[1]) > LARGEST:
            raise ValueError(f"{str(text)!r} is neither a number of pods nor a percentage")
        return cls(int(match[1]), bool(match[2]))

    def of(self, size: int, *, round_up: bool) -> int:
        if not self.percent:
            return self.value
        scaled = size * self.value
        return -(-scaled // 100) if round_up else scaled // 100

    def __str__(self) -> str:
        return f"{self.value}%" if self.percent else str(self.value)


@dataclass(frozen=True)
class Bounds:
    """What every write of an update respects, in pods."""

    floor: int
    """Pods, old and new together, that stay available."""
    ceiling: int
    """Pods, old and new together, that exist while the shrinking controller still has any."""


@dataclass(frozen=True)
class Budget:
    max_surge: Amount = Amount(1)
    max_unavailable: Amount = Amount(0)

    @property
    def needs_no_room(self) -> bool:
        """No pod is made before another one has gone."""
        return self.max_surge.value == 0

    def bounds(self, *, original: int, desired: int) -> Bounds:
        """``original`` is the size before the update, ``desired`` the size after it, in pods."""
        surge = self.max_surge.of(desired, round_up=True)
        unavailable = self.max_unavailable.of(desired, round_up=False)
        if surge == 0 and unavailable == 0:
            unavailable = 1
        base = min(original, desired)
        return Bounds(floor=max(0, base - unavailable), ceiling=base + surge)
