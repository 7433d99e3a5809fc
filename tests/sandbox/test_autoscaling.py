"""The controller of HorizontalPodAutoscalers: sizes outside of the limits, and targets that are not there."""

from __future__ import annotations

import pytest

from testing.sandbox import Json, Sandbox
from tests.sandbox.worlds import controller, deployment, reasons

_LOOK = 16.0
"""Seconds, in which each autoscaler is looked at once."""


def _autoscaler(kind: str = "ReplicationController", version: str = "v1") -> Json:
    target = {"apiVersion": version, "kind": kind, "name": "web"}
    spec = {"minReplicas": 3, "maxReplicas": 5, "scaleTargetRef": target}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "scaler"}, "spec": spec}


def _size(world: Sandbox, kind: str = "rc") -> int:
    return int(world.get(kind, "default", "web")["spec"]["replicas"])


@pytest.mark.parametrize(("size", "wanted"), [(1, 3), (3, 3), (4, 4), (5, 5), (9, 5), (0, 0)])
def test_a_size_outside_of_the_limits_is_corrected(size: int, wanted: int) -> None:
    """What is at 0 is off."""
    world = Sandbox(autoscaler=True)
    world.create(controller(replicas=size))
    world.create(_autoscaler())
    world.settle()
    assert _size(world) == size
    world.advance(_LOOK)
    assert _size(world) == wanted
    assert ("SuccessfulRescale" in reasons(world, "scaler")) == (size != wanted)
    status = world.get("hpa", "default", "scaler")["status"]
    assert status == {"currentReplicas": size, "desiredReplicas": wanted}


def test_an_autoscaler_of_what_is_not_there_waits_for_it() -> None:
    """So it is parked, and wakes up when its target comes; it follows one that is changed."""
    world = Sandbox(autoscaler=True)
    world.create(controller(replicas=2))
    world.create(_autoscaler("Deployment", "apps/v1"))
    world.advance(_LOOK)
    assert (_size(world), reasons(world, "scaler")) == (2, {"FailedGetScale"})
    world.create(deployment(app="other"))
    world.advance(_LOOK)
    assert (_size(world), _size(world, "deploy")) == (2, 3)
    assert len(world.pods(selector="app=other")) == 3

    target = {"apiVersion": "v1", "kind": "ReplicationController"}
    world.patch("hpa", "default", "scaler", {"spec": {"scaleTargetRef": target}})
    world.advance(_LOOK)
    assert _size(world) == 3


@pytest.mark.parametrize("target", [("Deployment", "v1"), ("Pod", "v1"), ("Nonsense", "a/v1")])
def test_what_has_no_scale_is_not_scaled(target: tuple[str, str]) -> None:
    world = Sandbox(autoscaler=True)
    world.create(deployment())
    world.create(_autoscaler(*target))
    world.advance(_LOOK)
    assert reasons(world, "scaler") == {"FailedGetScale"}


def test_one_that_is_deleted_scales_nothing_any_more() -> None:
    world = Sandbox(autoscaler=True)
    world.create(controller(replicas=1))
    world.create(_autoscaler())
    world.advance(5)
    world.delete("hpa", "default", "scaler")
    world.advance(_LOOK)
    assert _size(world) == 1


def test_nothing_is_scaled_unless_it_is_asked_for() -> None:
    world = Sandbox()
    world.create(controller(replicas=1))
    world.create(_autoscaler())
    world.advance(10 * _LOOK)
    assert _size(world) == 1
