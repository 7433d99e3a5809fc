"""Stories of sizes and counts: generation, surplus, availability, quota. The same on both clusters."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from testing.client import MERGE_PATCH
from testing.objects import Json
from tests.contract.story import condition, running, status, uids, version
from tests.contract.wire import Ask, Wire
from tests.support.manifests import asking_for, limit_range, my_nginx, quota


def _failure(cluster: Wire) -> Json | None:
    return condition(cluster.controller("web"), "ReplicaFailure")


def test_the_generation_counts_specs_and_is_observed(cluster: Wire) -> None:
    """A label does not count, a size does, whichever way it is set; the same size again does not."""
    running(cluster, replicas=0)
    one, at_scale = {"spec": {"replicas": 1}}, "replicationcontrollers/web/scale"
    generations = []
    changes: tuple[Callable[[], object], ...] = (
        lambda: cluster.merge("web", {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}),
        lambda: cluster.scale("web", 1),
        lambda: cluster.scale("web", 1),
        lambda: cluster.send(Ask("PATCH", at_scale, one, content_type=MERGE_PATCH)),
        lambda: cluster.merge("web", {"spec": {"minReadySeconds": 1}}),
    )
    for change in changes:
        change()
        cluster.settle()
        generations.append(cluster.controller("web")["metadata"]["generation"])
        assert status(cluster)["observedGeneration"] == generations[-1]
    assert generations == [1, 2, 2, 2, 3]


def test_a_status_observes_a_size_before_it_counts_it(cluster: Wire) -> None:
    """The first status of a new generation has the counts from before: what it made is not in them."""
    running(cluster)
    start = version(cluster, "replicationcontrollers")
    cluster.scale("web", 4)
    cluster.wait_available("web", 4)
    cluster.scale("web", 1)
    cluster.wait_available("web", 1)

    seen = [event["object"] for event in cluster.past_events("replicationcontrollers", start)]
    first: dict[int, int] = {}
    for found in seen:
        first.setdefault(found["status"]["observedGeneration"], found["status"]["replicas"])
    assert first == {1: 2, 2: 2, 3: 4}
    assert seen[-1]["status"] == {
        "replicas": 1,
        "fullyLabeledReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "observedGeneration": 3,
    }


def _running(cluster: Wire) -> int:
    return sum(pod["status"]["phase"] == "Running" for pod in cluster.pods())


def test_of_a_surplus_the_unready_go_first(cluster: Wire) -> None:
    """Two of four pods never get ready: scaled to two, the others stay."""
    running(cluster)
    ready = uids(cluster)
    container = {"name": "nginx", "image": "never-ready"}
    cluster.merge("web", {"spec": {"replicas": 4, "template": {"spec": {"containers": [container]}}}})
    cluster.wait(lambda: len(cluster.pods()) == 4, "there are four")
    cluster.wait(lambda: _running(cluster) == 4, "all run")
    assert status(cluster)["readyReplicas"] == 2

    cluster.scale("web", 2)
    cluster.wait(lambda: len(cluster.pods()) == 2, "two are gone")
    assert uids(cluster) == ready


def test_of_ready_pods_those_that_are_ready_for_longer_stay(cluster: Wire) -> None:
    """Times are whole seconds, so the younger is made a second later."""
    running(cluster, replicas=1)
    elder = uids(cluster)
    since = condition(cluster.pods()[0], "Ready")
    assert since is not None
    time.sleep(1.1)
    cluster.scale("web", 2)
    cluster.wait_available("web", 2)
    cluster.scale("web", 1)
    cluster.wait(lambda: len(cluster.pods()) == 1, "one is gone")
    assert uids(cluster) == elder


def test_pods_are_available_some_seconds_after_they_are_ready(cluster: Wire) -> None:
    """minReadySeconds is between the two counts; times are whole seconds, so give or take one."""
    cluster.create(my_nginx("web", replicas=1, minReadySeconds=2))
    cluster.wait(lambda: status(cluster).get("readyReplicas") == 1, "it is ready")
    ready = time.monotonic()
    assert "availableReplicas" not in status(cluster)
    cluster.wait_available("web", 1)
    assert 0.9 < time.monotonic() - ready < 4


def test_a_quota_that_is_used_up_is_told_in_the_status(cluster: Wire) -> None:
    """In the condition ReplicaFailure, with the server's words; it goes when there is room again."""
    cluster.create(quota({"pods": "1"}))
    cluster.wait(lambda: "hard" in (_quota_now(cluster).get("status") or {}), "the quota is in force")
    cluster.create(my_nginx("web", replicas=3))
    cluster.wait(lambda: _failure(cluster) is not None, "a failure is told")

    failure = _failure(cluster)
    assert failure is not None
    message = failure.pop("message")
    del failure["lastTransitionTime"]
    assert failure == {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    assert re.fullmatch(
        r'pods "web-\w{5}" is forbidden: exceeded quota: few, '
        r"requested: pods=1, used: pods=1, limited: pods=1",
        message,
    ), message
    cluster.wait(lambda: status(cluster)["replicas"] == 1, "one pod was allowed")
    events = cluster.call("GET", cluster.path("events"))["items"]
    refused = {event["reason"]: event["message"] for event in events if event["type"] == "Warning"}
    assert refused["FailedCreate"].startswith('Error creating: pods "web-')

    cluster.merge("few", {"spec": {"hard": {"pods": "9"}}}, "resourcequotas")
    cluster.wait(lambda: _failure(cluster) is None, "the failure is over")
    cluster.wait_available("web", 3)


def test_a_quota_of_requests_and_limits(cluster: Wire) -> None:
    """What a pod asks for and what a range gives it; an init container counts if it is larger. Scopes count
    some pods only."""
    cluster.create(limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "512Mi"}))
    hard = {"requests.memory": "2Gi", "limits.memory": "9Gi", "cpu": "5", "pods": "9", "count/pods": "9"}
    scopes = {"": {}, "some": {"scopes": ["NotBestEffort"]}, "idle": {"scopes": ["BestEffort"]}}
    for name, scope in scopes.items():
        cluster.create(quota(hard if not name else {"pods": "9"}, name or "all", **scope))
    cluster.wait(lambda: all("used" in found for found in _statuses(cluster).values()), "all are counted")
    manifest = asking_for(my_nginx("web", replicas=2), requests={"cpu": "250m"})
    spec = manifest["spec"]["template"]["spec"]
    spec["initContainers"] = [{"name": "first", "image": "nginx", "resources": {"limits": {"cpu": "1"}}}]
    cluster.create(manifest)
    expected = {
        "all": {
            "requests.memory": "1Gi",
            "limits.memory": "2Gi",
            "cpu": "2",
            "pods": "2",
            "count/pods": "2",
        },
        "some": {"pods": "2"},
        "idle": {"pods": "0"},
    }
    cluster.wait(lambda: _used(cluster) == expected, f"{expected} is used")
    cluster.merge("web", {"spec": {"replicas": 5}})
    cluster.wait(lambda: _failure(cluster) is not None, "the fifth is refused")
    failure = _failure(cluster)
    assert failure is not None
    assert failure["message"].endswith(
        "exceeded quota: all, requested: requests.memory=512Mi, used: requests.memory=2Gi, limited: "
        "requests.memory=2Gi"
    )


def test_a_quota_of_requests_that_a_container_does_not_say(cluster: Wire) -> None:
    """No such pod is made, whatever is free."""
    cluster.create(quota({"requests.cpu": "4"}))
    cluster.wait(lambda: "used" in _quota_now(cluster).get("status", {}), "the quota is in force")
    cluster.create(my_nginx("web", replicas=1))
    cluster.wait(lambda: _failure(cluster) is not None, "a failure is told")
    failure = _failure(cluster)
    assert failure is not None
    assert "is forbidden: failed quota: few: must specify requests.cpu" in failure["message"]


def _statuses(cluster: Wire) -> dict[str, Json]:
    found = cluster.call("GET", cluster.path("resourcequotas"))["items"]
    return {obj["metadata"]["name"]: obj.get("status") or {} for obj in found}


def _used(cluster: Wire) -> dict[str, Json]:
    return {name: status.get("used") or {} for name, status in _statuses(cluster).items()}


def _quota_now(cluster: Wire) -> Json:
    return cluster.call("GET", cluster.path("resourcequotas", "few"))
