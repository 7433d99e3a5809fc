"""What pods go through, and how it looks, step by step. tests/contract shows that both kubelets do it."""

from __future__ import annotations

import pytest

from testing.kubelet import lifecycle
from testing.kubelet.behaviour import DEFAULT_RULES, Behaviour, KubeletConfig, Rule
from testing.kubelet.events import event
from testing.kubelet.lifecycle import NODE, Stage, Step
from testing.objects import Json

NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z"


class Pod:
    """One pod, and the steps that it has taken."""

    def __init__(self, *images: str, config: KubeletConfig | None = None) -> None:
        containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
        self.config = config or KubeletConfig()
        self.object: Json = {
            "kind": "Pod",
            "metadata": {"namespace": "ns", "name": "web-1", "uid": "u", "resourceVersion": "1"},
            "spec": {"containers": containers},
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        }
        life = lifecycle.begin(self.object, 1)
        assert life is not None
        self.life = life
        self.steps: list[Step] = []

    def go_on(self, steps: int = 1, now: str = NOW, *, under_pressure: bool = False) -> Step:
        for _ in range(steps):
            step = lifecycle.next_step(
                self.life, self.object, self.config, now, under_pressure=under_pressure
            )
            self.life = step.life
            if step.status is not None:
                self.object["status"] = step.status
            self.steps.append(step)
        return self.steps[-1]

    def tried(self, times: int = 1) -> Step:
        """Bound, created, and tried so often."""
        return self.go_on(2 + times)

    @property
    def status(self) -> Json:
        found: Json = self.object["status"]
        return found

    def condition(self, kind: str) -> Json:
        return next(each for each in self.status["conditions"] if each["type"] == kind)

    def waiting(self) -> list[str]:
        """Why its containers wait."""
        found = [each["state"].get("waiting", {}) for each in self.status["containerStatuses"]]
        return [each.get("reason", "") for each in found]

    def reasons(self) -> list[str]:
        """Of all events, in order."""
        return [happening.reason for step in self.steps for happening in step.events]


def test_it_is_bound_created_and_then_ready() -> None:
    """With the delays that are set, and conditions that keep the time they last changed at."""
    pod = Pod("nginx", "sidecar", config=KubeletConfig(ready_after=(1, 9)))
    assert pod.go_on().binds
    assert pod.go_on().after == ((1, 9), (1, 9)), "the longest of those of its containers"
    assert pod.waiting() == ["ContainerCreating", "ContainerCreating"]
    assert (pod.status["phase"], pod.condition("Ready")["status"]) == ("Pending", "False")

    assert pod.go_on(now=LATER).after == ()
    assert pod.status["phase"] == "Running"
    assert pod.condition("Ready") == {
        "type": "Ready",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": LATER,
    }
    assert pod.condition("PodScheduled")["lastTransitionTime"] == NOW
    assert all(each["ready"] for each in pod.status["containerStatuses"])
    assert pod.reasons() == []


def test_events_of_pods_that_do_well_are_written_where_they_are_wanted() -> None:
    pod = Pod("nginx", config=KubeletConfig(normal_events=True))
    pod.tried()
    assert pod.reasons() == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]


def test_one_unready_container_makes_the_pod_unready() -> None:
    """It runs all the same, and the condition names the container."""
    pod = Pod("nginx", "never-ready")
    pod.tried()
    assert pod.status["phase"] == "Running"
    assert pod.condition("Ready")["status"] == "False"
    assert pod.condition("Ready")["message"] == "containers with unready status: [c1]"
    assert pod.reasons() == ["Unhealthy"]


@pytest.mark.parametrize(
    ("image", "first", "then", "events"),
    [
        (
            "missing:1",
            "ErrImagePull",
            "ImagePullBackOff",
            ["Pulling", "Failed", "Failed", "BackOff", "Failed"],
        ),
        (
            "unreachable:1",
            "ErrImagePull",
            "ImagePullBackOff",
            ["Pulling", "Failed", "Failed", "BackOff", "Failed"],
        ),
        ("Misnamed:1", "InvalidImageName", "InvalidImageName", ["Pulling", *["InspectFailed", "Failed"] * 2]),
        ("bad-config:1", "CreateContainerConfigError", "CreateContainerConfigError", ["Failed"] * 2),
        ("no-volume:1", "ContainerCreating", "ContainerCreating", ["FailedMount"] * 2),
    ],
)
def test_what_keeps_a_container_from_starting(image: str, first: str, then: str, events: list[str]) -> None:
    """Its status and its events say so; once it is mended the pod runs."""
    pod = Pod(image)
    pod.tried()
    assert pod.waiting() == [first]
    pod.go_on()
    assert (pod.waiting(), pod.status["phase"]) == ([then], "Pending")
    assert pod.reasons() == events
    pod.config = KubeletConfig(rules=())
    assert pod.go_on().after == ()
    assert pod.condition("Ready")["status"] == "True"


def test_what_fails_is_tried_again_after_longer_and_longer() -> None:
    pod = Pod("missing", config=KubeletConfig(back_off=1, back_off_limit=5))
    pod.tried(5)
    assert [step.after for step in pod.steps[2:]] == [(1,), (2,), (4,), (5,), (5,)]


def test_a_crash_loop_counts_restarts_and_tells_how_it_ended() -> None:
    """It runs for a moment, ends as its rule says, and backs off; the pod's phase stays Running."""
    rule = Rule("crashing", Behaviour.CRASHES, exit_code=42)
    pod = Pod("crashing", config=KubeletConfig(rules=(rule,)))
    assert pod.tried().after == (0.2,)
    assert "running" in pod.status["containerStatuses"][0]["state"]
    pod.go_on(5)
    (container,) = pod.status["containerStatuses"]
    assert (pod.waiting(), container["restartCount"]) == (["CrashLoopBackOff"], 3)
    assert container["lastState"]["terminated"]["exitCode"] == 42
    assert pod.status["phase"] == "Running"
    assert pod.reasons() == ["BackOff"] * 3


def test_an_image_can_recover_after_some_attempts() -> None:
    pod = Pod("flaky", config=KubeletConfig(rules=(Rule("flaky", Behaviour.CRASHES, recovers_after=4),)))
    pod.tried(4)
    assert pod.condition("Ready")["status"] == "False"
    assert pod.go_on().after == ()
    assert pod.condition("Ready")["status"] == "True"
    assert pod.status["containerStatuses"][0]["restartCount"] == 2


def test_a_pod_no_node_can_take() -> None:
    """It is looked at again and again."""
    pod = Pod("unschedulable")
    step = pod.go_on()
    assert (step.binds, step.after, pod.life.stage) == (False, (30.0,), Stage.BIND)
    [condition] = pod.status["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "Unschedulable")
    assert (step.component, pod.reasons()) == ("default-scheduler", ["FailedScheduling"])


def test_a_node_under_pressure_evicts_and_takes_no_pods() -> None:
    pod = Pod("evicted")
    step = pod.tried()
    assert (step.evicts, step.after) == (True, ())
    assert (pod.status["phase"], pod.status["reason"]) == ("Failed", "Evicted")
    assert pod.status["message"].startswith("The node was low on resource: memory.")
    assert "containerStatuses" not in pod.status
    waits = Pod("nginx")
    assert not waits.go_on(under_pressure=True).binds
    assert (
        "untolerated taint {node.kubernetes.io/memory-pressure: }"
        in waits.condition("PodScheduled")["message"]
    )


def test_a_running_pod_can_get_unready() -> None:
    pod = Pod("nginx")
    pod.tried()
    step = lifecycle.set_ready(pod.life, pod.object, False, LATER)
    assert step.status is not None
    assert [each["ready"] for each in step.status["containerStatuses"]] == [False]


@pytest.mark.parametrize("node", ["another", NODE])
def test_pods_on_another_node_or_that_are_ready_are_left_alone(node: str) -> None:
    """Those are another kubelet's, or need nothing."""
    pod = Pod("nginx")
    pod.tried()
    pod.object["spec"]["nodeName"] = node
    if node != NODE:
        pod.object["status"] = {}
    assert lifecycle.begin(pod.object, 2) is None


def test_addresses_differ() -> None:
    pod = Pod("nginx").object
    lives = [lifecycle.begin(pod, number) for number in range(1000)]
    assert len({life.address for life in lives if life}) == 1000


def test_events_name_the_container_as_kubelets_do() -> None:
    """Which is how the reason of a stall is found."""
    pod = Pod("nginx:missing")
    happening = pod.tried().events[0]
    written = event(pod.object, happening, "n", "kubelet", NODE, NOW)
    assert written["message"].startswith('Failed to pull image "nginx:missing": rpc error')
    assert written["involvedObject"]["fieldPath"] == "spec.containers{c0}"


def test_the_first_rule_that_fits_an_image_counts() -> None:
    """So rules of one's own go before the usual ones; without a fitting rule an image runs."""
    rules = (Rule("a:1", Behaviour.CRASHES), Rule("a", Behaviour.NEVER_READY, ready_after=30), *DEFAULT_RULES)
    config = KubeletConfig(rules=rules)
    assert config.behaviour("a:1.2") is Behaviour.CRASHES
    assert config.behaviour("ba") is Behaviour.NEVER_READY
    assert config.behaviour("x") is Behaviour.RUNS
    assert (config.ready_delay("ba"), config.ready_delay("x")) == (30, 0.5)
