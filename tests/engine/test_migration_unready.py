"""Pods that are not available are moved as they are: a move waits for no more than there were at first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from rollupdate.errors import StoppedError
from rollupdate.events import Migrated, Waiting
from testing.objects import Json
from tests.engine.migrations import NAME, SIZE, Migrations, up, web
from tests.engine.test_migration import DOWN, UP, UP_BACK, plain


def unready(image: str = "web:never-ready") -> Migrations:
    return Migrations(web(image=image))


def assert_moved(world: Migrations) -> Json:
    (target,) = world.deployments().values()
    assert not world.controllers()
    assert not target["spec"].get("paused")
    assert "rolling-update/migration" not in target["metadata"]["labels"]
    assert world.before == world.names()
    return target


@pytest.mark.parametrize("image", ["web:never-ready", "web:crashes"])
def test_a_controller_whose_pods_are_not_available(image: str) -> None:
    world = unready(image)
    world.run(up(timeout=5.0))
    target = assert_moved(world)
    if image == "web:never-ready":  # the other one is available for moments
        assert not target["status"].get("availableReplicas")
    world.run(DOWN)
    assert not world.deployments()
    assert world.before == world.names()


def test_by_another_client_that_resumes_it() -> None:
    for write in range(1, unready().run(UP).writes):
        world = unready()
        assert world.killed_at(UP, write, before=False)
        world.run(up(timeout=5.0))
        assert_moved(world)


def test_what_was_available_is_so_at_the_end() -> None:
    """One dies meanwhile: another one takes its place first."""
    world = plain()
    victim = min(world.before)
    last = plain().run(UP).writes - SIZE - 3  # then it is unpaused, each pod is cleaned, and the last two
    world.disturbed_at(UP, last, lambda: world.sandbox.delete("Pod", "default", victim))
    (end,) = (event for event in world.events if isinstance(event, Migrated))
    assert end.pods <= SIZE
    (target,) = world.deployments().values()
    assert target["status"]["availableReplicas"] == SIZE


class Timed(list[Any]):
    """When each line was told of what is waited for."""

    def __init__(self, world: Migrations) -> None:
        super().__init__()
        self._world, self.told = world, list[tuple[float, Waiting]]()

    def append(self, event: Any) -> None:
        super().append(event)
        if isinstance(event, Waiting):
            self.told.append((self._world.sandbox.now(), event))


def stuck(**more: Any) -> Timed:
    """As all pods die once the Deployment has them, and none comes to run."""
    world = plain()
    world.events = timed = Timed(world)

    def dies() -> None:
        world.sandbox.kubelet.paused = True
        for name in world.before:
            world.sandbox.delete("Pod", "default", name, grace_seconds=0)

    last = plain().run(UP).writes - SIZE - 3  # then it is unpaused, each pod is cleaned, and the last two
    with pytest.raises(StoppedError, match="0 of 3 pods of web are available") as caught:
        world.disturbed_at(up(**more), last, dies)
    assert str(caught.value.advice).endswith("kubectl rollout status deployment/web")
    return timed


def test_what_it_waits_for_is_told_at_growing_distances() -> None:
    told = [at for at, _ in stuck(timeout=1500.0).told]
    gaps = [after - before for before, after in itertools.pairwise(told[:6])]
    for gap, wanted in zip(gaps, (60, 120, 240, 300, 300), strict=True):
        assert wanted - 0.001 <= gap < wanted + 2, told


def test_pods_that_only_have_to_stay_ready_are_no_standstill() -> None:
    """The Deployment asks for longer than they have been ready."""
    world = plain()
    world.events = timed = Timed(world)
    world.run(up(spec={"minReadySeconds": 650}, timeout=6.0))
    world.assert_up()
    world.assert_kept()
    assert "(3 ready, must stay so for 650s)" in timed.told[-1][1].reason
    assert 0 < (timed.told[-1][1].available_in or 0) <= 650


def test_back_from_the_middle() -> None:
    world = unready()
    assert world.killed_at(UP, 8, before=False)
    world.run(UP_BACK)
    assert world.before == world.names()
    assert list(world.controllers()) == [NAME]
