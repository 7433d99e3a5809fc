"""What one pod counts for in a quota."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.pod_resources import PodResources
from rollupdate.core.model.quantity import parse
from testing.objects import Json
from tests.support.manifests import limit_range

ONE = Fraction(1)


def container(requests: Json | None = None, limits: Json | None = None, **more: Any) -> Json:
    return {"name": "c", "resources": {"requests": requests, "limits": limits}, **more}


def counted(spec: Json, *ranges: Json) -> dict[str, Fraction]:
    """Beside the pod itself."""
    found = PodResources.of(spec, ranges).counted
    assert found.pop("pods") == found.pop("count/pods") == 1
    return found


def amounts(**expected: str) -> dict[str, Fraction]:
    return {name.replace("_", ".", 1): parse(text) or Fraction() for name, text in expected.items()}


def test_requests_and_limits() -> None:
    """Each by its own name; of requests also by the short one. A limit is a request, too."""
    spec = {"containers": [container({"cpu": "250m"}, {"memory": "1Gi"}), container({"cpu": "1"})]}
    assert counted(spec) == amounts(
        cpu="1250m", requests_cpu="1250m", memory="1Gi", requests_memory="1Gi", limits_memory="1Gi"
    )
    assert counted({"containers": [{"name": "c"}]}) == {}


def test_the_largest_init_container_if_it_is_more() -> None:
    spec = {
        "containers": [container({"cpu": "1"}), container({"cpu": "1", "memory": "1Gi"})],
        "initContainers": [container({"cpu": "3"}), container({"memory": "512Mi"})],
    }
    assert counted(spec) == amounts(cpu="3", requests_cpu="3", memory="1Gi", requests_memory="1Gi")


def test_sidecars() -> None:
    """They run on beside the containers, and beside the init containers after them."""
    sidecar = container({"cpu": "1"}, restartPolicy="Always")
    spec = {"containers": [container({"cpu": "1"})], "initContainers": [container({"cpu": "3"}), sidecar]}
    assert counted(spec)["cpu"] == 3
    spec["initContainers"].reverse()
    assert counted(spec)["cpu"] == 4


def test_what_is_said_of_the_pod_itself() -> None:
    """It takes the place of what its containers say; what its runtime needs comes on top."""
    spec = {
        "containers": [container({"cpu": "1", "memory": "1Gi"})],
        "resources": {"requests": {"cpu": "4"}},
        "overhead": {"cpu": "500m"},
    }
    assert counted(spec) == amounts(cpu="4500m", requests_cpu="4500m", memory="1Gi", requests_memory="1Gi")


def test_other_resources() -> None:
    """A quota can name requests of extended resources and huge pages."""
    limits = {"example.com/gpu": "2", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1G"}
    found = counted({"containers": [container(None, limits)]})
    assert {name: str(amount) for name, amount in found.items()} == {
        "requests.example.com/gpu": "2",
        "requests.hugepages-2Mi": "4194304",
        "hugepages-2Mi": "4194304",
        "requests.ephemeral-storage": "1000000000",
        "ephemeral-storage": "1000000000",
        "limits.ephemeral-storage": "1000000000",
    }


def test_defaults_of_limit_ranges() -> None:
    """Of a container that does not say them; the first range wins. Other types give none."""
    first = limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "512Mi"})
    second = limit_range(default={"memory": "8Gi", "cpu": "2"}, defaultRequest={"cpu": "1"})
    other = {"spec": {"limits": [{"type": "Pod", "max": {"cpu": "1"}}]}}
    silent, outspoken = container(), container({"memory": "2Gi"}, {"cpu": "3"})
    found = counted({"containers": [silent, outspoken]}, other, first, second)
    assert (found["memory"], found["limits.memory"]) == (parse("2.5Gi"), parse("2Gi"))
    assert (found["cpu"], found["limits.cpu"]) == (Fraction(4), Fraction(5))


def test_best_effort() -> None:
    """No processor time and no memory asked for, by no container."""
    for asked, expected in ((None, True), ({"cpu": "0"}, True), ({"cpu": "1m"}, False), ({"x/y": "1"}, True)):
        assert PodResources.of({"containers": [container(asked)]}).best_effort is expected
        spec = {"containers": [container()], "initContainers": [container(asked)]}
        assert PodResources.of(spec).best_effort is expected
    ranged = PodResources.of({"containers": [container()]}, [limit_range(defaultRequest={"cpu": "1"})])
    assert not ranged.best_effort


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=4), st.lists(st.integers(0, 5000), max_size=3))
def test_a_plain_model(containers: list[int], initial: list[int]) -> None:
    spec = {
        "containers": [container({"cpu": f"{millis}m"}) for millis in containers],
        "initContainers": [container({"cpu": f"{millis}m"}) for millis in initial],
    }
    assert counted(spec)["requests.cpu"] == Fraction(max(sum(containers), *initial, 0), 1000)
