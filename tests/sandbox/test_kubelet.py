"""The kubelet on the sandbox's clock: what happens when, and what a kubelet of its own has to do with it.

What pods go through is tested in tests/kubelet.
"""

from __future__ import annotations

import pytest

from testing.sandbox import DEFAULT_RULES, ApiError, Behaviour, KubeletConfig, Rule, Sandbox
from tests.sandbox.worlds import PODS, controller, pod, reasons, status_of


def ready(world: Sandbox, name: str = "lone") -> str:
    conditions = world.get("pods", "default", name)["status"]["conditions"]
    return str(next(c["status"] for c in conditions if c["type"] == "Ready"))


def test_a_pod_is_ready_after_its_time() -> None:
    world = Sandbox(kubelet=KubeletConfig(ready_after=5))
    world.create(pod())
    world.advance(1)
    assert ready(world) == "False"
    assert world.advance_until(lambda: ready(world) == "True", 10)
    assert 5 <= world.now() <= 5.1


def test_latencies_may_be_drawn_from_a_range_the_same_for_the_same_seed() -> None:
    def times(seed: int) -> list[float]:
        world = Sandbox(seed=seed, kubelet=KubeletConfig(ready_after=(1, 9)))
        found = []
        for number in range(4):
            name, start = f"p{number}", world.now()
            world.create(pod(name))
            world.advance(0.1)
            assert world.advance_until(lambda name=name: ready(world, name) == "True", 10)  # type: ignore[misc]
            found.append(world.now() - start)
        return found

    assert times(1) == times(1) != times(2)
    assert len({round(time) for time in times(1)}) > 1


def test_a_node_under_pressure_evicts_and_takes_no_pods_for_a_while() -> None:
    """Its controller makes another, which waits for the node to be well again."""
    rules = (Rule("greedy", Behaviour.EVICTED), *DEFAULT_RULES)
    world = Sandbox(kubelet=KubeletConfig(rules=rules, pressure=20))
    world.create(controller(replicas=1, image="greedy:1"))
    world.advance(3)
    gone, waiting = sorted(world.pods(), key=lambda each: str(each["status"].get("reason", "z")))
    assert (gone["status"]["phase"], gone["status"]["reason"]) == ("Failed", "Evicted")
    assert gone["status"]["message"].startswith("The node was low on resource: memory.")
    assert reasons(world, gone["metadata"]["name"]) == {"Evicted"}
    [condition] = waiting["status"]["conditions"]
    assert "untolerated taint {node.kubernetes.io/memory-pressure: }" in condition["message"]
    world.kubelet.config = KubeletConfig()
    assert world.settle(120)
    assert ready(world, waiting["metadata"]["name"]) == "True"


def test_an_image_that_nobody_wants_here() -> None:
    """Refused at admission, as by a webhook: no pod is made, and the controller tells."""
    world = Sandbox()
    with pytest.raises(ApiError, match='admission webhook "images'):
        world.create(pod(image="refused:1"))
    world.create(controller(replicas=1, image="refused:1"))
    world.advance(3)
    assert world.pods() == []
    [failed] = status_of(world)["conditions"]
    assert (failed["type"], failed["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert reasons(world, "web") == {"FailedCreate"}


def test_a_pod_that_is_on_no_node_has_an_empty_log() -> None:
    world = Sandbox()
    world.create(pod(image="unschedulable:1"))
    world.advance(1)
    answer = world.request("GET", f"{PODS}/lone/log")
    assert (answer.status, answer.body) == (200, "")


def test_deletion_is_graceful_and_takes_its_time() -> None:
    """deletionTimestamp is when the grace ends; the pod is there until the kubelet is done."""
    world = Sandbox(kubelet=KubeletConfig(terminate_after=5))
    world.create(pod())
    world.settle()
    answer = world.delete("pods", "default", "lone")
    assert answer["metadata"]["deletionGracePeriodSeconds"] == 30
    world.advance(4)
    assert world.find("pods", "default", "lone")
    world.advance(2)
    assert world.find("pods", "default", "lone") is None


@pytest.mark.parametrize("bound", [True, False])
def test_a_pod_without_grace_or_node_goes_at_once(bound: bool) -> None:
    world = Sandbox(kubelet=KubeletConfig() if bound else None)
    world.create(pod())
    world.settle()
    world.delete("pods", "default", "lone", grace_seconds=0 if bound else None)
    assert world.find("pods", "default", "lone") is None


def test_another_kubelet_can_take_over() -> None:
    """With none here, pods stay pending until somebody binds them and reports on them through the API."""
    world = Sandbox(kubelet=None)
    world.create(pod())
    assert world.settle()
    path = "/api/v1/namespaces/default/pods/lone"
    bound = world.request("POST", f"{path}/binding", body={"target": {"kind": "Node", "name": "elsewhere"}})
    again = world.request("POST", f"{path}/binding", body={"target": {"kind": "Node", "name": "elsewhere"}})
    assert (bound.status, again.status) == (201, 409)
    assert world.get("pods", "default", "lone")["spec"]["nodeName"] == "elsewhere"


def test_pods_on_other_nodes_are_left_alone() -> None:
    """Somebody bound them there; that they end is seen to all the same."""
    world = Sandbox()
    manifest = pod()
    manifest["spec"]["nodeName"] = "another"
    world.create(manifest)
    assert world.settle()
    assert world.get("pods", "default", "lone")["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    world.delete("pods", "default", "lone")
    assert world.settle()
    assert world.pods() == []
