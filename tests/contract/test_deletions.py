"""Stories of deletions: what becomes of the pods, and what a watch tells. The same on both clusters."""

from __future__ import annotations

from testing.objects import Json
from tests.contract.story import owners, running, uids, version
from tests.contract.wire import Answer, Ask, Wire


def _delete(cluster: Wire, **options: str) -> Answer:
    return cluster.send(Ask("DELETE", "replicationcontrollers/web", options or None))


def test_in_the_background_the_controller_goes_first(cluster: Wire) -> None:
    """It is gone with the answer, its pods are soon."""
    web = running(cluster)
    answer = _delete(cluster, propagationPolicy="Background")
    assert (answer.status, answer.body["status"]) == (200, "Success")
    assert answer.body["details"] == {
        "name": "web",
        "kind": "replicationcontrollers",
        "uid": web["metadata"]["uid"],
    }
    assert cluster.controllers() == {}
    cluster.wait(lambda: not cluster.pods(), "the pods are gone")


def test_orphaned_pods_run_on_without_owner(cluster: Wire) -> None:
    """The controller stays until that is so, with a finalizer."""
    running(cluster)
    before = uids(cluster)
    answer = _delete(cluster, propagationPolicy="Orphan")
    assert answer.body["metadata"]["finalizers"] == ["orphan"]
    cluster.wait(lambda: not cluster.controllers(), "the controller is gone")
    assert owners(cluster) == []
    assert uids(cluster) == before


def test_without_a_word_pods_are_orphaned(cluster: Wire) -> None:
    """Of this kind alone: it is as old as that."""
    running(cluster)
    before = uids(cluster)
    _delete(cluster)
    cluster.wait(lambda: not cluster.controllers(), "the controller is gone")
    assert (owners(cluster), uids(cluster)) == ([], before)


def test_in_the_foreground_the_pods_go_first(cluster: Wire) -> None:
    """The watch of the controller ends after that of its pods."""
    running(cluster)
    start = version(cluster)
    answer = _delete(cluster, propagationPolicy="Foreground")
    assert answer.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    cluster.wait(lambda: not cluster.controllers(), "the controller is gone")
    assert cluster.pods() == []

    gone = _deleted(cluster.past_events("pods", start))
    (last,) = _deleted(cluster.past_events("replicationcontrollers", start))
    assert len(gone) == 2
    assert int(last["metadata"]["resourceVersion"]) > max(
        int(pod["metadata"]["resourceVersion"]) for pod in gone
    )


def _deleted(events: list[Json]) -> list[Json]:
    return [event["object"] for event in events if event["type"] == "DELETED"]


def test_a_watch_tells_the_life_of_a_pod_in_order(cluster: Wire) -> None:
    """Added unbound and without conditions, bound, ready, marked, gone; each version newer than the last."""
    running(cluster, replicas=0)
    start = version(cluster)
    cluster.scale("web", 1)
    cluster.wait_available("web", 1)
    cluster.scale("web", 0)
    cluster.wait(lambda: not cluster.call("GET", cluster.path("pods"))["items"], "the pod is gone")

    events = cluster.past_events("pods", start)
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))
    assert len({event["object"]["metadata"]["uid"] for event in events}) == 1
    stages = list(dict.fromkeys((event["type"], _stage(event["object"])) for event in events))
    assert stages == [
        ("ADDED", "unbound"),
        ("MODIFIED", "bound"),
        ("MODIFIED", "waiting"),
        ("MODIFIED", "ready"),
        ("MODIFIED", "marked"),
        ("DELETED", "marked"),
    ]


def _stage(pod: Json) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "marked"
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    if conditions.get("Ready"):
        return "ready" if conditions["Ready"] == "True" else "waiting"
    return "bound" if pod["spec"].get("nodeName") else "unbound"
