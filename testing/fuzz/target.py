"""What a target of the fuzzing is. Which there are is in :mod:`testing.fuzz.table`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Target:
    """``feed`` takes one input and raises where something is wrong; ``share`` counts beside the others'."""

    name: str
    feed: Callable[[bytes], None]
    inputs: SearchStrategy[bytes]
    seeds: Sequence[bytes] = field(repr=False)
    """What libFuzzer begins with."""
    share: int
    prepare: Callable[[bytes], None] = lambda _data: None
    """Called before each input, unguarded."""
