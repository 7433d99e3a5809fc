"""New pods that fail: why is said soon, and what cannot get well stops the update early."""

from __future__ import annotations

import pytest

from rollupdate.errors import FailureError
from rollupdate.events import Waiting
from sandbox import Behaviour, KubeletConfig, Rule
from tests.engine.world import NAME, World, to_image
from tests.support.manifests import my_nginx


def waits(world: World) -> list[Waiting]:
    return [each for each in world.events if isinstance(each, Waiting)]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("nginx:missing", 'image "nginx:missing" cannot be pulled: Failed to pull image "nginx:missing": '),
        ("nginx:crashing", "container nginx crashes: exit code 1"),
        ("nginx:never-ready", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
        ("nginx:unschedulable", "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu."),
    ],
)
def test_the_reason_is_said_within_five_seconds(image: str, reason: str) -> None:
    """In one line, with the counts."""
    world = World(my_nginx(replicas=2))
    with pytest.raises(FailureError):
        world.update(to_image(image, timeout=60.0))
    first = waits(world)[0]
    assert reason in first.reason
    assert first.reason.startswith(f"0 of 1 pods of {NAME}-")
    assert first.seconds <= 5
    assert len(waits(world)) <= 4


@pytest.mark.parametrize("image", ["nginx:missing", "nginx:crashing"])
def test_what_cannot_get_well_stops_early(image: str) -> None:
    """After --failure-grace, and long before --timeout; no old pod was touched."""
    world = World(my_nginx(replicas=2))
    started = world.sandbox.now()
    with pytest.raises(FailureError, match=r"the pods of my-nginx-[0-9a-f]{32} fail"):
        world.update(to_image(image, timeout=300.0))
    assert 30 <= world.sandbox.now() - started < 50
    assert world.least_available == 2


@pytest.mark.parametrize("image", ["nginx:never-ready", "nginx:unschedulable"])
def test_what_may_pass_is_waited_for(image: str) -> None:
    """A readiness probe and a full cluster are no reason to stop before --timeout."""
    world = World(my_nginx(replicas=2))
    started = world.sandbox.now()
    with pytest.raises(FailureError, match="timed out waiting for any update progress to be made"):
        world.update(to_image(image, timeout=120.0))
    assert world.sandbox.now() - started >= 120


def test_a_first_restart_is_not_a_failure() -> None:
    """A container that crashes once and then runs is a new pod like any other."""
    kubelet = KubeletConfig(rules=(Rule("shaky", Behaviour.CRASHES, recovers_after=1),))
    world = World(my_nginx(replicas=2), kubelet=kubelet)
    world.update(to_image("nginx:shaky"))
    world.assert_clean(NAME, "nginx:shaky", 2)


def test_told_to_wait_it_waits() -> None:
    """--on-failure=wait: neither grace nor timeout stops it, and it goes on when the image is there."""
    world = World(my_nginx(replicas=2))
    image_comes_at = world.sandbox.now() + 900

    def heal() -> None:
        world.sandbox.kubelet.config = KubeletConfig(rules=())

    world.sandbox.clock.schedule(900, heal)
    world.update(to_image("nginx:missing", on_failure="wait", timeout=60.0))
    assert world.sandbox.now() >= image_comes_at
    world.assert_clean(NAME, "nginx:missing", 2)


def test_a_quota_that_stops_the_surge() -> None:
    """No pod can be made: the server's own words say why."""
    world = World(my_nginx(replicas=2))
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "two"},
        "spec": {"hard": {"pods": "2"}},
    }
    world.sandbox.create(quota)
    with pytest.raises(FailureError, match="timed out"):
        world.update(to_image(timeout=60.0))
    assert "cannot be created" in waits(world)[0].reason
    assert "exceeded quota: two" in waits(world)[0].reason
    world.update(to_image(rollback=True))
    world.assert_clean(NAME, "nginx:1.7.9", 2)
