"""Old pods go by eviction (``--evict``): PodDisruptionBudgets are kept, waited for and named.

What happens if a client stops half way is in ``test_evicting_kills``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.engine.ports import Batch
from rollupdate.errors import (
    ApiError,
    ClusterError,
    FailureError,
    InterruptedBySignal,
    RefusedError,
    StoppedError,
)
from rollupdate.events import BudgetBroken, Evicted, Waiting
from rollupdate.rights import Right
from testing.objects import Json
from testing.sandbox import Change, ManagerConfig, priority
from testing.sandbox.messages import Request, Response
from testing.sandbox.resources import CONTROLLERS, PODS
from tests.engine.evictions import BACK, BACK_EVICT, EVICT, LABELLED, NEW, PLAIN, SIZE, Evictions, budget
from tests.engine.inprocess import SandboxCluster
from tests.engine.moves import is_held
from tests.engine.world import NAME
from tests.support.effort import some
from tests.support.manifests import my_nginx

BUDGETS = {
    "none": (),
    "all": (budget(minAvailable=SIZE),),
    "all but one": (budget(maxUnavailable=1),),
    "half": (budget(minAvailable="50%"),),
    "two thirds": (budget(maxUnavailable="34%"),),
}
with_each_budget = pytest.mark.parametrize("budgets", BUDGETS.values(), ids=[*BUDGETS])


def remove(world: Evictions, pod: str) -> None:
    world.sandbox.delete("pods", "default", pod)


def resize(world: Evictions, replicas: int) -> None:
    world.sandbox.scale("default", NAME, replicas)


def reasons(world: Evictions) -> list[str]:
    return [event.reason for event in world.events if isinstance(event, Waiting)]


def assert_only_evicted(world: Evictions, size: int = SIZE) -> None:
    """All old pods went by eviction, and none of them came back."""
    gone = [name for name in world.evicted if name.startswith(NAME)]
    assert len(gone) == size
    assert (world.deleted, world.replaced) == ([], [])


# --- what it does ---


@with_each_budget
def test_the_plain_case(budgets: tuple[Json, ...]) -> None:
    """Exactly the old pods are evicted; the manager deletes none, and makes none again; floor and ceiling
    hold, and so does the budget."""
    world = Evictions(*budgets)
    world.run()
    assert_only_evicted(world)
    assert (world.least_available, world.most_pods) == (SIZE, SIZE + 1)
    world.assert_updated()
    told = [event for event in world.events if isinstance(event, Evicted)]
    assert [name for event in told for name in event.pods] == world.evicted
    assert [event.left for event in told] == [2, 1, 0]


@with_each_budget
def test_back_and_many_at_once(budgets: tuple[Json, ...]) -> None:
    """A rollback evicts the new pods; with a larger surge several pods go at a time."""
    size = 8
    world = Evictions(*budgets, size=size)
    amounts = Budget(Amount(3), Amount(0))
    world.update(EVICT.but(budget=amounts, pause_at=(Amount(4),)))
    assert world.paused
    assert not world.held()
    asked = BACK_EVICT.but(budget=amounts)
    world.allow(minAvailable=size - 1, maxUnavailable=None) if budgets == BUDGETS["all"] else None
    world.run(asked)
    assert world.deleted == []
    assert (world.least_available, world.most_pods) == (size, size + 3)
    world.assert_as_before()


def test_a_budget_that_allows_it_later() -> None:
    """It is waited for with its name and figures, and without a hold."""
    world = Evictions(budget(minAvailable=SIZE + 1))
    held: list[float] = []
    opened = world.sandbox.now() + 90

    def open_it() -> None:
        held.extend(0.0 for _ in world.held())
        world.allow(minAvailable=SIZE)

    world.sandbox.clock.schedule(90, open_it)
    world.run()
    assert world.sandbox.now() - opened < 15
    assert held == []
    assert "guard allows 0: 4 of 4 healthy" in reasons(world)
    assert_only_evicted(world)
    world.assert_updated()


def test_a_budget_that_never_allows_it() -> None:
    """That is no progress: it stops with the budget's figures and the way out, and holds nothing."""
    world = Evictions(budget(minAvailable=SIZE + 1))
    began = world.sandbox.now()
    with pytest.raises(FailureError, match="timed out") as stopped:
        world.run(EVICT.but(timeout=60.0))
    assert 60 <= world.sandbox.now() - began < 75
    assert "guard allows 0: 4 of 4 healthy; to delete pods" in str(stopped.value.hint)
    assert str(stopped.value.hint).endswith("the same command without --evict")
    assert not world.held()
    world.update(BACK)
    world.assert_as_before()


def test_a_budget_of_more_pods_than_there_will_be() -> None:
    """With a surge above it all pods go but the last ones, which is said beforehand."""
    world = Evictions(budget(minAvailable=SIZE + 1))
    asked = EVICT.but(budget=Budget(Amount(2), Amount(0)), timeout=60.0)
    with pytest.raises(FailureError, match="timed out") as stopped:
        world.run(asked)
    assert "guard allows 0: 4 of 4 healthy; to delete pods" in str(stopped.value.hint)
    told = [event.hint for event in world.events if isinstance(event, BudgetBroken)]
    assert [str(hint).partition(";")[0] for hint in told] == ["its last pods wait until it asks for less"]
    assert len(world.evicted) == SIZE - 1
    assert not world.held()
    world.allow(minAvailable=SIZE)
    world.run(asked)
    assert_only_evicted(world)
    world.assert_updated()


def test_a_broken_old_version() -> None:
    """Its pods are not ready, so a budget never lets them go: that is said. Without --evict they go."""
    world = Evictions(budget(minAvailable=2), manifest=my_nginx(image="never-ready", **LABELLED))
    with pytest.raises(FailureError) as stopped:
        world.run(EVICT.but(timeout=60.0))
    said = "guard allows 0: 1 of 2 healthy; a pod that is not ready may not go before there are 2"
    assert said in str(stopped.value.hint)
    assert world.evicted == []
    world.run(PLAIN)
    world.assert_updated()


def test_a_broken_old_version_that_nobody_misses() -> None:
    """Enough others are ready: its pods go first."""
    world = Evictions(budget(minAvailable=1), manifest=my_nginx(image="never-ready", **LABELLED))
    world.run()
    assert_only_evicted(world)
    world.assert_updated()


# --- what is refused ---


def test_two_budgets() -> None:
    """The server evicts no pod of two budgets: that is said before the first write."""
    world = Evictions(budget("one", minAvailable=1), budget("two", minAvailable=1))
    writes: list[int] = []
    with pytest.raises(RefusedError, match=r"more than one PodDisruptionBudget \(one, two\).*nothing was"):
        world.run(before=writes.append)
    assert writes == []
    world.run(PLAIN)
    world.assert_updated()


@pytest.mark.parametrize("seen", [True, False])
def test_a_second_budget_comes_in_between(seen: bool) -> None:
    """Also where this client may not list budgets."""
    world = Evictions(budget("one", minAvailable=1))
    cluster = SandboxCluster(world.sandbox)
    if not seen:
        unlistable(cluster)

    def comes(_: int) -> None:
        if len(world.evicted) == 1 and not world.sandbox.find("PodDisruptionBudget", "default", "two"):
            world.sandbox.create(budget("two", minAvailable=1))

    cluster.after = comes
    with pytest.raises(StoppedError, match="more than one PodDisruptionBudget"):
        world.update_with(cluster, EVICT)
    assert not world.held()
    world.sandbox.delete("poddisruptionbudgets", "default", "two")
    world.run()
    assert_only_evicted(world)
    world.assert_updated()


@pytest.mark.parametrize("right", [Right("", "pods/eviction", "create"), Right("", "pods", "list")])
@pytest.mark.parametrize("asked", [EVICT, BACK_EVICT], ids=["update", "rollback"])
def test_a_right_is_missing(right: Right, asked: Any) -> None:
    world = Evictions()
    if asked is BACK_EVICT:
        world.update(EVICT.but(pause_at=(Amount(1),)))
    cluster = SandboxCluster(world.sandbox, denied=frozenset((right,)))
    with pytest.raises(RefusedError, match=f"{right.verb} {right.resource}; nothing was changed"):
        world.update_with(cluster, asked)
    assert cluster.writes == 0


def unlistable(cluster: SandboxCluster) -> None:
    """This client may not list budgets."""

    def refuse() -> list[Json]:
        raise ApiError(403, "Forbidden", "poddisruptionbudgets.policy is forbidden", {})

    listed = cluster.list_referring
    cluster.list_referring = (  # type: ignore[method-assign]
        lambda kind: refuse() if kind == "PodDisruptionBudget" else listed(kind)
    )


def test_budgets_that_may_not_be_listed() -> None:
    """The server's refusal says which one it is."""
    world = Evictions(budget(minAvailable=SIZE + 1))
    cluster = SandboxCluster(world.sandbox)
    unlistable(cluster)
    world.sandbox.clock.schedule(90, lambda: world.allow(minAvailable=SIZE))
    world.update_with(cluster, EVICT)
    assert any("budget guard needs 4 healthy pods and has 4" in reason for reason in reasons(world))
    assert_only_evicted(world)
    assert max(world.holds) < 2
    world.assert_updated()


def test_a_server_that_refuses_what_the_budget_allows() -> None:
    """Another client was quicker: the rest is asked for later, and nothing stays held meanwhile."""
    world = Evictions(budget(minAvailable=SIZE), size=6)
    refused = 0

    def refuse(request: Request) -> Response | None:
        nonlocal refused
        if request.path.endswith("/eviction") and refused < 3:
            refused += 1
            causes = [{"reason": "DisruptionBudget", "message": "guard needs 7 healthy pods and has 7"}]
            return _too_many(causes)
        return None

    world.sandbox.intercept(refuse)
    world.run(EVICT.but(budget=Budget(Amount(3), Amount(0))))
    assert refused == 3
    assert_only_evicted(world, 6)
    world.assert_updated()


def _too_many(causes: list[Json]) -> Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
        "reason": "TooManyRequests",
        "details": {"causes": causes},
        "code": 429,
    }
    return Response(429, body)


def test_pods_that_no_server_would_send() -> None:
    """That is an error of the server, and no traceback."""
    world = Evictions()
    cluster = SandboxCluster(world.sandbox)
    listed = cluster.list_pods

    def spoilt(selector: str, **more: Any) -> list[Json]:
        found = listed(selector, **more)
        return found if more else [{**pod, "status": {"conditions": "none"}} for pod in found]

    cluster.list_pods = spoilt  # type: ignore[method-assign, assignment]
    with pytest.raises(ClusterError, match="pods of my-nginx: the answer of the API server cannot be used"):
        world.update_with(cluster, EVICT)


# --- how long a controller is held ---


def test_it_is_held_no_longer_than_evictions_follow_each_other() -> None:
    """New pods that take long: the hold has ended long before."""
    manifest = my_nginx(**LABELLED)
    manifest["spec"]["minReadySeconds"] = 20
    world = Evictions(manifest=manifest)
    world.sandbox.advance(30)
    world.run()
    assert len(world.holds) == SIZE
    assert max(world.holds) < 1.5
    world.assert_updated()


def test_evictions_that_follow_each_other_need_one_hold() -> None:
    world = Evictions(size=6)
    world.run()
    assert len(world.holds) == 1
    world.assert_updated()


@pytest.mark.parametrize(("number", "chosen", "replaced"), [(1, True, 0), (1, False, 0), (2, False, 1)])
def test_pods_die_while_their_controller_is_held(number: int, chosen: bool, replaced: int) -> None:
    """They have gone as if they were evicted, whether they were chosen or not; what is missing then is made
    anew when the hold ends."""
    world = Evictions(size=6)
    done = False

    def die(change: Change) -> None:
        nonlocal done
        if done or change.resource is not CONTROLLERS or change.new is None or not is_held(change.new):
            return
        done = True
        named = change.new["metadata"]["annotations"][record.EVICTING]
        names = [name for name in world.owned(change.new) if (name in named) is chosen][:number]
        for name in names:
            world.sandbox.clock.schedule(0.0, partial(remove, world, name))

    world.sandbox.on_write(die)
    world.run(EVICT.but(pause_at=(Amount(2),)))
    assert world.paused
    world.sandbox.settle()
    assert not world.held()
    assert len(world.owned(world.old)) == world.old["spec"]["replicas"] == 4
    assert len(world.replaced) == replaced
    world.run()
    world.assert_updated()


def test_pauses_and_checks_wait_without_a_hold() -> None:
    world = Evictions(size=4)
    seen: list[list[str]] = []

    def check(batch: Batch) -> None:
        seen.append(world.held())
        world.sandbox.advance(5)

    asked = EVICT.but(pause_at=(Amount(2),), verifies=True)
    world.run(asked, check=check)
    assert world.paused
    seen.append(world.held())
    world.run(asked, check=check)
    assert seen
    assert not any(seen)
    assert_only_evicted(world, 4)
    world.assert_updated()


def test_an_update_that_supersedes_another_evicts_the_pods_of_both() -> None:
    world = Evictions(budget(minAvailable=SIZE))
    world.update(EVICT.but(pause_at=(Amount(2),)))
    asked = EVICT.but(change=_image("nginx:1.11"), supersede=True)
    world.run(asked)
    assert world.deleted == []
    assert (world.least_available, world.most_pods) == (SIZE, SIZE + 1)
    world.assert_clean(NAME, "nginx:1.11", SIZE)


def _image(image: str) -> Any:
    from tests.support import changes

    return changes.image(image)


# --- others, and trouble ---


@pytest.mark.parametrize("extra", [-2, -1, 1, 2])
@pytest.mark.parametrize("moment", [1, 2, 3])
def test_another_client_scales_while_it_is_held(moment: int, extra: int) -> None:
    """It is noted as ever: a larger size counts for what goes beyond that of the service."""
    size, added = 5, list[int]()
    world = Evictions(size=size)
    count = 0

    def scale(change: Change) -> None:
        nonlocal count
        if change.resource is PODS and change.actor == "client" and change.name in world.evicted:
            count += change.new is None
            if count == moment and change.new is None:
                before = world.old["spec"]["replicas"]
                wanted = before + extra
                added.append(extra if extra < 0 else max(0, wanted - size))
                world.sandbox.clock.schedule(0.0, lambda: resize(world, wanted))

    world.sandbox.on_write(scale)
    world.run()
    world.sandbox.settle()
    assert count >= moment
    world.assert_clean(NAME, NEW, size + added[0])


@pytest.mark.parametrize("text", ["nothing", "{}", '{"gone": "1"}'])
def test_an_annotation_that_another_client_has_changed(text: str) -> None:
    """Whatever it says: the hold ends, or the command says which annotation it cannot read."""
    world = Evictions()
    _killed_while_held(world)
    meta = {"metadata": {"annotations": {record.EVICTING: text}}}
    world.sandbox.patch("replicationcontrollers", "default", NAME, meta)
    if text == "nothing":
        with pytest.raises(Exception, match=record.EVICTING):
            world.run()
        meta["metadata"]["annotations"][record.EVICTING] = "{}"
        world.sandbox.patch("replicationcontrollers", "default", NAME, meta)
    world.run()
    world.assert_updated()


def _killed_while_held(world: Evictions) -> None:
    from tests.engine.inprocess import Killed

    def die(_: int) -> None:
        if len(world.evicted) == 1:
            raise Killed

    with pytest.raises(Killed):
        world.run(after=die)
    world.sandbox.settle()
    assert world.held() == [NAME]
    assert all(
        obj["metadata"]["annotations"][record.FORMAT] == str(record.EVICTION_FORMAT)
        for obj in world.controllers().values()
    )


def test_a_cluster_that_lets_a_held_controller_create_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one without the admission of priorities: it stops after the first pod, which came back."""
    world = Evictions(size=4)
    monkeypatch.setattr(priority, "admit_pod", lambda *_: None)
    with pytest.raises(StoppedError, match="was not refused another one") as stopped:
        world.run()
    assert "without --evict" in str(stopped.value.hint)
    assert len(world.evicted) == 1
    assert not world.held()
    assert world.most_pods <= 5
    monkeypatch.undo()
    world.run(BACK)
    world.assert_as_before()


@pytest.mark.parametrize("seed", range(6))
def test_a_manager_that_is_slow(seed: int) -> None:
    """Nothing is concluded before it has counted."""
    world = Evictions(budget(minAvailable=4), size=5, seed=seed, manager=_SLOW)
    world.run(EVICT.but(budget=Budget(Amount(2), Amount(1))))
    assert_only_evicted(world, 5)
    assert world.least_available >= 4
    assert world.most_pods <= 7
    world.assert_updated()


_SLOW = ManagerConfig(latency=(0.3, 2.5), status_latency=(0.1, 1.5))


def test_a_run_that_stops_for_another_reason_holds_nothing() -> None:
    """New pods that fail in the middle; the rollback evicts them."""
    world = Evictions(size=4)

    def stop(_: int) -> None:
        world.sandbox.kubelet.paused = len(world.evicted) >= 2

    with pytest.raises(FailureError):
        world.run(EVICT.but(timeout=30.0), after=stop)
    assert not world.held()
    assert world.old["spec"]["replicas"] == 2
    world.sandbox.kubelet.paused = False
    world.run(BACK_EVICT)
    assert world.deleted == []
    world.assert_as_before()


def test_signals() -> None:
    """Whenever the user interrupts it, nothing stays held."""
    for write in some(range(1, 20), 2):
        world = Evictions()

        def interrupt(number: int, at: int = write) -> None:
            if number == at:
                raise InterruptedBySignal("SIGINT")

        with pytest.raises(InterruptedBySignal):
            world.run(after=interrupt)
        assert world.begun or not world.held(), write
        world.run(PLAIN)
        world.assert_updated()
