"""Requests that patch, by all three kinds of patches, and what they are refused for."""

from __future__ import annotations

from typing import Any

from testing.client import JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from testing.objects import Json
from tests.contract.case import (
    LONE,
    NOTHING,
    WEB,
    Case,
    case,
    controller,
    get,
    json_patch,
    merge,
    op,
    pod,
    strategic,
)
from tests.contract.wire import Ask

_NOTED = controller(metadata={"annotations": {"a/b": "c", "n": "1"}})
_UNREADY = controller(container={"image": "never-ready:1"})
"""For what makes a pod: whether it is ready by the next answer is no matter of the answer."""
_IMAGE = "/spec/template/spec/containers/0/image"
_NOBODY = "00000000-0000-0000-0000-000000000000"


def _json(name: str, *operations: Any, **query: str) -> Case:
    return case(f"JSON patch: {name}", _NOTED, json_patch(WEB, *operations, **query), get(WEB))


def _test_version(obj: Json) -> list[Json]:
    version = obj["metadata"]["resourceVersion"]
    return [op("test", "/metadata/resourceVersion", version), op("add", "/metadata/annotations/x", "y")]


def _merge(name: str, body: Any, **query: str) -> Case:
    return case(f"merge patch: {name}", _NOTED, merge(WEB, body, **query), get(WEB))


_RICH = controller(
    container={
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80}, {"containerPort": 81}],
        "args": ["a", "b"],
    }
)


def _containers(*containers: Json, **more: Any) -> Json:
    return {"spec": {"template": {"spec": {"containers": list(containers), **more}}}}


def _strategic(name: str, body: Any, **query: str) -> Case:
    return case(f"strategic patch: {name}", _RICH, strategic(WEB, body, **query), get(WEB))


def _main(**fields: Any) -> Json:
    return _containers({"name": "main", **fields})


def _of_type(content_type: str, body: Any) -> Ask:
    return Ask("PATCH", WEB, body, None, content_type)


CASES = (
    _json("nothing"),
    _json("add a label", op("add", "/metadata/labels/a", "b")),
    _json("add what is there", op("add", "/metadata/labels/app", "web")),
    _json("replace a label", op("replace", "/metadata/labels/app", "b")),
    _json("remove a label", op("remove", "/metadata/labels/app")),
    _json("remove what is not there", op("remove", "/metadata/labels/x")),
    _json("replace what is not there", op("replace", "/metadata/labels/x", "y")),
    _json("replace below what is not there", op("replace", "/metadata/finalizers/0", "a.io/b")),
    _json("a test of a number by a boolean", op("test", "/spec/replicas", False)),
    _json("add below what is not there", op("add", "/metadata/finalizers/0", "a.io/b")),
    _json("an escaped key", op("replace", "/metadata/annotations/a~1b", "d")),
    _json("remove all annotations", op("remove", "/metadata/annotations")),
    _json("an image", op("replace", _IMAGE, "nginx:2")),
    _json(
        "a container at the end", op("add", "/spec/template/spec/containers/-", {"name": "b", "image": "c"})
    ),
    _json("a container beyond the end", op("add", "/spec/template/spec/containers/5", {"name": "b"})),
    _json(
        "a test that holds", op("test", "/metadata/annotations/n", "1"), op("add", "/metadata/labels/a", "b")
    ),
    _json(
        "a test that fails", op("test", "/metadata/annotations/n", "2"), op("add", "/metadata/labels/a", "b")
    ),
    _json("a test of another type", op("test", "/metadata/annotations/n", 1)),
    _json("a test of replicas", op("test", "/spec/replicas", 0), op("replace", "/spec/minReadySeconds", 1)),
    _json("a test of replicas 2", op("test", "/spec/replicas", 0), op("add", "/spec/minReadySeconds", 1)),
    _json("a test of a map", op("test", "/spec/selector", {"app": "web"})),
    _json("a test that nothing is there", op("test", "/metadata/labels/x", None)),
    _json("a test below nothing", op("test", "/metadata/finalizers/0", None)),
    _json("a test of nothing at all", op("test", "/metadata/labels/x", "y")),
    _json("move", op("move", "/metadata/labels/b", **{"from": "/metadata/labels/app"})),
    _json("copy", op("copy", "/metadata/labels/b", **{"from": "/metadata/labels/app"})),
    _json("an operation there is not", op("nonsense", "/metadata/labels/b", "c")),
    _json("no operation", {"path": "/metadata/labels/b"}),
    _json("no path", {"op": "add", "value": 1}),
    _json("a path without slash", op("add", "metadata", 1)),
    _json("no value", op("add", "/metadata/labels/b")),
    _json("an old version", op("replace", "/metadata/resourceVersion", "1")),
    _json("another uid", op("replace", "/metadata/uid", _NOBODY)),
    _json("another name", op("replace", "/metadata/name", "b")),
    _json("another namespace", op("replace", "/metadata/namespace", "b")),
    _json("replicas of text", op("replace", "/spec/replicas", "x")),
    _json("a label of a number", op("add", "/metadata/labels/a", 1)),
    _json("negative replicas", op("replace", "/spec/replicas", -1)),
    _json("no template", op("remove", "/spec/template")),
    _json("no selector", op("remove", "/spec/selector")),
    _json("a status", op("add", "/status/readyReplicas", 5)),
    _json("a dry run", op("add", "/metadata/labels/a", "b"), dryRun="All"),
    _json("another kind of dry run", op("add", "/metadata/labels/a", "b"), dryRun="x"),
    case("JSON patch: a test of the version", _NOTED, Ask("PATCH", WEB, _test_version, None, JSON_PATCH)),
    case("JSON patch: not there", NOTHING, json_patch(WEB, op("add", "/metadata/labels/a", "b"))),
    case("JSON patch: no list", _NOTED, _of_type(JSON_PATCH, op("add", "/a", "b"))),
    case("JSON patch: no JSON", _NOTED, _of_type(JSON_PATCH, b"[{")),
    case("JSON patch: nothing sent", _NOTED, _of_type(JSON_PATCH, None)),
    case("JSON patch: no operations", _NOTED, _of_type(JSON_PATCH, ["x"])),
    _merge("nothing", {}),
    _merge("a label", {"metadata": {"labels": {"a": "b"}}}),
    _merge("no label", {"metadata": {"labels": {"app": None}}}),
    _merge("no labels", {"metadata": {"labels": None}}),
    _merge("no annotation that is not there", {"metadata": {"annotations": {"x": None}}}),
    _merge("a list is replaced", _containers({"name": "other", "image": "b"})),
    case(
        "merge patch: default replicas",
        _UNREADY,
        merge(WEB, {"spec": {"replicas": None, "selector": None}}),
        get(WEB),
    ),
    _merge("an old version", {"metadata": {"resourceVersion": "1"}}),
    _merge("a version that is none", {"metadata": {"resourceVersion": "x"}}),
    _merge("another uid", {"metadata": {"uid": _NOBODY}}),
    _merge("another name", {"metadata": {"name": "b"}}),
    _merge("no name", {"metadata": {"name": None}}),
    _merge("another kind", {"kind": "Pod"}),
    _merge("a selector alone", {"spec": {"selector": {"a": "b"}}}),
    _merge("replicas of text", {"spec": {"replicas": "x"}}),
    _merge("a dry run", {"spec": {"minReadySeconds": 4}}, dryRun="All"),
    _merge("a finalizer", {"metadata": {"finalizers": ["a.io/b"]}}),
    case("merge patch: not there", NOTHING, merge(WEB, {})),
    case("merge patch: a list", _NOTED, merge(WEB, [])),
    case("merge patch: text", _NOTED, merge(WEB, "x")),
    case("merge patch: no JSON", _NOTED, merge(WEB, b"{")),
    case("merge patch of a pod", pod(), merge(LONE, {"metadata": {"labels": {"a": "b", "app": None}}})),
    case("merge patch of a pod's spec", pod(), merge(LONE, {"spec": {"nodeName": "b"}})),
    case("merge patch of a pod's status", pod(), merge(f"{LONE}/status", {"status": {"phase": "Failed"}})),
    case("merge patch of a status", _NOTED, merge(f"{WEB}/status", {"spec": {"minReadySeconds": 4}})),
    _strategic("nothing", {}),
    _strategic("an image", _main(image="nginx:2")),
    _strategic("another container", _containers({"name": "b", "image": "c"})),
    _strategic("no name", _containers({"image": "c"})),
    _strategic(
        "a container goes", _containers({"name": "main", "$patch": "delete"}, {"name": "b", "image": "c"})
    ),
    _strategic("containers are replaced", _containers({"name": "b", "image": "c"}, {"$patch": "replace"})),
    _strategic(
        "an order",
        _containers(
            {"name": "b", "image": "c"}, **{"$setElementOrder/containers": [{"name": "b"}, {"name": "main"}]}
        ),
    ),
    _strategic("a variable", _main(env=[{"name": "B", "value": "3"}, {"name": "C", "value": "4"}])),
    _strategic("a variable goes", _main(env=[{"name": "A", "$patch": "delete"}])),
    _strategic("no variables", _main(env=None)),
    _strategic("a port", _main(ports=[{"containerPort": 82}])),
    _strategic("arguments", _main(args=["c"])),
    _strategic("a label goes", {"metadata": {"labels": {"app": None, "b": "c"}}}),
    _strategic("labels are replaced", {"metadata": {"labels": {"$patch": "replace", "b": "c"}}}),
    _strategic("an old version", {"metadata": {"resourceVersion": "1"}}),
    _strategic("another uid", {"metadata": {"uid": _NOBODY}}),
    _strategic("replicas of text", {"spec": {"replicas": "x"}}),
    _strategic("a dry run", _main(image="nginx:2"), dryRun="All"),
    case("strategic patch: a list", _NOTED, strategic(WEB, [])),
    case("strategic patch: no JSON", _NOTED, strategic(WEB, b"{")),
    case("strategic patch: not there", NOTHING, strategic(WEB, {})),
    case(
        "strategic patch of a pod's conditions",
        pod(),
        strategic(f"{LONE}/status", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
        strategic(f"{LONE}/status", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
    ),
    case("a patch as JSON", _NOTED, _of_type(JSON, {})),
    case("a patch of no type", _NOTED, _of_type("", {})),
    case("a patch with a charset", _NOTED, _of_type(f"{MERGE_PATCH}; charset=utf-8", {})),
    case("a merge in YAML", _NOTED, _of_type("application/merge-patch+yaml", b"a: b")),
    case("a patch for another", _NOTED, Ask("PATCH", f"{WEB}/nonsense", {}, None, STRATEGIC_PATCH)),
)
