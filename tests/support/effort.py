"""How much a test tries that has random input, or very many cases: a part of it in the gate, all of it under
``make chaos``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")
VARIABLE = "ROLLUPDATE_LONG_TESTS"
"""Set to 1 by ``make chaos``."""


def some(cases: Sequence[_T], one_in: int) -> Sequence[_T]:
    """All of ``cases`` where the long runs are asked for, else ``one_in`` so many of them."""
    return cases[:: examples(one_in, 1)]


def kills(total: int, *, before: bool) -> Sequence[int]:
    """The writes, from 1 to ``total``, at which a client is killed. One that is killed before a write leaves
    what it leaves after the write before: so of these the gate tries one in five."""
    every = range(1, total + 1)
    return some(every, 5) if before else every


def examples(gate: _T, long: _T) -> _T:
    """``gate`` in ``make test``, ``long`` where the long runs are asked for."""
    return long if os.environ.get(VARIABLE) == "1" else gate
