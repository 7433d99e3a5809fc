"""The label that tells ReplicaSets apart, on an object itself: the server or we have put it there."""

from __future__ import annotations

import pytest

from rollupdate.core.model.migration import HASH_LABEL
from rollupdate.engine.migration_dry_run import both_ends
from rollupdate.engine.order import Order
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up, web
from tests.engine.test_config_carried import goal_of
from tests.engine.test_migration import arrived

DEPLOYMENTS = "deployments"


def without_labels() -> Migrations:
    """A Deployment without labels of its own: the server gives a controller without any those of its pods."""
    world = arrived()
    world.sandbox.patch(DEPLOYMENTS, "default", NAME, {"metadata": {"labels": None}})
    world.sandbox.settle()
    return world


def test_a_controller_is_left_without_the_label_of_nobody() -> None:
    world = without_labels()
    world.run(down())
    assert world.assert_down(same=False)["metadata"]["labels"] == {"app": NAME}
    world.assert_kept()


@pytest.mark.parametrize("order", [down(), down(rollback=True)], ids=["same", "rollback"])
def test_nor_after_a_client_has_died(order: Order) -> None:
    for write in range(1, without_labels().run(down()).writes):
        world = without_labels()
        assert world.killed_at(down(), write, before=False)
        world.run(order)
        world.sandbox.settle()
        for obj in (*world.controllers().values(), *world.deployments().values()):
            assert HASH_LABEL not in obj["metadata"].get("labels", {})


def test_it_is_not_carried_on_nor_printed() -> None:
    """Earlier versions have left it."""
    manifest = web()
    manifest["metadata"]["labels"][HASH_LABEL] = "none-5d9c"
    world = Migrations(manifest)
    ends = both_ends(SandboxCluster(world.sandbox), goal_of(world, up()))
    for obj in (ends.before, ends.after):
        assert obj["metadata"]["labels"] == {"app": NAME}
    world.run(up())
    assert world.assert_up()["metadata"]["labels"] == {"app": NAME}
    world.assert_kept()
