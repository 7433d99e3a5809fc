"""A Service in front of pods that go to a Deployment and back, on the real control plane: it has all of its
addresses at every instant, as another process sees them that looks without pause."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from testing.chaos.addresses import Seen
from testing.chaos.arena import Arena, Site
from testing.chaos.migrating import DOWN, NAME, UP, Move
from testing.command import ROOT, Running, environment
from testing.namespace import CONFIGS
from testing.openshift import names
from tests.support.effort import examples
from tests.support.openshift import OpenShift, config_of

pytestmark = pytest.mark.realplane
RC, DC = "replicationcontroller", "deploymentconfig"
CASES = [(RC, 20), (DC, 1), (RC, 1), (DC, 20), (RC, 200), (DC, 200)][: examples(2, 6)]
"""What has the pods, and how many: 200 take longer to make than all of the moves."""
WAYS = {RC: (UP, DOWN), DC: ((f"dc/{NAME}", "--to=deployment"), (DOWN[0], f"--to={DC}"))}


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


def have(arena: Arena, source: str, size: int) -> None:
    if source == RC:
        Move("there and back", UP, size=size).prepare(arena)
        return
    path = f"/apis/{names.VERSION}/namespaces/{arena.name}/{CONFIGS}"
    arena.client.create(path, config_of(NAME, size))

    def is_complete() -> bool:
        controller = arena.controllers().get(f"{NAME}-1")
        return controller is not None and controller["metadata"]["annotations"][names.PHASE] == names.COMPLETE

    arena.wait(is_complete, "its rollout is complete")
    arena.served = {pod["metadata"]["uid"] for pod in arena.pods()}


@pytest.mark.parametrize(("source", "size"), CASES)
def test_a_service_keeps_its_addresses(
    arena: Arena, source: str, size: int, request: pytest.FixtureRequest
) -> None:
    """There, back, and there again: the same pods, and no look that failed or found one address less."""
    there, back = WAYS[source]
    openshift: OpenShift | None = request.getfixturevalue("openshift_real") if source == DC else None
    with openshift.control(arena.name) if openshift else nullcontext():
        have(arena, source, size)
        service = {
            "metadata": {"name": NAME},
            "spec": {"selector": {"app": "nginx"}, "ports": [{"port": 80}]},
        }
        arena.client.create(arena.path("services"), service)

        def all_there() -> bool:
            subsets = arena.objects("endpoints").get(NAME, {}).get("subsets") or ()
            return sum(len(each.get("addresses") or ()) for each in subsets) == size

        arena.wait(all_there, "the Service has all its addresses")
        for words in (there, back, there):
            with looked_at(arena) as seen:
                ended = arena.run(*words)
            assert ended.status == 0, str(ended)
            assert {pod["metadata"]["uid"] for pod in arena.pods()} == arena.served
            assert (seen.least, seen.failed) == (size, 0), seen
            assert seen.looks > 0
