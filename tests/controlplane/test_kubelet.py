"""The hollow kubelet on a real plane: pods become ready, or fail the way their image says, and go away."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import pytest

from testing.controlplane.kubelet import Behaviour, HollowKubelet, KubeletConfig, Rule
from testing.controlplane.private import PrivatePlane
from tests.controlplane.cluster import Workload, wait

pytestmark = pytest.mark.realplane


@pytest.fixture
def kubelet(own_plane: PrivatePlane) -> Iterator[HollowKubelet]:
    """The plane's kubelet with short delays; its configuration is put back."""
    assert own_plane.kubelet is not None
    before = own_plane.kubelet.config
    own_plane.kubelet.config = dataclasses.replace(before, ready_after=0.1, back_off=0.2)
    yield own_plane.kubelet
    own_plane.kubelet.config = before


def test_pods_of_a_controller_become_ready(own_plane: PrivatePlane, namespace: str) -> None:
    """Bound, with an address each, Running, and counted by the controller."""
    web = Workload(own_plane.admin, namespace, "web", "nginx")
    web.create(3)
    web.wait_available(3)
    pods = web.pods()
    assert {pod["spec"]["nodeName"] for pod in pods} == {"hollow-node"}
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert len({pod["status"]["podIP"] for pod in pods}) == 3


def test_readiness_takes_as_long_as_set(
    own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str
) -> None:
    """A rule's latency counts before the kubelet's own."""
    slow = Rule("slow", ready_after=1.5)
    kubelet.config = dataclasses.replace(kubelet.config, rules=(slow, *kubelet.config.rules))
    web = Workload(own_plane.admin, namespace, "web", "slow")
    started = time.monotonic()
    web.create(1)
    wait(lambda: web.waiting_reasons() == {"ContainerCreating"})
    web.wait_available(1)
    assert time.monotonic() - started >= 1.5


def test_an_image_that_cannot_be_pulled_stays_in_back_off(
    own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str
) -> None:
    """Pending and never ready; once the image is there the pod runs by itself."""
    web = Workload(own_plane.admin, namespace, "web", "registry.example/web:missing")
    web.create(2)
    wait(lambda: web.waiting_reasons() == {"ImagePullBackOff"})
    time.sleep(1)
    assert web.waiting_reasons() == {"ImagePullBackOff"}
    assert {pod["status"]["phase"] for pod in web.pods()} == {"Pending"}
    wait(lambda: web.events().get("BackOff", 0) > 2)
    assert set(web.events()) == {"Failed", "BackOff"}
    kubelet.config = KubeletConfig(rules=())
    web.wait_available(2)


def test_a_crash_loop(own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str) -> None:
    """Restarts are counted, and the pod is never ready."""
    web = Workload(own_plane.admin, namespace, "web", "crashing")
    web.create(1)
    wait(lambda: any(c["restartCount"] >= 2 for c in web.containers()))
    wait(lambda: web.waiting_reasons() == {"CrashLoopBackOff"})
    assert own_plane.admin.get(web.path)["status"].get("readyReplicas", 0) == 0
    assert web.events()["BackOff"] >= 1


def test_a_pod_that_never_gets_ready(own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str) -> None:
    """It runs, and its probe fails."""
    web = Workload(own_plane.admin, namespace, "web", "never-ready")
    web.create(1)
    wait(lambda: web.events().get("Unhealthy", 0) >= 2)
    (pod,) = web.pods()
    assert pod["status"]["phase"] == "Running"
    assert [c["ready"] for c in web.containers()] == [False]


@pytest.mark.parametrize("image", ["nginx", "missing", "crashing"])
def test_deletion_finishes_whatever_the_pods_do(
    own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str, image: str
) -> None:
    """A pod that is bound goes only when its kubelet says so."""
    web = Workload(own_plane.admin, namespace, "web", image)
    web.create(2)
    wait(lambda: len(web.containers()) == 2)
    web.delete()
    wait(lambda: not web.pods())


def test_a_pod_takes_its_time_to_end(own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str) -> None:
    """Meanwhile it is there with a deletion timestamp, and not counted any more."""
    kubelet.config = dataclasses.replace(kubelet.config, terminate_after=1.5)
    web = Workload(own_plane.admin, namespace, "web", "nginx")
    web.create(1)
    web.wait_available(1)
    web.scale(0)
    web.wait_available(0)
    (pod,) = web.pods()
    assert "deletionTimestamp" in pod["metadata"]
    wait(lambda: not web.pods())


def test_it_keeps_up_with_hundreds_of_pods(
    own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str
) -> None:
    """Measured: a thousand in 6 s on two cores."""
    web = Workload(own_plane.admin, namespace, "web", "nginx")
    web.create(300)
    web.wait_available(300, seconds=300)
    web.delete()
    wait(lambda: not web.pods(), seconds=300)


def test_behaviours_have_names_for_the_command_line() -> None:
    """As ``--rule SUBSTRING=BEHAVIOUR`` takes them."""
    assert {b.value for b in Behaviour} == {"runs", "pull-fails", "crashes", "never-ready"}


def test_what_a_crash_leaves(own_plane: PrivatePlane, kubelet: HollowKubelet, namespace: str) -> None:
    """Exit code and log are what the rule says; the log comes through the API server."""
    rule = Rule("crashing", Behaviour.CRASHES, exit_code=42, log="a\nb\nc\n")
    kubelet.config = dataclasses.replace(kubelet.config, rules=(rule,))
    web = Workload(own_plane.admin, namespace, "web", "crashing")
    web.create(1)
    wait(lambda: web.waiting_reasons() == {"CrashLoopBackOff"})
    assert [c["lastState"]["terminated"]["exitCode"] for c in web.containers()] == [42]
    (pod,) = web.pods()
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/log"
    assert own_plane.admin.get(path, previous="true", tailLines=2)["text"] == "b\nc\n"
