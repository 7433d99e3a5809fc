"""Stories of controllers whose pods are refused: how they tell, and until when. The same on both clusters."""

from __future__ import annotations

import re
from typing import Any

from testing.objects import Json
from tests.contract.story import HOLD, condition, failure, hold, observed, owners, running, status, uids
from tests.contract.wire import Wire
from tests.support.manifests import my_nginx


def _refused(cluster: Wire, replicas: int = 3, class_name: str = HOLD) -> None:
    """A controller that has never had a pod, and says why."""
    manifest = my_nginx("web", replicas=replicas, selector=True)
    manifest["spec"]["template"]["spec"]["priorityClassName"] = class_name
    cluster.create(manifest)
    cluster.wait(lambda: failure(cluster), "the failure is told")


def _write(cluster: Wire, **spec: Any) -> None:
    cluster.merge("web", {"spec": spec})
    cluster.wait(lambda: observed(cluster, "web"), "the manager has seen it")


def _template(class_name: str | None) -> Json:
    return {"spec": {"priorityClassName": class_name}}


def _of_class(message: str, name: str) -> bool:
    said = rf'pods "web-\w*" is forbidden: no PriorityClass with name {name} was found'
    return re.fullmatch(said, message) is not None


def test_a_class_that_does_not_exist_is_told(cluster: Wire) -> None:
    """In a condition and in events; not one pod is made."""
    _refused(cluster)
    found = condition(cluster.controller("web"), "ReplicaFailure")
    assert found is not None
    assert (found["status"], found["reason"]) == ("True", "FailedCreate")
    assert _of_class(found["message"], HOLD), found["message"]
    assert (status(cluster)["replicas"], cluster.pods()) == (0, [])

    def warnings() -> list[str]:
        events = cluster.call("GET", cluster.path("events"))["items"]
        return [event["message"] for event in events if event["reason"] == "FailedCreate"]

    cluster.wait(warnings, "an event tells")
    assert _of_class(warnings()[0].removeprefix("Error creating: "), HOLD)


def test_while_it_goes_on_failing_the_first_message_stays(cluster: Wire) -> None:
    """Also if by then it fails for another reason: a condition says nothing of what was written after it."""
    _refused(cluster)
    before = condition(cluster.controller("web"), "ReplicaFailure")
    _write(cluster, template=_template("another"))
    assert condition(cluster.controller("web"), "ReplicaFailure") == before
    _write(cluster, replicas=1)
    assert condition(cluster.controller("web"), "ReplicaFailure") == before

    _write(cluster, replicas=0)
    assert failure(cluster) == "", "with nothing left to make, it is over"
    _write(cluster, replicas=2)
    assert _of_class(failure(cluster), "another")


def test_the_failure_is_over_when_pods_are_made(cluster: Wire) -> None:
    _refused(cluster, 2)
    _write(cluster, template=_template(None))
    cluster.wait_available("web", 2)
    assert "conditions" not in status(cluster)


def test_the_class_is_looked_at_before_the_quota(cluster: Wire) -> None:
    """So it is the class that is told, in a namespace that is full as well."""
    spec = {"hard": {"pods": "0"}}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": spec}
    cluster.create(quota)
    path = cluster.path("resourcequotas", "none")
    cluster.wait(lambda: "used" in (cluster.call("GET", path).get("status") or {}), "the quota is counted")
    _refused(cluster)
    assert _of_class(failure(cluster), HOLD)


def test_held_it_neither_makes_nor_deletes_pods(cluster: Wire) -> None:
    """As long as it has no more than it wants. A pod that is gone is not replaced, which is told."""
    running(cluster)
    hold(cluster, "web", 2)
    before = uids(cluster)
    assert (status(cluster)["replicas"], failure(cluster)) == (2, "")

    cluster.delete(cluster.pods()[0]["metadata"]["name"], "pods")
    cluster.wait(lambda: failure(cluster), "it misses the pod")
    assert _of_class(failure(cluster), HOLD)
    assert status(cluster)["replicas"] == 1
    assert uids(cluster) < before

    _write(cluster, replicas=1)
    assert failure(cluster) == ""
    _write(cluster, replicas=2, template=_template(None))
    cluster.wait_available("web", 2)
    assert len(uids(cluster) & before) == 1
    assert len(owners(cluster)) == 2


def test_held_it_still_deletes_what_is_too_much(cluster: Wire) -> None:
    running(cluster)
    hold(cluster, "web", 1)
    cluster.wait(lambda: len(cluster.pods()) == 1, "one is deleted")
    assert failure(cluster) == ""
