"""What pods look like that run, don't start, or crash. The same on both clusters."""

from __future__ import annotations

import pytest

from testing.objects import Json
from tests.contract.case import get
from tests.contract.story import condition, running
from tests.contract.wire import Answer, Wire
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


@pytest.mark.parametrize(
    ("image", "reason", "warning"),
    [
        ("unreachable:1", "ImagePullBackOff", "BackOff"),
        ("Misnamed:1", "InvalidImageName", "InspectFailed"),
        ("bad-config:1", "CreateContainerConfigError", "Failed"),
        ("no-volume:1", "ContainerCreating", "FailedMount"),
    ],
)
def test_what_else_keeps_a_container_from_starting(
    cluster: Wire, image: str, reason: str, warning: str
) -> None:
    """Its status says so, and an event."""
    cluster.create(my_nginx("web", replicas=1, image=image))
    cluster.wait(lambda: _waits_for(cluster, reason), "it waits")
    cluster.wait(lambda: warning in {reason for reason, _ in _warnings(cluster)}, "an event tells")
    assert cluster.pods()[0]["status"]["phase"] == "Pending"


def test_a_pod_no_node_can_take(cluster: Wire) -> None:
    """It stays unbound, with a condition and an event of the scheduler."""
    cluster.create(my_nginx("web", replicas=1, image="unschedulable:1"))
    why = "0/1 nodes are available: 1 Insufficient cpu."
    cluster.wait(lambda: ("FailedScheduling", why) in _warnings(cluster), "an event tells")
    (pod,) = cluster.pods()
    found = condition(pod, "PodScheduled")
    assert found is not None
    assert (found["status"], found["reason"], found["message"]) == ("False", "Unschedulable", why)
    assert "nodeName" not in pod["spec"]


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


def _log(cluster: Wire, **query: str) -> Answer:
    """Of the only pod."""
    (pod,) = cluster.pods()
    return cluster.send(get(f"pods/{pod['metadata']['name']}/log", **query))


@pytest.mark.usefixtures("logs")
def test_the_log_of_a_container_that_crashes(cluster: Wire) -> None:
    """Of the run that ended, whether it is called the previous one or not; by lines and by bytes."""
    cluster.create(my_nginx("web", replicas=1, image="crashing:1"))
    cluster.wait(lambda: _waits_for(cluster, "CrashLoopBackOff"), "it backs off")
    text = "starting crashing:1\nerror: cannot read /etc/settings: no such file\n"
    assert _log(cluster, previous="true").body == text
    assert _log(cluster, container="nginx", previous="true", tailLines="1").body == text.splitlines(True)[1]
    assert _log(cluster, previous="true", tailLines="0").body == ""
    assert _log(cluster, previous="true", limitBytes="8").body == "starting"


@pytest.mark.usefixtures("logs")
def test_the_log_of_a_container_that_runs(cluster: Wire) -> None:
    """There is one, but none of a run before it."""
    running(cluster, replicas=1)
    assert _log(cluster).body == "starting nginx:1.7.9\n"
    (pod,) = cluster.pods()
    refused = _log(cluster, previous="true")
    name = pod["metadata"]["name"]
    assert (refused.status, refused.body["reason"]) == (400, "BadRequest")
    assert refused.body["message"] == f'previous terminated container "nginx" in pod "{name}" not found'


@pytest.mark.usefixtures("logs")
def test_there_is_no_log_of_a_container_that_waits(cluster: Wire) -> None:
    """Which says for what."""
    cluster.create(my_nginx("web", replicas=1, image="missing:1"))
    cluster.wait(lambda: _waits_for(cluster, "ImagePullBackOff"), "it backs off")
    (pod,) = cluster.pods()
    refused = _log(cluster)
    assert (refused.status, refused.body["reason"]) == (400, "BadRequest")
    where = f'container "nginx" in pod "{pod["metadata"]["name"]}"'
    assert refused.body["message"] == f"{where} is waiting to start: trying and failing to pull image"


def test_pods_that_cannot_be_made_are_told_by_condition_and_events(cluster: Wire) -> None:
    """In the words of the server that refused the first."""
    spec = {"hard": {"pods": "0"}}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": spec}
    cluster.create(quota)
    path = cluster.path("resourcequotas", "none")
    cluster.wait(lambda: "used" in (cluster.call("GET", path).get("status") or {}), "the quota is counted")
    cluster.create(my_nginx("web", replicas=1))
    cluster.wait(lambda: condition(cluster.controller("web"), "ReplicaFailure") is not None, "it fails")
    failed = condition(cluster.controller("web"), "ReplicaFailure")
    assert failed is not None
    assert (failed["status"], failed["reason"]) == ("True", "FailedCreate")
    said = " is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0"
    assert failed["message"].startswith('pods "web-')
    assert failed["message"].endswith(said)
    cluster.wait(
        lambda: any(
            reason == "FailedCreate" and message.startswith("Error creating: ") and message.endswith(said)
            for reason, message in _warnings(cluster)
        ),
        "an event tells",
    )
