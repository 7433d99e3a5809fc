"""What pods look like that run, don't start, or crash. The same on both clusters."""

from __future__ import annotations

from tests.contract.story import condition, running
from tests.contract.wire import Wire
from tests.support.api import Json
from tests.support.manifests import my_nginx


def _container(cluster: Wire) -> Json:
    """The status of the only container of the only pod; empty where there is none yet."""
    found = [each for pod in cluster.pods() for each in pod["status"].get("containerStatuses", [])]
    assert len(found) < 2
    return found[0] if found else {}


def _waits_for(cluster: Wire, reason: str) -> bool:
    return bool(_container(cluster).get("state", {}).get("waiting", {}).get("reason") == reason)


def _warnings(cluster: Wire) -> set[tuple[str, str]]:
    events = cluster.call("GET", cluster.path("events"))["items"]
    return {(event["reason"], event["message"]) for event in events if event["type"] == "Warning"}


def test_a_pod_that_is_ready(cluster: Wire) -> None:
    """It has all four conditions, an address, and a container that started."""
    running(cluster, replicas=1)
    (pod,) = cluster.pods()
    assert {each["type"]: each["status"] for each in pod["status"]["conditions"]} == dict.fromkeys(
        ("Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIPs"] == [{"ip": pod["status"]["podIP"]}]
    container = _container(cluster)
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    assert list(container["state"]) == ["running"]


def test_an_image_that_is_not_there(cluster: Wire) -> None:
    """First ErrImagePull, then ImagePullBackOff, with the message and the events a kubelet has for it."""
    cluster.create(my_nginx("web", replicas=1, image="missing:1"))
    cluster.wait(lambda: _waits_for(cluster, "ImagePullBackOff"), "it backs off")

    (pod,) = cluster.pods()
    assert pod["status"]["phase"] == "Pending"
    container = _container(cluster)
    assert container["state"] == {
        "waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "missing:1"'}
    }
    assert (container["ready"], container["started"], container["restartCount"]) == (False, False, 0)
    assert (container["name"], container["image"], container["imageID"]) == ("nginx", "missing:1", "")
    for kind in ("Ready", "ContainersReady"):
        found = condition(pod, kind)
        assert found is not None
        assert (found["status"], found["reason"]) == ("False", "ContainersNotReady")
        assert found["message"] == "containers with unready status: [nginx]"
    told = {("Failed", "Error: ErrImagePull"), ("BackOff", 'Back-off pulling image "missing:1"')}
    cluster.wait(lambda: told <= _warnings(cluster), "the events tell")


def test_a_container_that_crashes(cluster: Wire) -> None:
    """CrashLoopBackOff, a restart, and how it ended; its pod counts as running."""
    cluster.create(my_nginx("web", replicas=1, image="crashing:1"))
    cluster.wait(lambda: _waits_for(cluster, "CrashLoopBackOff"), "it backs off")
    container = _container(cluster)
    assert container["restartCount"] >= 1
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert container["ready"] is False
    assert cluster.pods()[0]["status"]["phase"] == "Running"
    cluster.wait(
        lambda: ("BackOff", "Back-off restarting failed container") in _warnings(cluster), "an event tells"
    )


def test_a_pod_that_never_gets_ready_runs(cluster: Wire) -> None:
    """It counts as a replica, not as a ready one: a count of zero is left out."""
    cluster.create(my_nginx("web", replicas=1, image="never-ready:1"))
    cluster.wait(lambda: bool(_container(cluster).get("started")), "it started")
    cluster.settle()
    assert _container(cluster)["ready"] is False
    assert cluster.controller("web")["status"] == {
        "replicas": 1,
        "fullyLabeledReplicas": 1,
        "observedGeneration": 1,
    }
