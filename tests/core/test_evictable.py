"""Pods that go by eviction: which go first, what budgets allow, what is left of a controller."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model import record
from rollupdate.core.model.allowance import Allowance
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.evictable import DELETION_COST, EvictablePod, PodLook, owned_by
from rollupdate.core.phases import writes
from rollupdate.core.phases.evicting import AT_ONCE
from rollupdate.core.phases.eviction_memory import NOTHING_EVICTED
from rollupdate.core.phases.going import Going
from rollupdate.core.phases.picking import Pick
from rollupdate.core.phases.steps import Effect, Patch
from testing.objects import Json
from tests.core.worlds import raw

LABELS = {"app": "nginx"}


def pod(name: str, **more: Any) -> EvictablePod:
    return EvictablePod(name, f"uid-{name}", f"v-{name}", **{"labels": LABELS, **more})


def look(*pods: EvictablePod, **more: Any) -> PodLook:
    return PodLook("uid-foo", (1, len(pods)), 0.0, pods, **more)


def budget(spec: Json, status: Json, **meta: Any) -> Json:
    return {
        "apiVersion": "policy/v1",
        "metadata": {"name": "guard", "generation": 1, **meta},
        "spec": {"selector": {"matchLabels": LABELS}, **spec},
        "status": {"observedGeneration": 1, **status},
    }


def allowance(allowed: int, healthy: int = 3, desired: int = 3, **spec: Any) -> Allowance:
    counts = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired}
    return Allowance.of(budget({"minAvailable": desired, **spec}, counts))


# --- which go first ---


def test_the_order() -> None:
    """Each of these goes before all that stand below it."""
    first_to_last = [
        pod("unready", ready=False, node="a"),
        pod("cordoned", node="c", cost=5),
        pod("unassigned"),
        pod("unknown", phase="Unknown", node="a"),
        pod("cheap", node="a", cost=-1),
        pod("crowded-1", node="b"),
        pod("crowded-2", node="b", ready_since=-1.0),
        pod("crowded-3", node="b", ready_since=-1.0, created=-1.0, restarts=-1),
        pod("alone", node="d", ready_since=5.0),
    ]
    found = look(*reversed(first_to_last), cordoned=frozenset("c"))
    assert [one.name for one in found.in_order if one.name != "crowded-4"] == [
        one.name for one in first_to_last
    ]


def test_a_pod_as_the_api_sends_it() -> None:
    raw_pod: Json = {
        "metadata": {
            "name": "a",
            "uid": "1",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:10Z",
            "annotations": {DELETION_COST: "-3"},
            "labels": LABELS,
            "ownerReferences": [{"uid": "uid-foo", "controller": True}],
        },
        "spec": {"nodeName": "n"},
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:12Z"},
            ],
            "containerStatuses": [{"restartCount": 2}, {}],
        },
    }
    (found,) = owned_by("uid-foo", [raw_pod])
    assert (found.ready, found.node, found.cost, found.restarts) == (True, "n", -3, 2)
    assert found.ready_since - found.created == 2
    going = {**raw_pod, "metadata": {**raw_pod["metadata"], "deletionTimestamp": "2026-01-01T00:00:13Z"}}
    other = {**raw_pod, "metadata": {**raw_pod["metadata"], "ownerReferences": []}}
    assert owned_by("uid-foo", [going, other]) == ()
    raw_pod["metadata"]["annotations"][DELETION_COST] = "dear"
    assert owned_by("uid-foo", [raw_pod])[0].cost == 0


# --- what budgets allow ---


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (allowance(0), "ab"),
        (allowance(1), "abc"),
        (allowance(0, healthy=4), "ab"),
        (allowance(0, healthy=2), "b"),
        (allowance(0, healthy=0, desired=0), "b"),
        (allowance(0, healthy=1, unhealthyPodEvictionPolicy="AlwaysAllow"), "ab"),
        (replace(allowance(5), counted=False), "ab"),
    ],
)
def test_what_may_go(found: Allowance, names: str) -> None:
    """A pod that is not ready needs no disruption if enough others are; a pending one needs none at all."""
    pods = (pod("a", ready=False), pod("b", phase="Pending", ready=False), pod("c"))
    pick = Pick.of(look(*pods, allowances=(found,)), 0, AT_ONCE)
    assert {one.name for one in pick.pods} == {*names}


@given(
    st.lists(st.booleans(), max_size=8),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 8),
)
def test_no_more_than_a_budget_allows(
    ready: list[bool], allowed: int, healthy: int, desired: int, size: int, most: int
) -> None:
    """Of ready pods no more than the disruptions, and so many that ``size`` are left, whatever becomes of
    those that are not ready; never more than was asked for."""
    pods = [pod(f"p{number}", ready=one) for number, one in enumerate(ready)]
    given_allowance = allowance(allowed, healthy, desired)
    pick = Pick.of(look(*pods, allowances=(given_allowance,)), size, most)
    gone = sum(one.ready for one in pick.pods)
    wanted = max(0, min(most, len(pods) - size))
    assert len(pick.pods) <= wanted
    assert gone <= min(allowed, max(0, sum(ready) - size))
    if len(pick.pods) < wanted:
        assert pick.blocked == given_allowance
        assert "guard allows" in given_allowance.words


@pytest.mark.parametrize("selector", ["app", {"matchLabels": "app"}, {"matchExpressions": [{}]}])
def test_a_budget_that_no_server_would_store(selector: object) -> None:
    """It is passed over when budgets are read, and not met later."""
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        Allowance.of(budget({"selector": selector}, {}))


def test_two_budgets_over_one_pod() -> None:
    both = (allowance(1), replace(allowance(1), name="other"))
    assert Pick.of(look(pod("a"), allowances=both), 0, 1).doubled == ("guard", "other")
    assert Pick.of(look(pod("a", labels={}), allowances=both), 0, 1).pods


def test_a_budget_that_cannot_be_counted() -> None:
    """By its condition, whatever its status still says of before."""
    text = 'no matches for kind "Shop" in version "example.com/v1"'
    failed = {"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": text}
    counts = {"disruptionsAllowed": 0, "currentHealthy": 3, "desiredHealthy": 2, "conditions": [failed]}
    assert Allowance.of(budget({"maxUnavailable": 1}, counts)).words == (
        f"guard allows 0: its pods cannot be counted: {text}"
    )
    failed["reason"] = "InsufficientPods"
    assert Allowance.of(budget({"maxUnavailable": 1}, counts)).words == "guard allows 0: 3 of 2 healthy"


def test_words() -> None:
    assert allowance(0, 5, 6).words == "guard allows 0: 5 of 6 healthy"
    stale = Allowance.of(budget({"maxUnavailable": 1}, {"observedGeneration": 1}, generation=2))
    assert stale.words == "guard allows 0: it is not counted yet"
    assert stale.of_sizes
    assert Allowance.of(budget({"minAvailable": "50%"}, {})).of_sizes
    assert not Allowance.of(budget({"minAvailable": 1}, {})).of_sizes


# --- what is left ---


def held(replicas: int, current: int, available: int, chosen: Evictions) -> Controller:
    before = Controller.parse(raw("foo", replicas=replicas))
    obj = writes.evicting(before, replicas, chosen, {})
    meta = obj["metadata"]
    obj["status"] = {
        "replicas": current,
        "readyReplicas": available,
        "availableReplicas": available,
        "observedGeneration": meta.get("generation", 0),
    }
    return Controller.parse(obj)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_what_is_left_is_never_more_than_there_is(size: int, gone: int, died: int, counted: int) -> None:
    """Of ``size`` pods some were evicted and others died; the status has counted some of it."""
    gone, died = min(gone, size), min(died, max(0, size - gone))
    names = [f"p{number}" for number in range(size)]
    left = names[gone + died :]
    current = max(len(left), size - counted)
    chosen = Evictions(tuple((name, f"v-{name}") for name in names[:gone]))
    controller = held(size, current, current, chosen)
    going = Going(controller, look(*map(pod, left)))
    effective = going.effective(NOTHING_EVICTED)
    assert going.size == size - gone, "one that has died is still asked for"
    assert effective.available <= len(left)
    assert effective.max_pods >= len(left)
    assert not controller.moving
    assert controller.template == Controller.parse(raw("foo", replicas=size)).template


def test_a_hold_comes_off_as_it_was_put_on() -> None:
    before = Controller.parse(raw("foo", replicas=3))
    chosen = Evictions((("a", "1"), ("b", "2")))
    obj = writes.evicting(before, 3, chosen, {})
    there = Controller.parse(obj)
    assert there.evicting
    assert there.record.evicting == chosen
    assert there.record.format == record.EVICTION_FORMAT
    after = Controller.parse(writes.evicted(there, 1))
    assert after.replicas == 1
    assert not after.held
    assert after.raw["spec"] == {**before.raw["spec"], "replicas": 1}
    assert after.record == replace(before.record, scaled_to=1)


def test_a_hold_stays_known_over_a_write_of_ours() -> None:
    """Not over one of another client: then the manager has to observe it again."""
    there = held(3, 3, 3, Evictions((("a", "1"),)))
    memory = NOTHING_EVICTED.observe([there], 0.0)
    assert memory.knows_held(there)
    desired = writes.evicting(there, 2, Evictions(), {})
    memory = memory.written(Patch(controller=there, desired=desired, effect=Effect.EVICT))
    ours = replace(there, generation=there.generation + 1, observed_generation=there.generation)
    assert memory.observe([ours], 0.0).knows_held(ours)
    again = replace(ours, generation=ours.generation + 1)
    assert not memory.observe([again], 0.0).knows_held(again)
    assert not memory.knows_held(replace(ours, held=False))


@pytest.mark.parametrize("text", ["[]", "1", '{"a": 1}', "nothing"])
def test_what_another_client_has_made_of_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"names|Expecting"):
        Evictions.decode(text)
