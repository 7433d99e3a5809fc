"""What is particular to a sandbox that is asked in the process; tests/contract has what is answered."""

from __future__ import annotations

from testing.sandbox import Sandbox
from tests.sandbox.worlds import CONTROLLERS, controller


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
