"""What is particular to a sandbox that is asked in the process; tests/contract has what is answered."""

from __future__ import annotations

from testing.sandbox import Sandbox
from tests.sandbox.worlds import CONTROLLERS, controller, pod


def test_what_a_test_does_to_an_answer_does_not_reach_the_store() -> None:
    world = Sandbox()
    made = world.create(controller())
    made["spec"]["selector"]["app"] = "changed"
    found = world.get("rc", "default", "web")
    assert found["spec"]["selector"] == {"app": "web"}
    assert found["metadata"]["labels"] == {"app": "web"}


def test_there_is_no_server_side_apply() -> None:
    world = Sandbox()
    world.create(controller(replicas=0))
    answer = world.request("PATCH", f"{CONTROLLERS}/web", {}, {}, content_type="application/apply-patch+yaml")
    assert (answer.status, answer.reason) == (415, "UnsupportedMediaType")


def test_an_upgraded_server_sends_the_same_objects_in_the_same_version_as_it_writes_them() -> None:
    """Until 1.33 a template says that it was never created; from 1.34 on not, and pods count their specs."""
    world = Sandbox(minor=20, kubelet=None)
    old = world.create(controller())
    assert old["spec"]["template"]["metadata"]["creationTimestamp"] is None
    assert "generation" not in world.create(pod("first"))["metadata"]

    world.upgrade(36)
    new = world.get("rc", "default", "web")
    assert new["metadata"] == old["metadata"]
    assert "creationTimestamp" not in new["spec"]["template"]["metadata"]
    assert world.create(pod("second"))["metadata"]["generation"] == 1

    world.upgrade(33)
    assert world.get("rc", "default", "web") == old
