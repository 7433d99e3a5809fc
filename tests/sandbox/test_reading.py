"""Lists, selectors, pages and watches."""

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


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", "abcd"),
        ("app", "ab"),
        ("!app", "cd"),
        ("app=x", "a"),
        ("app==x", "a"),
        ("app!=x", "bcd"),
        ("app in (x,y)", "ab"),
        ("app notin (x)", "bcd"),
        ("app,tier", "a"),
        ("app=x,tier!=back", "a"),
        ("tier in (front, back),!app", "c"),
        ("app=", ""),
    ],
)
def test_label_selectors(world: Sandbox, selector: str, found: str) -> None:
    assert "".join(pod["metadata"]["name"] for pod in world.pods(selector=selector)) == found


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a b", "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
    ],
)
def test_label_selectors_that_do_not_parse(world: Sandbox, selector: str, message: str) -> None:
    answer = world.request("GET", PODS, {"labelSelector": selector})
    assert (answer.status, answer.body["message"]) == (400, message)


def test_field_selectors(world: Sandbox) -> None:
    """By name everywhere, by node and phase for pods; what a kind can't be selected by is 400."""
    by_name = world.objects("pods", "default", fields="metadata.name=b,metadata.namespace=default")
    pending = world.objects("pods", "default", fields="status.phase=Pending,spec.nodeName=")
    none = world.objects("pods", "default", fields="status.phase!=Pending")
    unknown = world.request("GET", PODS, {"fieldSelector": "spec.foo=1"})

    assert [pod["metadata"]["name"] for pod in by_name] == ["b"]
    assert len(pending) == 4
    assert not none
    assert (unknown.status, unknown.body["message"]) == (400, "field label not supported: spec.foo")


def test_items_of_a_list_have_no_kind_of_their_own(world: Sandbox) -> None:
    """As the real server sends them; whoever needs one has to add it."""
    found = world.request("GET", PODS).body
    assert found["kind"] == "PodList"
    assert not any("kind" in item or "apiVersion" in item for item in found["items"])


def test_pages_are_of_one_moment(world: Sandbox) -> None:
    """What is created or deleted between two pages is not seen in the second."""
    first = world.request("GET", PODS, {"limit": "2"}).body
    world.delete("pods", "default", "c")
    world.create(pod("bb"))
    rest = world.request("GET", PODS, {"limit": "2", "continue": first["metadata"]["continue"]}).body

    assert first["metadata"]["remainingItemCount"] == 2
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d"]
    assert rest["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


def test_a_page_from_a_compacted_version_is_gone(world: Sandbox) -> None:
    """410, with a token to go on inconsistently for those who want to."""
    first = world.request("GET", PODS, {"limit": "2"}).body
    world.create(pod("e"))
    world.compact()
    gone = world.request("GET", PODS, {"limit": "2", "continue": first["metadata"]["continue"]})
    rest = world.request("GET", PODS, {"continue": gone.body["metadata"]["continue"]}).body

    assert (gone.status, gone.reason) == (410, "Expired")
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d", "e"]


def test_versions_that_are_none_or_of_the_future(world: Sandbox) -> None:
    assert world.request("GET", PODS, {"resourceVersion": "abc"}).status == 500
    future = world.request("GET", PODS, {"resourceVersion": "99999999"})
    assert (future.status, future.reason) == (504, "Timeout")


def test_a_watch_without_a_version_begins_with_what_there_is(world: Sandbox) -> None:
    for version in ("", "0"):
        query = {"watch": "1", "resourceVersion": version, "labelSelector": "app"}
        watch = world.request("GET", PODS, query).watch
        assert watch is not None
        assert seen(watch.pending()) == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_replays_from_its_version_and_goes_on(world: Sandbox) -> None:
    """Nothing between a list and the watch from its version is lost."""
    version = world.request("GET", PODS).body["metadata"]["resourceVersion"]
    world.create(pod("e"))
    watch = world.request("GET", PODS, {"watch": "true", "resourceVersion": version}).watch
    assert watch is not None
    world.patch("pods", "default", "e", {"metadata": {"labels": {"x": "y"}}})
    world.delete("pods", "default", "e")

    events = watch.pending()
    assert seen(events) == [("ADDED", "e"), ("MODIFIED", "e"), ("MODIFIED", "e"), ("DELETED", "e")]
    assert "deletionTimestamp" in events[2]["object"]["metadata"], "it is marked before it goes"
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions)), "a deletion has a version of its own"
    assert all(event["object"]["kind"] == "Pod" for event in events)


def test_objects_enter_and_leave_a_selector(world: Sandbox) -> None:
    """A pod relabelled out of a watch is DELETED there, as it last matched; relabelled back, ADDED."""
    query = {"watch": "1", "labelSelector": "app=x", "resourceVersion": str(world.store.version)}
    watch = world.request("GET", PODS, query).watch
    assert watch is not None
    for app in ("z", "x", "x"):
        world.patch("pods", "default", "a", {"metadata": {"labels": {"app": app}}})

    events = watch.pending()
    assert seen(events) == [("DELETED", "a"), ("ADDED", "a")]
    assert events[0]["object"]["metadata"]["labels"]["app"] == "x"
    assert events[0]["object"]["metadata"]["resourceVersion"] == str(world.store.version - 1)


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


def test_selectors_that_can_match_nothing_are_refused(world: Sandbox) -> None:
    """Keys and values that no label can have, and comparisons with what is no number."""
    for selector in ("-bad=1", "app=-bad", "x>three"):
        assert world.request("GET", PODS, {"labelSelector": selector}).status == 400, selector
