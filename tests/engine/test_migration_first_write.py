"""A first write that the server refuses for good. It is asked before, and what it refuses nevertheless ends
the run at once: nothing was changed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from random import Random

import pytest

from rollupdate.core.migration.scene import Goal
from rollupdate.engine.migration import MigrationRun
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Order
from rollupdate.errors import RefusedError
from testing.sandbox import statuses
from testing.sandbox.faults import failure
from testing.sandbox.messages import Request, Response
from tests.engine import configs, test_config_migration
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up
from tests.engine.test_config_carried import refused
from tests.engine.test_migration import arrived, plain
from tests.engine.test_migration_refused import RC, Made
from tests.engine.ways_out import commands_of

NOTES = b64encode(Random(0).randbytes(120_000)).decode()  # which cannot be packed any closer
BIG = {"metadata": {"annotations": {"notes": NOTES}}}
"""As the server takes it; with what a record keeps of it, it is too much."""


def kept() -> Migrations:
    world = plain()
    world.run(up(keep=True))
    return world


@pytest.mark.parametrize(
    ("made", "kind", "order"),
    [
        (plain, RC, up()),
        (test_config_migration.plain, configs.DCS, configs.up()),
        (kept, RC, down()),
        (test_config_migration.arrived, RC, configs.down()),
    ],
    ids=["up", "config", "kept", "config back"],
)
def test_no_room_for_the_record(made: Made, kind: str, order: Order) -> None:
    """Found out by a dry run."""
    world = made()
    (name,) = (one["metadata"]["name"] for one in world.sandbox.objects(kind, "default"))
    world.sandbox.patch(kind, "default", name, BIG)
    if kind == configs.DCS:
        (name,) = world.controllers()
        world.sandbox.patch(RC, "default", name, BIG)
    if not order.to_deployment:
        world.sandbox.patch("deployments", "default", NAME, BIG)
    world.sandbox.settle()
    error = refused(world, order)
    assert f'replicationcontroller "{name}" cannot be written: ' in error.message
    assert "metadata.annotations: Too long: " in error.message
    assert commands_of(error) == [f"kubectl edit replicationcontroller {name}"]


def caused() -> Response:
    cause = statuses.Cause("FieldValueInvalid", "Invalid value", "metadata.labels")
    error = statuses.invalid("ReplicationController", NAME, [cause])
    return Response(error.code, error.body)


def forbidden() -> Response:
    return failure(403, "a webhook denied the request", None)


def started(world: Migrations, order: Order, answers: Iterator[Response]) -> list[str]:
    """Writes are answered so, as long as there are answers; dry runs are not. The writes."""
    told: list[str] = []

    def answered(request: Request) -> Response | None:
        if not request.is_write or request.query.get("dryRun"):
            return None
        told.append(f"{request.method} {request.path.rpartition('/')[2]}")
        return next(answers, None)

    cluster = SandboxCluster(world.sandbox)
    goal = plan(cluster, order)
    assert isinstance(goal, Goal)
    world.sandbox.intercept(answered)
    run = MigrationRun(cluster, FakeClock(world.sandbox), goal, world.events.append, jitter=lambda: 0.5)
    outcome = run.run()
    assert outcome.error is None
    return told


@pytest.mark.parametrize(("made", "order"), [(plain, up()), (kept, down()), (arrived, down())])
@pytest.mark.parametrize("answer", [caused, forbidden])
def test_refused_for_good_ends_at_once(made: Made, order: Order, answer: Callable[[], Response]) -> None:
    """What the dry run did not know. There is nothing to resume: it is no outcome of a run."""
    world = made()
    before = world.sandbox.objects(RC, "default")
    with pytest.raises(
        RefusedError, match=r'controller "web" cannot be written: .*; nothing was changed'
    ) as caught:
        started(world, order, iter([answer()]))
    assert world.sandbox.objects(RC, "default") == before
    edits = answer is caused and bool(before)
    assert commands_of(caught.value) == ["kubectl edit replicationcontroller web"] * edits


def test_a_namespace_that_is_gone_is_not_waited_for() -> None:
    world = arrived()
    with pytest.raises(RefusedError, match='cannot be written: namespaces "default" not found; nothing was'):
        started(world, down(), iter([failure(404, 'namespaces "default" not found', None)]))


@pytest.mark.parametrize("status", [409, 422, 429, 503])
def test_refused_for_a_moment_is_tried_again(status: int) -> None:
    """422 without a cause: the object was written since it was looked at."""
    world = plain()
    answer = failure(status, None, None)
    assert started(world, up(), iter([answer, answer]))[:3] == ["PATCH web"] * 3
    world.assert_up()
    world.assert_kept()
