"""How far an update is: the numbers people look at, in every state that a whole update goes through."""

from __future__ import annotations

import pytest
from hypothesis import given

from rollupdate.core.diagnosis.problems import PodProblem
from rollupdate.core.diagnosis.summary import Diagnosis
from rollupdate.core.phases.session import diagnosed
from rollupdate.core.phases.steps import Step, Wait
from rollupdate.core.status.progress import progress
from rollupdate.events import FINISHING, PREPARING, SCALING, TRANSFERRING, Pods, Progress
from tests.core.cluster import Client, Namespace
from tests.core.test_convergence import Plan, plans
from tests.core.worlds import raw
from tests.support.asking import Asking, asking
from tests.support.changes import image


class Told:
    """What would be told at each step of a client."""

    def __init__(self) -> None:
        self.all: list[Progress] = []

    def __call__(self, client: Client, step: Step) -> None:
        last = self.all[-1] if self.all else None
        here = progress(client.snapshot(), client.goal, client.session, step, client.now, last)
        if here is not None:
            assert here != last
            self.all.append(here)


def followed(request: Asking, namespace: Namespace) -> list[Progress]:
    told = Told()
    Client(namespace, request, before_write=told).run()
    return told.all


def test_an_image_update_from_its_beginning_to_its_end() -> None:
    """Through all phases; the pods in the middle of the transfer are still all there."""
    told = followed(asking("foo", change=image("nginx:1.9.1")), Namespace(raw("foo")))
    phases = list(dict.fromkeys(each.phase for each in told))
    assert phases == [PREPARING, SCALING, TRANSFERRING]
    assert {(each.original, each.target, each.floor, each.ceiling) for each in told} == {(3, 3, 3, 4)}
    assert told[0].pods == (Pods("foo", "old", size=3, current=3, ready=3, available=3),)
    for each in told:
        if each.phase == TRANSFERRING:
            assert [(pods.role, pods.size, pods.available) for pods in each.pods] == [
                ("old", 0, 0),
                ("new", 3, 3),
            ]


def test_an_update_to_another_name_ends_with_the_new_pods() -> None:
    """The last thing told is that they are all there and no old one is."""
    told = followed(
        asking("foo", new_name="bar", change=image("nginx:1.9.1")),
        Namespace(raw("foo", deployment="v1")),
    )
    assert told[-1].phase == FINISHING
    assert [(pods.controller, pods.current, pods.available) for pods in told[-1].pods] == [
        ("foo", 0, 0),
        ("bar", 3, 3),
    ]


def test_a_rollback_reaches_for_the_old_size() -> None:
    """The roles stay, the direction is another."""
    namespace = Namespace(raw("foo", replicas=4, deployment="v1"))
    client = Client(namespace, asking("foo", new_name="bar", change=image("nginx:1.9.1")))
    while len(namespace.owned("foo")) > 2:
        client.step()
        namespace.all_ready()
    told = followed(asking("foo", rollback=True), namespace)
    assert {(each.rollback, each.target) for each in told} == {(True, 4)}
    assert [(pods.role, pods.available) for pods in told[-1].pods] == [("old", 4), ("new", 0)]


@given(plans())
def test_the_numbers_are_never_wrong_in_themselves(plan: Plan) -> None:
    """Whatever the plan: no less than nothing, a size that is reached, bounds in order, no repetition."""
    namespace = Namespace(raw("foo", replicas=plan.original))
    told = followed(plan.request(), namespace)
    assert told
    for each in told:
        assert each.floor <= each.ceiling
        for pods in each.pods:
            numbers = (pods.size, pods.current, pods.ready, pods.available, pods.failing)
            assert min(*numbers, pods.starting, pods.leaving) >= 0
            assert pods.available + pods.failing <= pods.size
    ended = {pods.role: pods.available for pods in told[-1].pods}
    assert ended == {"old": 0, "new": told[-1].target}


def test_what_fails_is_counted_among_the_growing() -> None:
    """No more than there are; the cause is told with the wait that it explains, and only with a wait."""
    namespace = Namespace(raw("foo", deployment="v1"))
    client = Client(namespace, asking("foo", new_name="bar", change=image("nginx:1.9.1")))
    for _ in range(20):
        step = client.step()
        if isinstance(step, Wait):
            break
        namespace.look()
    namespace.look()
    diagnosis = Diagnosis(((PodProblem("Image", "no such image", terminal=True), 7),), terminal=True)
    session = diagnosed(client.session, diagnosis, 5.0)
    here = progress(client.snapshot(), client.goal, session, step, 12.0, None)
    assert here is not None
    assert [(pods.role, pods.failing, pods.starting) for pods in here.pods] == [("old", 0, 0), ("new", 1, 0)]
    assert (here.waiting, here.cause) == ("0 of 1 pods of bar are available", "7 pods: no such image")
    assert here.idle == 12.0 - session.progress_at
    assert progress(client.snapshot(), client.goal, session, step, 99.0, here) is None, (
        "time alone is no news"
    )
    assert progress(client.snapshot(), client.goal, session, Step(), 12.0, here) is None


@pytest.mark.parametrize(
    ("pods", "starting", "leaving"),
    [
        (Pods("a", "new", size=3, current=1, ready=0, available=0), 3, 0),
        (Pods("a", "new", size=3, current=3, ready=2, available=1, failing=1), 1, 0),
        (Pods("a", "old", size=1, current=3, ready=3, available=1), 0, 2),
    ],
)
def test_starting_and_leaving(pods: Pods, starting: int, leaving: int) -> None:
    """What follows from the numbers of a controller."""
    assert (pods.starting, pods.leaving) == (starting, leaving)
