"""Objects of another cluster, stored as they were there."""

from __future__ import annotations

from testing.sandbox import Json, KubeletConfig, Sandbox
from tests.sandbox.worlds import controller, status_of


def stored(world: Sandbox) -> list[Json]:
    kinds = {"replicationcontrollers": "ReplicationController", "pods": "Pod"}
    return [
        {"apiVersion": "v1", "kind": kind, **obj}
        for plural, kind in kinds.items()
        for obj in world.objects(plural, "default")
    ]


def versionless(objects: list[Json]) -> list[Json]:
    return [{**obj, "metadata": {**obj["metadata"], "resourceVersion": ""}} for obj in objects]


def test_only_the_version_is_new() -> None:
    """Nothing is left to do, so nothing changes."""
    first, second = Sandbox(), Sandbox(seed=1)
    first.create(controller(replicas=2))
    first.settle()
    second.restore(stored(first))
    assert second.settle()
    assert versionless(stored(second)) == versionless(stored(first))


def test_pods_on_their_way_get_ready() -> None:
    """Whatever the kubelet knew of them is lost; it begins with what is stored."""
    for seconds in (0.1, 0.5, 1.0, 1.5):
        first, second = Sandbox(kubelet=KubeletConfig(ready_after=2.0)), Sandbox(seed=1)
        first.create(controller(replicas=2))
        first.advance(seconds)
        second.restore(stored(first))
        assert second.settle()
        assert status_of(second)["readyReplicas"] == 2
        assert {pod["metadata"]["uid"] for pod in first.pods()} <= {
            pod["metadata"]["uid"] for pod in second.pods()
        }


def test_ready_pods_become_available() -> None:
    """The manager waits for minReadySeconds, though no pod changes and the status is right so far."""
    first, second = Sandbox(), Sandbox(seed=1)
    first.create(controller(replicas=2, minReadySeconds=20))
    first.advance(10)
    second.advance(first.now())
    second.restore(stored(first))
    assert status_of(second).get("availableReplicas", 0) == 0
    assert second.settle()
    assert status_of(second)["availableReplicas"] == 2
