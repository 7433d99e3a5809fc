"""What pods go through, and how it looks."""

from __future__ import annotations

import pytest

from testing.sandbox import DEFAULT_RULES, ApiError, Behaviour, Json, KubeletConfig, Rule, Sandbox
from tests.sandbox.worlds import PODS, controller, pod, reasons, status_of


def container(world: Sandbox, name: str = "lone") -> Json:
    found: Json = world.get("pods", "default", name)["status"]["containerStatuses"][0]
    return found


def ready(world: Sandbox, name: str = "lone") -> str:
    conditions = world.get("pods", "default", name)["status"]["conditions"]
    return str(next(c["status"] for c in conditions if c["type"] == "Ready"))


def test_a_pod_is_bound_becomes_pending_and_then_ready_after_its_time() -> None:
    world = Sandbox(kubelet=KubeletConfig(ready_after=5))
    world.create(pod())
    world.advance(1)
    waiting = world.get("pods", "default", "lone")
    assert waiting["spec"]["nodeName"] == "hollow-node"
    assert waiting["status"]["phase"] == "Pending"
    assert container(world)["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert ready(world) == "False"

    assert world.advance_until(lambda: ready(world) == "True", 10)
    assert 5 <= world.now() <= 5.1
    done = world.get("pods", "default", "lone")
    assert done["status"]["phase"] == "Running"
    assert done["status"]["podIP"].startswith("10.244.")
    assert container(world)["ready"]
    created, condition = done["metadata"]["creationTimestamp"], done["status"]["conditions"][1]
    assert condition["lastTransitionTime"] > created


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


def test_an_image_that_can_not_be_pulled() -> None:
    """First ErrImagePull, then ImagePullBackOff with the kubelet's message; the pod stays Pending."""
    world = Sandbox()
    world.create(pod(image="registry/missing:1"))
    world.advance(0.8)
    assert container(world)["state"]["waiting"]["reason"] == "ErrImagePull"
    world.advance(3)
    assert container(world)["state"]["waiting"] == {
        "reason": "ImagePullBackOff",
        "message": 'Back-off pulling image "registry/missing:1"',
    }
    assert world.get("pods", "default", "lone")["status"]["phase"] == "Pending"
    assert reasons(world, "lone") == {"Pulling", "Failed", "BackOff"}


def test_a_container_that_crashes() -> None:
    """It runs for a moment, ends with 1, and backs off longer and longer; restarts are counted."""
    world = Sandbox()
    world.create(pod(image="crashing:1"))
    world.advance(1)
    assert container(world)["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container(world)["restartCount"] == 1
    assert container(world)["lastState"]["terminated"]["exitCode"] == 1
    world.advance(60)
    assert container(world)["restartCount"] > 2
    assert world.get("pods", "default", "lone")["status"]["phase"] == "Running"
    assert reasons(world, "lone") == {"BackOff"}


def test_a_container_that_never_is_ready() -> None:
    world = Sandbox()
    world.create(pod(image="never-ready:1"))
    world.advance(5)
    assert "running" in container(world)["state"]
    assert not container(world)["ready"]
    assert ready(world) == "False"
    assert reasons(world, "lone") == {"Unhealthy"}


def test_a_pod_no_node_can_take() -> None:
    world = Sandbox()
    world.create(pod(image="unschedulable:1"))
    world.advance(1)
    found = world.get("pods", "default", "lone")
    assert "nodeName" not in found["spec"]
    [condition] = found["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "Unschedulable")
    assert reasons(world, "lone") == {"FailedScheduling"}


@pytest.mark.parametrize(
    ("image", "reason", "events"),
    [
        ("registry/unreachable:1", "ImagePullBackOff", {"Pulling", "Failed", "BackOff"}),
        ("Misnamed:1", "InvalidImageName", {"Pulling", "InspectFailed", "Failed"}),
        ("bad-config:1", "CreateContainerConfigError", {"Failed"}),
        ("no-volume:1", "ContainerCreating", {"FailedMount"}),
    ],
)
def test_what_else_keeps_a_container_from_starting(image: str, reason: str, events: set[str]) -> None:
    """Its status and its events say so, and once it is mended the pod runs by itself."""
    world = Sandbox()
    world.create(pod(image=image))
    world.advance(3)
    assert container(world)["state"]["waiting"]["reason"] == reason
    assert world.get("pods", "default", "lone")["status"]["phase"] == "Pending"
    assert reasons(world, "lone") == events
    world.kubelet.config = KubeletConfig(rules=())
    assert world.settle(120)
    assert ready(world) == "True"


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


def test_the_log_and_the_exit_code_of_a_crash_are_what_the_rule_says() -> None:
    rules = (Rule("crashing", Behaviour.CRASHES, exit_code=42, log="a\nb\nc\n"),)
    world = Sandbox(kubelet=KubeletConfig(rules=rules))
    world.create(pod(image="crashing:1"))
    world.advance(1)
    assert container(world)["lastState"]["terminated"]["exitCode"] == 42
    answer = world.request("GET", f"{PODS}/lone/log", {"previous": "true", "tailLines": "2"})
    assert (answer.status, answer.body) == (200, "b\nc\n")


def test_a_pod_that_is_on_no_node_has_an_empty_log() -> None:
    world = Sandbox()
    world.create(pod(image="unschedulable:1"))
    world.advance(1)
    answer = world.request("GET", f"{PODS}/lone/log")
    assert (answer.status, answer.body) == (200, "")


def test_an_image_can_recover_after_some_attempts() -> None:
    rules = (Rule("flaky", Behaviour.CRASHES, recovers_after=4), *DEFAULT_RULES)
    world = Sandbox(kubelet=KubeletConfig(rules=rules))
    world.create(pod(image="flaky:1"))
    assert world.advance_until(lambda: ready(world) == "True" if world.now() > 1 else False, 60)
    assert container(world)["restartCount"] == 2
    assert world.settle()


def test_a_rule_can_make_an_image_slow() -> None:
    world = Sandbox(kubelet=KubeletConfig(rules=(Rule("slow", ready_after=30),)))
    world.create(pod(image="slow:1"))
    assert world.settle()
    assert 30 <= world.now() <= 31


def test_the_rules_can_be_changed_while_pods_fail() -> None:
    """As when a missing image is pushed at last."""
    world = Sandbox()
    world.create(pod(image="missing:1"))
    world.advance(5)
    world.kubelet.config = KubeletConfig(rules=())
    assert world.settle(120)
    assert ready(world) == "True"


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
