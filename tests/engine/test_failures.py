"""New pods that fail: why is said soon, and what cannot get well stops the update early."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rollupdate.core.model.budget import Amount, Budget
from rollupdate.errors import FailureError
from rollupdate.events import BudgetBroken, Waiting
from rollupdate.rights import CREATE_PODS
from testing.sandbox import DEFAULT_RULES, Behaviour, KubeletConfig, Response, Rule
from tests.engine.inprocess import SandboxCluster
from tests.engine.world import NAME, World, to_image
from tests.support.asking import Asking
from tests.support.manifests import asking_for, limit_range, my_nginx, other_pod, quota

FATAL = {
    "nginx:missing": 'image "nginx:missing" cannot be pulled: failed to pull and unpack image '
    '"nginx:missing": not found',
    "nginx:Misnamed": 'image "nginx:Misnamed" cannot be pulled: Failed to apply default image tag '
    '"nginx:Misnamed": couldn\'t parse image reference "nginx:Misnamed": invalid reference format',
    "nginx:crashing": "container nginx crashes: exit code 1; its log ends: starting nginx:crashing | "
    "error: cannot read /etc/settings: no such file",
    "nginx:bad-config": 'container nginx cannot be started: configmap "settings" not found',
}
PASSING = {
    "nginx:unreachable": 'image "nginx:unreachable" cannot be pulled: failed to pull and unpack image '
    '"nginx:unreachable": failed to do request: Head "https://registry.example/v2/": dial tcp '
    "192.0.2.1:443: i/o timeout",
    "nginx:never-ready": "Readiness probe failed: HTTP probe failed with statuscode: 503",
    "nginx:unschedulable": "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu.",
    "nginx:no-volume": 'volume not mounted: MountVolume.SetUp failed for volume "settings" : configmap '
    '"settings" not found',
    "nginx:evicted": "cannot be scheduled: 0/1 nodes are available: 1 node(s) had untolerated taint "
    "{node.kubernetes.io/memory-pressure: }.",
}
REFUSED = {
    "nginx:refused": 'cannot be created: admission webhook "images.example.com" denied the request: image '
    '"nginx:refused" is not allowed',
}


def waits(world: World) -> list[Waiting]:
    return [each for each in world.events if isinstance(each, Waiting)]


def stopped(world: World, request: Asking) -> FailureError:
    """A run that ends because it gets nowhere."""
    with pytest.raises(FailureError) as caught:
        world.update(request)
    return caught.value


@pytest.mark.parametrize(("image", "reason"), [*FATAL.items(), *PASSING.items(), *REFUSED.items()])
def test_the_reason_is_said_within_five_seconds(image: str, reason: str) -> None:
    """In one line, with the counts, and once; and again as the reason of the stop."""
    world = World(my_nginx(replicas=2))
    error = stopped(world, to_image(image, timeout=60.0))
    first = waits(world)[0]
    assert reason in first.reason
    assert first.reason.startswith(f"0 of 1 pods of {NAME}-")
    assert "\n" not in first.reason
    assert first.seconds <= 5
    assert len(waits(world)) <= 2
    assert error.hint is not None
    assert reason in error.hint


@pytest.mark.parametrize("image", FATAL)
def test_what_cannot_get_well_stops_early(image: str) -> None:
    """After --failure-grace, and long before --timeout; no old pod was touched."""
    world = World(my_nginx(replicas=2))
    started = world.sandbox.now()
    with pytest.raises(FailureError, match=r"the pods of my-nginx-[0-9a-f]{32} fail"):
        world.update(to_image(image, timeout=300.0))
    assert 30 <= world.sandbox.now() - started < 60
    assert world.least_available == 2


@pytest.mark.parametrize("image", [*PASSING, *REFUSED])
def test_what_may_pass_is_waited_for(image: str) -> None:
    """A registry that is away, a readiness probe, a full cluster: no reason to stop before --timeout."""
    world = World(my_nginx(replicas=2))
    started = world.sandbox.now()
    with pytest.raises(FailureError, match="timed out waiting for any update progress to be made"):
        world.update(to_image(image, timeout=120.0))
    assert world.sandbox.now() - started >= 120


def test_the_grace_is_what_the_user_says() -> None:
    """Longer, or (0) not at all."""
    for grace, least in ((90.0, 90), (0.0, 200)):
        world = World(my_nginx(replicas=2))
        started = world.sandbox.now()
        stopped(world, to_image("nginx:missing", timeout=200.0, failure_grace=grace))
        assert least <= world.sandbox.now() - started < least + 30


def test_a_first_restart_is_not_a_failure() -> None:
    """A container that crashed once and then takes its time to get ready is a new pod like any other."""
    rules = (Rule("shaky", Behaviour.CRASHES, recovers_after=3), *DEFAULT_RULES)
    # The first crash is backed off from for longer than the grace.
    kubelet = KubeletConfig(rules=rules, back_off=40.0)
    world = World(my_nginx(replicas=2), kubelet=kubelet)
    world.update(to_image("nginx:shaky"))
    world.assert_clean(NAME, "nginx:shaky", 2)
    assert any("container nginx crashes" in each.reason for each in waits(world))


def test_a_pod_that_crashed_often_and_runs_is_given_its_chance() -> None:
    """It is in the middle of its next attempt when the grace is over: that one succeeds."""
    rules = (Rule("shaky", Behaviour.CRASHES, recovers_after=5), *DEFAULT_RULES)
    # Runs for 50 s before it crashes, backs off for 10 s; the third run gets ready.
    kubelet = KubeletConfig(rules=rules, back_off=250.0, back_off_limit=10.0)
    world = World(my_nginx(replicas=2), kubelet=kubelet)
    world.update(to_image("nginx:shaky"))
    world.assert_clean(NAME, "nginx:shaky", 2)


def test_an_eviction_is_told_and_stops_nothing() -> None:
    """Node pressure: the pod is gone, its successor waits for the node, and then it goes on."""
    rules = (Rule("nginx:1.9.1", Behaviour.EVICTED), *DEFAULT_RULES)
    world = World(my_nginx(replicas=2), kubelet=KubeletConfig(rules=rules, pressure=100.0))

    def relief() -> None:
        world.sandbox.kubelet.config = KubeletConfig(pressure=100.0)

    world.sandbox.clock.schedule(20, relief)
    world.update(to_image("nginx:1.9.1", failure_grace=5.0))
    told = " ".join(each.reason for each in waits(world))
    assert "1 pod: Evicted: The node was low on resource: memory." in told
    assert "untolerated taint {node.kubernetes.io/memory-pressure: }" in told


def test_told_to_wait_it_waits() -> None:
    """--on-failure=wait: neither grace nor timeout stops it, and it goes on when the image is there."""
    world = World(my_nginx(replicas=2))
    image_comes_at = world.sandbox.now() + 900

    def heal() -> None:
        world.sandbox.kubelet.config = KubeletConfig(rules=())

    world.sandbox.clock.schedule(900, heal)
    world.update(to_image("nginx:missing", on_failure="wait", timeout=60.0))
    assert world.sandbox.now() >= image_comes_at
    world.assert_clean(NAME, "nginx:missing", 2)


# --- pods that cannot be made ---


def test_a_quota_that_stops_the_surge() -> None:
    """No pod can be made: the server's own words say why."""
    world = _full()
    error = stopped(world, to_image(timeout=60.0))
    assert error.message.startswith("timed out")
    first = waits(world)[0]
    assert first.seconds <= 5
    assert re.search(
        r"; pods of my-nginx-\w+ cannot be created: exceeded quota: few, requested: pods=1, used: pods=3, "
        r"limited: pods=3$",
        first.reason,
    )
    assert len(waits(world)) <= 2
    world.update(to_image(rollback=True))
    world.sandbox.delete("pods", "default", "other")
    world.assert_clean(NAME, "nginx:1.7.9", 2)


def _full() -> World:
    """Two pods, and one of somebody else: as many as a quota allows."""
    world = World(my_nginx(replicas=2))
    world.sandbox.create(quota({"pods": "3"}))
    world.sandbox.create(other_pod())
    world.sandbox.settle()
    return world


def test_what_is_said_of_pods_that_cannot_be_made_is_what_is_so_now() -> None:
    """The controller's condition keeps the first reason; its events have the newest."""
    world = _full()

    def another_reason() -> None:
        rules = (Rule("nginx:1.9.1", Behaviour.REFUSED), *DEFAULT_RULES)
        world.sandbox.kubelet.config = KubeletConfig(rules=rules)

    world.sandbox.clock.schedule(20, another_reason)
    error = stopped(world, to_image("nginx:1.9.1", timeout=120.0))
    assert "exceeded quota: few" in waits(world)[0].reason
    assert 'image "nginx:1.9.1" is not allowed' in str(error.hint)


def test_a_container_larger_than_the_limit_range_allows() -> None:
    """The limit, and what the pod wants."""
    world = World(asking_for(my_nginx(replicas=2), limits={"memory": "2Gi"}))
    world.sandbox.create(limit_range(max={"memory": "512Mi"}))
    user = SandboxCluster(world.sandbox, denied=frozenset({CREATE_PODS}))  # who may, is told before
    with pytest.raises(FailureError):
        world.update_with(user, to_image(timeout=60.0))
    said = "cannot be created: maximum memory usage per Container is 512Mi, but limit is 2Gi"
    assert waits(world)[0].reason.endswith(said)


# --- logs ---


def test_what_a_container_prints_is_one_bounded_line() -> None:
    """Of much text the end; colours and line ends are gone, and what else might drive a terminal is left to
    the report, which escapes it."""
    log = "\x1b[31mfirst\x1b[0m\n\n" + "\n".join(f"line {n}  {'x' * 200}" for n in range(100)) + "\nthe end\n"
    rules = (Rule("crashing", Behaviour.CRASHES, exit_code=42, log=log),)
    world = World(my_nginx(replicas=2), kubelet=KubeletConfig(rules=rules))
    stopped(world, to_image("nginx:crashing", timeout=60.0))
    reason = waits(world)[0].reason
    assert "container nginx crashes: exit code 42; its log ends: …" in reason
    assert reason.endswith(" | the end")
    assert len(reason) < 600


@pytest.mark.parametrize(
    ("path", "status", "still"),
    [
        ("/log", 403, "container nginx crashes: exit code 1"),
        ("/log", 500, "container nginx crashes: exit code 1"),
        ("/log", 400, "container nginx crashes: exit code 1"),
        ("/events", 403, "container nginx crashes: exit code 1; its log ends: "),
        ("/pods", 403, "0 of 1 pods of my-nginx-"),
    ],
)
def test_what_cannot_be_read_is_done_without(path: str, status: int, still: str) -> None:
    """A missing right, a node that is away: the rest is told, the update is the same."""
    world = World(my_nginx(replicas=2, labels={"deployment": "v1"}))
    asked: list[str] = []

    def refuse(request: Any) -> Response | None:
        if request.method != "GET" or not request.path.endswith(path):
            return None
        asked.append(request.path)
        body = {"kind": "Status", "reason": "Forbidden", "message": "no", "code": status}
        return Response(status, body)

    world.sandbox.intercept(refuse)
    error = stopped(world, to_image("nginx:crashing", timeout=60.0))
    assert still in waits(world)[0].reason
    assert still in str(error.hint)
    assert asked
    if status == 403:
        # A right that is not there is not asked for again and again: once for what runs, once for a stall.
        assert len(asked) == (2 if path == "/pods" else 1)


@pytest.mark.parametrize("image", ["nginx:missing", "nginx:crashing"])
def test_the_log_is_read_once_for_each_crash(image: str) -> None:
    """And never of a pod that does not crash."""
    world = World(my_nginx(replicas=2))
    read: list[tuple[str, int]] = []

    def note(request: Any) -> Response | None:
        if request.path.endswith("/log"):
            pod = world.sandbox.find("pods", "default", request.path.split("/")[-2])
            assert pod is not None
            read.append((request.path, pod["status"]["containerStatuses"][0]["restartCount"]))
        return None

    world.sandbox.intercept(note)
    stopped(world, to_image(image, timeout=60.0))
    assert bool(read) == (image == "nginx:crashing")
    assert len(read) == len(set(read))


# --- disruption budgets ---


def _budget(name: str, **spec: Any) -> dict[str, Any]:
    spec = {"selector": {"matchLabels": {"app": "nginx"}}, **spec}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": spec,
    }


def test_a_disruption_budget_that_the_update_falls_short_of_is_told() -> None:
    """Only where --max-unavailable is meant, and only of those that cover these pods."""
    for unavailable, expected in ((0, []), (1, [("tight", 4, 3)])):
        world = World(my_nginx(replicas=4))
        world.sandbox.create(_budget("tight", minAvailable="100%"))
        world.sandbox.create(_budget("loose", maxUnavailable=1))
        others = {"matchLabels": {"app": "other"}}
        world.sandbox.create(_budget("of-others", minAvailable=4, selector=others))
        budget = Budget(Amount(0 if unavailable else 1), Amount(unavailable))
        cluster = world.update(to_image(budget=budget))
        told = [event for event in world.events if isinstance(event, BudgetBroken)]
        assert [(event.budget, event.asked, event.floor) for event in told] == expected
        asked = [each for each in cluster.requests if "poddisruptionbudgets" in each]
        assert len(asked) == 1  # it is looked at before every update
        world.assert_clean(NAME, "nginx:1.9.1", 4)
