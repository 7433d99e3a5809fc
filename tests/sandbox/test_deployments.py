"""The controller of Deployments: what tests/contract does not show of it."""

from __future__ import annotations

from typing import Any

import pytest

from testing.sandbox import Json, KubeletConfig, Sandbox, rollouts
from testing.sandbox.store import Change
from tests.sandbox.worlds import controller, deployment, names, reasons, rolled_out, set_image, sizes, why

_OLD, _NEW = "nginx:1.7", "nginx:1.8"
_NEVER = {"spec": {"template": {"spec": {"priorityClassName": "held"}}}}


def test_a_rollout_keeps_to_its_limits() -> None:
    """At any moment: so many pods at most, and so many available at least."""
    world = Sandbox(kubelet=KubeletConfig(ready_after=3))
    limits = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    rolled_out(world, replicas=4, strategy=limits)
    wanted: list[int] = []
    available: list[int] = []

    def look(change: Change) -> None:
        sets = [
            obj
            for obj in world.store.each(change.resource, "default")
            if change.resource.kind == "ReplicaSet"
        ]
        if sets:
            wanted.append(sum(obj["spec"]["replicas"] for obj in sets))
            available.append(rollouts.count(sets, "availableReplicas"))

    world.on_write(look)
    set_image(world, _NEW)
    assert world.settle(300)
    assert (max(wanted), min(available)) == (5, 3)
    assert sizes(world) == {_OLD: 0, _NEW: 4}


def test_a_held_manager_does_nothing_for_any_kind() -> None:
    """Until it is resumed, with all that came meanwhile."""
    world = Sandbox()
    world.manager.pause()
    world.create(controller("rc"))
    world.create(deployment())
    world.advance(60)
    assert (world.pods(), world.objects("rs", "default")) == ([], [])
    assert world.get("deploy", "default", "web")["status"] == {}
    world.manager.resume()
    assert world.settle()
    assert len(world.pods()) == 4


def test_one_controller_may_lag_behind_the_others() -> None:
    world = Sandbox()
    world.manager.replica_sets.pause()
    world.create(deployment())
    world.settle()
    assert (sizes(world), world.pods()) == ({_OLD: 2}, [])
    assert why(world, "Available") == "MinimumReplicasUnavailable"
    world.manager.replica_sets.resume()
    assert world.settle()
    assert why(world, "Available") == "MinimumReplicasAvailable"


def test_it_is_late_when_its_time_is_over() -> None:
    """A deadline keeps nobody from settling. Late, it goes on as soon as it can."""
    world = Sandbox()
    rolled_out(world, progressDeadlineSeconds=30)
    world.patch("deploy", "default", "web", _NEVER)
    world.advance(25)
    assert why(world) == "NewReplicaSetCreated"
    assert why(world, "ReplicaFailure") == "FailedCreate"
    world.advance(10)
    assert why(world) == "ProgressDeadlineExceeded"
    world.patch("deploy", "default", "web", {"spec": {"template": {"spec": {"priorityClassName": None}}}})
    assert world.settle()
    assert (why(world), why(world, "ReplicaFailure")) == ("NewReplicaSetAvailable", "")


def test_it_has_all_the_time_without_a_deadline() -> None:
    world = Sandbox()
    rolled_out(world, progressDeadlineSeconds=2**31 - 1)
    world.patch("deploy", "default", "web", _NEVER)
    world.advance(7 * 24 * 3600)
    assert why(world) == ""
    assert why(world, "Available") == "MinimumReplicasAvailable"


def test_a_replica_set_that_is_refused_is_told_and_tried_again() -> None:
    world = Sandbox()
    quota: Json = {"kind": "ResourceQuota", "metadata": {"name": "few"}}
    world.create({**quota, "spec": {"hard": {"count/replicasets.apps": "1", "count/deployments.apps": "1"}}})
    rolled_out(world)
    set_image(world, _NEW)
    world.advance(5)
    assert why(world) == "ReplicaSetCreateError"
    assert "ReplicaSetCreateError" in reasons(world, "web")
    refused = world.request("POST", "/apis/apps/v1/namespaces/default/deployments", body=deployment("more"))
    assert refused.status == 403
    assert "requested: count/deployments.apps=1, used: count/deployments.apps=1" in refused.body["message"]

    world.delete("quota", "default", "few")
    world.settle()
    assert sizes(world) == {_OLD: 0, _NEW: 2}


def test_a_deployment_being_deleted_makes_nothing() -> None:
    world = Sandbox()
    rolled_out(world)
    world.patch("deploy", "default", "web", {"metadata": {"finalizers": ["example.com/wait"]}})
    world.delete("deploy", "default", "web", "Background")
    set_image(world, _NEW)
    world.scale("default", "web", 5, "deploy")
    assert world.settle()
    assert sizes(world) == {_OLD: 2}
    assert world.get("deploy", "default", "web")["status"]["observedGeneration"] == 4


def test_old_pods_that_are_still_going_hold_a_recreation_up() -> None:
    world = Sandbox(kubelet=KubeletConfig(terminate_after=20))
    rolled_out(world, strategy={"type": "Recreate"})
    set_image(world, _NEW)
    world.advance(15)
    assert sizes(world) == {_OLD: 0}
    assert world.settle()
    assert sizes(world) == {_OLD: 0, _NEW: 2}


def test_a_selector_may_be_of_expressions() -> None:
    world = Sandbox()
    expressions = [
        {"key": "app", "operator": "In", "values": ["web"]},
        {"key": "tier", "operator": "NotIn", "values": ["back"]},
        {"key": "app", "operator": "Exists"},
        {"key": "none", "operator": "DoesNotExist"},
    ]
    rolled_out(world, selector={"matchExpressions": expressions})
    (found,) = world.objects("rs", "default")
    assert found["spec"]["selector"]["matchExpressions"] == expressions
    assert found["spec"]["selector"]["matchLabels"] == {
        "pod-template-hash": found["metadata"]["labels"]["pod-template-hash"]
    }
    world.patch("rs", "default", found["metadata"]["name"], {"metadata": {"labels": {"tier": "back"}}})
    assert world.settle()
    assert len(world.objects("rs", "default")) == 2, "what does not match is released, and another is made"


def test_an_upgrade_of_the_server_rolls_nothing_out() -> None:
    """Templates look different then, all of them."""
    world = Sandbox(minor=20)
    rolled_out(world)
    before = names(world.pods())
    world.upgrade(36)
    world.patch("deploy", "default", "web", {"metadata": {"annotations": {"a": "b"}}})
    assert world.settle()
    assert (names(world.pods()), len(world.objects("rs", "default"))) == (before, 1)


@pytest.mark.parametrize(("minor", "left"), [(20, {"1"}), (36, {"2"})])
def test_what_is_forgotten_first(minor: int, left: set[str]) -> None:
    """The oldest once, today the one of the smallest number."""
    world = Sandbox(minor=minor)
    rolled_out(world)
    world.advance(2)
    set_image(world, _NEW)
    world.settle()
    set_image(world, "nginx:1.9")
    world.settle()
    for number, image in (("2", _OLD), ("1", _NEW)):
        (name,) = (
            found["metadata"]["name"]
            for found in world.objects("rs", "default")
            if found["spec"]["template"]["spec"]["containers"][0]["image"] == image
        )
        annotations = {rollouts.REVISION: number}
        world.patch("rs", "default", name, {"metadata": {"annotations": annotations}})
    world.patch("deploy", "default", "web", {"spec": {"revisionHistoryLimit": 1}})
    assert world.settle()
    found = {rollouts.revision(each) for each in world.objects("rs", "default")}
    assert {str(number) for number in found} == {*left, "3"}


def _sized(replicas: int, *, surge: Any = "25%", unavailable: Any = "25%", total: int = 0) -> Json:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {"spec": {"replicas": replicas, "strategy": strategy}, "status": {"replicas": total}}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "limits"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (4, 0, 0, (0, 1)),
        (3, "0%", "10%", (0, 1)),
        (0, 2, 3, (2, 0)),
        (3, 5, 9, (5, 3)),
    ],
)
def test_limits(replicas: int, surge: Any, unavailable: Any, limits: tuple[int, int]) -> None:
    """Surge is rounded up, what may be missing down; both 0 would be no way forward."""
    sized = _sized(replicas, surge=surge, unavailable=unavailable)
    assert (rollouts.max_surge(sized), rollouts.max_unavailable(sized)) == limits


def _set(name: str, replicas: int, available: int | None = None, *, most: int = 0, second: int = 0) -> Json:
    annotations = {"deployment.kubernetes.io/max-replicas": str(most)} if most else {}
    created = f"2024-01-01T00:00:{second:02}Z"
    return {
        "metadata": {"name": name, "creationTimestamp": created, "annotations": annotations},
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": replicas if available is None else available},
    }


def _named(found: rollouts.Sizes) -> dict[str, int]:
    return {replica_set["metadata"]["name"]: size for replica_set, size in found}


@pytest.mark.parametrize(
    ("replicas", "sets", "shares"),
    [
        (20, {"a": 5, "b": 8}, {"a": 9, "b": 14}),
        (5, {"a": 5, "b": 8}, {"a": 3, "b": 5}),
        (0, {"a": 5, "b": 8}, {"a": 0, "b": 0}),
        (10, {"a": 5, "b": 8}, {"a": 5, "b": 8}),
    ],
)
def test_shares_of_a_scaled_deployment(replicas: int, sets: dict[str, int], shares: dict[str, int]) -> None:
    """What is left over goes to the largest."""
    old, new = (_set(name, size, most=13, second=number) for number, (name, size) in enumerate(sets.items()))
    sized = _sized(replicas, surge=3, total=13)
    assert _named(rollouts.rescaled(sized, new, [old])) == shares


def test_what_is_not_available_goes_first() -> None:
    """Of old ReplicaSets, before any pod that serves; and not more than can be spared."""
    old = [_set("a", 3, 3), _set("b", 3, 1)]
    sized = _sized(5, surge=2, unavailable=1)
    assert _named(rollouts.scale_down(sized, _set("new", 1, 1), old)) == {"a": 2, "b": 1}
    assert _named(rollouts.scale_down(sized, _set("new", 1, 0), old)) == {"b": 1}
    assert rollouts.scale_down(sized, _set("new", 2, 0), [_set("a", 4, 4)]) == []


def test_an_old_one_is_emptied_beside_a_whole_new_one() -> None:
    """One that is adopted by a Deployment that has all its pods."""
    new = _set("new", 3)
    new["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] = "3"
    assert _named(rollouts.rescaled(_sized(3), new, [_set("old", 4)])) == {"old": 0}
