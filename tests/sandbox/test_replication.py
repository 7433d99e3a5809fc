"""The replication manager: how many pods, which ones, and what its status says when."""

from __future__ import annotations

from typing import Any

import pytest

from testing.sandbox import Change, Json, KubeletConfig, ManagerConfig, Sandbox
from testing.sandbox.ranking import surplus
from tests.sandbox.worlds import controller, names, owners, pod, reasons, running, status_of


def test_it_creates_the_pods_of_its_template() -> None:
    """Named after it, owned by it, with the labels, annotations and spec of its template."""
    world = Sandbox()
    manifest = controller()
    manifest["spec"]["template"]["metadata"]["annotations"] = {"note": "x"}
    uid = world.create(manifest)["metadata"]["uid"]
    assert world.settle()

    pods = world.pods(selector="app=web")
    assert len(pods) == 2
    for found in pods:
        metadata = found["metadata"]
        assert metadata["name"].startswith("web-")
        assert metadata["generateName"] == "web-"
        assert metadata["annotations"] == {"note": "x"}
        assert metadata["ownerReferences"] == [
            {
                "apiVersion": "v1",
                "kind": "ReplicationController",
                "name": "web",
                "uid": uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert found["spec"]["containers"][0]["image"] == "nginx:1.7"
    assert status_of(world) == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "observedGeneration": 1,
    }
    assert reasons(world, "web") == {"SuccessfulCreate"}


def test_its_status_is_current_in_generation_before_it_is_in_numbers() -> None:
    """The trap for clients: after a scale, observedGeneration is current while replicas is still old."""
    world = Sandbox()
    running(world)
    stati: list[Json] = []

    def note(change: Change) -> None:
        if change.actor == "replication-controller" and change.resource.plural == "replicationcontrollers":
            assert change.new is not None
            stati.append(change.new["status"])

    world.on_write(note)
    world.scale("default", "web", 5)
    world.settle()

    assert (stati[0]["observedGeneration"], stati[0]["replicas"]) == (2, 2)
    assert (stati[1]["observedGeneration"], stati[1]["replicas"]) == (2, 5)
    assert stati[-1]["availableReplicas"] == 5


def test_a_status_written_after_a_conflict_keeps_the_generation_it_was_counted_at() -> None:
    """A client that writes between sync and status does not make the status look current."""
    world = Sandbox(manager=ManagerConfig(latency=(0.01, 0.01), status_latency=(0.01, 0.01)))
    world.create(controller(replicas=1))
    world.advance(0.015)
    world.scale("default", "web", 3)
    world.advance(0.01)
    assert status_of(world)["observedGeneration"] == 1
    world.settle()
    assert status_of(world)["observedGeneration"] == 2


def test_it_replaces_pods_that_go_or_are_going() -> None:
    """A pod being deleted does not count from the moment it is marked."""
    world = Sandbox(kubelet=KubeletConfig(terminate_after=20))
    running(world)
    gone = world.pods()[0]["metadata"]["name"]
    world.delete("pods", "default", gone)
    world.advance(5)

    assert len(world.pods()) == 3
    assert status_of(world)["replicas"] == 2
    world.settle()
    assert gone not in names(world.pods())


def test_failed_and_succeeded_pods_do_not_count() -> None:
    world = Sandbox()
    running(world)
    name = world.pods()[0]["metadata"]["name"]
    path = f"/api/v1/namespaces/default/pods/{name}/status"
    body = {"status": {"phase": "Failed"}}
    world.request("PATCH", path, body=body, content_type="application/merge-patch+json")
    world.settle()
    assert len(world.pods()) == 3
    assert status_of(world)["replicas"] == 2


def test_it_adopts_orphans_that_match() -> None:
    """A pod nobody controls, with its labels, becomes its own and counts."""
    world = Sandbox()
    world.create(pod(app="web"))
    world.settle()
    made = running(world)
    lone = world.get("pods", "default", "lone")
    assert owners(lone) == [made["metadata"]["uid"]]
    assert len(world.pods()) == 2


def test_it_leaves_pods_of_another_controller_alone() -> None:
    """Two controllers with one selector: each keeps its own, by uid."""
    world = Sandbox()
    first = running(world, "one", app="same")
    second = running(world, "two", app="same")
    owned = [owners(found) for found in world.pods()]
    assert len(owned) == 4
    assert sorted(owned) == sorted([[first["metadata"]["uid"]], [second["metadata"]["uid"]]] * 2)


def test_it_releases_pods_whose_labels_no_longer_match_and_makes_others() -> None:
    world = Sandbox()
    running(world)
    name = world.pods()[0]["metadata"]["name"]
    world.patch("pods", "default", name, {"metadata": {"labels": {"app": "out"}}})
    world.settle()

    assert owners(world.get("pods", "default", name)) == []
    assert len(world.pods(selector="app=web")) == 2


def test_hands_over_pods_without_creating_or_deleting_one() -> None:
    """The finish that keeps a controller's name: one lets go by a changed selector, the other adopts."""
    world = Sandbox()
    for name, replicas, deployment in (("old", 0, "one"), ("new", 3, "two")):
        manifest = controller(name, replicas, app="x")
        manifest["spec"]["template"]["metadata"]["labels"]["deployment"] = deployment
        world.create(manifest)
    world.settle()
    before = names(world.pods())
    pod_writes: list[str] = []
    world.on_write(lambda change: pod_writes.append(change.verb) if change.resource.kind == "Pod" else None)

    def change(name: str, replicas: int, deployment: str) -> None:
        labels = {"app": "x", "deployment": deployment}
        template = {"metadata": {"labels": labels}}
        spec = {"replicas": replicas, "selector": labels, "template": template}
        world.patch("rc", "default", name, {"spec": spec})
        world.settle()

    change("new", 0, "gone")
    assert status_of(world, "new")["replicas"] == 0
    change("old", 3, "two")
    world.delete("rc", "default", "new", "Background")
    world.settle()

    assert names(world.pods()) == before
    assert set(pod_writes) == {"update"}
    assert status_of(world, "old")["availableReplicas"] == 3


def test_a_controller_being_deleted_neither_creates_nor_adopts() -> None:
    world = Sandbox()
    world.create(controller(replicas=0))
    world.settle()
    world.patch("rc", "default", "web", {"metadata": {"finalizers": ["example.com/wait"]}})
    world.delete("rc", "default", "web", "Background")
    world.scale("default", "web", 3)
    world.create(pod(app="web"))
    world.settle()
    assert [owners(found) for found in world.pods()] == [[]]


def test_min_ready_seconds_delay_availability() -> None:
    world = Sandbox()
    world.create(controller(minReadySeconds=10))
    assert world.advance_until(lambda: status_of(world).get("readyReplicas") == 2, 5)
    ready = world.now()
    assert "availableReplicas" not in status_of(world)
    assert world.advance_until(lambda: status_of(world).get("availableReplicas") == 2, 30)
    assert 9 <= world.now() - ready <= 12


def test_a_pod_that_is_ready_no_more_is_not_available() -> None:
    world = Sandbox()
    running(world)
    world.kubelet.set_ready("default", world.pods()[0]["metadata"]["name"], False)
    world.settle()
    assert status_of(world)["availableReplicas"] == 1
    assert status_of(world)["replicas"] == 2


def test_what_a_quota_forbids_is_a_condition_an_event_and_tried_again() -> None:
    """ReplicaFailure stays as long as creation fails, and goes when it does not."""
    world = Sandbox()
    hard = {"hard": {"pods": "2"}}
    world.create({"kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": hard})
    world.create(controller(replicas=3))
    world.advance(3)

    status = status_of(world)
    [condition] = status["conditions"]
    assert status["replicas"] == 2
    assert (condition["type"], condition["status"]) == ("ReplicaFailure", "True")
    assert condition["reason"] == "FailedCreate"
    assert condition["message"].endswith(
        "is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2"
    )
    assert "FailedCreate" in reasons(world, "web")

    world.delete("quota", "default", "few")
    assert world.advance_until(lambda: status_of(world)["replicas"] == 3, 30)
    assert world.settle()
    assert "conditions" not in status_of(world)


def test_a_paused_manager_does_what_is_left_when_it_is_resumed() -> None:
    world = Sandbox()
    world.manager.pause()
    world.create(controller())
    world.advance(60)
    assert status_of(world) == {"replicas": 0}
    world.manager.resume()
    assert world.settle()
    assert status_of(world)["availableReplicas"] == 2


def ranked(
    name: str,
    *,
    node: str = "n",
    phase: str = "Running",
    ready: str = "2024-01-01T00:00:00Z",
    restarts: int = 0,
    cost: int = 0,
    created: str = "2024-01-01T00:00:00Z",
) -> Json:
    metadata: dict[str, Any] = {"name": name, "creationTimestamp": created}
    if cost:
        metadata["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": str(cost)}
    status = "True" if ready else "False"
    return {
        "metadata": metadata,
        "spec": {"nodeName": node},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": ready}],
            "containerStatuses": [{"restartCount": restarts}],
        },
    }


LATER = "2024-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ranked("z", node=""), ranked("a", phase="Pending", ready="")),
        (ranked("z", phase="Pending"), ranked("a", phase="Unknown")),
        (ranked("z", phase="Unknown"), ranked("a")),
        (ranked("z", ready=""), ranked("a", cost=-5)),
        (ranked("z", cost=-5), ranked("a", ready=LATER)),
        (ranked("z", ready=LATER), ranked("a", restarts=9)),
        (ranked("z", restarts=2), ranked("a", restarts=1, created=LATER)),
        (ranked("z", created=LATER), ranked("a")),
    ],
)
def test_the_order_in_which_surplus_pods_go(first: Json, second: Json) -> None:
    """Each criterion outweighs all that follow it."""
    assert surplus([second, first], 1) == [first]


def test_pods_share_out_over_nodes_where_controllers_have_one_owner() -> None:
    crowded, alone = ranked("z", node="full"), ranked("a", node="free", ready=LATER)
    assert surplus([alone, crowded], 1, related=[crowded, ranked("o", node="full"), alone]) == [crowded]


def test_scaling_down_takes_the_unready_first() -> None:
    world = Sandbox()
    running(world, replicas=3)
    unready = world.pods()[1]["metadata"]["name"]
    world.kubelet.set_ready("default", unready, False)
    world.scale("default", "web", 2)
    world.settle()
    assert unready not in names(world.pods())
    assert "SuccessfulDelete" in reasons(world, "web")
