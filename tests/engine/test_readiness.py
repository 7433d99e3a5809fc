"""Pods that are ready and only have to stay so: minReadySeconds longer than --timeout is no standstill."""

from __future__ import annotations

import pytest

from rollupdate.errors import FailureError
from rollupdate.events import Progress, Waiting
from testing.kubelet.pod_status import is_ready
from testing.objects import Json
from testing.sandbox import DEFAULT_RULES, Behaviour, KubeletConfig, Rule
from tests.engine.inprocess import Killed, killed
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.manifests import my_nginx, my_nginx_v4

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"


def slow(seconds: int, *, replicas: int = 2) -> Json:
    manifest = my_nginx(replicas=replicas)
    manifest["spec"]["minReadySeconds"] = seconds
    return manifest


def waits(world: World) -> list[Waiting]:
    return [event for event in world.events if isinstance(event, Waiting)]


@pytest.mark.parametrize(("seconds", "timeout"), [(20, 10.0), (600, 300.0)])
def test_longer_than_the_timeout(seconds: int, timeout: float) -> None:
    """Healthy pods are waited for; the line says what for, and when that is over."""
    world = World(slow(seconds))
    world.sandbox.advance(seconds + 1)
    world.update(to_image(timeout=timeout))
    world.assert_clean(NAME, NEW, 2)
    first = waits(world)[0]
    assert first.reason.endswith(f" are available (1 ready, must stay so for {seconds}s)")
    assert first.available_in is not None
    assert 0 < first.available_in < seconds
    told = [event.available_in for event in world.events if isinstance(event, Progress)]
    assert any(rest is not None and seconds - 2 < rest <= seconds for rest in told)


def test_longer_for_this_update_alone() -> None:
    """--min-ready-seconds, against --timeout; with a surge of several pods."""
    world = World(my_nginx(replicas=3))
    world.update(to_image(timeout=30.0, min_ready_seconds=90))
    world.assert_clean(NAME, NEW, 3)


def test_longer_in_the_file_than_for_this_update() -> None:
    """The controller gets its own minReadySeconds back in the finish, and is waited for."""
    manifest = my_nginx_v4(2)
    manifest["spec"]["minReadySeconds"] = 120
    world = World(my_nginx(replicas=2, labels={"deployment": "v1"}, selector=True))
    world.update(to_file(manifest, keep_name=True, timeout=30.0, min_ready_seconds=5))
    assert list(world.controllers()) == [NAME]


def test_back_to_slow_pods() -> None:
    """The old controller has the minReadySeconds; the rollback waits for them, too."""
    world = World(slow(60))
    world.sandbox.advance(61)
    with pytest.raises(Killed):
        world.update(to_image(timeout=20.0), after=killed(6))
    world.update(to_image(rollback=True, timeout=20.0))
    world.assert_clean(NAME, OLD, 2)


def test_resumed_by_another_client() -> None:
    """It cannot know since when the pods are ready; it waits no longer than they have to be."""
    world = World(slow(60))
    world.sandbox.advance(61)
    with pytest.raises(Killed):
        world.update(to_image(timeout=20.0), after=killed(6))
    world.sandbox.advance(30)
    world.update(to_image(timeout=20.0))
    world.assert_clean(NAME, NEW, 2)


def test_pods_that_never_get_ready_time_out_as_before() -> None:
    """minReadySeconds is no grace for them."""
    world = World(slow(600))
    world.sandbox.advance(601)
    started = world.sandbox.now()
    with pytest.raises(FailureError, match="timed out"):
        world.update(to_image("nginx:never-ready", timeout=60.0))
    assert world.sandbox.now() - started < 80


def test_a_pod_that_flaps_does_not_keep_it_going() -> None:
    """Ready, not ready, ready is no progress. It ends minReadySeconds and --timeout later at the most."""
    world = World(slow(100))
    world.sandbox.advance(101)
    started = world.sandbox.now()

    def flap() -> None:
        for pod in world.sandbox.pods():
            if pod["spec"]["containers"][0]["image"] == NEW:
                world.sandbox.kubelet.set_ready("default", pod["metadata"]["name"], not is_ready(pod))
        world.sandbox.clock.schedule(20, flap)

    world.sandbox.clock.schedule(20, flap)
    with pytest.raises(FailureError, match="timed out"):
        world.update(to_image(timeout=60.0))
    assert 100 <= world.sandbox.now() - started < 200


def test_a_pod_that_crashes_while_it_is_to_stay_ready_is_a_failure() -> None:
    """--failure-grace applies to it as ever."""
    rules = (Rule("crashing", Behaviour.CRASHES), *DEFAULT_RULES)
    world = World(slow(600), kubelet=KubeletConfig(rules=rules))
    world.sandbox.advance(601)
    started = world.sandbox.now()
    with pytest.raises(FailureError, match="fail"):
        world.update(to_image("nginx:crashing", timeout=300.0, failure_grace=30.0))
    assert world.sandbox.now() - started < 90
