"""Faults of the network and of the API server: the update goes on and ends by itself."""

from __future__ import annotations

import threading

import pytest

from chaos.arena import Site
from chaos.stories import SECOND
from chaos.storms import TROUBLES, at_write, carry_out_storms, carry_out_troubles
from controlplane.plane import ControlPlane
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


@pytest.mark.realplane
def test_the_api_server_is_restarted(real_site: Site, quick_plane: ControlPlane) -> None:
    """Killed and started again in the middle of an update, which ends by itself."""
    with real_site.arena() as arena:
        SECOND.prepare(arena)
        restart = threading.Thread(target=quick_plane.restart_apiserver, kwargs={"kill": True, "pause": 1.0})
        at_write(arena, 3, restart.start)
        ended = arena.run(*SECOND.command(arena))
        restart.join(60)
        assert ended.status == 0, str(ended)
        SECOND.assert_ended(arena)
