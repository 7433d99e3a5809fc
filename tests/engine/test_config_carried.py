"""What goes along from a DeploymentConfig, what is said of the rest, and what is refused before anything is
written."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rollupdate.core.migration.configs import KEEPS_ALL, TRIGGERS
from rollupdate.core.migration.scene import Goal
from rollupdate.core.model import record
from rollupdate.core.model.config import LARGEST_ORIGIN, Origin
from rollupdate.core.model.migration import REVISION, Migration
from rollupdate.engine.migration_dry_run import both_ends, rehearse
from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Order
from rollupdate.errors import RefusedError
from rollupdate.events import Arranged, Event, Migrated
from rollupdate.rights import Right, migration_of_config, needed
from testing.objects import Json
from testing.openshift import names
from testing.sandbox.objects import controller_of
from tests.engine.configs import Configs, config, down, up
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME, SIZE, Migrations
from tests.engine.test_config_migration import (
    DOWN,
    UP,
    UP_BACK,
    arrived,
    arrived_with_history,
    changed,
    plain,
    rolled_out,
)
from tests.engine.test_rights import used
from tests.support.effort import some


def goal_of(world: Migrations, order: Order) -> Goal:
    goal = plan(SandboxCluster(world.sandbox), order)
    assert isinstance(goal, Goal)
    return goal


def refused(world: Migrations, order: Order) -> RefusedError:
    cluster = SandboxCluster(world.sandbox)
    with pytest.raises(RefusedError) as caught:
        plan(cluster, order)
    assert cluster.writes == 0
    assert caught.value.message.endswith("nothing was changed")
    return caught.value


def merged(world: Configs, spec: Json) -> None:
    world.patch({"spec": spec})
    world.sandbox.settle()


# --- history and autoscalers ---


def test_complete_rollouts_become_revisions() -> None:
    """With their numbers and reasons; a failed one is none, and of two with one template the later counts."""
    world = Configs(images=("web:1.0", "web:2.0", "web:1.0", "web:3.0"))
    world.roll_out("web:broken", comes_to=names.FAILED)
    world.watched_from_now()
    world.run(UP)
    world.assert_arrived()
    found = {
        one["metadata"]["annotations"][REVISION]: (
            one["spec"]["template"]["spec"]["containers"][0]["image"],
            one["metadata"]["annotations"]["kubernetes.io/change-cause"],
        )
        for one in world.replica_sets().values()
    }
    assert found == {
        "2": ("web:2.0", "config change"),
        "3": ("web:1.0", "config change"),
        "4": ("web:3.0", "config change"),
    }
    world.assert_kept()


def test_the_deployment_goes_back_to_what_ran_before() -> None:
    """As `kubectl rollout undo` does it: with the template of the older ReplicaSet."""
    world = arrived(rolled_out)
    (older,) = (one for one in world.replica_sets().values() if not one["spec"]["replicas"])
    template = json.loads(json.dumps(older["spec"]["template"]))
    del template["metadata"]["labels"]["pod-template-hash"]
    assert template["metadata"]["labels"] == {"app": NAME, "deploymentconfig": NAME}
    world.sandbox.patch(
        "deployments", "default", NAME, [{"op": "replace", "path": "/spec/template", "value": template}]
    )
    world.sandbox.settle()
    assert {(controller_of(pod) or {})["uid"] for pod in world.active_pods()} == {older["metadata"]["uid"]}


def test_revisions_of_the_deployment_survive_a_way_back_that_is_taken_back() -> None:
    """In the last writes those that were kept for it are deleted: then there is what its DeploymentConfig
    knows, which is all of it unless other pods were rolled out since."""
    for made, last in ((arrived_with_history, 1), (changed, 4)):
        numbers = made().numbers()
        total = made().run(DOWN).writes
        for write in sorted({*some(range(1, total - last + 1), 4), total - last}):
            world = made()
            assert world.killed_at(DOWN, write, before=False)
            world.run(down(rollback=True))
            assert world.numbers() == numbers, write


@pytest.mark.parametrize("version", ["v1", names.VERSION])
def test_an_autoscaler_goes_along_and_comes_back(version: str) -> None:
    """Older ones name the kind in another group."""
    world = Configs(images=("web:1.0", "web:2.0"))
    reference = {"apiVersion": version, "kind": names.KIND, "name": NAME}
    autoscaler = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": NAME},
        "spec": {"minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": reference},
    }
    world.sandbox.create(autoscaler)

    def target() -> Json:
        found: Json = world.sandbox.get("HorizontalPodAutoscaler", "default", NAME)
        assert not set(found["metadata"].get("annotations") or {}) & set(record.KEYS)
        return dict(found["spec"]["scaleTargetRef"])

    world.run(UP)
    assert target() == {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}
    assert "replicas" not in both_ends(SandboxCluster(world.sandbox), goal_of(world, DOWN)).before["spec"]
    world.run(DOWN)
    assert target()["kind"] == names.KIND
    world.assert_kept()
    assert world.killed_at(UP, 4, before=False)
    world.run(UP_BACK)
    assert target()["kind"] == names.KIND


# --- the Deployment ---


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        (
            {"strategy": {"type": "Rolling", "rollingParams": {"maxSurge": 2, "maxUnavailable": "10%"}}},
            {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": "10%"}, "type": "RollingUpdate"},
        ),
        (
            {"strategy": {"type": "Rolling", "rollingParams": {"maxSurge": "0%", "maxUnavailable": 0}}},
            {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 1}, "type": "RollingUpdate"},
        ),
        ({"strategy": {"type": "Recreate"}}, {"type": "Recreate"}),
        ({}, {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"}),
    ],
    ids=["rolling", "both-zero", "recreate", "nothing-said"],
)
def test_the_strategy(spec: Json, wanted: Json) -> None:
    world = Configs(**spec)
    world.run(UP)
    assert world.assert_arrived()["spec"]["strategy"] == wanted


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, (600, 10, None)),
        ({"minReadySeconds": 900}, (901, 10, 900)),
        ({"strategy": {"type": "Rolling", "rollingParams": {"timeoutSeconds": 60}}}, (60, 10, None)),
        ({"strategy": {"type": "Recreate", "recreateParams": {"timeoutSeconds": 61}}}, (61, 10, None)),
        ({"revisionHistoryLimit": 3}, (600, 3, None)),
    ],
    ids=["default", "ready", "rolling", "recreate", "limit"],
)
def test_seconds_and_limits(spec: Json, wanted: tuple[int, int, int | None]) -> None:
    world = plain()
    merged(world, spec)
    found = goal_of(world, UP).migration.deployment["spec"]
    fields = ("progressDeadlineSeconds", "revisionHistoryLimit", "minReadySeconds")
    assert tuple(found.get(field) for field in fields) == wanted


def test_no_limit_keeps_all() -> None:
    world = plain()
    path = f"/apis/{names.VERSION}/namespaces/default/deploymentconfigs/{NAME}"
    patch = [{"op": "remove", "path": "/spec/revisionHistoryLimit"}]
    world.sandbox.intercept(lambda request: None)
    world.sandbox.request("PATCH", path, {}, patch, content_type="application/json-patch+json")
    limit = goal_of(world, UP).migration.deployment["spec"]["revisionHistoryLimit"]
    assert limit in (10, KEEPS_ALL)  # a server may put its default there again


ROLLING: Json = {"type": "Rolling", "rollingParams": {"maxSurge": 2, "maxUnavailable": "10%"}}
STILL: Json = {"type": "Rolling", "rollingParams": {"maxSurge": 0, "maxUnavailable": 1}}


@pytest.mark.parametrize(
    ("strategy", "asked", "wanted"),
    [
        ({"type": "Recreate"}, {"maxSurge": 2}, {"maxSurge": 2}),
        (ROLLING, {"maxSurge": "50%"}, {"maxSurge": "50%", "maxUnavailable": "10%"}),
        (ROLLING, {"maxUnavailable": 0}, {"maxSurge": 2, "maxUnavailable": 0}),
        (STILL, {"maxUnavailable": 0}, {"maxSurge": 1, "maxUnavailable": 0}),
    ],
    ids=["recreate", "surge", "unavailable", "could-not-roll"],
)
def test_flags_come_first(strategy: Json, asked: Json, wanted: Json) -> None:
    """Each for what it says: the other amount is still the DeploymentConfig's."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": asked}
    order = up(spec={"strategy": rolling, "minReadySeconds": 700})
    world = Configs(strategy=strategy)
    world.run(order)
    spec = world.deployments()[NAME]["spec"]
    found = {**spec["strategy"]["rollingUpdate"]}
    assert {key: found[key] for key in wanted} == wanted
    assert (spec["minReadySeconds"], spec["progressDeadlineSeconds"]) == (700, 701)


def test_metadata_goes_along() -> None:
    world = plain()
    more = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "app.openshift.io/vcs-ref": "main"}
    world.patch({"metadata": {"annotations": more, "labels": {"tier": "front"}}})
    meta = goal_of(world, UP).migration.deployment["metadata"]
    assert meta["labels"] == {"app": NAME, "tier": "front"}
    assert {"team": "shop", "app.openshift.io/vcs-ref": "main"}.items() <= meta["annotations"].items()
    assert "kubectl.kubernetes.io/last-applied-configuration" not in meta["annotations"]
    origin = Origin.of(meta["annotations"])
    assert origin is not None
    assert origin.manifest is not None
    assert origin.manifest["spec"] == world.config()["spec"]
    assert set(origin.manifest["metadata"]) == {"name", "namespace", "labels", "annotations"}


def test_finalizers_are_in_the_way_of_nothing() -> None:
    """They go along, and stay where they were: whoever put them there takes them off that one alone."""
    world = plain()
    world.patch({"metadata": {"finalizers": ["example.com/book"]}})
    world.run(UP)
    assert world.assert_arrived()["metadata"]["finalizers"] == ["example.com/book"]
    world.run(DOWN)
    world.assert_home()
    assert world.config()["metadata"]["finalizers"] == ["example.com/book"]
    assert world.killed_at(UP, 12, before=False)
    world.run(UP_BACK)
    world.assert_home()
    world.assert_kept()


def trigger(*, automatic: bool = True, last: str = "web:1.0", container: str = "web") -> Json:
    source = {"kind": "ImageStreamTag", "name": "web:latest", "namespace": "images"}
    return {
        "type": "ImageChange",
        "imageChangeParams": {
            "automatic": automatic,
            "containerNames": [container],
            "from": source,
            "lastTriggeredImage": last,
        },
    }


@pytest.mark.parametrize(
    ("given", "paused"),
    [(trigger(), False), (trigger(automatic=False), True), (trigger(last="web:0.9"), True)],
    ids=["automatic", "by-hand", "behind"],
)
def test_image_triggers(given: Json, paused: bool) -> None:
    """As OpenShift's image trigger controller reads them: with a boolean that is true."""
    goal = goal_of(Configs(triggers=[{"type": "ConfigChange"}, given]), UP)
    (found,) = json.loads(goal.migration.deployment["metadata"]["annotations"][TRIGGERS])
    assert found["from"] == {"kind": "ImageStreamTag", "name": "web:latest", "namespace": "images"}
    assert found["fieldPath"] == 'spec.template.spec.containers[?(@.name=="web")].image'
    assert found.get("paused", False) is paused
    assert any("would roll out at once" in note for note in goal.left) is (given == trigger(last="web:0.9"))


def test_of_an_init_container() -> None:
    manifest = config(triggers=[{"type": "ConfigChange"}, trigger(container="first")])
    manifest["spec"]["template"]["spec"]["initContainers"] = [{"name": "first", "image": "web:1.0"}]
    world = Configs(template=manifest["spec"]["template"], triggers=manifest["spec"]["triggers"])
    annotations = goal_of(world, UP).migration.deployment["metadata"]["annotations"]
    assert 'initContainers[?(@.name=="first")]' in json.loads(annotations[TRIGGERS])[0]["fieldPath"]


@pytest.mark.parametrize(
    ("spec", "note"),
    [
        ({"strategy": {"type": "Rolling", "rollingParams": {"intervalSeconds": 5}}}, "intervalSeconds"),
        (
            {"strategy": {"type": "Rolling", "rollingParams": {"updatePeriodSeconds": 2}}},
            "updatePeriodSeconds",
        ),
        ({"strategy": {"type": "Rolling", "activeDeadlineSeconds": 60}}, "activeDeadlineSeconds"),
        ({"strategy": {"type": "Rolling", "labels": {"a": "b"}}}, "the deployer's labels"),
        ({"triggers": []}, "rolls out each change"),
    ],
    ids=lambda given: "" if isinstance(given, dict) else given,
)
def test_what_has_no_counterpart_is_said(spec: Json, note: str) -> None:
    world = plain()
    merged(world, spec)
    (found,) = goal_of(world, UP).left
    assert note in found


def test_nothing_is_said_of_an_ordinary_one() -> None:
    assert goal_of(plain(), UP).left == ()
    assert goal_of(arrived(), DOWN).left == ()


def test_a_paused_one() -> None:
    """It stays paused when it has its pods again. A size that it could not pass on goes to the Deployment."""
    world = plain()
    merged(world, {"paused": True, "replicas": SIZE + 1})
    merged(world, {"template": {"spec": {"containers": [{"name": "web", "image": "web:9.9"}]}}})
    world.watched_from_now()
    notes = goal_of(world, UP).left
    assert [note.partition(",")[0].partition(":")[0] for note in notes] == [
        "its pod template is not the one that its pods run",
        "it is paused",
        "it wants 4 pods",
    ]
    world.run(UP)
    assert world.assert_arrived()["spec"]["replicas"] == SIZE + 1
    assert world.before <= world.names()
    world.run(DOWN)
    assert world.config()["spec"]["paused"] is True
    world.assert_home(same=False)
    assert len(world.active_pods()) == SIZE + 1


def test_labels_of_its_own_that_the_deployer_sets_are_still_its_own_on_the_way_back() -> None:
    """Its selector may have them, and OpenShift's server has the two compared."""
    labels = {"app": NAME, "deployment": "mine", "deploymentconfig": "mine"}
    manifest = config(selector=dict(labels))
    manifest["spec"]["template"]["metadata"]["labels"] = dict(labels)
    world = changed(lambda: Configs(template=manifest["spec"]["template"], selector=dict(labels)))
    world.run(DOWN)
    world.assert_home(same=False)
    world.assert_kept()
    template = world.config()["spec"]["template"]
    assert template["metadata"]["labels"] == labels == world.config()["spec"]["selector"]
    assert template["spec"]["containers"][0]["image"] == "web:4.0"


def test_a_new_image_while_it_is_paused_is_said_before_it_is_given_back() -> None:
    """Without a trigger for changes of the config, but with one for images: that begins a rollout as well."""
    world = arrived(lambda: Configs(triggers=[trigger()]))
    assert goal_of(world, DOWN).left == ()
    image = {"spec": {"containers": [{"name": "web", "image": "web:9.9"}]}}
    merged(world, {"template": image, "triggers": [trigger(last="web:9.9")]})
    assert "it rolls that out once it has its pods again" in goal_of(world, DOWN).left[0]
    world.run(DOWN)
    world.sandbox.settle()
    assert world.versions() == 2


def test_an_edit_while_it_is_paused_is_said_before_it_is_given_back() -> None:
    image = {"spec": {"containers": [{"name": "web", "image": "web:9.9"}]}}
    world = arrived()
    merged(world, {"template": image})
    assert "it rolls that out once it has its pods again" in goal_of(world, DOWN).left[0]
    world = changed()
    merged(world, {"template": image})
    assert "it gets the one that the pods run instead" in goal_of(world, DOWN).left[0]
    world.run(DOWN)
    world.assert_home(same=False)
    world.assert_kept()
    assert world.config()["spec"]["template"]["spec"]["containers"][0]["image"] == "web:4.0"


# --- the record ---


def test_a_record_is_read_as_it_was_written() -> None:
    for world, order in ((plain(), UP), (changed(), DOWN)):
        migration = goal_of(world, order).migration
        assert Migration.decode(migration.encode()) == migration
        body = json.loads(migration.encode())
        for key in body["config"]:
            broken = {**body, "config": {**body["config"], key: []}}
            with pytest.raises(ValueError, match="another type"):
                Migration.decode(json.dumps(broken))
            del broken["config"][key]
            with pytest.raises((ValueError, KeyError)):
                Migration.decode(json.dumps(broken))


def test_an_older_version_leaves_it_alone() -> None:
    world = plain()
    assert world.killed_at(UP, 1, before=False)
    annotations = world.controllers()["web-1"]["metadata"]["annotations"]
    assert annotations[record.FORMAT] == str(record.CONFIG_FORMAT) > str(record.MIGRATION_FORMAT)


def test_a_manifest_that_is_too_long_is_left_out() -> None:
    long = {"spec": {"a": "".join(chr(33 + (number * number) % 90) for number in range(9))}}
    origin = Origin(name="web", uid="1", manifest=long)
    assert Origin.of({record.MIGRATED_CONFIG: origin.encode()}) == origin
    import random

    rng = random.Random(1)
    text = "".join(chr(rng.randrange(33, 0x5000)) for _ in range(LARGEST_ORIGIN))
    origin = Origin(name="web", uid="1", manifest={"spec": {"a": text}})
    assert Origin.of({record.MIGRATED_CONFIG: origin.encode()}) == Origin(name="web", uid="1")
    for broken in ("", "null", "[]", "{}", '{"name":1,"uid":"1"}', '{"name":"a","uid":"1","packed":"x"}'):
        assert Origin.of({record.MIGRATED_CONFIG: broken}) is None


# --- dry runs and rights ---


def told(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, (Arranged, Migrated))]


def scaled_by_hand() -> Configs:
    """Its controller has more pods than it wants itself, as it is paused."""
    world = plain()
    merged(world, {"paused": True})
    world.sandbox.scale("default", world.active()["metadata"]["name"], SIZE + 2)
    world.sandbox.settle()
    world.sandbox.advance(60)
    return world


@pytest.mark.parametrize(
    ("made", "order"),
    [
        (plain, UP),
        (rolled_out, UP),
        (rolled_out, up(keep=False)),
        (scaled_by_hand, UP),
        (arrived, DOWN),
        (changed, DOWN),
    ],
    ids=["up", "history", "deleted", "scaled", "down", "changed"],
)
def test_a_dry_run_says_what_the_real_one_does(made: Callable[[], Configs], order: Order) -> None:
    world = made()
    cluster = SandboxCluster(world.sandbox)
    goal = plan(cluster, order)
    assert isinstance(goal, Goal)
    events: list[Event] = []
    rehearse(cluster, goal, events.append)
    ends = both_ends(cluster, goal)
    assert cluster.writes == 0
    world.events.clear()
    world.run(order)
    assert told(events) == told(world.events)
    kinds = (names.KIND, "Deployment") if order.to_deployment else ("Deployment", names.KIND)
    assert (ends.before["kind"], ends.after["kind"]) == kinds
    for end in (ends.before, ends.after):
        assert not any("rolling-update" in key for key in end["metadata"].get("annotations") or {})


def test_each_right_is_used_and_no_other() -> None:
    world = Configs(images=("web:1.0", "web:2.0"))
    seen = used(world.run(UP)) | used(world.run(DOWN)) | used(world.run(up(keep=False)))
    for order, half in ((UP, 12), (DOWN, 6)):
        world = plain() if order is UP else arrived(rolled_out)
        assert world.killed_at(order, half, before=False)
        seen |= used(world.run(Order(**{**vars(order), "rollback": True})))
    rules = migration_of_config(deletes=True)
    optional = {right for rule in rules if rule.optional for right in rule.rights}
    enforced = {Right("", "pods", "delete")}
    enforced |= {right for right in needed(rules) if right.resource.endswith("/finalizers")}
    unused = {Right("apps.openshift.io", "deploymentconfigs", "list")}
    assert seen - optional == set(needed(rules)) - enforced - unused


def test_missing_rights_are_named_before_anything_else() -> None:
    world = plain()
    denied = frozenset({Right("apps.openshift.io", "deploymentconfigs", "patch")})
    cluster = SandboxCluster(world.sandbox, denied=denied)
    with pytest.raises(RefusedError, match=r"patch deploymentconfigs\.apps\.openshift\.io; nothing"):
        plan(cluster, UP)
