"""What a pod's status says in each state, as a kubelet words it."""

from __future__ import annotations

from testing.controlplane.kubelet import Behaviour, KubeletConfig, Rule
from testing.controlplane.pod_status import Container, Json, State, event, happenings, pod_status

NOW = "2026-01-02T03:04:05Z"


def status(*states: State) -> Json:
    """The status of a pod with a container for each state."""
    containers = [Container(f"c{i}", f"image{i}", state, NOW) for i, state in enumerate(states)]
    return pod_status(containers, "10.244.0.9", NOW, NOW)


def condition(of: Json, kind: str) -> Json:
    """One condition of a status."""
    found: Json = next(c for c in of["conditions"] if c["type"] == kind)
    return found


def test_a_pod_with_all_containers_ready_is_ready() -> None:
    """And it clears the reason that it had while it was not: a strategic patch would keep it."""
    ready = status(State.READY, State.READY)
    assert ready["phase"] == "Running"
    assert condition(ready, "Ready")["status"] == "True"
    assert condition(ready, "Ready")["reason"] is None
    assert all(c["ready"] for c in ready["containerStatuses"])


def test_one_unready_container_makes_the_pod_unready() -> None:
    """It runs all the same, and the condition names the container."""
    unready = status(State.READY, State.UNREADY)
    assert unready["phase"] == "Running"
    assert condition(unready, "Ready")["status"] == "False"
    assert condition(unready, "Ready")["message"] == "containers with unready status: [c1]"


def test_an_image_that_cannot_be_pulled_keeps_the_pod_pending() -> None:
    """With the reason kubectl shows."""
    failed = status(State.PULL_BACK_OFF)
    assert failed["phase"] == "Pending"
    waiting = failed["containerStatuses"][0]["state"]["waiting"]
    assert waiting == {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "image0"'}


def test_a_crash_loop_counts_restarts_and_tells_how_it_ended() -> None:
    """The pod's phase stays Running."""
    crashed = pod_status([Container("c", "i", State.CRASH_BACK_OFF, NOW, restarts=3)], "", NOW, NOW)
    container = crashed["containerStatuses"][0]
    assert crashed["phase"] == "Running"
    assert container["restartCount"] == 3
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["exitCode"] == 1


def test_events_name_the_container_as_kubelets_do() -> None:
    """Which is how the reason of a stall is found."""
    container = Container("web", "nginx:missing", State.PULL_FAILED, NOW)
    pod = {"metadata": {"namespace": "ns", "name": "web-1", "uid": "u"}}
    written = [event(pod, happening, "n", "node", NOW) for happening in happenings(container)]
    assert [e["reason"] for e in written] == ["Failed", "Failed"]
    assert written[0]["message"].startswith('Failed to pull image "nginx:missing": rpc error')
    assert written[1]["message"] == "Error: ErrImagePull"
    assert written[0]["involvedObject"]["fieldPath"] == "spec.containers{web}"


def test_the_first_rule_that_fits_an_image_counts() -> None:
    """So rules of one's own go before the usual ones; without a fitting rule an image runs."""
    config = KubeletConfig(rules=(Rule("a:1", Behaviour.CRASHES), Rule("a", Behaviour.NEVER_READY)))
    assert config.rule("a:1.2").behaviour is Behaviour.CRASHES
    assert config.rule("ba").behaviour is Behaviour.NEVER_READY
    assert config.rule("x").behaviour is Behaviour.RUNS
