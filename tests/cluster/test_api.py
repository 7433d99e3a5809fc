"""The verbs: what goes to the server for each, paging, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.cluster import ConnectionFlags, connect
from rollupdate.cluster.api import LOG_BYTES, ApiCluster
from rollupdate.cluster.yaml_line import json_as_yaml
from rollupdate.errors import ApiError, UnreachableError
from rollupdate.rights import CREATE_PODS, Right
from tests.cluster.servers import Answer, ApiServer, Request, controller, listing, serving, status

BASE = "/api/v1/namespaces/default"


def test_pages_are_put_together(environ: dict[str, str]) -> None:
    """limit and continue, as kubectl lists; items get the apiVersion and kind that a list leaves out."""
    pods = [controller(f"p{number}", uid=f"u{number}") for number in range(5)]

    def answer(request: Request) -> dict[str, Any]:
        if request.query.get("continue") == "next":
            return listing(*pods[3:], kind="Pod")
        return listing(*pods[:3], kind="Pod", token="next")

    with serving(answer) as server:
        found = connect(ConnectionFlags(server=server.url), environ=environ).list_pods("app=a,!b")
    assert [(pod["metadata"]["name"], pod["kind"], pod["apiVersion"]) for pod in found] == [
        (f"p{number}", "Pod", "v1") for number in range(5)
    ]
    assert [request.query for request in server.requests] == [
        {"labelSelector": "app=a,!b", "limit": "500"},
        {"labelSelector": "app=a,!b", "limit": "500", "continue": "next"},
    ]


@pytest.mark.parametrize("kind", ["PartialObjectMetadata", "Pod"])
def test_pods_to_be_labelled_come_without_what_is_in_them(kind: str, environ: dict[str, str]) -> None:
    """Metadata only is asked for, and no more is kept where a server sends all the same whole pods."""
    kept = {
        "name": "p",
        "uid": "u",
        "ownerReferences": [{"uid": "o", "controller": True}],
        "labels": {"a": "b"},
    }
    pod = {"metadata": {**kept, "managedFields": [{}]}, "spec": {}}
    answer = {"kind": f"{kind}List", "metadata": {}, "items": [{"kind": kind, **pod}]}
    with serving(lambda request: answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        found = cluster.list_pods("app=a", identity_only=True)
    assert [each["metadata"] for each in found] == [kept]
    assert (server.requests[0].header("Accept") or "").startswith("application/json;as=PartialObjectMetadata")


def test_a_list_that_took_too_long(environ: dict[str, str]) -> None:
    """410 on a later page: all of it again, in one piece."""

    def answer(request: Request) -> Answer | dict[str, Any]:
        if "continue" in request.query:
            return status(410, "Expired", "the provided continue parameter is too old")
        return (
            listing(controller("a")) if "limit" not in request.query else listing(controller("b"), token="t")
        )

    with serving(answer) as server:
        found = connect(ConnectionFlags(server=server.url), environ=environ).list_controllers()
    assert [each["metadata"]["name"] for each in found] == ["a"]
    assert [request.query for request in server.requests][-1] == {}


def test_a_list_that_does_not_end(environ: dict[str, str]) -> None:
    endless = listing(controller(), token="again")
    with serving(lambda request: endless) as server, pytest.raises(UnreachableError, match="does not end"):
        connect(ConnectionFlags(server=server.url), environ=environ).list_controllers()
    assert len(server.requests) == 2


@contextmanager
def begun_ahead(environ: dict[str, str]) -> Iterator[tuple[ApiCluster, ApiServer]]:
    """A cluster whose first list has arrived at the server before anybody has asked for it."""
    asked = Event()

    def answer(request: Request) -> dict[str, Any]:
        asked.set()
        return listing(controller("web"))

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        cluster.begin()
        assert asked.wait(20)
        yield cluster, server


def test_a_list_begun_ahead(environ: dict[str, str]) -> None:
    """It is sent at once, and answers the first that asks for a list; whoever asks again gets a new one."""
    with begun_ahead(environ) as (cluster, server):
        assert [raw["metadata"]["name"] for raw in cluster.list_controllers()] == ["web"]
        assert len(server.requests) == 1
        cluster.list_controllers()
        assert len(server.requests) == 2


def test_a_list_begun_ahead_that_has_become_old(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user typed the manifest meanwhile: the list is read again."""
    with begun_ahead(environ) as (cluster, server):
        monkeypatch.setattr("rollupdate.cluster.api.STALE", 0.0)
        cluster.list_controllers()
    assert len(server.requests) == 2


def test_a_list_begun_ahead_that_fails(environ: dict[str, str]) -> None:
    """Its error is raised where its answer would be taken, once: the next list is a new request."""
    answers = iter((status(403, "Forbidden", "no"), listing(controller("web"))))
    with serving(lambda request: next(answers)) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        cluster.begin()
        with pytest.raises(ApiError, match="no"):
            cluster.list_controllers()
        assert [raw["metadata"]["name"] for raw in cluster.list_controllers()] == ["web"]


def test_only_the_first_so_many(environ: dict[str, str]) -> None:
    """The server is asked for no more than that; one that sends more anyway changes nothing."""
    events = [controller(f"e{number}") for number in range(7)]
    with serving(lambda request: listing(*events, kind="Event", token="more")) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        found = cluster.list_events("involvedObject.uid=u", limit=3)
    assert len(found) == 3
    assert [request.query for request in server.requests] == [
        {"fieldSelector": "involvedObject.uid=u", "limit": "3"}
    ]


@pytest.mark.parametrize("items", [None, [], "nonsense", [5], [{"metadata": {}}], [{"metadata": None}]])
def test_lists_that_are_odd(items: object, environ: dict[str, str]) -> None:
    """No items is an empty list, as Go encodes it; anything else is no list."""
    body = {"kind": "PodList", "apiVersion": "v1", "metadata": None, "items": items}
    with serving(lambda request: body) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        if not items:
            assert cluster.list_pods("a") == []
        else:
            with pytest.raises(UnreachableError, match="the server's answer is not a"):
                cluster.list_pods("a")


def test_get(environ: dict[str, str]) -> None:
    """None where there is none; any other refusal is raised."""

    def answer(request: Request) -> Answer | None:
        return status(403, "Forbidden", "no") if request.path.endswith("/secret") else None

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        assert cluster.get_controller("web") is None
        with pytest.raises(ApiError) as caught:
            cluster.get_controller("secret")
        assert caught.value.is_forbidden
        cluster.get_controller("a/../b")
    assert server.requests[-1].path == f"{BASE}/replicationcontrollers/a%2F..%2Fb"


@pytest.mark.parametrize("dry_run", [False, True])
def test_create_and_patch(dry_run: bool, environ: dict[str, str]) -> None:
    """Every write names its field manager; what the server answers comes back whole."""
    body = controller("web", version=9, later={"unknown": "kept"})
    with serving(lambda request: body) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        manifest = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "web"}}
        patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": "8"}]
        assert cluster.create_controller(manifest, dry_run=dry_run) == body
        assert cluster.patch_controller("web", patch, dry_run=dry_run) == body
    query = {"fieldManager": "kubectl-rolling-update", **({"dryRun": "All"} if dry_run else {})}
    create, update = server.requests
    assert (create.verb, create.path, create.query) == ("POST", f"{BASE}/replicationcontrollers", query)
    assert (create.json, create.header("Content-Type")) == (manifest, "application/json")
    assert (update.verb, update.path) == ("PATCH", f"{BASE}/replicationcontrollers/web")
    assert (update.query, update.json) == (query, patch)
    assert update.header("Content-Type") == "application/json-patch+json"


def test_patch_of_a_pod(environ: dict[str, str]) -> None:
    with serving(lambda request: {**controller("p"), "kind": "Pod"}) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        assert cluster.patch_pod("p", [])["kind"] == "Pod"
    assert (server.requests[0].path, server.requests[0].json) == (f"{BASE}/pods/p", [])


def test_delete(environ: dict[str, str]) -> None:
    """With preconditions, in the background; it answers with a Status or with the object."""
    success = {"kind": "Status", "apiVersion": "v1", "status": "Success"}
    with serving(lambda request: success) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        cluster.delete_controller("web", uid="u1")
        cluster.delete_controller("web", uid="u1", resource_version="7", dry_run=True)
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    assert [request.json for request in server.requests] == [
        {**options, "preconditions": {"uid": "u1"}},
        {**options, "preconditions": {"uid": "u1", "resourceVersion": "7"}, "dryRun": ["All"]},
    ]
    with serving(lambda request: None) as server, pytest.raises(ApiError) as caught:
        connect(ConnectionFlags(server=server.url), environ=environ).delete_controller("web", uid="u1")
    assert caught.value.is_not_found


def test_conflicts_are_told_apart(environ: dict[str, str]) -> None:
    """A name that is taken is something else than an object that has changed."""

    def answer(request: Request) -> Answer:
        return status(409, "AlreadyExists" if request.verb == "POST" else "Conflict")

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        with pytest.raises(ApiError) as taken:
            cluster.create_controller({})
        with pytest.raises(ApiError) as changed:
            cluster.patch_controller("web", [])
    assert (taken.value.is_already_exists, taken.value.is_conflict) == (True, False)
    assert (changed.value.is_already_exists, changed.value.is_conflict) == (False, True)


def test_revisions(environ: dict[str, str]) -> None:
    """Of apps/v1. One is replaced as a whole, under the version that it has."""
    path = "/apis/apps/v1/namespaces/default/controllerrevisions"
    body = {**controller("web-1", version=9), "apiVersion": "apps/v1", "kind": "ControllerRevision"}
    listed = {name: value for name, value in body.items() if name not in ("apiVersion", "kind")}

    def answer(request: Request) -> dict[str, Any]:
        return {"kind": "ControllerRevisionList", "items": [listed]} if request.verb == "GET" else body

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        assert cluster.list_revisions("a=b") == [body]
        assert cluster.create_revision({"metadata": {"name": "web-1"}}) == body
        assert cluster.replace_revision(body) == body
        cluster.delete_revision("web-1", uid="u1")
    asked = [(request.verb, request.path) for request in server.requests]
    assert asked == [("GET", path), ("POST", path), ("PUT", f"{path}/web-1"), ("DELETE", f"{path}/web-1")]
    looked, created, replaced, deleted = server.requests
    assert looked.query == {"labelSelector": "a=b", "limit": "500"}
    assert {request.header("Content-Type") for request in (created, replaced)} == {"application/yaml"}
    assert yaml.safe_load(created.body) == {"metadata": {"name": "web-1"}}
    assert yaml.safe_load(replaced.body) == body
    assert deleted.json["preconditions"] == {"uid": "u1"}


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    )
)
def test_json_as_yaml_reads_the_same(value: Any) -> None:
    """Whatever stands in it: on one line, in printable ASCII."""
    text = json_as_yaml({"data": value})
    assert yaml.safe_load(text) == {"data": value}
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("length", [1, 500, 511, 512, 1020, 1021, 1022, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("character", ["k", "\u00e9", "\n", '"', "\U0001f600"])
def test_a_key_of_any_length_reads_the_same(length: int, character: str) -> None:
    """YAML has a limit of 1,024 characters for keys that nothing marks as such."""
    key = character * length
    value = {key: {key: [{key: key}], "b": ": "}, "c": {}}
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(json_as_yaml(value), Loader=loader) == value


# --- logs, disruption budgets ---


@pytest.mark.parametrize("previous", [False, True])
def test_the_end_of_a_log(previous: bool, environ: dict[str, str]) -> None:
    """The server is asked for no more than is wanted; what is no UTF-8 is replaced."""
    with serving(lambda request: Answer(b"one\ntwo \xff\n")) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        assert cluster.read_log("web-1", "a", previous=previous, lines=2) == "one\ntwo \ufffd\n"
    (request,) = server.requests
    assert (request.verb, request.path) == ("GET", f"{BASE}/pods/web-1/log")
    expected = {"container": "a", "tailLines": "2", "limitBytes": str(LOG_BYTES)}
    assert request.query == {**expected, **({"previous": "true"} if previous else {})}


def test_a_log_without_end(environ: dict[str, str]) -> None:
    """A server that heeds no limit: what is wanted is taken, and the rest left there."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 4096

    with serving(lambda request: Answer(endless())) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        assert cluster.read_log("web-1", "a", previous=False, lines=2) == "x" * LOG_BYTES
        with pytest.raises(ApiError):  # on another connection: that one is of no further use
            server.answer = lambda request: None
            cluster.read_log("web-1", "a", previous=False, lines=2)


def test_a_log_that_does_not_come(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that is away must not keep the update waiting: neither silent nor trickling."""
    monkeypatch.setattr("rollupdate.cluster.api.LOG_SECONDS", 0.2)
    gone = Event()

    def trickle() -> Iterator[bytes]:
        while not gone.wait(0.05):
            yield b"x"

    def silence() -> Iterator[bytes]:
        gone.wait(30)
        yield b"late"

    for body in (trickle, silence):
        gone.clear()
        with serving(lambda request, body=body: Answer(body())) as server:  # type: ignore[misc]
            cluster = connect(ConnectionFlags(server=server.url), environ=environ)
            with pytest.raises(UnreachableError):
                cluster.read_log("web-1", "a", previous=False, lines=2)
            gone.set()


def test_a_log_that_is_refused(environ: dict[str, str]) -> None:
    """With the server's reason; and what is not text is text all the same."""
    with serving(lambda request: status(403, "Forbidden", "no")) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        with pytest.raises(ApiError) as caught:
            cluster.read_log("web-1", "a", previous=False, lines=2)
    assert caught.value.is_forbidden


@pytest.mark.parametrize("served", ["policy/v1", "policy/v1beta1", "neither"])
def test_disruption_budgets_of_any_server(served: str, environ: dict[str, str]) -> None:
    """The version that it has; each object says which it is of."""

    def answer(request: Request) -> dict[str, Any] | None:
        if request.path != f"/apis/{served}/namespaces/default/poddisruptionbudgets":
            return None
        return listing(controller("web"), kind="PodDisruptionBudget")

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        if served == "neither":
            with pytest.raises(ApiError, match="not found"):
                cluster.list_referring("PodDisruptionBudget")
        else:
            (found,) = cluster.list_referring("PodDisruptionBudget")
            assert found["apiVersion"] == served


REFERRING = {
    "Service": "/api/v1/namespaces/default/services",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
    "ResourceQuota": "/api/v1/namespaces/default/resourcequotas",
}


@pytest.mark.parametrize("ahead", [True, False], ids=["begun ahead", "asked for"])
def test_what_refers_to_pods_and_controllers(environ: dict[str, str], ahead: bool) -> None:
    """Each kind from where every release has it, once; those of an update are begun with the first list."""

    def answer(request: Request) -> dict[str, Any]:
        kind = next((kind for kind, path in REFERRING.items() if path == request.path), None)
        if kind is None:
            return listing(controller("web"))
        item = {"metadata": {"name": "web", "uid": "u"}, "spec": {}}
        return {"kind": f"{kind}List", "metadata": {"resourceVersion": "1"}, "items": [item]}

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        if ahead:
            cluster.begin(referring=True)
        for kind in REFERRING:
            (found,) = cluster.list_referring(kind)
            assert (found["kind"], found["metadata"]["name"]) == (kind, "web")
        cluster.list_controllers()
        assert len(server.requests) == len(REFERRING) + 1
        cluster.list_referring("Service")
        assert len(server.requests) == len(REFERRING) + 2


def test_limit_ranges(environ: dict[str, str]) -> None:
    """They are not begun ahead: they only matter if there is a quota."""
    with serving(lambda _request: listing(controller("small"), kind="LimitRange")) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        (found,) = cluster.list_referring("LimitRange")
    assert found["kind"] == "LimitRange"
    assert [request.path for request in server.requests] == ["/api/v1/namespaces/default/limitranges"]


def test_a_pod_that_the_server_is_shown(environ: dict[str, str]) -> None:
    """It is not stored."""
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "web-"}, "spec": {}}
    stored = {**manifest, "metadata": {"name": "web-x7x2c", "uid": "u"}}
    with serving(lambda _request: stored) as server:
        cluster = connect(ConnectionFlags(server=server.url, namespace="shop"), environ=environ)
        assert cluster.admit_pod(manifest) == stored
    (request,) = server.requests
    assert (request.verb, request.path) == ("POST", "/api/v1/namespaces/shop/pods")
    assert (request.query["dryRun"], request.json) == ("All", manifest)


@pytest.mark.parametrize("ahead", [True, False], ids=["begun ahead", "asked for"])
def test_a_right_that_is_asked_for_ahead(ahead: bool, environ: dict[str, str]) -> None:
    """Once, with the first list."""

    def answer(request: Request) -> dict[str, Any]:
        if request.verb == "GET":
            return listing(controller("web"))
        return {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        cluster.begin(rights=(CREATE_PODS,) if ahead else ())
        assert cluster.allows(CREATE_PODS)
        cluster.list_controllers()
        assert len(server.requests) == 2
        assert cluster.allows(CREATE_PODS)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"allowed": True}, True),
        ({"allowed": False}, False),
        ({"allowed": False, "denied": True, "evaluationError": "no"}, False),
        ({"allowed": False, "evaluationError": "the webhook does not answer"}, True),
        ({}, False),
        (None, False),
    ],
)
def test_a_review_of_access(said: object, expected: bool, environ: dict[str, str]) -> None:
    """An authorizer that could not be asked has not refused."""
    with serving(lambda request: {"kind": "SelfSubjectAccessReview", "status": said}) as server:
        cluster = connect(ConnectionFlags(server=server.url, namespace="shop"), environ=environ)
        assert cluster.allows(Right("apps", "deployments", "create")) is expected
    (request,) = server.requests
    assert (request.verb, request.path) == (
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    )
    assert request.json["spec"]["resourceAttributes"] == {
        "namespace": "shop",
        "verb": "create",
        "group": "apps",
        "resource": "deployments",
    }
