"""The controller is on its way out, held by a finalizer: every command that is offered works."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rollupdate.advice import PatchObject
from rollupdate.core.diagnosis.summary import NOTHING_KNOWN
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.leaving import let_go
from rollupdate.core.status.update_status import UpdateStatus, update_status
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Order
from rollupdate.errors import InProgressError, StoppedError
from rollupdate.report.status import text
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up, web
from tests.engine.ways_out import commands_of, pasted

LET_GO = 'kubectl patch replicationcontroller web --type=merge -p {"metadata":{"finalizers":null}}'
HELD = "web is being deleted, held by its finalizers: x.y/z"


def held() -> Migrations:
    manifest = web()
    manifest["metadata"]["finalizers"] = ["x.y/z"]
    return Migrations(manifest)


def seen(world: Migrations) -> UpdateStatus:
    parsed = {name: Controller.parse(raw) for name, raw in world.controllers().items()}
    return update_status(NAME, parsed)


@pytest.mark.parametrize(
    "order", [down(), up(new_name="site"), up(rollback=True)], ids=["back", "another name", "rollback"]
)
def test_the_deployment_has_the_pods(order: Order) -> None:
    world = held()
    with pytest.raises(StoppedError, match=HELD) as stopped:
        world.run(up(timeout=4.0))
    assert commands_of(stopped.value) == [LET_GO]
    with pytest.raises(InProgressError) as caught:
        plan(SandboxCluster(world.sandbox), order)
    assert f"rc/web have gone to deployment/web; {HELD}; " in caught.value.message.replace(
        "replicationcontroller", "rc"
    )
    assert commands_of(caught.value) == ["kubectl rolling-update web --to=deployment", LET_GO]
    told = text(seen(world), NOTHING_KNOWN, datetime.now(UTC), LET_GO, "ONWARDS")
    assert told.startswith("web: its pods have gone to deployment/web\n")
    assert HELD in told
    assert "roll back" not in told.lower()
    assert LET_GO in told
    assert pasted(world, stopped.value) == [LET_GO]
    world.run(up())
    world.assert_up()
    world.assert_kept()


def test_deleted_by_another_client_in_the_middle() -> None:
    """It has its pods, and nothing goes back to it either."""
    world = held()
    assert world.killed_at(up(), 3, before=False)
    world.sandbox.delete("rc", "default", NAME, "Orphan")
    (raw,) = world.controllers().values()
    kept = '{"metadata":{"finalizers":["orphan"]}}'
    assert let_go(Controller.parse(raw)) == PatchObject("replicationcontroller", NAME, kept)
    world.sandbox.settle()
    with pytest.raises(InProgressError) as caught:
        plan(SandboxCluster(world.sandbox), down())
    assert f"are on their way to deployment/web; {HELD}" in caught.value.message
    told = text(seen(world), NOTHING_KNOWN, datetime.now(UTC), LET_GO, "ONWARDS")
    assert told.startswith("web: its pods are on their way to deployment/web\n")
    onwards, command = commands_of(caught.value)
    assert (onwards, command) == ("kubectl rolling-update web --to=deployment", LET_GO)
    assert pasted(world, StoppedError("", hint=command)) == [LET_GO]
    world.run(up())
    world.assert_up()
    assert world.before == world.names()
