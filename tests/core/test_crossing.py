"""Pods that change owners: when they are listed, when the manager is waited for, when all are over."""

from __future__ import annotations

from dataclasses import replace

from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.crossing import AT_ONCE, LIST_AGAIN, Crossing, seen_of
from rollupdate.core.phases.steps import ListPods, Move, OwnedPod, PodList, Step, Wait
from tests.core.worlds import controller

SELECTOR = "app=nginx"
SIZE = 3


def crossing(*, left: int, arrived: int) -> Crossing:
    """``left``, ``arrived``: the pods that the status of the two says they have."""
    source = controller("foo-v2", current=left)
    destination = controller("foo", current=arrived)
    return Crossing(
        source=source, destination=destination, selector=SELECTOR, claims=(source, destination), epoch=None
    )


def pods_of(owner: Controller, count: int = SIZE, *, ended: int = 0) -> tuple[OwnedPod, ...]:
    reference = {"uid": owner.uid, "controller": True}
    return tuple(OwnedPod(f"pod-{n}", "1", (reference,), active=n >= ended) for n in range(count))


def moved(way: Crossing, *, ended: int = 0) -> PodList:
    """What the answers to the writes have left of a list that was made at 0 s: all pods are over."""
    over = pods_of(way.destination, ended=ended)
    return PodList(SELECTOR, seen_of(way.source, way.destination), over, 0.0, fresh=False)


def at(way: Crossing, pods: PodList | None, now: float = 0.1) -> Step | None:
    return way.step(pods, now, "")


def test_what_the_answers_have_said_is_waited_for_before_the_pods_are_listed_again() -> None:
    for left, arrived in ((3, 0), (1, 2), (1, 3), (0, 2)):
        way = crossing(left=left, arrived=arrived)
        step = at(way, moved(way))
        assert isinstance(step, Wait)
        assert (step.until, step.again) == (LIST_AGAIN, True)


def test_they_are_over_once_a_list_that_was_made_since_agrees() -> None:
    way = crossing(left=0, arrived=SIZE)
    assert isinstance(at(way, moved(way)), ListPods)
    assert at(way, replace(moved(way), fresh=True)) is None
    # The list is of the moment before the manager has counted them.
    early = seen_of(way.source, controller("foo", current=SIZE - 1))
    assert isinstance(at(way, replace(moved(way), fresh=True, seen=early)), ListPods)


def test_a_count_that_stays_another_is_compared_with_a_new_list() -> None:
    """A pod has ended, or was deleted, since it was moved."""
    way = crossing(left=0, arrived=SIZE - 1)
    assert isinstance(at(way, moved(way), LIST_AGAIN - 0.01), Wait)
    assert isinstance(at(way, moved(way), LIST_AGAIN), ListPods)
    assert isinstance(at(way, replace(moved(way), missed=True)), ListPods), "one is known to be another"
    assert at(way, replace(moved(way, ended=1), fresh=True)) is None
    still = at(way, replace(moved(way), fresh=True))
    assert isinstance(still, Wait)
    assert still.until is None, "the status is to change"


def test_very_many_pods_move_in_parts() -> None:
    way = crossing(left=AT_ONCE + 1, arrived=0)
    there = pods_of(way.source, AT_ONCE + 1)
    step = at(way, PodList(SELECTOR, seen_of(way.source, way.destination), there, 0.0))
    assert isinstance(step, Move)
    assert len(step.writes) == AT_ONCE
    assert step.claims == way.claims
