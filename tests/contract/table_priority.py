"""Requests about PriorityClasses, and what becomes of a pod that names one, or none."""

from __future__ import annotations

import os
from typing import Any

from testing.objects import Json
from tests.contract.case import (
    LONE,
    NOTHING,
    PODS,
    WEB,
    Case,
    case,
    controller,
    delete,
    get,
    merge,
    pod,
    post,
)

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
_NODE = f"{CLASSES}/system-node-critical"
_PREFIX = f"contract-{os.getpid()}"
"""They are in no namespace: each case has its own, and deletes it."""
_RESERVED = "system-rolling-update-is-moving-these-pods"


def priority_class(name: str, **fields: Any) -> Json:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": 7,
        **fields,
    }


def _made(name: str, **fields: Any) -> Case:
    """What is made of it; deleted again, it is gone."""
    made = priority_class(f"{_PREFIX}-{name.replace(' ', '-')}", **fields)
    path = f"{CLASSES}/{made['metadata']['name']}"
    asks = (post(CLASSES, made), get(path), post(CLASSES, made), delete(path), get(path), delete(path))
    return case(f"priority class: {name}", NOTHING, *asks)


def _changed(name: str, patch: Json) -> Case:
    made = priority_class(f"{_PREFIX}-patched-{name.replace(' ', '-')}", description="as it was")
    path = f"{CLASSES}/{made['metadata']['name']}"
    return case(
        f"priority class: patch {name}", NOTHING, post(CLASSES, made), merge(path, patch), delete(path)
    )


def _refused(name: str, **fields: Any) -> Case:
    return case(
        f"priority class: {name}", NOTHING, post(CLASSES, {**priority_class("system-mine"), **fields})
    )


def _pod(name: str, **spec: Any) -> Case:
    return case(f"priority of a pod: {name}", NOTHING, post(PODS, pod(**spec)), get(LONE))


def _template(name: str, class_name: Any) -> Case:
    patch = {"spec": {"template": {"spec": {"priorityClassName": class_name}}}}
    return case(f"priority class of a template: {name}", controller(), merge(WEB, patch), get(WEB))


CASES = (
    case(
        "priority class: those of the system", NOTHING, get(_NODE), get(f"{CLASSES}/system-cluster-critical")
    ),
    case("priority class: delete one of the system", NOTHING, delete(_NODE), get(_NODE)),
    case(
        "priority class: one of the system again",
        NOTHING,
        post(CLASSES, priority_class("system-node-critical")),
    ),
    case(
        "priority class: in a namespace",
        NOTHING,
        get("/apis/scheduling.k8s.io/v1/namespaces/a/priorityclasses"),
    ),
    case("priority class: among the core's", NOTHING, get("/api/v1/priorityclasses")),
    case("priority class: not there", NOTHING, get(f"{CLASSES}/nobody"), delete(f"{CLASSES}/nobody")),
    _made("a value"),
    _made("all fields", description="some text", preemptionPolicy="Never", globalDefault=False),
    _made("the highest", value=1_000_000_000),
    _made("below zero", value=-5),
    _made("no value", value=None),
    case("priority class: a dry run", NOTHING, post(CLASSES, priority_class(f"{_PREFIX}-dry"), dryRun="All")),
    _refused("a reserved name"),
    _refused("the name of a hold", metadata={"name": _RESERVED}),
    _refused("a reserved name, generated", metadata={"generateName": "web-", "name": "system-a"}),
    _refused("above the highest", metadata={"name": f"{_PREFIX}-high"}, value=1_000_000_001),
    _refused("another preemption", metadata={"name": f"{_PREFIX}-other"}, preemptionPolicy="x"),
    _refused("a capital in the name", metadata={"name": "Mine"}),
    _refused("of the core group", apiVersion="v1"),
    _changed("the value", {"value": 8}),
    _changed("the preemption", {"preemptionPolicy": "Never"}),
    _changed("the description", {"description": "another"}),
    _pod("no class"),
    _pod("an empty class", priorityClassName=""),
    _pod("a class of the system", priorityClassName="system-node-critical"),
    _pod("a class that does not exist", priorityClassName="nobody"),
    _pod("a reserved class that does not exist", priorityClassName=_RESERVED),
    _pod("a class that is no name", priorityClassName="No Body"),
    _pod("its own number", priority=5),
    _pod("the number it gets", priority=0),
    _pod("the number of its class", priorityClassName="system-node-critical", priority=2_000_001_000),
    _pod("another number than its class", priorityClassName="system-node-critical", priority=1),
    _pod("its own preemption", preemptionPolicy="Never"),
    _pod("the preemption it gets", preemptionPolicy="PreemptLowerPriority"),
    case(
        "priority of a pod: a class before a name, a name before its form",
        pod(),
        post(PODS, pod(priorityClassName="nobody")),
        post(PODS, pod(labels={"-": "b"}, priorityClassName="nobody")),
        post(PODS, {**pod(priorityClassName="nobody"), "metadata": {"generateName": "web-"}}),
        post(PODS, pod("other", priorityClassName="nobody"), dryRun="All"),
    ),
    case(
        "priority of a pod: it keeps it",
        pod(priorityClassName="system-node-critical"),
        merge(LONE, {"spec": {"priority": None, "preemptionPolicy": None}}),
        merge(LONE, {"metadata": {"labels": {"a": "b"}}}),
    ),
    _template("one that does not exist", "nobody"),
    _template("none", None),
    _template("an empty one", ""),
    _template("no name", "No Body"),
)
