"""Requests that watch: each for a second, after some changes."""

from __future__ import annotations

from collections.abc import Sequence

from testing.objects import Json
from tests.contract.case import (
    LONE,
    NOTHING,
    PODS,
    RCS,
    WEB,
    case,
    controller,
    delete,
    get,
    merge,
    pod,
    post,
    put,
)
from tests.contract.wire import Answer, Ask, Query


def _watch(path: str = PODS, **more: str) -> Ask:
    """From the version of the first answer on, which is a list."""

    def query(before: Sequence[Answer]) -> Query:
        version = before[0].body["metadata"]["resourceVersion"]
        return {"watch": "1", "timeoutSeconds": "1", "resourceVersion": version, **more}

    return Ask("GET", path, query=query)


def _label(value: str | None, name: str = "lone") -> Ask:
    return merge(f"{PODS}/{name}", {"metadata": {"labels": {"app": value}}})


def _scale(obj: Json) -> Json:
    meta = {"name": "web", "namespace": obj["metadata"]["namespace"]}
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta, "spec": {"replicas": 0}}


_GONE = delete(LONE, {"gracePeriodSeconds": 0})
_NOW = {"watch": "1", "timeoutSeconds": "1"}
_FROM_0 = {**_NOW, "resourceVersion": "0"}

CASES = (
    case("watch: a life", NOTHING, get(PODS), post(PODS, pod()), _label("b"), _GONE, _watch()),
    case(
        "watch: a controller's life",
        controller(),
        get(RCS),
        merge(WEB, {"metadata": {"labels": {"a": "b"}}}),
        delete(WEB, {"propagationPolicy": "Background"}),
        _watch(RCS),
    ),
    case("watch: nothing happens", pod(), get(PODS), _watch()),
    case("watch: a write that changes nothing", pod(), get(PODS), _label("lone"), _watch()),
    case(
        "watch: labels come and go",
        pod(),
        get(PODS),
        _label("b"),
        _label("c"),
        _label("b"),
        _label("b"),
        _watch(labelSelector="app=b"),
    ),
    case(
        "watch: deleted while selected", pod(), get(PODS), _label("b"), _GONE, _watch(labelSelector="app=b")
    ),
    case("watch: deleted while not selected", pod(), get(PODS), _GONE, _watch(labelSelector="app=b")),
    case(
        "watch: one by name",
        (pod("a"), pod("b")),
        get(PODS),
        _label("x", "a"),
        _label("y", "b"),
        _watch(fieldSelector="metadata.name=b"),
    ),
    case("watch: from nothing", (pod("b"), pod("a")), Ask("GET", PODS, query=_NOW, unordered=True)),
    case("watch: from 0", (pod("b"), pod("a")), Ask("GET", PODS, query=_FROM_0, unordered=True)),
    case(
        "watch: from nothing, selected",
        (pod("a"), pod("b", {"x": "y"})),
        get(PODS, labelSelector="x", **_NOW),
    ),
    case("watch: with bookmarks", pod(), get(PODS), _label("b"), _watch(allowWatchBookmarks="true")),
    case("watch: of a version that is none", NOTHING, get(PODS, resourceVersion="x", **_NOW)),
    case("watch: text for a timeout", NOTHING, get(PODS, watch="1", timeoutSeconds="x")),
    case("watch: a bad selector", NOTHING, get(PODS, labelSelector="a b", **_NOW)),
    case("watch: a bad field", NOTHING, get(PODS, fieldSelector="a=b", **_NOW)),
    case("watch: as true", pod(), get(PODS, watch="true", timeoutSeconds="1")),
    case("watch: the old way", pod(), Ask("GET", f"{PODS}/lone", query=_NOW)),
    case(
        "watch: a scale and a status",
        controller(),
        get(RCS),
        put(f"{WEB}/scale", _scale),
        _watch(RCS),
    ),
)
