"""Two commands for the same controller within some tenths of a second, as two CI jobs start them.

In process, with every order of the writes, it is tried in ``tests/engine/test_two_updates.py``; these are
processes, on the sandbox and on the real control plane, watched by a bystander."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from testing.chaos.arena import Arena, Site
from testing.chaos.owners import watched
from testing.chaos.stories import NAME, NEW, OLD, THIRD, controller
from testing.command import Ended

pytestmark = pytest.mark.sweep

LONG = os.environ.get("ROLLUPDATE_LONG_TESTS") == "1"
PODS = 3
IMAGES = (NEW, THIRD)


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.realplane)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Both clusters in turn."""
    yield request.getfixturevalue(f"{request.param}_site")


def seeds(few: int, many: int) -> list[int]:
    return list(range(many if LONG else few))


def run_both(arena: Arena, one: tuple[str, ...], two: tuple[str, ...], seed: int) -> list[Ended]:
    """The second one 0 to 300 ms after the first; floor and ceiling hold all the time."""
    delay = random.Random(seed).uniform(0.0, 0.3) if seed else 0.0
    with watched(arena) as owners:
        first = arena.start(NAME, *one, "--timeout=120s")
        time.sleep(delay)
        second = arena.start(NAME, *two, "--timeout=120s", beside=True)
        said = [first.end(), second.end()]
    assert owners.least == PODS, said
    assert owners.most <= PODS + 1, said
    assert all("Traceback" not in ended.stderr for ended in said), said
    return said


@pytest.mark.parametrize("labels", [{"deployment": "v1"}, {}], ids=["second update", "first update"])
@pytest.mark.parametrize("seed", seeds(2, 60))
def test_two_images(seed: int, labels: dict[str, str], site: Site) -> None:
    """Two jobs, two images: one of them happens; the other ends with status 1 and leaves nothing."""
    with site.arena() as arena:
        arena.have(controller(NAME, OLD, PODS, labels))
        said = run_both(arena, (f"--image={NEW}",), (f"--image={THIRD}",), seed)
        assert sorted(ended.status for ended in said) == [0, 1], said
        winner = [ended.status for ended in said].index(0)
        loser = said[1 - winner].stderr
        assert "Found existing in-progress update" in loser or "in the meantime" in loser, said
        arena.assert_clean(NAME, IMAGES[winner], PODS)


@pytest.mark.parametrize("seed", seeds(2, 30))
def test_against_supersede(seed: int, site: Site) -> None:
    """The second one supersedes whatever there is: the third version is left, or the second, whole."""
    with site.arena() as arena:
        arena.have(controller(NAME, OLD, PODS, {"deployment": "v1"}))
        said = run_both(arena, (f"--image={NEW}",), (f"--image={THIRD}", "--supersede"), seed)
        assert 0 in {ended.status for ended in said}, said
        assert arena.run(NAME, f"--image={THIRD}", "--supersede").status in (0, 1), said
        arena.assert_clean(NAME, THIRD, PODS)


@pytest.mark.parametrize("seed", seeds(2, 30))
def test_against_a_rollback(seed: int, site: Site) -> None:
    """The second one rolls back whatever there is: the old version is left, or the new one, whole."""
    with site.arena() as arena:
        arena.have(controller(NAME, OLD, PODS, {"deployment": "v1"}))
        said = run_both(arena, (f"--image={NEW}",), ("--rollback",), seed)
        assert all(ended.status in (0, 1, 3) for ended in said), said
        assert arena.run(NAME, f"--image={NEW}").status in (0, 1), said
        arena.assert_clean(NAME, NEW, PODS)
