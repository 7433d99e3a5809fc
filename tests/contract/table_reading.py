"""Requests that read: single objects, lists, selectors, pages, representations."""

from __future__ import annotations

from collections.abc import Sequence

from tests.contract.case import LONE, NOTHING, PODS, RCS, WEB, Case, case, controller, get, pod, post
from tests.contract.wire import Answer, Ask, Query

_FOUR = (
    pod("a", {"app": "web", "tier": "front", "x": "1"}),
    pod("b", {"app": "web", "tier": "back", "x": "5"}),
    pod("c", {"app": "db", "tier": ""}),
    pod("d", {"other": "yes"}),
)
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_PARTIAL = "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io,application/json"


def _next_page(limit: int, of: int = -1, **more: str) -> Ask:
    """After that answer."""

    def query(before: Sequence[Answer]) -> Query:
        return {"limit": str(limit), "continue": before[of].body["metadata"]["continue"], **more}

    return Ask("GET", PODS, query=query)


def _labels(selector: str) -> Case:
    return case(f"list by labels: {selector}", _FOUR, get(PODS, labelSelector=selector))


def _fields(selector: str, path: str = PODS) -> Case:
    have = _FOUR if path == PODS else (controller("a"), controller("b"))
    return case(f"list {path} by fields: {selector}", have, get(path, fieldSelector=selector))


def _at_listed_version(match: str = "", *, unordered: bool = False) -> Ask:
    def query(before: Sequence[Answer]) -> Query:
        version: str = before[-1].body["metadata"]["resourceVersion"]
        return {"resourceVersion": version, **({"resourceVersionMatch": match} if match else {})}

    return Ask("GET", PODS, query=query, unordered=unordered)


_LOG = f"{LONE}/log"
_TWO = [{"name": "one", "image": "a:1"}, {"name": "two", "image": "b:1"}]

CASES = (
    case("log: no such pod", NOTHING, get(_LOG)),
    case("log: no such container", pod(), get(_LOG, container="nobody")),
    case("log: which of two containers", pod(containers=_TWO), get(_LOG)),
    case("log: a negative number of lines", pod(), get(_LOG, tailLines="-1")),
    case("log: no bytes", pod(), get(_LOG, limitBytes="0")),
    case("log: both wrong", pod(), get(_LOG, limitBytes="0", tailLines="-2")),
    case("log: lines of text", pod(), get(_LOG, tailLines="few")),
    case("log: a node that is not there", pod(), get(_LOG)),
    case("log: a write", pod(), post(_LOG, {})),
    case("get a controller", controller(), get(WEB)),
    case("get a pod", pod(), get(LONE)),
    case("get a status", controller(), get(f"{WEB}/status")),
    case("get what is not there", NOTHING, get(WEB), get(LONE), get(f"{WEB}/status"), get(f"{WEB}/scale")),
    case("get from a namespace that is not there", NOTHING, get("/api/v1/namespaces/nowhere/pods/a")),
    case("list a namespace that is not there", NOTHING, get("/api/v1/namespaces/nowhere/pods")),
    case("get of a kind there is not", NOTHING, get("nonsense"), get("nonsense/a")),
    case("get of a subresource there is not", controller(), get(f"{WEB}/nonsense"), get(f"{LONE}/scale")),
    case("get without a namespace", NOTHING, get("/api/v1/replicationcontrollers/web")),
    case("list nothing", NOTHING, get(RCS), get(PODS)),
    case("list controllers", (controller("b"), controller("a")), get(RCS)),
    case("list pods", _FOUR, get(PODS)),
    *map(
        _labels,
        (
            "app=web",
            "app==web",
            "app!=web",
            "app in (web,db)",
            "app notin (db)",
            "app in (web)",
            "tier",
            "!tier",
            "tier=",
            "app=web,tier=back",
            "app=web, tier!=back",
            " app = web ",
            "x>3",
            "x<3",
            "tier in (,back)",
            "nobody=has",
            "a.b/c=d",
            # What does not parse:
            "app in",
            "app in (web",
            "app in web",
            "app===web",
            "=web",
            "app=web,",
            "app web",
            "app=a b",
            "-bad=1",
            "app=-bad",
            "x>three",
            "app in ()",
            "()",
        ),
    ),
    *map(
        _fields,
        (
            "metadata.name=a",
            "metadata.name==a",
            "metadata.name!=a",
            "metadata.name=nobody",
            "metadata.name=a,metadata.name=b",
            "metadata.namespace=elsewhere",
            "status.phase=Pending",
            "status.phase!=Pending",
            "spec.nodeName=a-node-of-others",
            "spec.restartPolicy=Always",
            "metadata.labels=x",
            "metadata.name",
            "nonsense=1",
        ),
    ),
    _fields("metadata.name=a", RCS),
    _fields("status.replicas=0", RCS),
    _fields("status.replicas=1", RCS),
    _fields("status.phase=Pending", RCS),
    case(
        "list by labels and fields",
        _FOUR,
        get(PODS, labelSelector="app=web", fieldSelector="metadata.name!=b"),
    ),
    case("pages", _FOUR, get(PODS, limit="3"), _next_page(3)),
    case("pages of one", _FOUR, get(PODS, limit="1"), _next_page(1), _next_page(1), _next_page(1)),
    case(
        "pages are of one moment",
        _FOUR,
        get(PODS, limit="2"),
        Ask("DELETE", f"{PODS}/c", {"gracePeriodSeconds": 0}),
        post(PODS, pod("bb")),
        _next_page(2, of=0),
    ),
    case("a page as large as the list", _FOUR, get(PODS, limit="4")),
    case("pages of a selection", _FOUR, get(PODS, limit="1", labelSelector="app"), _next_page(9)),
    case(
        "pages of a selection by labels",
        _FOUR,
        get(PODS, limit="2", labelSelector="app"),
        _next_page(2, labelSelector="app"),
    ),
    case("a page goes on at a version", _FOUR, get(PODS, limit="1"), _next_page(1, resourceVersion="1")),
    case("a page goes on at version 0", _FOUR, get(PODS, limit="1"), _next_page(1, resourceVersion="0")),
    case("limits", _FOUR, get(PODS, limit="0"), get(PODS, limit="-1")),
    case("a limit that is no number", NOTHING, get(PODS, limit="x")),
    case("a token that is none", NOTHING, get(PODS, limit="1", **{"continue": "nonsense"})),
    # From the watch cache, which this version of the server does not sort:
    case("list at a version", _FOUR, get(PODS), _at_listed_version(unordered=True)),
    case("list not older", _FOUR, get(PODS), _at_listed_version("NotOlderThan", unordered=True)),
    case("list exactly at a version", _FOUR, get(PODS), _at_listed_version("Exact")),
    case("list at a version that is none", NOTHING, get(PODS, resourceVersion="x")),
    case("list at a version of the future", NOTHING, get(PODS, resourceVersion="999999999")),
    case("a match without a version", NOTHING, get(PODS, resourceVersionMatch="Exact")),
    case("a match there is not", NOTHING, get(PODS, resourceVersion="1", resourceVersionMatch="Nonsense")),
    case("exactly version 0", NOTHING, get(PODS, resourceVersion="0", resourceVersionMatch="Exact")),
    case("a controller as a table", controller(), get(WEB, _TABLE)),
    case("controllers as a table", (controller("a"), controller("b")), get(RCS, _TABLE)),
    case("pods as a table", _FOUR, get(PODS, _TABLE)),
    case("a table of whole objects", controller(), get(WEB, _TABLE, includeObject="Object")),
    case("an error is no table", NOTHING, get(WEB, _TABLE)),
    case("a controller's metadata", controller(), get(WEB, _PARTIAL.format(""))),
    case("controllers' metadata", controller(), get(RCS, _PARTIAL.format("List"))),
    case("a representation there is not", controller(), get(WEB, "text/html")),
    case("any representation", controller(), get(WEB, "*/*")),
)
