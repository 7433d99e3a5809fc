"""Several clients while pods change owners: in the same direction or the other, and one that sleeps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

import pytest

from rollupdate.errors import ApiError, RefusedError, RollingUpdateError
from testing.objects import Json
from testing.sandbox import Sandbox
from tests.chaos.interleaving import Client
from tests.engine import moves
from tests.engine.inprocess import SandboxCluster
from tests.engine.moves import BACK, NEW, RUNGS, SIZE, UPDATE, Moves, Rung
from tests.support.asking import Asking
from tests.support.effort import some

at_each_rung = pytest.mark.parametrize("rung", RUNGS[1:], ids=[rung.__name__ for rung in RUNGS[1:]])
which_way = pytest.mark.parametrize("asked", [UPDATE, BACK], ids=["forwards", "back"])


class Sleeper(SandboxCluster):
    """Sleeps at one of its writes to pods, while others run; the write then arrives all the same."""

    at = 0
    happens: Callable[[], object] = staticmethod(lambda: None)

    def patch_pod(self, name: str, patch: Any, *, dry_run: bool = False) -> Json:
        if dry_run:
            return super().patch_pod(name, patch, dry_run=True)
        with self.__dict__.setdefault("one_at_a_time", Lock()):
            answers = self.__dict__.setdefault("answers", [])
            if len(answers) + 1 == self.at:
                self.happens()
            try:
                answer = super().patch_pod(name, patch)
            except ApiError as error:
                answers.append(error.status)
                raise
            answers.append(200)
            return answer


def assert_one_end(world: Moves) -> None:
    """Updated or as before, whoever was last; and on the way no pod was without a controller."""
    world.sandbox.settle()
    image = world.old["spec"]["template"]["spec"]["containers"][0]["image"]
    world.assert_updated() if image == NEW else world.assert_as_before()
    assert world.alone == []
    assert world.least_available == SIZE
    assert world.most_pods <= SIZE + 1


def slept(
    world: Moves, monkeypatch: pytest.MonkeyPatch, asked: Asking, at: int, happens: Callable[[], object]
) -> list[int]:
    """What its writes to pods were answered."""
    made: list[Sleeper] = []

    def sleeper(sandbox: Sandbox) -> SandboxCluster:
        if made:
            return SandboxCluster(sandbox)
        made.append(Sleeper(sandbox))
        made[0].at, made[0].happens = at, happens
        return made[0]

    monkeypatch.setattr("tests.engine.world.SandboxCluster", sleeper)
    try:
        world.update(asked)
    except RollingUpdateError as error:
        assert "another client" in error.message
    monkeypatch.undo()
    answers: list[int] = made[0].__dict__["answers"]
    assert len(answers) >= at
    return answers


@pytest.mark.parametrize("others", [(UPDATE,), (BACK,), (BACK, UPDATE)], ids=["on", "back", "back and on"])
@pytest.mark.parametrize("at", [1, 3, 5, 6, 8])
@pytest.mark.parametrize(("rung", "asked"), [(moves.noted, UPDATE), (moves.all_moved, BACK)])
def test_a_client_sleeps_among_its_pods(
    monkeypatch: pytest.MonkeyPatch, rung: Rung, asked: Asking, at: int, others: tuple[Asking, ...]
) -> None:
    """Others have finished, or have turned round and finished: what it still had to write is refused."""
    world = Moves()
    world.killed_at(rung)

    def run() -> None:
        for other in others:
            try:
                world.update(other)
            except RefusedError as error:
                assert "to rollback" in error.message

    answers = slept(world, monkeypatch, asked, at, run)
    late = answers[at - 1 : at - 1 + SIZE - (at - 1) % SIZE]
    assert set(late) <= {404, 409, 422}, answers
    world.sandbox.settle()
    world.assert_updated() if others[-1] is UPDATE else world.assert_as_before()
    assert world.alone == []
    assert world.least_available == SIZE
    if BACK not in (asked, *others):
        world.assert_kept()


@pytest.mark.sweep
@pytest.mark.parametrize("write", some(range(1, 8), 2))
@pytest.mark.parametrize("at", [1, 3, 6])
@pytest.mark.parametrize(
    ("asked", "turned"), [(UPDATE, BACK), (BACK, UPDATE), (UPDATE, UPDATE), (BACK, BACK)]
)
def test_a_client_sleeps_while_another_one_is_in_the_middle(
    monkeypatch: pytest.MonkeyPatch, asked: Asking, turned: Asking, at: int, write: int
) -> None:
    """Its writes arrive between two of the other one's, which goes on then."""
    world = Moves()
    world.killed_at(moves.noted if asked is UPDATE else moves.all_moved)
    others: list[Client] = []

    def begins() -> None:
        others.append(Client(world, turned, "other"))
        others[0].run_to(write)

    slept(world, monkeypatch, asked, at, begins)
    others[0].run_to()
    assert others[0].stopped_properly, others[0].error
    with suppress(RefusedError):
        world.update(turned)
    assert_one_end(world)


@pytest.mark.sweep
@which_way
@pytest.mark.parametrize("other", [UPDATE, BACK], ids=["same", "turned"])
@at_each_rung
def test_two_clients_from_each_rung(rung: Rung, asked: Asking, other: Asking) -> None:
    """Each is stopped before each of its writes in turn: never a pod without a controller."""
    for write in some(range(1, 8), 4):
        for second in some(range(1, 8), 4):
            world = Moves()
            world.killed_at(rung)
            first = Client(world, asked, "first")
            first.run_to(write)
            later = Client(world, other, "later")
            later.run_to(second)
            first.run_to()
            later.run_to()
            assert first.stopped_properly, first.error
            assert later.stopped_properly, later.error
            with suppress(RefusedError, ApiError):
                world.update(other)
            assert_one_end(world)
