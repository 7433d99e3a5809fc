"""Requests that delete: policies, preconditions, finalizers, grace."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.case import (
    LONE,
    NOTHING,
    PODS,
    RCS,
    WEB,
    Case,
    at,
    case,
    controller,
    delete,
    get,
    json_patch,
    merge,
    op,
    pod,
    post,
    put,
)
from tests.contract.wire import Ask

_HELD = controller(metadata={"finalizers": ["tests.io/held"]})
_NOBODY = "00000000-0000-0000-0000-000000000000"


def _web(name: str, body: Any = None, have: Json | None = None, **query: str) -> Case:
    return case(f"delete: {name}", have or controller(), delete(WEB, body, **query))


def _pod(name: str, body: Any = None, **query: str) -> Case:
    return case(f"delete a pod: {name}", pod(), delete(LONE, body, **query))


def _of_uid(obj: Json) -> Json:
    return {"preconditions": {"uid": obj["metadata"]["uid"]}, "propagationPolicy": "Background"}


def _of_version(obj: Json) -> Json:
    version = obj["metadata"]["resourceVersion"]
    return {"preconditions": {"resourceVersion": version}, "propagationPolicy": "Background"}


_BACKGROUND = delete(WEB, {"propagationPolicy": "Background"})

CASES = (
    case("delete: in the background", controller(), _BACKGROUND, get(WEB), _BACKGROUND),
    _web("without a word"),
    _web("orphaning", {"propagationPolicy": "Orphan"}),
    _web("in the foreground", {"propagationPolicy": "Foreground"}),
    _web("by query", None, propagationPolicy="Background"),
    _web("dependents not orphaned", {"orphanDependents": False}),
    _web("dependents orphaned", {"orphanDependents": True}),
    _web("both ways", {"orphanDependents": True, "propagationPolicy": "Background"}),
    _web("a policy there is not", {"propagationPolicy": "Maybe"}),
    _web("a policy there is not, by query", None, propagationPolicy="Maybe"),
    _web("with kind", {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}),
    _web("with another kind", {"kind": "Pod", "apiVersion": "v1"}),
    _web("with an empty body", {}),
    _web("with grace", {"gracePeriodSeconds": 5, "propagationPolicy": "Background"}),
    _web("text for grace", {"gracePeriodSeconds": "x"}),
    _web("text for grace, by query", None, gracePeriodSeconds="x"),
    _web("no JSON", b"{"),
    _web("a list", [1]),
    case("delete: what is not there", NOTHING, delete(WEB), delete(LONE)),
    # Conditions
    case("delete: by uid", controller(), delete(WEB, _of_uid), get(WEB)),
    case("delete: by version", controller(), delete(WEB, _of_version), get(WEB)),
    case("delete: another uid", controller(), delete(WEB, {"preconditions": {"uid": _NOBODY}}), get(WEB)),
    case(
        "delete: an old version",
        controller(),
        delete(WEB, {"preconditions": {"resourceVersion": "1"}}),
        get(WEB),
    ),
    case("delete a pod: another uid", pod(), delete(LONE, {"preconditions": {"uid": _NOBODY}})),
    # Dry runs
    case(
        "delete: a dry run",
        controller(),
        get(WEB),
        delete(WEB, {"dryRun": ["All"], "propagationPolicy": "Background"}),
        get(WEB),
    ),
    case("delete: a dry run by query", controller(), delete(WEB, None, dryRun="All"), get(WEB)),
    case(
        "delete: a dry run by query, beside a body",
        controller(),
        delete(WEB, {"propagationPolicy": "Background"}, dryRun="All"),
        get(WEB),
    ),
    _web("another dry run", {"dryRun": ["x"]}),
    case("delete a pod: a dry run", pod(), delete(LONE, {"dryRun": ["All"]}), get(LONE)),
    # Finalizers
    case("delete: held", _HELD, _BACKGROUND, get(WEB), _BACKGROUND),
    case(
        "delete: held, then foreground", _HELD, _BACKGROUND, delete(WEB, {"propagationPolicy": "Foreground"})
    ),
    case("held: let go", _HELD, _BACKGROUND, merge(WEB, {"metadata": {"finalizers": None}}), get(WEB)),
    case("held: let go by put", _HELD, _BACKGROUND, put(WEB, at("metadata.finalizers", None)), get(WEB)),
    case(
        "held: one more", _HELD, _BACKGROUND, json_patch(WEB, op("add", "/metadata/finalizers/-", "a.io/b"))
    ),
    case("held: the name again", _HELD, _BACKGROUND, post(RCS, controller())),
    case("held: changed", _HELD, _BACKGROUND, merge(WEB, {"metadata": {"labels": {"a": "b"}}}), get(WEB)),
    case("held: a spec", _HELD, _BACKGROUND, merge(WEB, {"spec": {"minReadySeconds": 3}})),
    case("held: alive again", _HELD, _BACKGROUND, merge(WEB, {"metadata": {"deletionTimestamp": None}})),
    case("held: scaled", _HELD, _BACKGROUND, merge(f"{WEB}/scale", {"spec": {"replicas": 0}})),
    # Pods
    _pod("at once", {"gracePeriodSeconds": 0}),
    _pod("at once, by query", None, gracePeriodSeconds="0"),
    _pod("with its own grace"),
    _pod("with grace", {"gracePeriodSeconds": 7}),
    _pod("with negative grace", {"gracePeriodSeconds": -1}),
    _pod("in the foreground", {"gracePeriodSeconds": 0, "propagationPolicy": "Foreground"}),
    _pod("orphaning", {"gracePeriodSeconds": 0, "propagationPolicy": "Orphan"}),
    # Many at once
    case(
        "delete many",
        (pod("a", {"x": "y"}), pod("b"), pod("c", {"x": "y"})),
        delete(PODS, {"gracePeriodSeconds": 0}, labelSelector="x=y"),
        get(PODS),
    ),
    case("delete many: none", NOTHING, delete(PODS), delete(RCS)),
    case("delete all controllers", controller(), delete(RCS, {"propagationPolicy": "Background"}), get(RCS)),
    case("delete everywhere", NOTHING, Ask("DELETE", "/api/v1/pods")),
)
