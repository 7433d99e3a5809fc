"""Killed as a process: one update at every write on the real control plane, a sample of all on the sandbox.

All kill points of all stories are in ``make chaos``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from chaos.arena import Site
from chaos.kills import Result, carry_out_all, kills_of
from chaos.stories import FIRST, STORIES

WORKERS = 4
SAMPLE = 24


def assert_none_failed(results: Sequence[Result]) -> None:
    failed = [f"{each.what}\n{each.problem}" for each in results if each.problem]
    assert not failed, f"{len(failed)} of {len(results)} failed:\n" + "\n\n".join(failed)


@pytest.mark.realplane
def test_the_first_update_on_the_real_control_plane(real_site: Site) -> None:
    """Each of its writes, before and after, then the same command or the rollback: nothing is ever lost."""
    kills = kills_of(real_site, [FIRST], WORKERS)
    assert len(kills) == 56
    assert_none_failed(carry_out_all(real_site, kills, WORKERS))


def test_a_sample_of_all_stories_on_the_sandbox(sandbox_site: Site) -> None:
    """Some kill points of each story, by a seed."""
    kills = kills_of(sandbox_site, STORIES, WORKERS)
    assert_none_failed(carry_out_all(sandbox_site, random.Random(3).sample(kills, SAMPLE), WORKERS))
