"""A Service in front of pods that go to a Deployment and back, on the real control plane: it has all of its
addresses at every instant, as another process sees them that looks without pause."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from testing.chaos.addresses import Seen
from testing.chaos.arena import Arena, Site
from testing.chaos.migrating import DOWN, NAME, UP, Move
from testing.command import ROOT, Running, environment
from tests.support.effort import examples

pytestmark = pytest.mark.realplane
SIZES = [1, 20, 200][: examples(2, 3)]
"""200 pods take longer to make than all of the moves."""


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


@pytest.mark.parametrize("size", SIZES)
def test_a_service_keeps_its_addresses(arena: Arena, size: int) -> None:
    """There, back, and there again: the same pods, and no look that failed or found one address less."""
    Move("there and back", UP, size=size).prepare(arena)
    service = {"metadata": {"name": NAME}, "spec": {"selector": {"app": "nginx"}, "ports": [{"port": 80}]}}
    arena.client.create(arena.path("services"), service)

    def all_there() -> bool:
        subsets = arena.objects("endpoints").get(NAME, {}).get("subsets") or ()
        return sum(len(each.get("addresses") or ()) for each in subsets) == size

    arena.wait(all_there, "the Service has all its addresses")
    before = arena.served
    for words in (UP, DOWN, UP):
        with looked_at(arena) as seen:
            ended = arena.run(*words)
        assert ended.status == 0, str(ended)
        assert {pod["metadata"]["uid"] for pod in arena.pods()} == before
        assert (seen.least, seen.failed) == (size, 0), seen
        assert seen.looks > 0
