"""A log that must not be quiet: what is waited for is told again, at growing distances."""

from __future__ import annotations

import itertools

import pytest

from rollupdate.engine.backoff import Backoff
from rollupdate.errors import FailureError, StoppedError, UnreachableError
from rollupdate.events import Event, Waiting
from testing.sandbox import KubeletConfig
from tests.engine.inprocess import FakeClock
from tests.engine.world import NAME, World, to_image
from tests.support.asking import Asking
from tests.support.manifests import my_nginx


def times(world: World, request: Asking, kind: type[Event]) -> list[float]:
    """When such a line was told, in seconds from the start of the run."""
    told: list[float] = []
    started = world.sandbox.now()
    world.events = Timed(world, told, kind)
    with pytest.raises(FailureError):
        world.update(request)
    return [at - started for at in told]


class Timed(list[Event]):
    def __init__(self, world: World, told: list[float], kind: type[Event]) -> None:
        super().__init__()
        self._world, self._told, self._kind = world, told, kind

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, self._kind):
            self._told.append(self._world.sandbox.now())


def test_the_reason_again_and_again() -> None:
    """After one minute, two, four, then every five."""
    world = World(my_nginx(replicas=2))
    told = times(world, to_image("nginx:never-ready", timeout=1500.0), Waiting)
    gaps = [after - before for before, after in itertools.pairwise(told)]
    for gap, wanted in zip(gaps, (60, 120, 240, 300, 300), strict=False):
        assert wanted - 0.001 <= gap < wanted + 31, gaps
    assert len(gaps) >= 5


def test_a_new_reason_is_told_at_once_and_starts_anew() -> None:
    """Whatever was told before."""
    world = World(my_nginx(replicas=2))
    world.sandbox.kubelet.paused = True

    def wake() -> None:
        world.sandbox.kubelet.paused = False
        for pod in world.sandbox.pods():
            if pod["spec"]["containers"][0]["image"] == "nginx:never-ready":
                world.sandbox.delete("pods", "default", pod["metadata"]["name"], grace_seconds=0)

    world.sandbox.clock.schedule(150, wake)
    told = times(world, to_image("nginx:never-ready", timeout=400.0), Waiting)
    after = [at for at in told if at > 150]
    assert after[0] < 170
    assert 60 <= after[1] - after[0] < 91


def test_what_is_waited_for_until_a_known_time() -> None:
    """--update-period of many minutes."""
    world = World(my_nginx(replicas=1))
    world.update(to_image(update_period=900.0))
    told = [event for event in world.events if isinstance(event, Waiting)]
    assert [event.reason for event in told] == ["--update-period has not passed"] * len(told)
    assert len(told) >= 3
    world.assert_clean(NAME, "nginx:1.9.1", 1)


def test_pods_that_have_to_stay_ready() -> None:
    """Each line says how long that still takes."""
    manifest = my_nginx(replicas=1)
    manifest["spec"]["minReadySeconds"] = 600
    world = World(manifest, kubelet=KubeletConfig())
    world.sandbox.advance(601)
    world.update(to_image(timeout=120.0))
    rests = [event.available_in for event in world.events if isinstance(event, Waiting)]
    assert len(rests) >= 3
    assert rests == sorted(rests, key=lambda rest: -(rest or 0.0))


def test_a_server_that_does_not_answer() -> None:
    """That it is unreachable is told again as well."""
    clock, told = FakeClock(World(my_nginx(replicas=1)).sandbox), list[float]()
    backoff = Backoff(
        clock, lambda event: told.append(clock.now()), 900.0, lambda now: now - began, lambda: 0.5
    )
    began = clock.now()
    backoff.recovered()  # it has answered before

    def look() -> None:
        raise UnreachableError("no answer")

    with pytest.raises(StoppedError):
        backoff.retry(look)
    gaps = [after - before for before, after in itertools.pairwise(told)]
    assert len(gaps) >= 3
    assert all(wanted - 1 <= gap < wanted + 61 for gap, wanted in zip(gaps, (60, 120, 240), strict=False))
