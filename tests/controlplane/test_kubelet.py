"""The hollow kubelet on a real plane: what tests/contract does not show of it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import pytest

from testing.controlplane.kubelet import HollowKubelet
from testing.controlplane.private import PrivatePlane
from testing.kubelet.behaviour import KubeletConfig
from testing.namespace import Namespace
from testing.objects import Json
from tests.support.manifests import my_nginx

pytestmark = pytest.mark.realplane


@pytest.fixture
def kubelet(own_plane: PrivatePlane) -> Iterator[HollowKubelet]:
    """The plane's kubelet with short delays; its configuration is put back."""
    kubelet = own_plane.kubelet
    assert kubelet is not None
    with kubelet.configured(dataclasses.replace(kubelet.config, ready_after=0.1, back_off=0.2)):
        yield kubelet


def all_pods(namespace: Namespace) -> list[Json]:
    """Those that are being deleted, too."""
    return list(namespace.client.get(namespace.path("pods"))["items"])


def waiting_reasons(namespace: Namespace) -> set[str]:
    """Why containers wait; empty for one that does not."""
    return {
        container["state"].get("waiting", {}).get("reason", "")
        for pod in namespace.pods()
        for container in pod["status"].get("containerStatuses", [])
    }


def test_an_image_that_cannot_be_pulled_is_tried_again_and_again(
    kubelet: HollowKubelet, namespace: Namespace
) -> None:
    """One event counts how often; once the image is there the pods run by themselves."""
    namespace.create(my_nginx("web", replicas=2, image="missing"))
    namespace.wait(lambda: waiting_reasons(namespace) == {"ImagePullBackOff"}, "the pods back off")
    time.sleep(1)
    assert waiting_reasons(namespace) == {"ImagePullBackOff"}

    def backed_off() -> int:
        events = namespace.client.get(namespace.path("events"))["items"]
        return max((each["count"] for each in events if each["reason"] == "BackOff"), default=0)

    namespace.wait(lambda: backed_off() > 2, "an event counts more than two attempts")
    kubelet.config = KubeletConfig(rules=())
    namespace.wait_available("web", 2)


def test_deletion_finishes_whatever_the_pods_do(kubelet: HollowKubelet, namespace: Namespace) -> None:
    """A pod that is bound goes only when its kubelet says so."""
    for image in ("nginx", "missing", "crashing"):
        namespace.create(my_nginx(image, replicas=2, image=image, labels={"app": image}))
    reported = "all pods have been reported on"
    namespace.wait(
        lambda: sum(bool(pod["status"].get("containerStatuses")) for pod in namespace.pods()) == 6, reported
    )
    for image in ("nginx", "missing", "crashing"):
        namespace.delete(image)
    namespace.wait(lambda: not all_pods(namespace), "no pods are left")


def test_a_pod_takes_its_time_to_end(kubelet: HollowKubelet, namespace: Namespace) -> None:
    """Meanwhile it is there with a deletion timestamp, and not counted any more."""
    kubelet.config = dataclasses.replace(kubelet.config, terminate_after=1.5)
    manifest = my_nginx("web", replicas=1)
    manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 30
    namespace.have(manifest)
    namespace.scale("web", 0)
    namespace.wait_available("web", 0)
    (pod,) = all_pods(namespace)
    assert "deletionTimestamp" in pod["metadata"]
    namespace.wait(lambda: not all_pods(namespace), "the pod is gone")


def test_it_keeps_up_with_hundreds_of_pods(kubelet: HollowKubelet, namespace: Namespace) -> None:
    """Measured: a thousand in 6 s on two cores."""
    namespace.create(my_nginx("web", replicas=300))
    namespace.wait(lambda: namespace.has_available("web", 300), "300 pods are available", 300)
    namespace.delete("web")
    namespace.wait(lambda: not all_pods(namespace), "no pods are left", 300)
