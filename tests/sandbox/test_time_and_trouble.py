"""The clock, determinism, listeners, and faults on demand."""

from __future__ import annotations

import time

import pytest

from testing.sandbox import Change, DroppedError, Request, Response, Sandbox
from tests.sandbox.worlds import CONTROLLERS, controller, running, status_of


def test_nothing_happens_until_time_is_advanced() -> None:
    world = Sandbox()
    world.create(controller())
    assert not world.pods()
    assert world.run_next()
    assert 0 < world.now() < 0.1
    world.advance(2)
    assert 2 < world.now() < 2.1
    assert len(world.pods()) == 2


def test_advancing_until_something_ends_at_that_moment_or_at_the_limit() -> None:
    world = Sandbox()
    world.create(controller())
    assert world.advance_until(lambda: len(world.pods()) == 2, 10)
    assert world.now() < 0.1
    assert not world.advance_until(lambda: False, 10)
    assert 10 < world.now() < 10.1


def test_the_same_seed_gives_the_same_history() -> None:
    def history(seed: int) -> list[tuple[str, str, str]]:
        world = Sandbox(seed=seed)
        found: list[tuple[str, str, str]] = []
        world.on_write(lambda change: found.append((change.verb, change.name, change.actor)))
        running(world)
        world.scale("default", "web", 4)
        world.settle()
        return found

    assert history(3) == history(3)
    assert history(3) != history(4)


def test_listeners_hear_of_every_write_with_who_and_what() -> None:
    """What invariants in property tests are made of."""
    world = Sandbox()
    changes: list[Change] = []
    world.on_write(changes.append)
    running(world, replicas=1)
    world.delete("rc", "default", "web", "Background")

    told = [(change.verb, change.resource.plural, change.actor) for change in changes]
    assert told[0] == ("create", "replicationcontrollers", "client")
    assert ("create", "pods", "replication-controller") in told
    assert ("update", "pods", "kubelet") in told
    assert changes[0].old is None
    assert changes[-1].verb == "delete"
    assert changes[-1].new is None
    assert [change.version for change in changes] == sorted({change.version for change in changes})


def test_a_thousand_pods_and_many_worlds_are_quick() -> None:
    """Property tests run thousands of worlds; a rough limit, ten times what it takes."""
    start = time.perf_counter()
    for seed in range(20):
        world = Sandbox(seed=seed)
        running(world, replicas=10)
    assert (time.perf_counter() - start) / 20 < 0.1
    world = Sandbox()
    start = time.perf_counter()
    running(world, replicas=1000)
    assert time.perf_counter() - start < 20


def test_the_next_write_can_be_made_to_fail() -> None:
    world = Sandbox()
    world.create(controller())
    world.fail_next(status=429, retry_after=7)
    read = world.request("GET", f"{CONTROLLERS}/web")
    refused = world.request("DELETE", f"{CONTROLLERS}/web")

    assert read.ok
    assert (refused.status, refused.reason) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "7"
    assert refused.body["details"]["retryAfterSeconds"] == 7
    assert world.scale("default", "web", 1), "only the next one"


def test_faults_go_by_method_and_path_and_number() -> None:
    world = Sandbox()
    world.create(controller())
    world.fail_next("GET", "/replicationcontrollers/web", status=503, times=2)
    answers = [world.request("GET", f"{CONTROLLERS}/{name}").status for name in ("x", "web", "web", "web")]
    assert answers == [404, 503, 503, 200]


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_can_be_lost_before_or_after_the_effect(after: bool) -> None:
    """The client can't tell which: that is the point."""
    world = Sandbox()
    world.fail_next("POST", status=None, after=after)
    with pytest.raises(DroppedError):
        world.create(controller())
    assert (world.find("rc", "default", "web") is not None) == after


def test_an_interceptor_may_answer_or_let_pass() -> None:
    world = Sandbox()
    asked: list[str] = []

    def intercept(request: Request) -> Response | None:
        asked.append(f"{request.method} {request.path}")
        return Response(403, {"reason": "Forbidden"}) if request.method == "DELETE" else None

    world.intercept(intercept)
    world.create(controller())
    refused = world.request("DELETE", f"{CONTROLLERS}/web")
    assert asked == [f"POST {CONTROLLERS}", f"DELETE {CONTROLLERS}/web"]
    assert (refused.status, refused.reason) == (403, "Forbidden")


def test_warnings_come_as_a_header() -> None:
    world = Sandbox()
    world.warn("v1 is old", method="POST")
    made = world.request("POST", CONTROLLERS, body=controller())
    read = world.request("GET", f"{CONTROLLERS}/web")
    assert made.headers["Warning"] == '299 - "v1 is old"'
    assert "Warning" not in read.headers


def test_a_conflict_can_be_provoked_between_a_look_and_a_write() -> None:
    """A listener can't write, but an interceptor can: somebody else is quicker, once."""
    world = Sandbox()
    running(world)

    def scale_first(request: Request) -> Response | None:
        world.api.faults.interceptors.clear()
        world.scale("default", "web", 4)
        return None

    seen = world.get("rc", "default", "web")
    world.intercept(scale_first)
    answer = world.request("PUT", f"{CONTROLLERS}/web", body=seen)
    assert answer.status == 409
    assert world.settle()
    assert status_of(world)["replicas"] == 4


def test_quotas_count_what_is_stored_and_say_what_is_used() -> None:
    world = Sandbox(kubelet=None)
    hard = {"count/replicationcontrollers": "1", "pods": "2"}
    world.create({"kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}})
    world.create(controller(replicas=1))
    world.settle()
    refused = world.request("POST", CONTROLLERS, body=controller("other"))

    assert refused.status == 403
    assert refused.body["message"] == (
        'replicationcontrollers "other" is forbidden: exceeded quota: q, requested: '
        "count/replicationcontrollers=1, used: count/replicationcontrollers=1, "
        "limited: count/replicationcontrollers=1"
    )
    assert world.get("quota", "default", "q")["status"] == {
        "hard": hard,
        "used": {"count/replicationcontrollers": "1", "pods": "1"},
    }


def test_under_the_real_clock_things_happen_by_themselves() -> None:
    with Sandbox(real_time=True) as world:
        world.create(controller())
        deadline = time.monotonic() + 5
        while status_of(world).get("availableReplicas") != 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(TypeError):
            world.advance(1)
