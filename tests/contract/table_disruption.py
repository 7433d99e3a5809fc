"""Requests for PodDisruptionBudgets, and evictions that ask them.

The pods are on a node without a kubelet: a request says that they run, and whether they are ready.
"""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.case import (
    BUDGETS,
    LONE,
    NOTHING,
    PODS,
    Case,
    at,
    budget,
    case,
    delete,
    get,
    json_patch,
    merge,
    op,
    pod,
    post,
    put,
    strategic,
)
from tests.contract.wire import Ask

_GUARD = f"{BUDGETS}/guard"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_OTHER_UID: Json = {"preconditions": {"uid": _NOBODY}}
_OTHER_VERSION: Json = {"preconditions": {"resourceVersion": "1"}}
_HELD = {**pod(), "metadata": {**pod()["metadata"], "finalizers": ["tests.io/held"]}}
_PAIR = (pod(), pod("other"))


def _runs(name: str = "lone", ready: bool = True, phase: str = "Running") -> Ask:
    condition = {"type": "Ready", "status": str(ready)}
    return merge(f"{PODS}/{name}/status", {"status": {"phase": phase, "conditions": [condition]}})


def _counted(healthy: int, expected: int = 1, name: str = "guard") -> Ask:
    """Look at the budget when its status says so."""

    def says_so(found: Any) -> bool:
        status, generation = found["status"], found["metadata"]["generation"]
        is_seen = status.get("observedGeneration") == generation
        return is_seen and (status["currentHealthy"], status["expectedPods"]) == (healthy, expected)

    return Ask("GET", f"{BUDGETS}/{name}", until=says_so)


def _is_awaited(found: Any) -> bool:
    """A pod is to go that was not counted as healthy: when that is seen, as many more may go as before."""
    status = found["status"]
    return "disruptedPods" in status and status["disruptionsAllowed"] == 1


def _evict(name: str = "lone", options: Any = None, *, at: str = "", dry: str = "", **fields: Any) -> Ask:
    """``at``: the pod that the path names, if that is another one."""
    body = {"kind": "Eviction", "metadata": {"name": name}, **fields}
    if options is not None:
        body["deleteOptions"] = options
    query = {"dryRun": dry} if dry else {}
    return post(f"{PODS}/{at or name}/eviction", body, **query)


def _created(name: str, body: Any, **query: str) -> Case:
    return case(f"create a budget: {name}", NOTHING, post(BUDGETS, body, **query))


def _changed(name: str, *asks: Ask) -> Case:
    """From a budget that has been counted."""
    return case(f"change a budget: {name}", budget(minAvailable=1), _counted(0, 0), *asks)


def _evicted(name: str, have: tuple[Json, ...], *asks: Ask) -> Case:
    return case(f"evict: {name}", have, *asks)


def _asked(name: str, *asks: Ask) -> Case:
    """Of a pod that no budget covers."""
    return case(f"ask for an eviction: {name}", pod(), *asks)


_OBJECTS = (
    _created("a number of pods", budget(minAvailable=1)),
    _created("a percentage of them", budget(minAvailable="50%")),
    _created("some that may be missing", budget(maxUnavailable=0)),
    _created("a percentage that may be missing", budget(maxUnavailable="100%")),
    _created("neither", budget()),
    _created("both", budget(minAvailable=1, maxUnavailable=1)),
    _created("both, one of them null", budget(minAvailable=None, maxUnavailable=1)),
    _created("less than none", budget(minAvailable=-1)),
    _created("less than none missing", budget(maxUnavailable=-1)),
    _created("more than all", budget(minAvailable="101%")),
    _created("more than all missing", budget(maxUnavailable="101%")),
    _created("a number in text", budget(minAvailable="1")),
    _created("a percentage below zero", budget(minAvailable="-5%")),
    _created("text", budget(maxUnavailable="half")),
    _created("a truth", budget(minAvailable=True)),
    _created("a fraction", budget(minAvailable=1.5)),
    _created("an empty selector", budget(minAvailable=1, selector={})),
    _created("no selector", budget(minAvailable=1, selector=None)),
    _created("a selector of a list", budget(minAvailable=1, selector=[])),
    _created("a bad label", budget(minAvailable=1, selector={"matchLabels": {"a b": "c"}})),
    _created(
        "a bad operator",
        budget(minAvailable=1, selector={"matchExpressions": [{"key": "a", "operator": "x"}]}),
    ),
    _created("no spec", {"kind": "PodDisruptionBudget", "metadata": {"name": "guard"}}),
    _created("a dry run", budget(minAvailable=1), dryRun="All"),
    _created("a pod among them", pod()),
    _created("of the core group", {**budget(), "apiVersion": "v1"}),
    case("get a budget that is not there", NOTHING, get(_GUARD), delete(_GUARD), get(f"{_GUARD}/scale")),
    case(
        "a budget as a table",
        (budget("some", maxUnavailable="30%"), budget(minAvailable=2)),
        _counted(0, 0),
        _counted(0, 0, "some"),
        *(get(path, "application/json;as=Table;v=v1;g=meta.k8s.io") for path in (BUDGETS, f"{BUDGETS}/some")),
    ),
    case("delete a budget", budget(minAvailable=1), _counted(0, 0), delete(_GUARD), get(_GUARD)),
    _changed("put another number", put(_GUARD, at("spec.minAvailable", 2)), _counted(0, 0)),
    _changed("put a percentage", put(_GUARD, at("spec.minAvailable", "20%")), _counted(0, 0)),
    _changed("put the same", put(_GUARD, at("spec.minAvailable", 1))),
    _changed("put both", put(_GUARD, at("spec.maxUnavailable", 2))),
    _changed("put another selector", put(_GUARD, at("spec.selector", {"matchLabels": {"a": "b"}}))),
    _changed("put no selector", put(_GUARD, at("spec.selector", None))),
    _changed("put without a version", put(_GUARD, at("metadata.resourceVersion", None))),
    _changed("put version 0", put(_GUARD, at("metadata.resourceVersion", "0"))),
    _changed("put a version from before", put(_GUARD, at("metadata.resourceVersion", "1"))),
    _changed("a status with a spec", put(f"{_GUARD}/status", at("spec.minAvailable", 2))),
    _changed("merge a number", merge(_GUARD, {"spec": {"minAvailable": 5}}), _counted(0, 0)),
    _changed("merge a number below zero", merge(_GUARD, {"spec": {"minAvailable": -5}})),
    _changed("merge the other way", merge(_GUARD, {"spec": {"minAvailable": None, "maxUnavailable": 2}})),
    _changed("merge a label", merge(_GUARD, {"metadata": {"labels": {"a": "b"}}})),
    _changed("merge a selector", strategic(_GUARD, {"spec": {"selector": {"matchLabels": {"a": "b"}}}})),
    _changed("by operations", json_patch(_GUARD, op("replace", "/spec/minAvailable", "10%"))),
)

_REQUESTS = (
    _asked("of a pod that is not there", _evict("nobody")),
    _asked("by another name", _evict("other", at="lone")),
    _asked("by another name, not there", _evict("other", at="nobody")),
    _asked("without a name", post(f"{LONE}/eviction", {"kind": "Eviction", "metadata": {}})),
    _asked("without metadata", post(f"{LONE}/eviction", {"kind": "Eviction"})),
    _asked("without a kind", post(f"{LONE}/eviction", {"metadata": {"name": "lone"}})),
    _asked("a name of a number", _evict(metadata={"name": 5})),
    _asked("of policy/v1", _evict(apiVersion="policy/v1")),
    _asked("of policy/v1beta1", _evict(apiVersion="policy/v1beta1")),
    _asked("of the core group", _evict(apiVersion="v1")),
    _asked("of another kind", post(f"{LONE}/eviction", {**pod(), "metadata": {"name": "lone"}})),
    _asked("nothing sent", post(f"{LONE}/eviction", None)),
    _asked("a list", post(f"{LONE}/eviction", [])),
    _asked("get", get(f"{LONE}/eviction")),
    _asked("put", put(f"{LONE}/eviction", {"kind": "Eviction", "metadata": {"name": "lone"}})),
    _asked("patch", merge(f"{LONE}/eviction", {})),
    _asked("delete", delete(f"{LONE}/eviction")),
    _asked("of something else", post(f"{BUDGETS}/guard/eviction", {"metadata": {"name": "guard"}})),
    _asked("a dry run", _evict(dry="All"), get(LONE)),
    _asked("a dry run in the options", _evict(options={"dryRun": ["All"]}), get(LONE)),
    _asked("a dry run in both", _evict(options={"dryRun": ["All"]}, dry="All"), get(LONE)),
    _asked("another dry run in both", _evict(options={"dryRun": ["x"]}, dry="All"), get(LONE)),
    _asked("a dry run of another kind", _evict(dry="x"), get(LONE)),
    _asked("a dry run of another kind in the options", _evict(options={"dryRun": ["x"]}), get(LONE)),
    _asked("of another uid", _evict(options=_OTHER_UID), get(LONE)),
    _asked("of another version", _evict(options=_OTHER_VERSION), get(LONE)),
    _asked("options of another kind", _evict(options={"kind": "Pod", "dryRun": ["All"]})),
    _asked("without grace", _runs(), _evict(options={"gracePeriodSeconds": 0}), get(LONE)),
)

_BUDGETS = (
    _evicted("a pod that runs", (pod(),), _runs(), _evict()),
    _evicted("one that has not begun", (budget(minAvailable=1), pod()), _counted(0), _evict()),
    *(
        _evicted(
            f"one that has {phase.lower()}",
            (budget(minAvailable=1), pod()),
            _runs(ready=False, phase=phase),
            _counted(0),
            _evict(),
        )
        for phase in ("Succeeded", "Failed")
    ),
    _evicted(
        "one that is being deleted",
        (budget(minAvailable=2), _HELD),
        _runs(),
        _counted(1),
        _evict(),
        delete(LONE, {"gracePeriodSeconds": 0}),
        _counted(0),
        _evict(),
        merge(LONE, {"metadata": {"finalizers": None}}),
    ),
    _evicted(
        "none is to spare", (budget(minAvailable=1), pod()), _runs(), _counted(1), _evict(), get(_GUARD)
    ),
    _evicted(
        "a dry run of none to spare", (budget(minAvailable=1), pod()), _runs(), _counted(1), _evict(dry="All")
    ),
    _evicted(
        "one is to spare",
        (budget(minAvailable=1), *_PAIR),
        _runs(),
        _runs("other"),
        _counted(2, 2),
        _evict(),
        _counted(1, 1),
        _evict("other"),
    ),
    _evicted(
        "a dry run takes nothing",
        (budget(minAvailable=1), *_PAIR),
        _runs(),
        _runs("other"),
        _counted(2, 2),
        _evict(dry="All"),
        _evict(options={"dryRun": ["All"]}),
        get(_GUARD),
        _evict("other", dry="All"),
    ),
    _evicted(
        "what was taken is gone, though the pod is not",
        (budget(minAvailable=1), *_PAIR),
        _runs(),
        _runs("other"),
        _counted(2, 2),
        _evict(options=_OTHER_UID),
        _counted(1, 2),
        _evict("other"),
        _evict(),
    ),
    _evicted(
        "one that is not ready, and enough are",
        (budget(minAvailable=1), *_PAIR),
        _runs(),
        _runs("other", ready=False),
        _counted(1, 2),
        _evict("other"),
        _counted(1, 1),
    ),
    _evicted(
        "one that is not ready, of another version",
        (budget(minAvailable=1), *_PAIR),
        _runs(),
        _runs("other", ready=False),
        _counted(1, 2),
        _evict("other", _OTHER_VERSION),
    ),
    _evicted(
        "one that is not ready, of another uid",
        (budget(minAvailable=1), *_PAIR),
        _runs(),
        _runs("other", ready=False),
        _counted(1, 2),
        _evict("other", _OTHER_UID),
        get(_GUARD),
    ),
    _evicted(
        "one that is not ready, and too few are",
        (budget(minAvailable=2), *_PAIR),
        _runs(),
        _runs("other", ready=False),
        _counted(1, 2),
        _evict("other"),
    ),
    _evicted(
        "one that is not ready, and none need be",
        (budget(minAvailable=0), *_PAIR),
        _runs(),
        _runs("other", ready=False),
        _counted(1, 2),
        _evict("other", _OTHER_UID),
        Ask("GET", _GUARD, until=_is_awaited),
    ),
    _evicted(
        "two budgets",
        (budget(minAvailable=0), budget("second", minAvailable=0), pod()),
        _runs(),
        _evict(),
        _evict(dry="All"),
        get(LONE),
    ),
    _evicted(
        "two budgets, one that has not begun",
        (budget(minAvailable=0), budget("second", minAvailable=0), pod()),
        _evict(),
    ),
    _evicted(
        "a budget that is behind",
        (budget("first", minAvailable=0), pod()),
        _runs(),
        _counted(1, name="first"),  # so the manager has seen the pod, whose controller it misses
        delete(f"{BUDGETS}/first"),
        post(BUDGETS, budget(maxUnavailable=1)),
        _evict(),
        _evict(dry="All"),
    ),
    _evicted("neither of both", (budget(), pod()), _runs(), _counted(1, 0), _evict()),
    _evicted("an empty selector", (budget(minAvailable=1, selector={}), pod()), _runs(), _evict(dry="All")),
    _evicted("no selector", (budget(minAvailable=1, selector=None), pod()), _runs(), _evict(dry="All")),
    _evicted(
        "a selector of others",
        (budget(minAvailable=1, selector={"matchLabels": {"app": "other"}}), pod()),
        _runs(),
        _evict(dry="All"),
    ),
    _evicted(
        "a selector of expressions",
        (
            budget(
                minAvailable=1,
                selector={"matchExpressions": [{"key": "app", "operator": "In", "values": ["lone"]}]},
            ),
            pod(),
        ),
        _runs(),
        _counted(1),
        _evict(),
    ),
)

CASES = (*_OBJECTS, *_REQUESTS, *_BUDGETS)
