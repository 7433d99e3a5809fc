"""Where the pods are by now that a controller, or a DeploymentConfig, has given to a Deployment: they may
have gone on from there to another controller."""

from __future__ import annotations

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.plan.refusals import refuse_migrated
from rollupdate.engine.config_plan import controller_with_pods
from rollupdate.engine.watch_status import look
from rollupdate.errors import RefusedError
from rollupdate.report.status import body, one_line
from tests.engine import configs, test_config_migration
from tests.engine.configs import Configs
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, Migrations, down, up
from tests.engine.test_config_carried import goal_of, refused
from tests.engine.test_migration import plain
from tests.engine.test_migration_refused import DEPLOYMENT
from tests.engine.ways_out import commands_of

AWAY = "the pods of {} have gone to replicationcontroller/{}; nothing was changed"


def gone_on() -> Migrations:
    """web, which was kept, has given its pods to deployment/shop, and that to replicationcontroller/shop."""
    world = plain()
    world.run(up(new_name="shop", keep=True))
    world.run(down(name="shop", new_name="shop"))
    world.watched_from_now()
    return world


def said(world: Migrations, name: str) -> tuple[str, object]:
    seen, why = look(SandboxCluster(world.sandbox), name)
    return one_line(seen, why), body(seen, why)["movedTo"]


def test_the_status_names_the_controller_that_has_them() -> None:
    world = gone_on()
    gone = ("web: its pods have gone to replicationcontroller/shop", "replicationcontroller/shop")
    assert said(world, NAME) == gone
    assert said(world, "shop")[1] is None


def test_another_move_or_an_update_of_the_one_that_was_kept() -> None:
    world = gone_on()
    error = refused(world, up())
    assert error.message == AWAY.format('replicationcontroller "web"', "shop")
    assert commands_of(error) == [
        "kubectl edit replicationcontroller shop",
        "kubectl rolling-update shop --to=deployment",
        "kubectl delete rc web",
    ]
    assert refused(world, up(new_name="other")).message == error.message
    found = {name: Controller.parse(raw) for name, raw in world.controllers().items()}
    with pytest.raises(RefusedError) as update:
        refuse_migrated(found[NAME], found.values())
    assert update.value.message == error.message
    assert goal_of(world, up(name="shop", new_name="shop"))


def test_while_they_are_still_at_the_deployment() -> None:
    world = plain()
    world.run(up(new_name="shop", keep=True))
    assert said(world, NAME)[1] == "deployment/shop"
    assert world.killed_at(down(name="shop", new_name="shop"), 2, before=False)
    assert said(world, NAME)[1] == "deployment/shop"


def test_a_deployment_from_a_config_goes_to_no_other_controller() -> None:
    """That would cut the way back to the config, which would be said to have pods at a Deployment."""
    world = test_config_migration.arrived()
    for name in (NAME, "shop"):
        error = refused(world, down(new_name=name))
        said = 'the pods of deployment "web" have come from deploymentconfig "web"'
        assert error.message.startswith(said)
        assert commands_of(error) == [
            "kubectl rolling-update deployment/web --to=deploymentconfig",
            "kubectl delete deploymentconfig.apps.openshift.io/web",
        ]
    world.delete_config()
    world.watched_from_now()
    world.run(down(new_name="shop"))
    world.assert_kept()


def test_another_config_of_that_name_is_none_of_it() -> None:
    world = test_config_migration.arrived()
    world.delete_config()
    world.sandbox.create(configs.config(size=0, paused=True))
    world.sandbox.settle()
    assert goal_of(world, down(new_name="shop"))


def test_a_config_whose_pods_have_gone_on() -> None:
    """Earlier versions have let them."""
    world = test_config_migration.arrived()
    off = {"metadata": {"annotations": {record.MIGRATED_CONFIG: None}}}
    world.sandbox.patch(DEPLOYMENT, "default", NAME, off)
    world.sandbox.settle()
    world.run(down())
    error = refused(world, configs.up())
    assert error.message == AWAY.format('deploymentconfig "web"', "web")
    assert commands_of(error)[-1] == "kubectl delete deploymentconfig.apps.openshift.io/web"
    assert isinstance(world, Configs)
    name = controller_with_pods(SandboxCluster(world.sandbox), NAME)
    assert said(world, name)[1] == "replicationcontroller/web"
