"""A dry run of a migration says what the real run does, in its order, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest

from rollupdate.core.migration.scene import Goal
from rollupdate.core.migration.shown import fit
from rollupdate.core.model import record
from rollupdate.engine.migration_dry_run import Rehearsed, both_ends, rehearse
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Arrived, Order
from rollupdate.events import Arranged, Event, Migrated
from rollupdate.objects import CONTROLLER, DEPLOYMENT
from testing.objects import Json
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up, web
from tests.engine.test_rights import SCALER
from tests.support.effort import examples


def plain() -> Migrations:
    return Migrations()


def updated() -> Migrations:
    return Migrations(web(updated=True))


def scaled() -> Migrations:
    world = Migrations(web(updated=True))
    world.sandbox.create(SCALER)
    return world


def arrived() -> Migrations:
    world = Migrations(web(updated=True))
    world.run(up())
    world.watched_from_now()
    return world


CASES = pytest.mark.parametrize(
    ("made", "order"),
    [(plain, up), (updated, up), (scaled, up), (arrived, down)],
    ids=lambda one: one.__name__,
)


def told(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, (Arranged, Migrated))]


def goal_of(cluster: SandboxCluster, order: Order) -> Goal:
    goal = plan(cluster, order)
    assert isinstance(goal, Goal)
    return goal


def rehearsed(world: Migrations, order: Order) -> tuple[list[Event], Rehearsed]:
    cluster = SandboxCluster(world.sandbox)
    goal = goal_of(cluster, order)
    events: list[Event] = []
    rehearse(cluster, goal, events.append)
    ends = both_ends(cluster, goal)
    assert cluster.writes == 0
    return told(events), ends


def owner(world: Migrations) -> Json:
    """What has the pods in the end."""
    world.sandbox.settle()
    cluster = SandboxCluster(world.sandbox)
    (found,) = (*cluster.list_all(CONTROLLER), *cluster.list_all(DEPLOYMENT))
    return found


@CASES
def test_it_says_what_the_real_run_does(made: Callable[[], Migrations], order: Callable[..., Order]) -> None:
    world = made()
    before = owner(world)
    events, ends = rehearsed(world, order())
    world.events.clear()
    world.run(order())
    assert events == told(world.events)
    assert ends.before == fit(before, scaled=made is scaled)
    assert ends.after == fit(owner(world), scaled=made is scaled)


@CASES
@pytest.mark.parametrize("rollback", [False, True], ids=["on", "back"])
def test_it_does_so_from_anywhere_in_the_middle(
    made: Callable[[], Migrations], order: Callable[..., Order], rollback: bool
) -> None:
    """With the same two manifests."""
    first = made()
    whole = rehearsed(first, order())[1]
    writes = first.run(order()).writes
    for write in range(1, writes, examples(6, 2)):
        world = made()
        assert world.killed_at(order(), write, before=False)
        world.sandbox.settle()
        world.events.clear()
        again = order(rollback=rollback)
        events, ends = rehearsed(world, again)
        world.run(again)
        assert events == told(world.events), write
        wanted = (whole.after, whole.before) if rollback else (whole.before, whole.after)
        assert (ends.before, ends.after) == wanted, write


def test_a_manifest_for_a_repository() -> None:
    """Nothing of the server, nothing of ours, and no size that is an autoscaler's."""
    world = scaled()
    manifest = rehearsed(world, up())[1].after
    assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(manifest["metadata"]) <= {"name", "namespace", "labels", "annotations"}
    assert "replicas" not in manifest["spec"]
    assert "paused" not in manifest["spec"]
    assert manifest["metadata"]["annotations"] == {"team": "shop"}
    assert not any(record.MIGRATION in text for text in map(str, manifest["metadata"].values()))
    world.run(up())
    cluster = SandboxCluster(world.sandbox)
    found = plan(cluster, up())
    assert isinstance(found, Arrived)
    assert fit(found.obj, scaled=found.scaled) == manifest


def test_what_is_managed_is_shown_but_not_touched() -> None:
    """Its tool is to have the other manifest instead; a dry run of the steps says that it is refused."""
    manifest = web()
    manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    world = Migrations(manifest)
    cluster = SandboxCluster(world.sandbox)
    ends = both_ends(cluster, goal_of(cluster, up(manifest_only=True)))
    assert ends.after["kind"] == "Deployment"
    with pytest.raises(Exception, match="is managed by Helm"):
        plan(cluster, up())


def test_pods_that_are_still_to_come_are_thought_of_as_there() -> None:
    world = arrived()
    pod = next(iter(world.sandbox.pods()))["metadata"]["name"]
    assert world.killed_at(down(), 8, before=False)
    world.sandbox.request("DELETE", f"/api/v1/namespaces/default/pods/{pod}", {}, None)
    events, ends = rehearsed(world, down())
    assert isinstance(events[-1], Migrated)
    assert ends.after["spec"]["replicas"] == len(world.before)
    assert ends.after["metadata"]["name"] == NAME


class InWaves(SandboxCluster):
    """Answers no request before all of its wave are there."""

    def meet(self, *sizes: int) -> None:
        self._waves = [wave for size in sizes for wave in [Barrier(size)] * size]

    def _call(self, *words: Any, **more: Any) -> Json:
        self._waves.pop(0).wait(60)
        return super()._call(*words, **more)


@pytest.mark.usefixtures("side_by_side")
def test_what_it_has_to_know_is_asked_at_the_same_time() -> None:
    """The two objects that are named; all that might be in the way; what the server would make of it."""
    world = Migrations(web(updated=True))
    cluster = InWaves(world.sandbox)
    cluster.meet(2, 10, 3)
    assert isinstance(plan(cluster, up()), Goal)
    world.run(up())
    cluster.meet(2, 9, 1)
    assert isinstance(plan(cluster, down()), Goal)
