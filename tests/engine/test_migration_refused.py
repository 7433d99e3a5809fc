"""What is refused of a move before anything is written. Where the way out is a command, it is carried out,
and the command that was refused goes on."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rollupdate.core.migration.shown import fit
from rollupdate.core.model import record
from rollupdate.core.model.migration import HASH_LABEL, Migration
from rollupdate.engine.migration_dry_run import both_ends
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Arrived, Order
from rollupdate.errors import InProgressError, RefusedError
from rollupdate.objects import DEPLOYMENT as DEPLOYMENT_KIND
from testing.objects import Json
from tests.engine import configs, test_config_migration
from tests.engine.configs import Configs
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, SIZE, Migrations, down, up, web
from tests.engine.test_config_carried import goal_of, refused
from tests.engine.test_migration import arrived, plain
from tests.engine.ways_out import commands_of, pasted

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


def unowned(world: Migrations) -> None:
    """The controllers, and the DeploymentConfig, are deleted with all that they own."""
    if isinstance(world, Configs):
        world.delete_config()
    for name in world.controllers():
        world.sandbox.delete("ReplicationController", "default", name, "Background")
    world.sandbox.settle()
    world.sandbox.advance(60)


UPWARDS = pytest.mark.parametrize(
    ("made", "ordered", "back"),
    [(plain, up, down()), (test_config_migration.plain, configs.up, down(new_name="web-1"))],
    ids=["controller", "config"],
)


@UPWARDS
@pytest.mark.parametrize("rollback", [False, True], ids=["same", "rollback"])
def test_left_unfinished_by_a_client_that_has_died(
    made: Made, ordered: Callable[..., Order], back: Order, rollback: bool
) -> None:
    """And then what the pods came from was deleted, with the record: nobody would go on with it."""
    paused: list[bool] = []
    write = 0
    while (world := made_at(made(), ordered(), write := write + 1)) is not None:
        if NAME not in world.deployments() or not world.controllers():
            continue
        unowned(world)
        target = world.deployments()[NAME]
        if record.MIGRATION not in target["metadata"]["labels"]:
            continue
        paused.append(bool(target["spec"].get("paused")))
        error = refused(world, ordered(rollback=rollback))
        unlabel = f"kubectl label deployment/web {record.MIGRATION}-"
        resume = ["kubectl rollout resume deployment/web"] if paused[-1] else []
        assert pasted(world, error) == [*resume, unlabel]
        (target,) = world.deployments().values()
        assert target["status"]["availableReplicas"] == SIZE
        assert isinstance(plan(SandboxCluster(world.sandbox), ordered()), Arrived)
        world.watched_from_now()
        world.run(back)
        world.assert_kept()
    assert set(paused) == {True, False}


def made_at(world: Migrations, order: Order, write: int) -> Migrations | None:
    """Where a client has died right after that write; None if there is no such write."""
    if not world.killed_at(order, write, before=False):
        return None
    world.sandbox.settle()
    return world


@BACK
def test_the_other_end_of_a_way_back_was_deleted_in_the_middle(made: Made, order: Order) -> None:
    """The Deployment is paused, and may have no pods any more."""
    lost, write = 0, 0
    while (world := made_at(made(), order, write := write + 1)) is not None:
        if NAME not in world.deployments() or not world.deployments()[NAME]["spec"].get("paused"):
            continue
        unowned(world)
        lost += not world.active_pods()
        error = refused(world, down(new_name="other"))
        assert len(pasted(world, error)) == 2
        (target,) = world.deployments().values()
        assert target["status"]["availableReplicas"] == SIZE
        world.watched_from_now()
        world.run(down(new_name="other"))
        world.assert_kept()
    assert lost


def test_on_its_way_to_another_name() -> None:
    """The record is on the controller of that name."""
    world = arrived()
    assert world.killed_at(down(new_name="shop"), 4, before=False)
    with pytest.raises(InProgressError, match="are on their way to repl") as caught:
        plan(SandboxCluster(world.sandbox), down())
    assert "kubectl rolling-update deployment/web shop --to=replicationcontroller" in str(caught.value.advice)


RC, RS, DEPLOYMENT = "replicationcontrollers", "replicasets", "deployments"


def on_its_way_out(world: Migrations, kind: str, name: str) -> None:
    """Held by a finalizer that nobody takes off."""
    world.sandbox.patch(kind, "default", name, {"metadata": {"finalizers": ["example.com/book"]}})
    kinds = {RC: "ReplicationController", RS: "ReplicaSet", DEPLOYMENT: "Deployment"}
    world.sandbox.delete(kinds[kind], "default", name, "Orphan")
    world.sandbox.settle()


@pytest.mark.parametrize(
    ("made", "kind", "order"),
    [
        (plain, RC, up()),
        (arrived, DEPLOYMENT, up()),
        (arrived, DEPLOYMENT, down()),
        (arrived, RS, down()),
        (test_config_migration.plain, RC, configs.up()),
        (from_config, DEPLOYMENT, configs.up()),
        (from_config, DEPLOYMENT, configs.down()),
        (from_config, RC, configs.down()),
    ],
)
def test_what_is_being_deleted(made: Made, kind: str, order: Order) -> None:
    world = made()
    (name,) = (one["metadata"]["name"] for one in world.sandbox.objects(kind, "default"))
    on_its_way_out(world, kind, name)
    word = kind.removesuffix("s")
    held = "held by its finalizers: example.com/book"
    wanted = f'{word} "{name}" is being deleted, {held}; nothing was changed'
    assert refused(world, order).message == wanted


def test_a_controller_that_was_kept_and_is_being_deleted() -> None:
    """The pods are not moved to it; that they have arrived is said."""
    world = plain()
    world.run(up(keep=True))
    on_its_way_out(world, RC, NAME)
    assert isinstance(plan(SandboxCluster(world.sandbox), up()), Arrived)
    assert 'replicationcontroller "web" is being deleted' in refused(world, down()).message


SPEC: Json = {
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": "50%"}},
    "revisionHistoryLimit": 4,
    "minReadySeconds": 5,
}


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ({"keep": True}, "--keep-old"),
        ({"keep": False}, "--keep-old"),
        ({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 3}}}}, "--max-surge"),
        ({"spec": SPEC}, "--max-surge, --max-unavailable, --min-ready-seconds and --revision-history-limit"),
    ],
)
@pytest.mark.parametrize(
    ("made", "ordered"),
    [(plain, up), (test_config_migration.plain, configs.up)],
    ids=["controller", "config"],
)
def test_resumed_with_other_flags(made: Made, ordered: Callable[..., Order], more: Json, flag: str) -> None:
    """They would be dropped without a word; going back, and begun again with them, they count."""
    world = made()
    begun = ordered(keep=not more["keep"]) if "keep" in more else ordered()
    assert world.killed_at(begun, 6, before=False)
    error = refused(world, ordered(**more))
    assert f"that is in progress was begun with another value of {flag}; " in error.message
    on, back = commands_of(error)
    assert back == f"{on} --rollback"
    assert goal_of(world, begun).found
    world.run(ordered(rollback=True, **more))
    assert world.killed_at(ordered(**more), 6, before=False)
    world.run(ordered(**more))
    (target,) = world.deployments().values()
    for key, part in more.get("spec", {}).items():
        found = target["spec"][key]
        if key == "strategy":
            found, part = found["rollingUpdate"], part["rollingUpdate"]
            found = {name: found[name] for name in part}
        assert found == part
    if "keep" in more:
        assert bool(world.controllers()) == more["keep"]
    world.assert_kept()


@BACK
def test_a_paused_deployment_with_a_change_that_is_not_rolled_out(made: Made, order: Order) -> None:
    """`kubectl rollout status` would wait for ever."""
    world = made()
    image = {"containers": [{"name": "web", "image": "web:2.0"}]}
    edit = {"spec": {"paused": True, "template": {"spec": image}}}
    world.sandbox.patch(DEPLOYMENT, "default", NAME, edit)
    world.sandbox.settle()
    error = refused(world, order)
    assert 'deployment "web" is paused, and its pods are not all of its pod template; ' in error.message
    assert pasted(world, error) == [f"kubectl rollout {verb} deployment/web" for verb in ("resume", "status")]
    world.watched_from_now()
    world.run(order)
    world.assert_kept()


def test_a_paused_deployment_whose_pods_are_of_its_template_goes_back() -> None:
    world = arrived()
    world.sandbox.patch(DEPLOYMENT, "default", NAME, {"spec": {"paused": True}})
    world.sandbox.settle()
    world.run(down())
    world.assert_down(same=False)
    world.assert_kept()


def test_a_controller_that_was_kept_and_scaled() -> None:
    """The way back that an update of it tells says what to do first."""
    world = plain()
    world.run(up(keep=True))
    world.sandbox.scale("default", NAME, 2, RC)
    world.sandbox.settle()
    world.sandbox.advance(60)
    error = refused(world, down())
    assert error.message == 'replicationcontroller "web" has 2 pods of its own; nothing was changed'
    (scale,) = pasted(world, error)
    assert scale.startswith("kubectl patch replicationcontroller web --type=merge -p ")
    world.watched_from_now()
    world.run(down())
    world.assert_down(same=False)
    world.assert_kept()


def referring(kind: str, digest: str) -> Json:
    """Something that selects the pods of one ReplicaSet."""
    selector = {"app": NAME, HASH_LABEL: digest}
    meta = {"name": "web"}
    if kind == "Service":
        return {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": meta,
            "spec": {"selector": selector, "ports": [{"port": 80}]},
        }
    spec = {"selector": {"matchLabels": selector}, "minAvailable": 1}
    return {"apiVersion": "policy/v1", "kind": kind, "metadata": meta, "spec": spec}


@BACK
@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget"])
def test_what_selects_the_pods_of_one_replica_set(made: Made, order: Order, kind: str) -> None:
    """It would select none of them after the way back."""
    world = made()
    (digest,) = {pod["metadata"]["labels"][HASH_LABEL] for pod in world.active_pods()}
    world.sandbox.create(referring(kind, digest))
    error = refused(world, order)
    says = f'{kind} "web" selects the pods of web by {HASH_LABEL}, which the pods of a Replication'
    assert error.message.startswith(says)
    assert pasted(world, error) == [f"kubectl edit {kind.lower()} web"]
    world.run(order)
    world.assert_kept()


def test_a_controller_that_selects_by_the_label_of_replica_sets() -> None:
    """A Deployment could not be made of it as it is: it sets that label itself."""
    manifest = web()
    for part in (manifest["spec"]["selector"], manifest["spec"]["template"]["metadata"]["labels"]):
        part[HASH_LABEL] = "5d9c"
    world = Migrations(manifest)
    error = refused(world, up())
    assert f'"web" selects its pods by {HASH_LABEL}, which a Deployment sets itself; ' in error.message
    assert pasted(world, error) == ["kubectl edit rc web"]
    world.run(up())
    world.assert_up()
    world.assert_kept()


GONE = object()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kind",), GONE),
        (("kind",), "ReplicaSet"),
        (("apiVersion",), GONE),
        (("spec", "selector"), GONE),
        (("spec", "selector"), "x"),
        (("spec", "selector"), {}),
        (("spec", "selector", "matchLabels"), {"app": 5}),
        (("spec", "strategy"), "x"),
        (("spec", "strategy"), {"rollingUpdate": "x"}),
        (("spec", "strategy"), {"rollingUpdate": {"maxSurge": []}}),
        (("spec", "revisionHistoryLimit"), "x"),
        (("metadata", "name"), 5),
        (("metadata", "labels"), "x"),
        (("metadata", "annotations"), 5),
        (("metadata", "annotations"), {"team": 5}),
        (("metadata", "ownerReferences"), ["x"]),
        (("metadata", "finalizers"), "x"),
    ],
)
def test_a_record_that_another_client_has_edited(path: tuple[str, ...], value: object) -> None:
    """It is told as one that cannot be read."""
    world = plain()
    assert world.killed_at(up(), 9, before=False)
    known = json.loads(world.controllers()[NAME]["metadata"]["annotations"][record.MIGRATION])
    assert Migration.decode(json.dumps(known))
    part = known["deployment"]
    for key in path[:-1]:
        part = part[key]
    if value is GONE:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    patch = {"metadata": {"annotations": {record.MIGRATION: json.dumps(known)}}}
    world.sandbox.patch(RC, "default", NAME, patch)
    for order in (up(), up(rollback=True)):
        assert f"annotation {record.MIGRATION} cannot be read" in refused(world, order).message


def test_a_replica_set_that_is_left_over_from_an_earlier_move() -> None:
    """It would take the pods under any name of the Deployment."""
    world = arrived()
    world.sandbox.delete("Deployment", "default", NAME, "Orphan")
    world.sandbox.settle()
    world.sandbox.create(web())
    world.sandbox.settle()
    world.sandbox.advance(60)
    (left,) = world.replica_sets()
    for order in (up(), up(new_name="web-2")):
        error = refused(world, order)
        assert f'ReplicaSet "{left}" selects these pods as well, and would take them; ' in error.message
    assert pasted(world, error) == [f"kubectl delete replicaset/{left}"]
    world.watched_from_now()
    world.run(up())
    world.assert_up()
    world.assert_kept()


@pytest.mark.parametrize("name", ["Web_1", "web-", ".web", "a..b", "w" * 254])
@pytest.mark.parametrize(
    ("made", "ordered", "kind"),
    [
        (plain, up, "Deployment"),
        (test_config_migration.plain, configs.up, "Deployment"),
        (arrived, down, "ReplicationController"),
    ],
    ids=["up", "config", "down"],
)
def test_a_name_that_can_be_none(made: Made, ordered: Callable[..., Order], kind: str, name: str) -> None:
    """A dry run that asks nothing of the server knows it too."""
    world = made()
    says = f'"{name}" can not be the name of a {kind}: '
    assert refused(world, ordered(new_name=name)).message.startswith(says)
    with pytest.raises(RefusedError, match="can not be the name of"):
        plan(SandboxCluster(world.sandbox), ordered(new_name=name), ask=False)
    assert goal_of(world, ordered(new_name="1.web-2"))


MANAGED: tuple[Json, ...] = (
    {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "default"},
    },
    {
        "labels": {"argocd.argoproj.io/instance": "shop"},
        "annotations": {"argocd.argoproj.io/tracking-id": "shop:/ReplicationController:default/web"},
    },
    {"labels": {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux"}},
)


@pytest.mark.parametrize("meta", MANAGED, ids=["helm", "argo", "flux"])
@pytest.mark.parametrize(
    ("made", "ordered", "kind"),
    [(plain, up, RC), (test_config_migration.plain, configs.up, configs.DCS)],
    ids=["controller", "config"],
)
def test_the_manifest_that_is_printed_first_is_what_comes_to_be(
    made: Made, ordered: Callable[..., Order], kind: str, meta: Json
) -> None:
    """With the marks of its tool off, as the refusal says: the tool puts its own on what it creates."""
    world = made()
    world.sandbox.patch(kind, "default", NAME, {"metadata": meta})
    world.sandbox.settle()
    printed = both_ends(SandboxCluster(world.sandbox), goal_of(world, ordered(manifest_only=True))).after
    pasted(world, refused(world, ordered()))
    world.run(ordered())
    (target,) = SandboxCluster(world.sandbox).list_all(DEPLOYMENT_KIND)
    assert fit(target, scaled=False) == printed
    for field in ("labels", "annotations"):
        stays = set(printed["metadata"].get(field, {}))
        assert not stays & set(meta.get(field, {}))
        assert stays <= set(target["metadata"][field])


def test_a_label_that_only_looks_like_that_of_a_tool_stays() -> None:
    manifest = web()
    manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "the-shop-team"
    world = Migrations(manifest)
    printed = both_ends(SandboxCluster(world.sandbox), goal_of(world, up())).after
    assert printed["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "the-shop-team"
