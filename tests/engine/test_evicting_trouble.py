"""Evictions where something is not as it should be: pods that are missing, sizes that others change, a server
that is slow or refuses, annotations that are gone, a dry run of what another client has left."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.engine.dry_run import DryRunClock, DryRunCluster
from rollupdate.engine.update import Update
from rollupdate.errors import FailureError, InterruptedBySignal, RefusedError, StoppedError
from rollupdate.events import Event
from rollupdate.rights import EVICTIONS
from testing.sandbox import Change
from testing.sandbox.messages import Request, Response
from testing.sandbox.resources import CONTROLLERS
from tests.engine.evictions import BACK, BACK_EVICT, EVICT, LABELLED, PLAIN, SIZE, Evictions, budget
from tests.engine.inprocess import Killed, SandboxCluster
from tests.engine.world import NAME, patched
from tests.support.asking import Asking
from tests.support.manifests import asking_for, limit_range, my_nginx, quota

SOON = EVICT.but(timeout=60.0)


def memory(amount: str) -> dict[str, dict[str, str]]:
    return {"requests": {"memory": amount}, "limits": {"memory": amount}}


def answer(code: int, reason: str = "", text: str = "not now", **details: Any) -> Response:
    return Response(
        code,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": text,
            "reason": reason,
            "code": code,
            "details": details,
        },
    )


def is_eviction(request: Request) -> bool:
    return request.path.endswith("/eviction")


class Answering:
    """Answers the requests that match in the server's place, the first ``times`` of them."""

    def __init__(self, world: Evictions, code: int, reason: str = "", times: int = 10**9) -> None:
        self.asked = 0
        self._answer, self._times = answer(code, reason), times
        world.sandbox.intercept(self._intercepted)

    def _intercepted(self, request: Request) -> Response | None:
        if not is_eviction(request) or self.asked >= self._times:
            return None
        self.asked += 1
        assert self.asked < 500, "it is asked again and again"
        return self._answer


# --- pods that are missing ---


@pytest.mark.parametrize("back", [BACK_EVICT.but(timeout=60.0), BACK], ids=["evicting", "deleting"])
def test_new_pods_that_cannot_be_made_are_taken_back(back: Asking) -> None:
    """There are none to evict: the size alone is lowered."""
    world = Evictions(budget(minAvailable=SIZE))

    def fill(write: int) -> None:
        if write == 1:
            world.sandbox.create(quota({"pods": str(SIZE)}))
            world.sandbox.settle()

    with pytest.raises(FailureError, match="timed out"):
        world.update(SOON, after=fill)
    assert world.evicted == []
    world.run(back)
    assert (world.evicted, world.deleted) == ([], [])
    world.assert_as_before()


@pytest.mark.parametrize("alive", [0, 1, 2])
@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (0, 1)])
def test_old_pods_that_cannot_be_made_any_more(alive: int, surge: int, unavailable: int) -> None:
    """They ask for less than a LimitRange of today lets them. Those that are left are evicted, no sooner than
    others are there."""
    manifest = asking_for(my_nginx(**LABELLED), **memory("50Mi"))
    world = Evictions(manifest=manifest)
    world.sandbox.create(limit_range(min={"memory": "100Mi"}))
    for name in world.owned(world.old)[alive:]:
        world.sandbox.delete("pods", "default", name)
    world.sandbox.advance(3)
    world.least_available = world.available
    world.evicted.clear()
    amounts = Budget(Amount(surge), Amount(unavailable))
    asked = patched(
        {"resources": memory("200Mi")}, evicts=True, history_limit=10, timeout=60.0, budget=amounts
    )
    world.run(asked)
    assert len(world.evicted) == alive
    assert world.least_available >= min(alive, SIZE - unavailable)
    assert world.available == SIZE


# --- sizes that others change, pods that are not ready ---


@pytest.mark.parametrize(("times", "size", "to"), [(1, 6, 6), (3, 6, 6), (10**9, 3, 3), (10**9, 3, 2)])
def test_the_floor_holds_where_others_raise_the_size_again(times: int, size: int, to: int) -> None:
    """The manager is asked for more pods than there are by then: those that are there count, not the size."""
    least = {}
    for asked in (PLAIN, EVICT):
        world = Evictions(size=size)
        raised = 0

        def raise_it() -> None:
            if not world.begun and world.old["spec"]["replicas"] < to:  # noqa: B023
                world.sandbox.scale("default", NAME, to)  # noqa: B023

        def watch(change: Change) -> None:
            nonlocal raised
            if change.resource is not CONTROLLERS or change.old is None or change.new is None:
                return
            lowered = change.new["spec"]["replicas"] < change.old["spec"]["replicas"]
            if change.name == NAME and change.actor == "client" and lowered and raised < times:
                raised += 1
                world.sandbox.clock.schedule(0.2, raise_it)  # noqa: B023

        world.sandbox.on_write(watch)
        world.run(asked.but(budget=Budget(Amount(1), Amount(0)), timeout=120.0))
        assert raised
        least[asked is EVICT] = world.least_available
    assert least[True] == least[False] >= size


def test_no_ready_pod_goes_in_the_place_of_one_that_a_budget_keeps() -> None:
    """Two that are not ready may not go by a budget of their own; the others are those that serve."""
    world = Evictions(size=6)
    kept = [pod["metadata"]["name"] for pod in world.sandbox.pods()][:2]
    for name in kept:
        world.sandbox.patch("pods", "default", name, {"metadata": {"labels": {"tier": "special"}}})
    world.sandbox.create(budget("special", {"matchLabels": {"tier": "special"}}, minAvailable=1))
    world.sandbox.advance(2)
    for name in kept:
        world.sandbox.kubelet.set_ready("default", name, False)
    world.sandbox.advance(2)
    world.settled_anew()
    with pytest.raises(FailureError) as stopped:
        world.run(EVICT.but(budget=Budget(Amount(1), Amount(1)), timeout=60.0))
    assert "special allows 0: 0 of 1 healthy" in str(stopped.value.hint)
    assert world.least_available >= 4
    assert not set(kept) & set(world.evicted)
    world.update(PLAIN)
    world.assert_updated()


# --- a server that is slow, or refuses ---


class SlowLists(SandboxCluster):
    """Each list of pods takes a while. ``lists``: how many there were."""

    def __init__(self, world: Evictions, seconds: float) -> None:
        super().__init__(world.sandbox)
        self.lists, self._seconds = 0, seconds

    def list_pods(self, label_selector: str, **more: Any) -> list[Any]:
        found = super().list_pods(label_selector, **more)
        if not more:
            self.lists += 1
            assert self.lists < 50, "it looks again and again"
            self.sandbox.advance(self._seconds)
        return found


@pytest.mark.parametrize("seconds", [0.0, 0.15, 1.0, 6.0])
def test_each_look_is_good_for_a_decision(seconds: float) -> None:
    """However long it takes."""
    world = Evictions(budget(minAvailable=SIZE))
    cluster = SlowLists(world, seconds)
    world.update_with(cluster, SOON)
    assert cluster.lists < 12
    assert world.least_available == SIZE
    world.assert_updated()


PASSING = [(429, "TooManyRequests"), (500, "InternalError"), (503, "ServiceUnavailable"), (409, "Conflict")]


@pytest.mark.parametrize(("code", "reason"), [*PASSING, (404, "NotFound")])
def test_a_server_that_never_evicts(code: int, reason: str) -> None:
    """It is asked less and less often, nothing is held meanwhile, and it ends with what the server said."""
    world = Evictions(budget(minAvailable=SIZE))
    answers = Answering(world, code, reason)
    began = world.sandbox.now()
    with pytest.raises(FailureError, match="timed out") as stopped:
        world.run(SOON)
    assert 60 <= world.sandbox.now() - began < 75
    assert "not now" in str(stopped.value.hint)
    assert answers.asked < 45
    assert sum(world.holds) < 10
    assert not world.held()
    assert world.evicted == []


@pytest.mark.parametrize(("code", "reason"), PASSING)
def test_a_server_that_evicts_later(code: int, reason: str) -> None:
    world = Evictions(budget(minAvailable=SIZE))
    answers = Answering(world, code, reason, times=6)
    world.run(SOON)
    assert answers.asked == 6
    assert world.least_available == SIZE
    world.assert_updated()


@pytest.mark.parametrize(
    ("code", "reason"),
    [(400, "BadRequest"), (403, "Forbidden"), (405, "MethodNotAllowed"), (422, "Invalid")],
)
@pytest.mark.parametrize("what", ["hold", "eviction"])
def test_what_is_refused_for_good(code: int, reason: str, what: str) -> None:
    """By a webhook: it stops at once, with the way out, and nothing is held."""
    world = Evictions(budget(minAvailable=SIZE))
    asked = 0

    def refused(request: Request) -> Response | None:
        nonlocal asked
        pointer = record.EVICTING.replace("/", "~1")
        hold = request.method == "PATCH" and pointer in str(request.body)
        if not (hold if what == "hold" else is_eviction(request)):
            return None
        asked += 1
        return answer(code, reason)

    world.sandbox.intercept(refused)
    with pytest.raises(StoppedError, match="not now") as stopped:
        world.run(SOON)
    assert asked == 1
    assert str(stopped.value.hint) == (
        "to delete pods whatever a budget says: the same command without --evict"
    )
    assert not world.held()


@pytest.mark.parametrize("code", [400, 403, 422])
def test_pods_that_must_not_be_touched(code: int) -> None:
    """That ends no run, and is not tried again and again."""
    world = Evictions(budget(maxUnavailable=1), size=6)
    asked = 0

    def refused(request: Request) -> Response | None:
        nonlocal asked
        if request.method != "PATCH" or "/pods/" not in request.path:
            return None
        asked += 1
        assert asked < 50
        return answer(code)

    world.sandbox.intercept(refused)
    world.run(EVICT.but(pause_at=(Amount(3),), timeout=60.0))
    world.run(SOON)
    world.assert_updated()


@pytest.mark.parametrize("code", [429, 500, 503])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_one_error_on_the_way_out(code: int, number: int) -> None:
    """Interrupted while a controller is held: the hold ends although a request fails once."""
    world = Evictions(size=4)
    interrupted = False
    requests = 0

    def interrupt(_write: int) -> None:
        nonlocal interrupted
        if len(world.evicted) == 1 and world.held() and not interrupted:
            interrupted = True
            raise InterruptedBySignal("SIGINT")

    def failing(_request: Request) -> Response | None:
        nonlocal requests
        requests += interrupted
        return answer(code) if interrupted and requests == number else None

    world.sandbox.intercept(failing)
    with pytest.raises(InterruptedBySignal):
        world.update(SOON, after=interrupt)
    assert interrupted
    assert not world.held()
    world.run()
    world.assert_updated(4)


# --- what another client, or another run, has left ---


def killed_while_held(world: Evictions) -> None:
    def die(_write: int) -> None:
        if len(world.evicted) == 1:
            raise Killed

    with pytest.raises(Killed):
        world.update(SOON, after=die)
    world.sandbox.settle()
    assert world.held() == [NAME]


@pytest.mark.parametrize("taken", [{record.EVICTING: None}, None], ids=["one", "all"])
@pytest.mark.parametrize(
    "asked", [EVICT, PLAIN, BACK_EVICT, BACK], ids=["on", "on-plain", "back", "back-plain"]
)
def test_nothing_says_any_more_what_it_is_held_for(taken: dict[str, None] | None, asked: Asking) -> None:
    """Another client has taken an annotation off, or all of them."""
    world = Evictions(size=4)
    killed_while_held(world)
    patch = {"metadata": {"annotations": taken}}
    world.sandbox.patch("replicationcontrollers", "default", NAME, patch)
    world.run(asked.but(timeout=60.0))
    assert not world.held()
    assert world.least_available >= 4
    if asked in (EVICT, PLAIN):
        world.assert_updated(4)
    else:
        world.assert_as_before(4)


def rehearsed(world: Evictions, asked: Asking, *, server: bool, allowed: bool = True) -> list[Event]:
    """What a dry run tells."""
    denied = frozenset() if allowed else frozenset(EVICTIONS)
    clock, events = DryRunClock(), list[Event]()
    cluster = DryRunCluster(SandboxCluster(world.sandbox, denied=denied), clock, server=server)
    run = Update(cluster, clock, asked.intent, asked.but(dry_run=True).policy, events.append)
    run.run().checked()
    return events


@pytest.mark.parametrize("server", [False, True])
@pytest.mark.parametrize(
    "asked", [EVICT, PLAIN, BACK_EVICT, BACK], ids=["on", "on-plain", "back", "back-plain"]
)
def test_a_dry_run_of_what_is_held(asked: Asking, server: bool) -> None:
    """It has no pods, and needs none."""
    world = Evictions(size=4)
    killed_while_held(world)
    before = world.controllers()
    assert rehearsed(world, asked, server=server)
    assert world.controllers() == before


@pytest.mark.parametrize("server", [False, True])
def test_a_dry_run_is_refused_what_the_run_is_refused(server: bool) -> None:
    two = Evictions(budget("one", minAvailable=1), budget("two", minAvailable=1))
    with pytest.raises(RefusedError, match="more than one PodDisruptionBudget"):
        rehearsed(two, EVICT, server=server)
    with pytest.raises(RefusedError, match="pods/eviction"):
        rehearsed(Evictions(), EVICT, server=server, allowed=False)


@pytest.mark.parametrize("asked", [EVICT, BACK_EVICT], ids=["on", "back"])
def test_a_second_budget_that_has_come_since(asked: Asking) -> None:
    """Refused before the first write as well: on, back, and in a dry run of the one or the other."""
    world = Evictions(budget("one", minAvailable=1))
    world.run(EVICT.but(pause_at=(Amount(1),)))
    world.sandbox.create(budget("two", minAvailable=1))
    world.sandbox.settle()
    before = world.controllers()
    with pytest.raises(RefusedError, match=r"more than one PodDisruptionBudget \(one, two\)"):
        world.run(asked)
    with pytest.raises(RefusedError, match="more than one"):
        rehearsed(world, asked, server=False)
    assert world.controllers() == before
    world.run(asked.but(evicts=False))


def test_two_budgets_of_no_pods() -> None:
    """There is none to be evicted."""
    world = Evictions(budget("one", minAvailable=1), budget("two", minAvailable=1), size=0)
    world.run(EVICT)
    world.assert_updated(0)
