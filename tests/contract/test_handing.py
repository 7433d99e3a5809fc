"""Stories of pods that go from a ReplicationController to a Deployment, and back. The same on both clusters.

No pod is created or deleted in any of them, unless it says so: the watch of the pods tells of changes only.
"""

from __future__ import annotations

import time
from typing import Any

from testing.namespace import DEPLOYMENTS, REPLICA_SETS
from testing.objects import Json
from tests.contract.apps import (
    A_WHILE,
    HASH,
    REVISION,
    deployment,
    images,
    owner_of,
    replica_set,
    revisions,
    rolled_out,
    seen,
    set_image,
    sizes,
)
from tests.contract.story import (
    HOLD,
    failure,
    give,
    hold,
    observed,
    owners,
    reference,
    running,
    status,
    uids,
    version,
)
from tests.contract.wire import Wire
from tests.support.manifests import my_nginx

_SIZE = 3
_LIVE = {"template": {"spec": {"priorityClassName": None}}}
_IMAGE, _OTHER = "nginx:1.7.9", "nginx:1.9.1"
_OFF: Json = {
    "replicas": 0,
    "selector": {"rest": "x"},
    "template": {"metadata": {"labels": {"rest": "x"}}, "spec": {"priorityClassName": None}},
}
"""A controller that wants nothing and selects nothing, in one write."""


def _take(cluster: Wire, name: str, former: Json, owner: Json) -> None:
    """Hand a ReplicaSet from one owner to another, in one request."""
    found = cluster.controller(name, REPLICA_SETS)
    gone = {"$patch": "delete", "uid": former["metadata"]["uid"]}
    give(cluster, found, gone, reference(owner), plural=REPLICA_SETS)


def _moved(cluster: Wire, source: Json, target: Json, labels: dict[str, str | None]) -> None:
    """Each pod of the source, in one request, with other labels; wait until both count them so."""
    for pod in cluster.pods():
        gone = {"$patch": "delete", "uid": source["metadata"]["uid"]}
        give(cluster, pod, gone, reference(target), labels=labels)
    plurals = {"ReplicaSet": REPLICA_SETS, "ReplicationController": "replicationcontrollers"}

    def counted(controller: Json) -> Any:
        return status(cluster, controller["metadata"]["name"], plurals[controller["kind"]]).get("replicas", 0)

    cluster.wait(lambda: (counted(source), counted(target)) == (0, _SIZE), "both count them so")


def _held_set(cluster: Wire, web: Json) -> Json:
    """A ReplicaSet that is the controller's from its birth, and proves to be held before it has its size."""
    cluster.create(replica_set("moved", 1, owner=web, revision=3, priorityClassName=HOLD))
    cluster.wait(lambda: HOLD in failure(cluster, "moved", REPLICA_SETS), "it says that it is held")
    hold(cluster, "moved", _SIZE, REPLICA_SETS)
    return cluster.controller("moved", REPLICA_SETS)


def _move_to_set(cluster: Wire, web: Json) -> None:
    """The controller is at 0 then, and the ReplicaSet, its own, has its pods."""
    moved = _held_set(cluster, web)
    hold(cluster, "web", _SIZE)
    _moved(cluster, web, moved, {HASH: "moved"})
    cluster.merge("moved", {"spec": _LIVE}, REPLICA_SETS)
    cluster.merge("web", {"spec": _OFF})
    cluster.wait(lambda: observed(cluster, "web"), "web is seen")
    cluster.wait(lambda: observed(cluster, "moved", REPLICA_SETS), "the ReplicaSet is seen")


def _paused(cluster: Wire, name: str = "web", **more: Any) -> Json:
    """A Deployment that is not to do anything yet."""
    created = cluster.create(deployment(name, _SIZE, paused=True, **more))
    seen(cluster, name)
    return created


def _is_proved(cluster: Wire) -> bool:
    """Whether the Deployment says that all pods are of its template."""
    return bool(status(cluster, "web", DEPLOYMENTS).get("updatedReplicas") == _SIZE)


def _untouched(cluster: Wire, before: set[str], start: str) -> None:
    time.sleep(A_WHILE)
    assert uids(cluster) == before
    assert {event["type"] for event in cluster.past_events("pods", start)} <= {"MODIFIED"}


def test_pods_are_moved_to_a_replica_set_while_both_are_held(cluster: Wire) -> None:
    """One by one; the ReplicaSet then is as if it had made them."""
    web = running(cluster, "web", _SIZE)
    before, start = uids(cluster), version(cluster)
    _move_to_set(cluster, web)
    cluster.wait(lambda: not failure(cluster, "moved", REPLICA_SETS), "it can make pods again")
    _untouched(cluster, before, start)
    assert owners(cluster) == [reference(cluster.controller("moved", REPLICA_SETS))] * _SIZE
    assert len(cluster.past_events("pods", start)) == _SIZE

    gone = cluster.pods()[0]["metadata"]["name"]
    cluster.client.delete(cluster.path("pods", gone))
    cluster.wait(lambda: len(uids(cluster)) == _SIZE, "a pod that dies is replaced again")


def test_a_deployment_adopts_what_nobody_owns(cluster: Wire) -> None:
    """A ReplicaSet whose labels match; it is the new one if its template is the Deployment's. It is let go
    when its labels do not match any more."""
    cluster.create(replica_set("mine", _SIZE))
    cluster.wait(lambda: len(uids(cluster)) == _SIZE, "it has pods")
    before = uids(cluster)
    cluster.create(deployment("web", _SIZE))
    rolled_out(cluster)
    assert owner_of(cluster, "mine") == "Deployment/web"
    assert (uids(cluster), revisions(cluster)) == (before, {_IMAGE: "1"})

    cluster.merge("web", {"spec": {"paused": True}}, DEPLOYMENTS)
    seen(cluster, "web")
    cluster.merge("mine", {"metadata": {"labels": {"app": "other"}}}, REPLICA_SETS)
    cluster.wait(lambda: owner_of(cluster, "mine") == "", "it is released")
    assert uids(cluster) == before


def test_what_the_controller_owns_is_not_adopted(cluster: Wire) -> None:
    """Not by a Deployment whose selector matches everything there."""
    cluster.create(deployment("overlapping", 1))
    rolled_out(cluster, "overlapping")
    cluster.merge("overlapping", {"spec": {"replicas": 0}}, DEPLOYMENTS)
    cluster.wait(lambda: not cluster.pods(), "it has no pods")
    web = running(cluster, "web", _SIZE)
    _move_to_set(cluster, web)
    before, start = uids(cluster), version(cluster)
    set_image(cluster, _OTHER, "overlapping")
    seen(cluster, "overlapping")
    _untouched(cluster, before, start)
    assert owner_of(cluster, "moved") == "ReplicationController/web"


def test_a_paused_deployment_proves_that_the_templates_are_equal(cluster: Wire) -> None:
    """It counts the pods of the ReplicaSet it is handed as updated; unpaused, it leaves them alone."""
    web = running(cluster, "web", _SIZE)
    _move_to_set(cluster, web)
    before, start = uids(cluster), version(cluster)
    paused = _paused(cluster)
    assert "updatedReplicas" not in status(cluster, "web", DEPLOYMENTS)
    _take(cluster, "moved", web, paused)
    cluster.wait(lambda: _is_proved(cluster), "the proof is there")
    cluster.merge("web", {"spec": {"paused": False}}, DEPLOYMENTS)
    found = rolled_out(cluster)
    cluster.delete("web")
    cluster.wait(lambda: not cluster.controllers(), "the controller is gone")
    _untouched(cluster, before, start)
    assert list(cluster.objects(REPLICA_SETS)) == ["moved"]
    assert owner_of(cluster, "moved") == "Deployment/web"
    assert found["metadata"]["annotations"][REVISION] == "3"


def test_another_template_is_no_proof(cluster: Wire) -> None:
    """While it is paused it makes no ReplicaSet either; what it was handed can be handed back."""
    web = running(cluster, "web", _SIZE)
    _move_to_set(cluster, web)
    before, start = uids(cluster), version(cluster)
    paused = _paused(cluster, image=_OTHER)
    _take(cluster, "moved", web, paused)
    cluster.wait(lambda: status(cluster, "web", DEPLOYMENTS).get("replicas") == _SIZE, "it counts them")
    time.sleep(A_WHILE)
    assert "updatedReplicas" not in status(cluster, "web", DEPLOYMENTS)
    assert list(cluster.objects(REPLICA_SETS)) == ["moved"]

    _take(cluster, "moved", paused, web)
    cluster.delete("web", DEPLOYMENTS)
    cluster.wait(lambda: not cluster.objects(DEPLOYMENTS), "the Deployment is gone")
    _untouched(cluster, before, start)
    assert sizes(cluster) == {_IMAGE: _SIZE}


def test_a_paused_deployment_scales_its_newest_replica_set_if_none_is_active(cluster: Wire) -> None:
    """The trap of a history that comes before the pods: pods of an old version are made."""
    paused = _paused(cluster)
    cluster.create(replica_set("history", image=_OTHER, owner=paused, revision=1))
    cluster.wait(lambda: sizes(cluster) == {_OTHER: _SIZE}, "the only one is scaled")
    cluster.wait(lambda: images(cluster.pods()) == [_OTHER] * _SIZE, "it makes pods")


def test_a_twin_is_taken_for_the_newest(cluster: Wire) -> None:
    """The oldest ReplicaSet with the template is: as long as the Deployment is paused, that only shows."""
    web = running(cluster, "web", _SIZE)
    cluster.create(replica_set("a-twin", owner=web, revision=1))
    _move_to_set(cluster, web)
    before, start = uids(cluster), version(cluster)
    paused = _paused(cluster)
    _take(cluster, "moved", web, paused)
    cluster.wait(lambda: _is_proved(cluster), "the proof is there")

    _take(cluster, "a-twin", web, paused)
    cluster.wait(lambda: "updatedReplicas" not in status(cluster, "web", DEPLOYMENTS), "the proof is lost")
    time.sleep(A_WHILE)
    assert cluster.controller("a-twin", REPLICA_SETS)["metadata"]["annotations"][REVISION] == "4"

    _take(cluster, "a-twin", paused, web)
    cluster.wait(lambda: _is_proved(cluster), "the proof is there again")
    _untouched(cluster, before, start)


def test_a_history_comes_after_the_pods(cluster: Wire) -> None:
    """ReplicaSets of no pods, the Deployment's from their birth: numbered, kept, and rolled back to."""
    web = running(cluster, "web", _SIZE)
    _move_to_set(cluster, web)
    before, start = uids(cluster), version(cluster)
    paused = _paused(cluster)
    _take(cluster, "moved", web, paused)
    cluster.wait(lambda: _is_proved(cluster), "the proof is there")
    for number, image in ((1, "nginx:1.0"), (2, _OTHER)):
        cluster.create(replica_set(f"history-{number}", image=image, owner=paused, revision=number))
    time.sleep(A_WHILE)
    assert _is_proved(cluster)
    cluster.merge("web", {"spec": {"paused": False}}, DEPLOYMENTS)
    rolled_out(cluster)
    _untouched(cluster, before, start)
    assert revisions(cluster) == {"nginx:1.0": "1", _OTHER: "2", _IMAGE: "3"}

    set_image(cluster, _OTHER)
    rolled_out(cluster)
    assert sizes(cluster) == {"nginx:1.0": 0, _OTHER: _SIZE, _IMAGE: 0}
    assert revisions(cluster) == {"nginx:1.0": "1", _OTHER: "4", _IMAGE: "3"}


def test_pods_go_back_to_a_controller(cluster: Wire) -> None:
    """The Deployment is paused and loses its ReplicaSet, the ReplicaSet its pods; both are deleted."""
    cluster.create(deployment("web", _SIZE))
    web = rolled_out(cluster)
    (name,) = cluster.objects(REPLICA_SETS)
    labels = {"app": "nginx", "deployment": "r"}
    target = cluster.create(my_nginx("web", replicas=0, labels={"deployment": "r"}, selector=True))
    cluster.wait(lambda: observed(cluster, "web"), "the controller is seen")
    before, start = uids(cluster), version(cluster)

    cluster.merge("web", {"spec": {"paused": True}}, DEPLOYMENTS)
    seen(cluster, "web")
    _take(cluster, name, web, target)
    cluster.wait(lambda: "replicas" not in status(cluster, "web", DEPLOYMENTS), "it has none any more")
    cluster.delete("web", DEPLOYMENTS)
    hold(cluster, name, _SIZE, REPLICA_SETS)
    hold(cluster, "web", _SIZE)
    source = cluster.controller(name, REPLICA_SETS)
    _moved(cluster, source, target, {HASH: None, "deployment": "r"})
    cluster.merge("web", {"spec": _LIVE})
    cluster.delete(name, REPLICA_SETS)
    cluster.wait_available("web", _SIZE)
    cluster.wait(lambda: not cluster.objects(REPLICA_SETS), "the ReplicaSet is gone")
    _untouched(cluster, before, start)
    assert owners(cluster) == [reference(target)] * _SIZE
    assert [pod["metadata"]["labels"] for pod in cluster.pods()] == [labels] * _SIZE


def test_a_set_goes_with_the_controller_that_owns_it(cluster: Wire) -> None:
    """And its pods with it; deleted with its dependants orphaned, it leaves both."""
    web = running(cluster, "web", _SIZE)
    _move_to_set(cluster, web)
    before = uids(cluster)
    cluster.delete("web", policy="Orphan")
    cluster.wait(lambda: not cluster.controllers(), "the controller is gone")
    assert (owner_of(cluster, "moved"), uids(cluster)) == ("", before)

    again = cluster.create(my_nginx("again", replicas=0, labels={"deployment": "r"}, selector=True))
    give(cluster, cluster.controller("moved", REPLICA_SETS), reference(again), plural=REPLICA_SETS)
    cluster.delete("again", policy="Background")
    cluster.wait(lambda: not cluster.pods(), "the pods go with it")
