"""PriorityClasses: what tests/contract can't show, as a default class is one for the whole cluster."""

from __future__ import annotations

from typing import Any

import pytest

from testing.sandbox import ApiError, Json, Sandbox
from tests.sandbox.worlds import controller, pod, running


def priority_class(name: str, **fields: Any) -> Json:
    metadata = {"metadata": {"name": name}}
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", **metadata, "value": 7, **fields}


@pytest.fixture
def world() -> Sandbox:
    sandbox = Sandbox()
    sandbox.create(priority_class("usual", globalDefault=True, preemptionPolicy="Never"))
    return sandbox


def given(made: Json) -> tuple[Any, ...]:
    return tuple(made["spec"].get(field) for field in ("priorityClassName", "priority", "preemptionPolicy"))


def test_a_pod_without_a_class_gets_the_default_one(world: Sandbox) -> None:
    """With its name, so that it can't be told from one that asked for it."""
    assert given(world.create(pod())) == ("usual", 7, "Never")
    running(world)
    assert {given(made) for made in world.pods(selector="app=web")} == {("usual", 7, "Never")}


def test_a_pod_with_a_class_gets_that_one(world: Sandbox) -> None:
    manifest = pod()
    manifest["spec"]["priorityClassName"] = "system-node-critical"
    assert given(world.create(manifest)) == ("system-node-critical", 2_000_001_000, "PreemptLowerPriority")


def test_there_is_one_default_class(world: Sandbox) -> None:
    """A second is refused, made or changed; once the first is none any more, it may be."""
    says = "PriorityClass usual is already marked as default. Only one default can exist"
    with pytest.raises(ApiError, match=says) as caught:
        world.create(priority_class("other", globalDefault=True))
    assert caught.value.code == 403
    world.create(priority_class("other", value=9))
    with pytest.raises(ApiError, match=says):
        world.patch("pc", "", "other", {"globalDefault": True})
    world.patch("pc", "", "usual", {"globalDefault": False})
    world.patch("pc", "", "other", {"globalDefault": True})
    assert given(world.create(pod())) == ("other", 9, "PreemptLowerPriority")


def test_a_pod_keeps_what_it_got(world: Sandbox) -> None:
    """Whatever becomes of its class, and also if it is written without."""
    world.create(pod())
    world.delete("pc", "", "usual")
    world.patch("pods", "default", "lone", {"metadata": {"labels": {"a": "b"}}, "spec": {"priority": None}})
    assert given(world.get("pods", "default", "lone")) == ("usual", 7, "Never")
    assert given(world.create(pod("later"))) == (None, 0, "PreemptLowerPriority")


def test_a_controller_is_told_from_the_moment_its_class_is_gone(world: Sandbox) -> None:
    """The pods that it has stay; those that it wants besides can't be made until there is the class again."""
    manifest = controller()
    manifest["spec"]["template"]["spec"]["priorityClassName"] = "usual"
    world.create(manifest)
    world.settle()
    world.delete("pc", "", "usual")
    world.scale("default", "web", 3)
    world.advance(5)
    status = world.get("rc", "default", "web")["status"]
    assert (status["replicas"], status["conditions"][0]["reason"]) == (2, "FailedCreate")

    world.create(priority_class("usual", value=1))
    assert world.settle()
    assert sorted(made["spec"]["priority"] for made in world.pods()) == [1, 7, 7]


def test_a_seed_gives_the_same_cluster_as_ever() -> None:
    """The classes of the system take nothing from its random numbers."""
    one, other = Sandbox(seed=1), Sandbox(seed=2)
    uids = [
        [found["metadata"]["uid"] for found in world.objects("priorityclasses", "")] for world in (one, other)
    ]
    assert uids[0] == uids[1] != []
