"""What is refused of a DeploymentConfig before anything is written. Where the way out is a command, it is
carried out, and the command that was refused goes on."""

from __future__ import annotations

import json
import shlex

import pytest

from rollupdate.advice import Advice, Named
from rollupdate.core.migration.scene import Goal
from rollupdate.core.model import record
from rollupdate.engine.config_plan import controller_with_pods
from rollupdate.engine.migration_dry_run import both_ends
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Kept, Order
from rollupdate.errors import ApiError, InProgressError, RefusedError
from testing.objects import Json
from testing.openshift import names
from tests.engine.configs import Configs, config, down, up
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, SIZE, Migrations, web
from tests.engine.test_config_carried import goal_of, merged, refused
from tests.engine.test_config_migration import DOWN, UP, arrived, plain, rolled_out


def pasted(world: Configs, error: RefusedError) -> list[str]:
    """Carry out each command of the way out, and tell its first words. Those of OpenShift's client do what
    they do by its source: no rollout of one that is paused is begun or cancelled."""
    told = []
    for line in str(error.advice).splitlines():
        command, _, patch = line.rpartition(": ")[2].partition(" -p ") if " -p " in line else (line, "", "")
        words = shlex.split(command.rpartition(": ")[2])
        told.append(" ".join(words[:3]))
        match words:
            case ["kubectl", "patch", "deploymentconfig", "web", "--type=merge"]:
                world.patch(json.loads(patch))
            case ["oc", "rollout", "latest", "dc/web"]:
                _begin(world)
            case ["oc", "rollout", "cancel", "dc/web"]:
                _cancel(world)
            case _:
                assert words == ["oc", "rollout", "status", "dc/web"]
        world.sandbox.settle()
        world.sandbox.advance(60)
    return told


def _begin(world: Configs) -> None:
    found = world.config()
    assert not found["spec"].get("paused")
    found["status"]["latestVersion"] += 1
    path = f"/apis/{names.VERSION}/namespaces/default/deploymentconfigs/{NAME}/status"
    assert world.sandbox.request("PUT", path, {}, found).status == 200


def _cancel(world: Configs) -> None:
    assert not world.config()["spec"].get("paused")
    for name, one in world.controllers().items():
        if one["metadata"]["annotations"][names.PHASE] not in (names.COMPLETE, names.FAILED):
            patch = {"metadata": {"annotations": {names.CANCELLED: "true"}}}
            world.sandbox.patch("replicationcontrollers", "default", name, patch)


HOOK: Json = {"failurePolicy": "Abort", "execNewPod": {"command": ["true"], "containerName": "web"}}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"strategy": {"rollingParams": {"pre": HOOK, "post": HOOK}}}, "has a pre hook and a post hook"),
        (
            {"strategy": {"type": "Recreate", "recreateParams": {"mid": HOOK}}},
            "has a mid hook",
        ),
        ({"strategy": {"type": "Custom", "customParams": {"image": "a"}}}, "has a custom strategy"),
        ({"test": True}, "has test: true"),
    ],
    ids=["pre", "mid", "custom", "test"],
)
def test_what_a_deployment_cannot_do_is_refused_with_what_takes_it_off(spec: Json, says: str) -> None:
    world = plain()
    merged(world, spec)
    error = refused(world, UP)
    assert says in error.message
    patch = str(error.advice).rpartition("--type=merge -p ")[2]
    world.patch(json.loads(patch))
    world.sandbox.settle()
    if spec.get("test"):  # its controller had taken its pods, as it does between rollouts
        world.sandbox.advance(60)
    assert isinstance(goal_of(world, UP), Goal)


STATUS, CANCEL, LATEST, PATCH = (
    "oc rollout status",
    "oc rollout cancel",
    "oc rollout latest",
    "kubectl patch deploymentconfig",
)


@pytest.mark.parametrize("phase", [names.PENDING, names.RUNNING])
@pytest.mark.parametrize(
    ("paused", "wanted"), [(False, [STATUS, CANCEL]), (True, [STATUS, PATCH, CANCEL])], ids=["", "paused"]
)
def test_a_rollout_in_progress(phase: str, paused: bool, wanted: list[str]) -> None:
    world = plain()
    world.roll_out("web:2.0", comes_to=phase)
    merged(world, {"paused": paused})
    error = refused(world, UP)
    assert error.message.startswith('rollout 2 of deploymentconfig "web" is in progress')
    before = world.before
    assert pasted(world, error) == wanted
    world.watched_from_now()
    world.run(UP)
    world.assert_arrived()
    assert world.names() == before


def test_the_controller_of_the_last_rollout_was_deleted() -> None:
    """While the config is paused nobody makes another one."""
    for order in (UP, DOWN):
        world = rolled_out() if order is UP else arrived(rolled_out)
        merged(world, {"paused": True})
        world.sandbox.delete("ReplicationController", "default", "web-3")
        world.sandbox.settle()
        error = refused(world, order)
        assert error.message.startswith('rollout 3 of deploymentconfig "web" is in progress')
        assert pasted(world, error) == [PATCH, STATUS]
        goal_of(world, order)


@pytest.mark.parametrize(
    ("phase", "says", "shows"),
    [
        (names.RUNNING, 'rollout 1 of deploymentconfig "web" is in progress, none was ', "status"),
        (names.FAILED, 'no rollout of deploymentconfig "web" is complete, so it has no pods', "history"),
    ],
)
def test_the_status_of_one_that_has_no_pods_yet(phase: str, says: str, shows: str) -> None:
    """Whoever only looks moves nothing, and has changed nothing."""
    world = Configs(triggers=[{"type": "ConfigChange"}])
    world.delete_config()
    world.sandbox.settle()
    world.sandbox.advance(60)
    world.sandbox.create(config(triggers=[{"type": "ConfigChange"}], comes_to=phase))
    world.sandbox.settle()
    with pytest.raises(RefusedError) as caught:
        controller_with_pods(SandboxCluster(world.sandbox), NAME)
    assert caught.value.message.startswith(says)
    assert "nothing was changed" not in caught.value.message
    assert str(caught.value.advice).endswith(f": oc rollout {shows} dc/web")


@pytest.mark.parametrize("triggers", [[{"type": "ConfigChange"}], []], ids=["change", "by-hand"])
@pytest.mark.parametrize("paused", [False, True], ids=["", "paused"])
def test_no_complete_rollout(triggers: list[Json], paused: bool) -> None:
    world = Configs(triggers=[{"type": "ConfigChange"}])
    world.delete_config()
    world.sandbox.settle()
    world.sandbox.advance(60)
    manifest = config(triggers=triggers, comes_to=names.FAILED)
    manifest["spec"]["paused"] = paused
    world.sandbox.create(manifest)
    world.sandbox.settle()
    error = refused(world, UP)
    assert error.message.startswith('no rollout of deploymentconfig "web" is complete, so it has no pods')
    world.patch({"metadata": {"annotations": {names.COMES_TO: names.COMPLETE}}})
    begin = [] if paused and triggers else [LATEST]
    assert pasted(world, error) == [*([PATCH] if paused else []), *begin]
    world.watched_from_now()
    world.run(UP)
    world.assert_arrived()


@pytest.mark.parametrize("triggers", [[{"type": "ConfigChange"}], []], ids=["change", "by-hand"])
def test_back_to_one_that_was_made_again_and_has_no_rollout(triggers: list[Json]) -> None:
    """It gets a controller without pods first, for those of the Deployment: they are kept."""
    world = arrived(rolled_out)
    merged(world, {"triggers": triggers})
    world.delete_config()
    world.sandbox.settle()
    found = plan(SandboxCluster(world.sandbox), down(manifest_only=True))
    assert isinstance(found, Kept)
    found.manifest["spec"]["triggers"] = triggers
    world.sandbox.create(found.manifest)
    world.sandbox.settle()
    error = refused(world, DOWN)
    assert error.message.startswith(
        'no rollout of deploymentconfig "web" is complete, so it has no controller'
    )
    assert pasted(world, error) == [PATCH, *([] if triggers else [LATEST])]
    world.rolled = 1
    world.run(DOWN)
    world.assert_home(same=False)
    world.assert_kept()
    world.assert_scales()


def test_the_deployment_was_deleted_with_the_pods() -> None:
    """The DeploymentConfig is still there: it makes pods again, and after a rollout they can be moved."""
    world = arrived(rolled_out)
    world.sandbox.delete("Deployment", "default", NAME)
    world.sandbox.settle()
    world.sandbox.advance(60)
    assert not world.names()
    error = refused(world, UP)
    assert error.message.startswith('deployment "web" had the pods of deploymentconfig "web", and is gone')
    assert pasted(world, error) == [PATCH, LATEST]
    assert len(world.active_pods()) == SIZE
    world.watched_from_now()
    world.run(UP)
    world.assert_arrived()
    world.assert_kept()


@pytest.mark.parametrize(
    "written",
    ["2", "0", "9" * 5000, "\u0663", None],
    ids=["two", "none", "large", "another script", "gone"],
)
def test_the_size_to_go_on_with_is_one_that_can_be(written: str | None) -> None:
    """Anyone may have written to the annotation that says it."""
    world = arrived(rolled_out)
    world.sandbox.delete("Deployment", "default", NAME)
    world.sandbox.settle()
    world.sandbox.advance(60)
    for name, found in world.controllers().items():
        if record.MIGRATED_TO in found["metadata"]["annotations"]:
            patch = {"metadata": {"annotations": {record.DESIRED_REPLICAS: written}}}
            world.sandbox.patch("replicationcontrollers", "default", name, patch)
    pasted(world, refused(world, UP))
    assert len(world.active_pods()) == (2 if written == "2" else 1)


def test_what_others_manage_or_own() -> None:
    world = plain()
    world.patch({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}})
    error = refused(world, UP)
    assert 'deploymentconfig "web" is managed by Helm' in error.message
    assert "label deploymentconfig/web app.kubernetes.io/managed-by-" in str(error.advice)
    assert both_ends(SandboxCluster(world.sandbox), goal_of(world, up(manifest_only=True))).after["kind"] == (
        "Deployment"
    )
    world = plain()
    owner = {"apiVersion": "v1", "kind": "Shop", "name": "s", "uid": "1", "controller": True}
    world.patch({"metadata": {"ownerReferences": [owner]}})
    assert 'belongs to Shop "s"' in refused(world, UP).message


def test_there_is_no_such_kind_or_no_such_object() -> None:
    assert "knows no DeploymentConfigs" in refused(Migrations(web()), UP).message
    with pytest.raises(ApiError, match=r'deploymentconfigs\.apps\.openshift\.io "none" not found'):
        goal_of(plain(), up(name="none", new_name="none"))


def test_a_service_that_selects_one_rollout() -> None:
    world = plain()
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"deployment": "web-1"}, "ports": [{"port": 80}]},
    }
    world.sandbox.create(service)
    assert "selects the pods of web-1 by deployment" in refused(world, UP).message
    world.sandbox.patch(
        "services", "default", "web", {"spec": {"selector": {"deployment": None, "app": NAME}}}
    )
    goal_of(world, UP)


def test_an_update_of_one_of_its_controllers_in_progress_is_none_of_its_deployers() -> None:
    """The deployer has two annotations of kubectl's, which are no update."""
    world = plain()
    name = world.active()["metadata"]["name"]
    patch = {"metadata": {"annotations": {record.ORIGINAL_REPLICAS: "2"}}}
    world.sandbox.patch("replicationcontrollers", "default", name, patch)
    world.run(UP)
    world.assert_arrived_at(SIZE)
    annotations = world.controllers()[name]["metadata"]["annotations"]
    assert (annotations[record.ORIGINAL_REPLICAS], annotations[record.DESIRED_REPLICAS]) == ("2", str(SIZE))


def test_another_move_in_progress() -> None:
    world = plain()
    assert world.killed_at(UP, 6, before=False)
    with pytest.raises(InProgressError) as caught:
        plan(SandboxCluster(world.sandbox), up(new_name="site"))
    assert "the pods of deploymentconfig/web are on their way to deployment/web" in caught.value.message
    assert str(caught.value.advice).endswith("deploymentconfig/web --to=deployment --rollback")
    assert controller_with_pods(SandboxCluster(world.sandbox), NAME) == "web-1"


def test_pods_of_its_own() -> None:
    world = arrived()
    merged(world, {"paused": False, "replicas": 2})
    error = refused(world, DOWN)
    assert 'deploymentconfig "web" has 2 pods of its own' in error.message


def test_back_to_what_is_gone() -> None:
    """Its manifest is printed instead, paused: created again it makes no pods beside the others."""
    world = arrived()
    world.delete_config()
    world.sandbox.settle()
    error = refused(world, DOWN)
    assert error.message == 'deploymentconfig "web" is gone; nothing was changed'
    found = plan(SandboxCluster(world.sandbox), down(manifest_only=True))
    assert isinstance(found, Kept)
    assert (found.manifest["spec"]["replicas"], found.manifest["spec"]["paused"]) == (SIZE, True)
    world.sandbox.create(found.manifest)
    world.sandbox.settle()
    world.assert_kept()


def test_made_again_over_the_controllers_that_were_left() -> None:
    """It gets the pods again."""
    world = arrived(rolled_out)
    world.delete_config("Orphan")
    world.sandbox.settle()
    found = plan(SandboxCluster(world.sandbox), down(manifest_only=True))
    assert isinstance(found, Kept)
    world.sandbox.create(found.manifest)
    world.sandbox.settle()
    world.run(DOWN)
    world.sandbox.settle()
    world.assert_kept()
    assert world.active()["spec"]["replicas"] == SIZE


def test_a_deployment_that_has_come_from_elsewhere() -> None:
    world = Migrations(web(), deployment_configs=True)
    world.run(Order(name=NAME, new_name=NAME, to_deployment=True))
    error = refused(world, DOWN)
    assert "have come from no DeploymentConfig" in error.message


def test_a_name_that_is_taken() -> None:
    """What is moved goes under another one."""
    world = plain()
    manifest: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}}
    manifest["spec"] = {
        "replicas": 0,
        "selector": {"matchLabels": {"a": "b"}},
        "template": web()["spec"]["template"],
    }
    manifest["spec"]["template"]["metadata"]["labels"] = {"a": "b"}
    world.sandbox.create(manifest)
    error = refused(world, UP)
    assert error.advice == Advice("under another name: ", Named(("deploymentconfig/web", "web-2")))
    assert isinstance(goal_of(world, up(new_name="web-2")), Goal)
    back = Migrations(web())
    back.run(Order(name=NAME, new_name=NAME, to_deployment=True))
    other = web()
    other["spec"] |= {"replicas": 0, "selector": {"a": "b"}}
    other["spec"]["template"]["metadata"]["labels"] = {"a": "b"}
    back.sandbox.create(other)
    error = refused(back, Order(name=NAME, new_name=NAME, to_deployment=False))
    assert error.advice == Advice("under another name: ", Named(("deployment/web", "web-2")))


def test_to_a_controller_the_kept_one_is_not_taken() -> None:
    world = arrived()
    order = Order(name=NAME, new_name="web-1", to_deployment=False)
    error = refused(world, order)
    assert 'have come from deploymentconfig "web", which could not get them back' in error.message
    assert "kubectl rolling-update deployment/web --to=deploymentconfig" in str(error.advice)
