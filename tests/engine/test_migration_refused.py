"""What is refused of a move before anything is written. Where the way out is a command, it is carried out,
and the command that was refused goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollupdate.engine.order import Order
from testing.objects import Json
from tests.engine import configs, test_config_migration
from tests.engine.migrations import NAME, Migrations, down
from tests.engine.test_config_carried import goal_of, refused
from tests.engine.test_migration import arrived
from tests.engine.ways_out import pasted

Made = Callable[[], Migrations]


def from_config() -> Migrations:
    return test_config_migration.arrived()


BACK = pytest.mark.parametrize(
    ("made", "order"), [(arrived, down()), (from_config, configs.down())], ids=["controller", "config"]
)


def pod_alone(world: Migrations, name: str, labels: Json) -> None:
    containers = [{"name": "debug", "image": "debug"}]
    world.sandbox.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": containers},
        }
    )
    world.sandbox.settle()


@BACK
def test_a_pod_without_a_controller_that_would_be_adopted(made: Made, order: Order) -> None:
    """One of those that are moved would go for it."""
    world = made()
    labels = {"app": NAME, "deployment": "web-1", "deploymentconfig": NAME}
    pod_alone(world, "old-debug", labels)
    error = refused(world, order)
    assert error.message.startswith('pod "old-debug" has no controller and matches the selector of ')
    assert pasted(world, error) == ["kubectl edit pod old-debug"]
    before = world.names() - {"old-debug"}
    world.run(order)
    world.sandbox.settle()
    assert before < world.names()
    alone = world.sandbox.get("Pod", "default", "old-debug")
    assert not alone["metadata"].get("ownerReferences")


@BACK
def test_a_pod_that_has_ended_is_adopted_by_nobody(made: Made, order: Order) -> None:
    world = made()
    labels = {"app": NAME, "deployment": "web-1", "deploymentconfig": NAME}
    pod_alone(world, "once", labels)
    path, ended = "/api/v1/namespaces/default/pods/once/status", {"status": {"phase": "Succeeded"}}
    assert world.sandbox.request("PATCH", path, {}, ended, content_type=configs.MERGE).status == 200
    assert goal_of(world, order)
