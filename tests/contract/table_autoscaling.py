"""Requests for HorizontalPodAutoscalers: created, and turned to another target.

What they scale is not there, and they are asked before their controller looks at them for the first time.
"""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.case import (
    AUTOSCALERS,
    NOTHING,
    Case,
    at,
    autoscaler,
    case,
    get,
    json_patch,
    merge,
    op,
    post,
    put,
)

_WEB = f"{AUTOSCALERS}/web"
_DEPLOYMENT: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def _created(name: str, body: Any) -> Case:
    return case(f"create an autoscaler: {name}", NOTHING, post(AUTOSCALERS, body))


def _turned(name: str, target: Any) -> Case:
    return case(
        f"patch an autoscaler: {name}",
        autoscaler(),
        merge(_WEB, {"spec": {"scaleTargetRef": target}}),
        get(_WEB),
    )


CASES = (
    _created("as it is", autoscaler()),
    _created("with a minimum", autoscaler(minReplicas=2, targetCPUUtilizationPercentage=80)),
    _created("without a most", autoscaler(maxReplicas=None)),
    _created("a most of 0", autoscaler(maxReplicas=0)),
    _created("a negative most", autoscaler(maxReplicas=-1)),
    _created("a minimum of 0", autoscaler(minReplicas=0)),
    _created("a negative minimum", autoscaler(minReplicas=-1)),
    _created("more at least than at most", autoscaler(minReplicas=4)),
    _created("of nothing", autoscaler(target={})),
    _created("of no name", autoscaler(target={"kind": "Deployment", "apiVersion": "apps/v1"})),
    _created("of no kind", autoscaler(target={"name": "web"})),
    _turned("to a Deployment", _DEPLOYMENT),
    _turned("to another name", {"name": "other"}),
    _turned("to no name", {"name": None}),
    _turned("to no kind", {"kind": ""}),
    _turned("to nothing", None),
    case(
        "patch an autoscaler: by operations",
        autoscaler(),
        json_patch(
            _WEB,
            op("test", "/spec/scaleTargetRef/kind", "ReplicationController"),
            op("replace", "/spec/scaleTargetRef", _DEPLOYMENT),
        ),
        get(_WEB),
    ),
    case("put an autoscaler", autoscaler(), put(_WEB, at("spec.scaleTargetRef", _DEPLOYMENT)), get(_WEB)),
    case("put an autoscaler: a most", autoscaler(), put(_WEB, at("spec.maxReplicas", 0))),
    case("get an autoscaler that is not there", NOTHING, get(_WEB)),
)
