"""A Service in front of pods that go to a Deployment and back, on the real control plane: it has all of its
addresses at every instant, as another process sees them that looks without pause."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from testing.chaos.addresses import Seen
from testing.chaos.arena import Arena, Site
from testing.chaos.configs import CONFIG_MOVES
from testing.chaos.migrating import MOVES, NAME, Move
from testing.command import ROOT, Running, environment
from tests.support.effort import examples
from tests.support.openshift import OpenShift

pytestmark = pytest.mark.realplane
RC, DC = MOVES[0], CONFIG_MOVES[0]
CASES = [(RC, 20), (DC, 1), (RC, 1), (DC, 20), (RC, 200), (DC, 200)][: examples(2, 6)]
"""What has the pods, and how many: 200 take longer to make than all of the moves."""


@pytest.fixture
def arena(real_site: Site) -> Iterator[Arena]:
    """An empty namespace of the real control plane."""
    with real_site.arena() as arena:
        yield arena


@contextmanager
def looked_at(arena: Arena) -> Iterator[Seen]:
    """What was seen is there at the end."""
    seen = Seen()
    words = [sys.executable, "-m", "testing.chaos.addresses", str(arena.direct()), NAME]
    looking = Running(words, environment(), ROOT)
    try:
        looking.until("looking")
        yield seen
        looking.send(signal.SIGTERM)
        ended = looking.end(60)
        assert ended.status == 0, str(ended)
        for name, value in json.loads(ended.stdout.splitlines()[-1]).items():
            setattr(seen, name, value)
    finally:
        looking.close()


@pytest.mark.parametrize(("move", "size"), CASES, ids=lambda given: getattr(given, "name", given))
def test_a_service_keeps_its_addresses(
    arena: Arena, move: Move, size: int, request: pytest.FixtureRequest
) -> None:
    """There, back, and there again: the same pods, and no look that failed or found one address less."""
    openshift: OpenShift | None = request.getfixturevalue("openshift_real") if move is DC else None
    with openshift.control(arena.name) if openshift else nullcontext():
        replace(move, size=size, history=False).prepare(arena)
        service = {
            "metadata": {"name": NAME},
            "spec": {"selector": {"app": "nginx"}, "ports": [{"port": 80}]},
        }
        arena.client.create(arena.path("services"), service)

        def all_there() -> bool:
            subsets = arena.objects("endpoints").get(NAME, {}).get("subsets") or ()
            return sum(len(each.get("addresses") or ()) for each in subsets) == size

        arena.wait(all_there, "the Service has all its addresses")
        for words in (move.arguments, move.back, move.arguments):
            with looked_at(arena) as seen:
                ended = arena.run(*words)
            assert ended.status == 0, str(ended)
            assert {pod["metadata"]["uid"] for pod in arena.pods()} == arena.served
            assert (seen.least, seen.failed) == (size, 0), seen
            assert seen.looks > 0
