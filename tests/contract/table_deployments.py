"""Requests for what only Deployments have: strategies, limits, deadlines, histories. They are paused."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.case import DEPLOYMENTS, NOTHING, Case, app, case, get, merge, post, put, strategic

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_SCALE_KIND = {"apiVersion": "autoscaling/v1", "kind": "Scale"}


def _deployment(name: str, body: Json, **query: str) -> Case:
    return case(f"create a Deployment: {name}", NOTHING, post(DEPLOYMENTS, body, **query))


def _rolling(name: str, *, unavailable: Any, surge: Any) -> Case:
    rolling = {"maxUnavailable": unavailable, "maxSurge": surge}
    return _deployment(name, app("Deployment", strategy={"rollingUpdate": rolling}))


_WEB = f"{DEPLOYMENTS}/web"
_RECREATE: Json = {"strategy": {"type": "Recreate"}}

CASES = (
    _deployment("recreated", app("Deployment", **_RECREATE)),
    _deployment(
        "recreated, with limits", app("Deployment", strategy={"type": "Recreate", "rollingUpdate": {}})
    ),
    _deployment("a strategy there is not", app("Deployment", strategy={"type": "Blue"})),
    _deployment("an empty strategy", app("Deployment", strategy={})),
    _rolling("limits", unavailable=0, surge=2),
    _rolling("limits in percent", unavailable="10%", surge="0%"),
    _rolling("no limits", unavailable=0, surge=0),
    _rolling("no limits in percent", unavailable="0%", surge="0%"),
    _rolling("limits of text", unavailable="few", surge="many"),
    _rolling("negative limits", unavailable=-1, surge=-1),
    _rolling("more than all", unavailable="101%", surge="300%"),
    _deployment("not paused", app("Deployment", paused=False), dryRun="All"),
    _deployment("paused, in text", app("Deployment", paused="yes")),
    _deployment("no history", app("Deployment", revisionHistoryLimit=0)),
    _deployment("a negative history", app("Deployment", revisionHistoryLimit=-1)),
    _deployment("a deadline", app("Deployment", progressDeadlineSeconds=30, minReadySeconds=29)),
    _deployment("an early deadline", app("Deployment", progressDeadlineSeconds=30, minReadySeconds=30)),
    _deployment("no deadline", app("Deployment", progressDeadlineSeconds=0)),
    _deployment("a negative deadline", app("Deployment", progressDeadlineSeconds=-1)),
    _deployment("an endless deadline", app("Deployment", progressDeadlineSeconds=2**31 - 1)),
    _deployment(
        "with a revision",
        app("Deployment", metadata={"annotations": {"deployment.kubernetes.io/revision": "7"}}),
    ),
    case("patch a Deployment: to recreate", app("Deployment"), merge(_WEB, {"spec": _RECREATE}), get(_WEB)),
    case(
        "patch a Deployment: to recreate, without limits",
        app("Deployment"),
        merge(_WEB, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}),
        get(_WEB),
    ),
    case(
        "patch a Deployment: to recreate, and only that is kept",
        app("Deployment"),
        strategic(_WEB, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        get(_WEB),
    ),
    case(
        "patch a Deployment: a limit",
        app("Deployment"),
        merge(_WEB, {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}}),
        get(_WEB),
    ),
    case(
        "patch a Deployment: a history",
        app("Deployment"),
        merge(_WEB, {"spec": {"revisionHistoryLimit": 3}}),
        get(_WEB),
    ),
    case(
        "patch a Deployment: scaled without a ReplicaSet",
        app("Deployment"),
        merge(_WEB, {"spec": {"replicas": 2}}),
        get(_WEB),
        get(_WEB, _TABLE),
    ),
    case(
        "put a Deployment's scale of two",
        app("Deployment"),
        put(
            f"{_WEB}/scale",
            lambda obj: {
                **_SCALE_KIND,
                "metadata": {"name": "web", "namespace": obj["metadata"]["namespace"]},
                "spec": {"replicas": 2},
            },
        ),
        get(_WEB),
    ),
)
