"""Watches in fake time, and the history that they are served from; tests/contract has what is answered."""

from __future__ import annotations

import pytest

from testing.sandbox import Json, Sandbox
from tests.sandbox.worlds import CONTROLLERS, PODS, controller, pod

LABELLED: dict[str, dict[str, str]] = {
    "a": {"app": "x", "tier": "front"},
    "b": {"app": "y"},
    "c": {"tier": "back"},
    "d": {},
}


@pytest.fixture
def world() -> Sandbox:
    """Four pods that nothing happens to."""
    sandbox = Sandbox(kubelet=None)
    for name, labels in LABELLED.items():
        sandbox.create(pod(name, **labels))
    return sandbox


def seen(events: list[Json]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def test_a_short_watch_gets_no_bookmark(world: Sandbox) -> None:
    """There is one two seconds before the end; a watch of two seconds is over before."""
    query = {"watch": "1", "timeoutSeconds": "2", "allowWatchBookmarks": "true", "labelSelector": "no=body"}
    watch = world.request("GET", PODS, query).watch
    assert watch is not None
    world.advance(3)
    assert watch.closed
    assert watch.pending() == []


def test_a_watch_ends_at_its_timeout_with_a_bookmark(world: Sandbox) -> None:
    version = str(world.store.version)
    query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "90", "allowWatchBookmarks": "true"}
    watch = world.request("GET", PODS, query).watch
    assert watch is not None
    world.create(controller(replicas=0))
    world.advance(100)

    events = watch.pending()
    assert [event["type"] for event in events] == ["BOOKMARK", "BOOKMARK"]
    assert int(events[-1]["object"]["metadata"]["resourceVersion"]) > int(version)
    assert watch.closed


@pytest.mark.parametrize(("minor", "told"), [(36, ["ADDED"] * 4 + ["BOOKMARK"]), (20, ["ADDED"] * 4)])
def test_a_watch_may_begin_with_a_list(world: Sandbox, minor: int, told: list[str]) -> None:
    """As kubectl waits for something today: a bookmark says where the list ends. Old servers have none."""
    world.upgrade(minor)
    query = {"watch": "1", "sendInitialEvents": "true", "allowWatchBookmarks": "true"}
    watch = world.request("GET", PODS, {**query, "resourceVersionMatch": "NotOlderThan"}).watch
    assert watch is not None
    events = watch.pending()
    assert [event["type"] for event in events] == told
    annotations = events[-1]["object"]["metadata"].get("annotations", {})
    assert annotations.get("k8s.io/initial-events-end") == ("true" if minor == 36 else None)
    world.create(pod("e"))
    assert seen(watch.pending()) == [("ADDED", "e")]


def test_a_watch_from_a_compacted_version_ends_with_an_error(world: Sandbox) -> None:
    """On the stream, as the real server does; or as an HTTP status, which clients must take as well."""
    world.create(pod("e"))
    world.compact()
    query = {"watch": "1", "resourceVersion": "1"}
    watch = world.request("GET", PODS, query).watch
    world.reading.expired_watch = "status"
    refused = world.request("GET", PODS, query)

    assert watch is not None
    [event] = watch.pending()
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")
    assert watch.closed
    assert (refused.status, refused.reason) == (410, "Expired")


def test_an_open_watch_can_expire_under_its_reader(world: Sandbox) -> None:
    watch = world.subscribe("pods", "default")
    watch.expire()
    assert [event["type"] for event in watch.pending()] == ["ERROR"]
    assert watch.closed


def test_a_closed_watch_hears_nothing(world: Sandbox) -> None:
    watch = world.subscribe("pods", "default")
    watch.close()
    world.create(pod("e"))
    assert not watch.pending()


def test_a_subscription_follows_one_object_by_name(world: Sandbox) -> None:
    called: list[Json] = []
    watch = world.subscribe("rc", "default", "web")
    watch.on_event.append(called.append)
    world.create(controller(replicas=0))
    world.create(controller("other", replicas=0))

    assert watch.has_pending
    assert seen(watch.pending()) == seen(called) == [("ADDED", "web")]


def test_history_is_forgotten_by_itself_when_it_grows() -> None:
    world = Sandbox(kubelet=None, history_limit=10)
    for number in range(30):
        world.create(pod(f"p{number}"))
    assert world.store.compacted > 1
    watch = world.request("GET", PODS, {"watch": "1", "resourceVersion": "2"}).watch
    assert watch is not None
    assert watch.pending()[0]["type"] == "ERROR"


def test_a_list_can_be_of_an_exact_earlier_version(world: Sandbox) -> None:
    version = str(world.store.version)
    world.delete("pods", "default", "a")
    query = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    assert len(world.request("GET", PODS, query).body["items"]) == 4
    assert world.request("GET", CONTROLLERS, query).body["items"] == []
