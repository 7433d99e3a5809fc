"""Evictions that could serve nothing: a manager that is far behind, another client that takes the hold off,
a list of pods that is refused meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.errors import ApiError, StoppedError
from rollupdate.events import Waiting
from testing.sandbox import Change
from testing.sandbox.replication import ManagerConfig
from testing.sandbox.resources import CONTROLLERS
from tests.engine.evictions import BACK, BACK_EVICT, EVICT, PLAIN, SIZE, Evictions, budget
from tests.engine.inprocess import SandboxCluster
from tests.engine.moves import is_held
from tests.engine.test_evicting_trouble import Answering
from tests.engine.world import NAME
from tests.support.asking import Asking

SOON = EVICT.but(timeout=60.0)
BEHIND = ManagerConfig(latency=(1.0, 5.0), status_latency=(0.5, 3.0))


# --- a manager that is behind ---


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (2, 2)])
def test_a_manager_that_is_far_behind(seed: int, surge: int, unavailable: int) -> None:
    """It is waited for, however long it takes to be refused the first pod."""
    world = Evictions(budget(minAvailable=3), size=5, seed=seed, manager=BEHIND)
    amounts = Budget(Amount(surge), Amount(unavailable))
    world.run(SOON.but(budget=amounts))
    assert (world.deleted, world.replaced) == ([], [])
    assert world.least_available >= 5 - unavailable
    assert world.most_pods <= 5 + surge
    world.assert_updated()


# --- another client that takes the hold off ---


class Undoing:
    """Sets the priority class of a held controller back after ``delay`` seconds, ``times`` at the most.
    ``whole``: and what is said of the hold."""

    def __init__(self, world: Evictions, delay: float, times: int = 10**9, *, whole: bool = False) -> None:
        self.undone, self._due = 0, False
        self._world, self._delay, self._times = world, delay, times
        self._patch: dict[str, Any] = {"spec": {"template": {"spec": {"priorityClassName": None}}}}
        if whole:
            marks = dict.fromkeys((record.HOLD, record.EVICTING, record.FORMAT))
            self._patch["metadata"] = {"annotations": marks}
        world.sandbox.on_write(self._seen)

    def _seen(self, change: Change) -> None:
        held = change.resource is CONTROLLERS and change.new is not None and is_held(change.new)
        if held and not self._due and not self._world.begun and self.undone < self._times:
            self._due = True
            self._world.sandbox.clock.schedule(self._delay, self._undo)

    def _undo(self) -> None:
        self._due = False
        if is_held(self._world.controllers()[NAME]):
            self.undone += 1
            self._world.sandbox.patch("replicationcontrollers", "default", NAME, self._patch)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("delay", [0.001, 0.01, 0.03])
def test_a_hold_that_is_taken_off_again_and_again(delay: float, whole: bool) -> None:
    """An operator, or what applies a repository: after a few turns it is named, and no pod is evicted."""
    world = Evictions(budget(minAvailable=2))
    undoing = Undoing(world, delay, whole=whole)
    with pytest.raises(StoppedError, match="changes the priority class of my-nginx back") as stopped:
        world.run(SOON)
    assert "without --evict" in str(stopped.value.hint)
    assert undoing.undone == 3
    assert len(world.evicted) <= 3
    assert world.least_available >= SIZE
    assert world.most_pods <= SIZE + 2  # one pod is made anew before anybody can know of it
    assert not world.held()
    world.run(PLAIN)
    world.assert_updated()


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.04, 0.05, 0.06, 0.1, 0.3])
@pytest.mark.parametrize("whole", [False, True])
def test_a_hold_that_is_taken_off_by_hand(delay: float, whole: bool) -> None:
    """Twice: it goes on."""
    world = Evictions(budget(minAvailable=2))
    undoing = Undoing(world, delay, times=2, whole=whole)
    world.run(SOON)
    assert undoing.undone
    assert world.least_available >= SIZE
    assert world.most_pods <= SIZE + 2
    assert not world.held()
    world.assert_updated()


# --- a list of pods that is refused ---


class Blind(SandboxCluster):
    """May list no pods once ``blind``."""

    blind = False

    def list_pods(self, label_selector: str, **more: Any) -> list[Any]:
        if self.blind:
            text = 'pods is forbidden: User "u" cannot list resource "pods" in API group ""'
            raise ApiError(status=403, reason="Forbidden", text=text)
        return super().list_pods(label_selector, **more)


@pytest.mark.parametrize("asked", [PLAIN, BACK], ids=["on", "back"])
@pytest.mark.parametrize("evicted", [0, 1, 2])
def test_the_right_to_list_pods_is_lost_while_held(evicted: int, asked: Asking) -> None:
    """The hold ends with the run, or with the next one that evicts nothing."""
    world = Evictions(size=4)
    cluster = Blind(world.sandbox)

    def lose(_write: int) -> None:
        cluster.blind = cluster.blind or (len(world.evicted) == evicted and bool(world.held()))

    cluster.after = lose
    with pytest.raises(StoppedError, match="may not list pods"):
        world.update_with(cluster, SOON)
    assert not world.held()
    world.sandbox.advance(3)
    assert world.available >= 4
    world.update_with(cluster, asked.but(timeout=60.0))
    if asked is PLAIN:
        world.assert_updated(4)
    else:
        world.assert_as_before(4)


# --- what is told meanwhile ---


@pytest.mark.parametrize("asked", [EVICT, BACK_EVICT], ids=["on", "back"])
@pytest.mark.parametrize(("code", "reason"), [(429, "TooManyRequests"), (503, "ServiceUnavailable")])
def test_a_refusal_is_told_once(code: int, reason: str, asked: Asking) -> None:
    """And after one minute and two again: each try is a hold, of which nothing is said."""
    world = Evictions(budget(minAvailable=SIZE))
    if asked is BACK_EVICT:
        world.run(EVICT.but(pause_at=(Amount(2),)))
    Answering(world, code, reason)
    with pytest.raises(Exception, match="timed out"):
        world.run(asked.but(timeout=250.0))
    told = [event.reason for event in world.events if isinstance(event, Waiting)]
    assert len(set(told)) == 1
    assert "not now" in told[0]
    assert len(told) <= 4
