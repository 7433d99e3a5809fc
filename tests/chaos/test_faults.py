"""Faults of the network and of the API server: the update goes on and ends by itself."""

from __future__ import annotations

from chaos.arena import Site
from chaos.storms import TROUBLES, carry_out_storms, carry_out_troubles
from tests.chaos.test_process_kills import assert_none_failed

WORKERS = 6
SEEDS = range(1000, 1020)


def test_seeded_weather_on_the_sandbox(sandbox_site: Site) -> None:
    """5 % each of reset, lost answer, 409, 429 and 500 for every request: finished and clean, by itself."""
    assert_none_failed(carry_out_storms(sandbox_site, SEEDS, WORKERS))


def test_each_fault_by_itself(sandbox_site: Site) -> None:
    """Resets, lost, slow and half answers, 409, 429, 500, 503, watches cut and too old, the API away."""
    troubles = [each for each in TROUBLES if not each.slow]
    assert_none_failed(carry_out_troubles(sandbox_site, troubles, WORKERS))
