"""Pods change owners: nobody sees one without a controller, and whoever stops in the middle loses none.

What others do meanwhile is in ``test_ownership_others``.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rollupdate.cli.pflag import read
from rollupdate.commands.update import _how_to_resume
from rollupdate.core.model import record
from rollupdate.core.model.hold import CLASS
from rollupdate.core.model.record import Transfer
from rollupdate.engine.update import Update
from rollupdate.engine.watch_status import look
from rollupdate.errors import StoppedError
from rollupdate.events import NotMoved
from rollupdate.report import status
from testing.objects import Json
from testing.sandbox import Change, ManagerConfig, faults
from testing.sandbox.messages import Request, Response
from testing.sandbox.resources import CONTROLLERS, PODS, PRIORITY_CLASSES
from tests.engine import moves
from tests.engine.inprocess import FakeClock, Killed, SandboxCluster
from tests.engine.moves import BACK, NEW, RUNGS, SIZE, UPDATE, Moves, Rung
from tests.engine.test_kills import BEFORE, run_killed
from tests.engine.world import NAME
from tests.support.effort import examples, kills
from tests.support.manifests import my_nginx

CRITICAL = "system-node-critical"
at_each_rung = pytest.mark.parametrize("rung", RUNGS, ids=[rung.__name__ for rung in RUNGS])


def test_the_plain_case() -> None:
    """The pods that the update made are those that run in the end; the template is what was asked for."""
    world = Moves()
    world.update(UPDATE)
    world.assert_kept()
    world.assert_updated()
    wanted = world.before["spec"]["template"]["spec"]
    wanted["containers"][0]["image"] = NEW
    assert world.old["spec"]["template"]["spec"] == wanted
    assert "priorityClassName" not in wanted
    assert world.old["metadata"]["uid"] == world.before["metadata"]["uid"]


@pytest.mark.parametrize("asked", [UPDATE, BACK], ids=["updated", "rolled back"])
def test_a_priority_class_comes_back_by_name(asked: object) -> None:
    """A template that names a class names it again, whichever way it ends."""
    manifest = my_nginx(replicas=2, labels={"deployment": "v1"}, selector=True)
    manifest["spec"]["template"]["spec"]["priorityClassName"] = CRITICAL
    world = Moves(manifest)
    if asked is BACK:
        world.killed_at(moves.committed)
    world.update(asked)  # type: ignore[arg-type]
    assert world.old["spec"]["template"]["spec"]["priorityClassName"] == CRITICAL
    assert {pod["spec"]["priorityClassName"] for pod in world.sandbox.pods()} == {CRITICAL}
    assert world.alone == []
    world.assert_no_trace()


@at_each_rung
def test_killed_and_resumed(rung: Rung) -> None:
    """The same command goes on from there: the same pods, each with a controller at any instant."""
    world = Moves()
    world.killed_at(rung)
    pods = world.names()
    world.sandbox.settle()
    assert world.names() == pods, "it stands still while nobody goes on"
    world.update(UPDATE)
    world.assert_kept()
    world.assert_updated()
    assert world.names() == pods


@at_each_rung
def test_killed_and_rolled_back(rung: Rung) -> None:
    """All new pods are with the temporary controller again before the first of them is deleted."""
    world = Moves()
    world.killed_at(rung)
    pods, uid = world.names(), world.new["metadata"]["uid"]
    controllers: set[str] = set()

    def deleted(change: Change) -> None:
        if change.resource is PODS and change.name in pods and change.new is None:
            owners = change.final["metadata"]["ownerReferences"]
            controllers.update(owner["uid"] for owner in owners if owner.get("controller"))

    world.sandbox.on_write(deleted)
    world.update(BACK)
    assert controllers == {uid}
    assert world.alone == []
    assert (world.least_available, world.most_pods) == (SIZE, SIZE + 1)
    world.assert_as_before()


@pytest.mark.sweep
@at_each_rung
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_turned_round_killed_at_every_write_and_turned_again(rung: Rung, before: bool) -> None:
    """Up to a rung, back as far as any write, and forwards: none created or deleted on the way but by the
    rollback itself, and none alone."""
    write, happened = 1, True
    while happened:
        world = Moves()
        world.killed_at(rung)
        happened = run_killed(world, BACK, write, before=before)
        if happened:
            world.update(UPDATE)
            world.assert_updated()
        assert world.alone == []
        assert world.least_available >= SIZE
        assert world.most_pods <= SIZE + 1
        write += examples(5 if before else 3, 1)
    assert write > 10


@BEFORE
def test_killed_at_every_write(before: bool) -> None:
    """At no instant of it, nor of what follows, is a pod without a controller."""
    total = Moves().update(UPDATE).writes
    for write in kills(total - 1, before=before):
        world = Moves()
        assert run_killed(world, UPDATE, write, before=before)
        world.update(UPDATE)
        world.assert_kept()
        world.assert_updated()


@pytest.mark.parametrize("seed", range(4))
def test_a_manager_that_lags(seed: int) -> None:
    """It acts, and says so, seconds after it was told: what it says meanwhile is not believed."""
    slow = ManagerConfig(latency=(0.2, 2.5), status_latency=(0.1, 1.5))
    world = Moves(manager=slow, seed=seed)
    world.update(UPDATE)
    world.assert_kept()
    world.assert_updated()


@at_each_rung
def test_a_manager_that_stops_for_a_while(rung: Rung) -> None:
    """And is back with all that it has missed."""
    world = Moves()

    def stops() -> None:
        world.sandbox.manager.pause()
        world.sandbox.clock.schedule(3.0, world.sandbox.manager.resume)

    world.disturbed_at(rung, stops)
    world.assert_kept()
    world.assert_updated()


# --- where pods cannot be moved ---


class Refusing(Moves):
    """Some requests are refused; why the pods are not moved, as the temporary controller said it."""

    def __init__(self, manifest: Json | None = None) -> None:
        super().__init__(manifest)
        self.told: set[str] = set()
        self.sandbox.on_write(self._note)

    def _note(self, change: Change) -> None:
        if change.resource is CONTROLLERS and change.new is not None:
            why = (change.new["metadata"].get("annotations") or {}).get(record.NOT_MOVED)
            self.told |= {why} if why else set()

    def refuse(self, *fitting: str, code: int = 403, really: bool = False, once: bool = False) -> None:
        """Requests of a method to a path, with a text in their body. ``really``: not in a dry run.
        ``once``: of the first that fits, all to the same object."""
        method, path, text = fitting
        only: list[str] = []

        def answer(request: Request) -> Response | None:
            fits = (
                request.method == method
                and re.search(path, request.path)
                and text in json.dumps(request.body)
            )
            if not fits or (really and request.query.get("dryRun")):
                return None
            if once and not only:
                only.append(request.path)
            return faults.failure(code, "not here", None) if not only or request.path in only else None

        self.sandbox.intercept(answer)

    def assert_released(self, why: str) -> None:
        """Released and adopted, the cause told once and on the cluster while it lasted."""
        self.sandbox.api.faults.clear()
        assert [event.reason for event in self.events if isinstance(event, NotMoved)] == [why]
        assert self.told == {why}
        self.assert_updated()
        assert self.least_available == SIZE


@pytest.mark.parametrize("code", [403, 422])
@pytest.mark.parametrize(
    ("fitting", "more"),
    [
        (("PATCH", "/pods/", ""), {}),
        (("PATCH", "/pods/", ""), {"really": True}),
        (("PATCH", "/pods/", ""), {"really": True, "once": True}),
        (("PATCH", f"/replicationcontrollers/{NAME}-", CLASS), {}),
        (("PATCH", f"/replicationcontrollers/{NAME}$", CLASS), {}),
    ],
    ids=["no right", "refused in earnest", "one pod refused", "new not held", "old not held"],
)
def test_what_is_refused(fitting: tuple[str, ...], more: dict[str, bool], code: int) -> None:
    """No right to patch pods, a webhook against one pod, a policy against the held template of either."""
    world = Refusing()
    world.refuse(*fitting, code=code, **more)
    world.update(UPDATE)
    world.assert_released("not here")
    assert (world.made, world.gone) == ([], [])


def test_pods_that_may_not_be_listed() -> None:
    world = Refusing()
    world.refuse("GET", "/pods", "")
    world.update(UPDATE)
    world.assert_released("not here")


def test_the_right_to_list_is_taken_away_in_the_middle() -> None:
    """It says so, instead of waiting for a list that it does not get; with the right it goes on."""
    world = Refusing()
    world.killed_at(moves.some_moved)
    world.refuse("GET", "/pods", "")
    with pytest.raises(StoppedError, match="may not list pods"):
        world.update(UPDATE)
    world.sandbox.api.faults.clear()
    world.update(UPDATE)
    world.assert_kept()
    world.assert_updated()


@pytest.mark.parametrize("asked", [UPDATE, BACK], ids=["forwards", "back"])
def test_the_right_to_patch_is_taken_away_in_the_middle(asked: object) -> None:
    """Some pods are here and some there: they can't go on nor back, and it stops. With it they can."""
    world = Refusing()
    world.killed_at(moves.some_moved)
    world.refuse("PATCH", "/pods/", "")
    with pytest.raises(StoppedError, match="cannot be moved back: not here"):
        world.update(asked)  # type: ignore[arg-type]
    world.sandbox.settle()
    world.assert_kept()
    world.sandbox.api.faults.clear()
    world.update(BACK)
    assert world.alone == []
    world.assert_as_before()


def test_a_hold_that_does_not_hold() -> None:
    """The class exists after all: the proof fails, and there was one pod too many for a moment."""
    world = Refusing()
    found = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 0}
    more = {"metadata": {"name": CLASS, "uid": "x"}, "preemptionPolicy": "PreemptLowerPriority"}
    world.sandbox.store.create(PRIORITY_CLASSES, {**found, **more}, "test")
    world.update(UPDATE)
    world.assert_released("a pod was created although its priority class does not exist")
    assert world.most_pods == SIZE + 1


def test_another_controller_would_adopt_the_pods() -> None:
    """Where they are released it is refused by name, before anything; where they are moved nobody asks it."""
    selecting = my_nginx("web", image="nginx:0.1", replicas=2, labels={"role": "web"})
    selecting["spec"]["selector"] = {"app": "nginx"}
    for movable in (False, True):
        world = Refusing()
        world.sandbox.create(selecting)
        world.sandbox.settle()
        before = world.owned(world.controllers()["web"])
        if not movable:
            world.refuse("PATCH", "/pods/", "")
            with pytest.raises(StoppedError, match='replicationcontroller "web" selects them too'):
                world.update(UPDATE)
            world.sandbox.settle()
            assert record.TRANSFER not in json.dumps(world.controllers())
        else:
            world.update(UPDATE)
        assert world.owned(world.controllers()["web"]) == before
        world.assert_kept()


# --- what stands on the controllers ---


def test_an_older_version_is_told_before_anything_else() -> None:
    """The format of both goes up no later than the first word of the state, which it cannot read either."""
    world = Moves()
    formats: list[tuple[str | None, str | None]] = []

    def note(change: Change) -> None:
        first = not formats and change.resource is CONTROLLERS
        if first and record.TRANSFER in json.dumps(change.new):
            of = [obj["metadata"]["annotations"].get(record.FORMAT) for obj in (world.old, change.final)]
            formats.append((of[0], of[1]))

    world.sandbox.on_write(note)
    world.killed_at(moves.new_held)
    assert formats == [("2", "2")]
    body = json.loads(world.new["metadata"]["annotations"][record.TRANSFER])
    assert body.keys() == {"move"}, "a version that knows no moves finds neither selector nor sizes"
    assert Transfer.decode(json.dumps(body)).moved
    assert not Transfer.decode(json.dumps(body["move"])).moved


# --- what is said of it ---


@pytest.mark.parametrize("rung", [moves.new_held, moves.some_moved])
def test_a_status_says_that_nothing_is_replaced(rung: Rung) -> None:
    """As long as one of the two is held and has pods, in either direction; not before and not after."""
    world = Moves()
    world.killed_at(rung)
    seen, diagnosis = look(SandboxCluster(world.sandbox), NAME)
    assert seen.note == "a pod that dies is not replaced until the update is resumed or rolled back"
    assert f"  Note:     {seen.note}\n" in status.text(seen, diagnosis, datetime.now(UTC), "")
    assert (status.body(seen, diagnosis)["note"], status.body(seen, diagnosis)["notMoved"]) == (
        seen.note,
        None,
    )
    world.killed_at(moves.committed)
    assert world.held(), "it has no pods any more"
    assert look(SandboxCluster(world.sandbox), NAME)[0].note == ""


def test_a_status_says_why_pods_are_not_moved() -> None:
    """While they are released and adopted."""
    world = Refusing()
    world.refuse("PATCH", "/pods/", "")
    with pytest.raises(Killed):
        world.update(UPDATE, after=lambda _: die() if world.told else None)
    seen, diagnosis = look(SandboxCluster(world.sandbox), NAME)
    assert seen.note == "the pods are released and adopted, as they cannot be moved: not here"
    assert status.body(seen, diagnosis)["notMoved"] == "not here"


def die() -> None:
    raise Killed


@at_each_rung
def test_whoever_stops_it_is_told_that_nothing_is_replaced(rung: Rung) -> None:
    """Beside the commands that resume and roll back, if what is held has pods."""
    world = Moves()
    world.killed_at(rung)
    world.sandbox.manager.pause()

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    run = Update(
        SandboxCluster(world.sandbox, before=interrupted),
        FakeClock(world.sandbox),
        UPDATE.intent,
        replace(UPDATE.policy, timeout=5.0),
        world.events.append,
    )
    said = _how_to_resume(run.run(), read([NAME, "--image", NEW]))
    note = "Note: a pod that dies is not replaced until the update is resumed or rolled back."
    pods = [world.controllers()[name]["status"]["replicas"] for name in world.held()]
    assert (said[0] == note) == any(pods)
    assert [line[:14] for line in said[-2:]] == ["To resume:    ", "To roll back: "]
