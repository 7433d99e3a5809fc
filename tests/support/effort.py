"""How much a test with random input tries: a part of it in the gate, all of it under ``make chaos``."""

from __future__ import annotations

import os

VARIABLE = "ROLLUPDATE_LONG_TESTS"
"""Set to 1 by ``make chaos``."""


def examples(gate: int, long: int) -> int:
    """``gate`` in ``make test``, ``long`` where the long runs are asked for."""
    return long if os.environ.get(VARIABLE) == "1" else gate
