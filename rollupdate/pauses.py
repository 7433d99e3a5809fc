"""How long to wait before a failed request is tried again: the engine's reads and each watch go by it."""

from __future__ import annotations

FIRST, LONGEST = 0.2, 10.0
"""Seconds after the first failure in a row, and after many."""
LONGEST_RETRY_AFTER = 60.0
"""Seconds: a server that asks for more is tried again all the same."""


def pause(failures: int, jitter: float, retry_after: float | None = None) -> float:
    """Seconds: doubled with each of the ``failures`` in a row (1 or more), then shortened by up to a half.

    ``jitter``: from 0 to 1, so that many clients do not come back at once; ``retry_after``: seconds that the
    server asked for.
    """
    backoff = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 10)) * (0.5 + 0.5 * jitter)
    return max(backoff, min(retry_after or 0.0, LONGEST_RETRY_AFTER))
