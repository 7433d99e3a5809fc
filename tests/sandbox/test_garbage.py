"""Whose pods go with what, and namespaces; tests/contract has the deletion policies."""

from __future__ import annotations

import pytest

from testing.sandbox import ApiError, Sandbox
from tests.sandbox.worlds import controller, names, owners, pod, running


@pytest.fixture
def world() -> Sandbox:
    sandbox = Sandbox()
    running(sandbox)
    return sandbox


def test_a_namesake_does_not_inherit_the_pods(world: Sandbox) -> None:
    """Created again under the name at once: the pods were of the other uid, and go all the same."""
    before = names(world.pods())
    world.delete("rc", "default", "web", "Background")
    world.create(controller())
    assert world.settle()
    assert not names(world.pods()) & before
    assert len(world.pods()) == 2


def test_a_pod_with_another_owner_that_is_there_stays(world: Sandbox) -> None:
    web = world.get("rc", "default", "web")
    other = world.create(controller("other", 0))
    reference = {"apiVersion": "v1", "kind": "ReplicationController", "name": "other"}
    shared = world.pods()[0]
    both = [
        *shared["metadata"]["ownerReferences"],
        {**reference, "uid": other["metadata"]["uid"]},
    ]
    name = shared["metadata"]["name"]
    world.patch("pods", "default", name, {"metadata": {"ownerReferences": both}})
    world.delete("rc", "default", "web", "Background")
    assert world.settle()

    assert names(world.pods()) == {name}
    assert owners(world.pods()[0]) == [other["metadata"]["uid"]] != [web["metadata"]["uid"]]


def test_a_pod_whose_owner_never_was_is_collected(world: Sandbox) -> None:
    manifest = pod()
    reference = {"apiVersion": "v1", "kind": "ReplicationController", "name": "web", "uid": "other"}
    manifest["metadata"]["ownerReferences"] = [reference]
    world.create(manifest)
    assert world.settle()
    assert "lone" not in names(world.pods())


def test_a_namespace_takes_all_that_is_in_it_along() -> None:
    world = Sandbox(namespaces=("team",))
    world.create(controller(), namespace="team")
    world.settle()
    world.delete("ns", "", "team")
    with pytest.raises(ApiError, match="because it is being terminated"):
        world.create(controller("late"), namespace="team")
    assert world.settle()
    assert world.find("ns", "", "team") is None
    assert not world.pods("team")


def test_the_default_namespace_may_not_be_deleted(world: Sandbox) -> None:
    with pytest.raises(ApiError, match="this namespace may not be deleted"):
        world.delete("ns", "", "default")
