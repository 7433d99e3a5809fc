"""The replication manager: what tests/contract does not show of it."""

from __future__ import annotations

from typing import Any

import pytest

from testing.sandbox import Json, KubeletConfig, ManagerConfig, Sandbox, statuses
from testing.sandbox.ranking import surplus
from testing.sandbox.resources import Resource
from tests.sandbox.worlds import controller, deployment, names, owners, pod, reasons, running, status_of
from tests.support.manifests import limit_range


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


@pytest.mark.parametrize("kind", ["replicationcontrollers", "replicasets", "deployments"])
def test_what_admission_adds_to_a_pod_is_not_in_the_template(kind: str) -> None:
    """Neither the defaults of a LimitRange nor what else is filled in, at the first pod and at later ones."""
    world = Sandbox()
    manifest = controller() if kind == "replicationcontrollers" else deployment()
    manifest["spec"]["template"]["metadata"]["annotations"] = {"note": "x"}
    manifest["spec"]["template"]["spec"]["initContainers"] = [{"name": "first", "image": "nginx:1.7"}]
    world.create(manifest)
    assert world.settle()
    before = [found["spec"]["template"] for found in world.objects(kind, "default")]
    world.create(limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "1Gi"}))
    for size in (3, 5):
        world.scale("default", "web", size, "replicationcontrollers" if "cont" in kind else "deployments")
        assert world.settle()
        world.create(dict(limit_range(default={"cpu": "1"}), metadata={"name": f"more-{size}"}))
    assert [found["spec"]["template"] for found in world.objects(kind, "default")] == before
    limits = [found["spec"]["containers"][0].get("resources") or {} for found in world.pods()]
    assert sorted(len(given.get("limits") or {}) for given in limits) == [0, 0, 1, 2, 2]


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


def test_a_pod_that_is_ready_no_more_is_not_available() -> None:
    world = Sandbox()
    running(world)
    world.kubelet.set_ready("default", world.pods()[0]["metadata"]["name"], False)
    world.settle()
    assert status_of(world)["availableReplicas"] == 1
    assert status_of(world)["replicas"] == 2


def test_a_paused_manager_does_what_is_left_when_it_is_resumed() -> None:
    world = Sandbox()
    world.manager.pause()
    world.create(controller())
    world.advance(60)
    assert status_of(world) == {"replicas": 0}
    world.manager.resume()
    assert world.settle()
    assert status_of(world)["availableReplicas"] == 2


def test_pods_that_cannot_be_deleted_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is refused, the others go all the same; it is tried again until it goes as well."""
    world = Sandbox()
    running(world, replicas=3)
    stuck = world.pods()[0]["metadata"]["name"]
    delete = world.verbs.delete

    def refuse(resource: Resource, namespace: str, name: str, *rest: Any, **more: Any) -> Json:
        if name == stuck:
            raise statuses.denied_by_webhook("pods.example.com", "it is to stay")
        return delete(resource, namespace, name, *rest, **more)

    monkeypatch.setattr(world.verbs, "delete", refuse)
    world.scale("default", "web", 0)
    world.advance(5)
    assert names(world.pods()) == {stuck}
    (failure,) = status_of(world)["conditions"]
    refused = 'admission webhook "pods.example.com" denied the request: it is to stay'
    assert (failure["type"], failure["reason"]) == ("ReplicaFailure", "FailedDelete")
    assert failure["message"] == f"unable to delete pods: {refused}"
    assert "FailedDelete" in reasons(world, "web")

    monkeypatch.undo()
    assert world.settle()
    assert status_of(world) == {"replicas": 0, "observedGeneration": 2}


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
