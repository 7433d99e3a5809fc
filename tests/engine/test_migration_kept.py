"""What goes along with the pods: history, autoscaler, metadata, size, pace; and what an end leaves."""

from __future__ import annotations

import copy

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.hold import CLASS
from rollupdate.core.model.migration import FORMER, REVISION
from rollupdate.errors import RefusedError, StoppedError
from rollupdate.events import Migrated
from testing.objects import Json
from testing.sandbox.messages import Request, Response
from testing.sandbox.objects import controller_of
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.engine.migrations import NAME, SIZE, Migrations, down, up, web
from tests.engine.test_migration import BEFORE, DOWN, UP, UP_BACK, plain
from tests.support import changes
from tests.support.asking import asking
from tests.support.effort import kills, some


def update(world: Migrations, image: str) -> None:
    from rollupdate.engine.update import Update

    request = asking(NAME, change=changes.image(image), history_limit=10)
    cluster = SandboxCluster(world.sandbox)
    Update(
        cluster, FakeClock(world.sandbox), request.intent, request.policy, world.events.append
    ).run().checked()
    world.watched_from_now()


def with_history() -> Migrations:
    """1.0, 2.0, and 1.0 again: two revisions, the first of which has moved to the end."""
    world = Migrations()
    for image in ("web:2.0", "web:3.0", "web:2.0"):
        update(world, image)
    return world


def images(world: Migrations) -> dict[int, str]:
    """By the number of the revision."""
    return {
        int(one["metadata"]["annotations"][REVISION]): one["spec"]["template"]["spec"]["containers"][0][
            "image"
        ]
        for one in world.replica_sets().values()
    }


def revisions(world: Migrations) -> dict[int, str]:
    return {
        one["revision"]: one["data"]["spec"]["template"]["spec"]["containers"][0]["image"]
        for one in world.sandbox.objects("controllerrevisions", "default")
    }


AUTOSCALER: Json = {
    "apiVersion": "autoscaling/v1",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web"},
    "spec": {
        "minReplicas": 2,
        "maxReplicas": 9,
        "scaleTargetRef": {"apiVersion": "v1", "kind": "ReplicationController", "name": NAME},
    },
}


def target(world: Migrations) -> Json:
    found: Json = world.sandbox.get("HorizontalPodAutoscaler", "default", "web")
    assert not set(found["metadata"].get("annotations") or {}) & set(record.KEYS)
    return dict(found["spec"]["scaleTargetRef"])


# --- history ---


def test_older_revisions_go_along() -> None:
    world = with_history()
    before = revisions(world)
    assert sorted(before.values()) == ["web:1.0", "web:2.0", "web:3.0"]
    world.run(UP)
    world.assert_up()
    world.assert_kept()
    assert images(world) == before
    assert not revisions(world)
    (made,) = world.deployments().values()
    for one in world.replica_sets().values():
        # From where `kubectl rollout undo` takes the annotations of the Deployment.
        annotations = one["metadata"]["annotations"]
        for key in ("team", record.MIGRATED_FROM):
            assert annotations[key] == made["metadata"]["annotations"][key]


def test_they_come_back_with_their_numbers() -> None:
    world = with_history()
    before = revisions(world)
    world.run(UP)
    world.run(DOWN)
    world.assert_down(same=False)
    world.assert_kept()
    assert revisions(world) == before


@pytest.mark.parametrize(
    "written",
    ["9" * 5000, "0" * 5000, "\u0663", "x", "", None],
    ids=["large", "zeros", "another script", "none", "empty", "gone"],
)
def test_a_revision_whose_number_is_none_stays_behind(written: str | None) -> None:
    """Anyone may have written to the annotation that says it, on the ReplicaSet with the pods as well."""
    world = with_history()
    world.run(UP)
    patch = {"metadata": {"annotations": {REVISION: written, FORMER: f"1,{written}"}}}
    for name in world.replica_sets():
        world.sandbox.patch("replicasets", "default", name, patch)
    world.run(DOWN)
    world.assert_down(same=False)
    world.assert_kept()


def test_the_deployment_can_be_rolled_back_to_what_ran_before() -> None:
    """As `kubectl rollout undo` does it: with the template of the older ReplicaSet."""
    world = with_history()
    world.run(UP)
    (older,) = (
        one
        for one in world.replica_sets().values()
        if one["spec"]["replicas"] == 0 and one["metadata"]["annotations"][REVISION] == "3"
    )
    template = copy.deepcopy(older["spec"]["template"])
    del template["metadata"]["labels"]["pod-template-hash"]
    world.sandbox.patch(
        "deployments", "default", NAME, [{"op": "replace", "path": "/spec/template", "value": template}]
    )
    world.sandbox.settle()
    older = world.replica_sets()[older["metadata"]["name"]]
    assert older["spec"]["replicas"] == SIZE
    assert {(controller_of(pod) or {})["uid"] for pod in world.active_pods()} == {older["metadata"]["uid"]}


@pytest.mark.sweep
@BEFORE
def test_killed_at_every_write_with_a_history(before: bool) -> None:
    total = with_history().run(UP).writes
    numbers = revisions(with_history())
    for write in some(kills(total, before=before), 2):
        world = with_history()
        assert world.killed_at(UP, write, before=before)
        world.run(UP)
        world.assert_up()
        world.assert_kept()
        assert images(world) == numbers


@pytest.mark.sweep
@BEFORE
def test_killed_on_the_way_back_with_a_history(before: bool) -> None:
    def arrived() -> Migrations:
        world = with_history()
        world.run(UP)
        world.watched_from_now()
        return world

    numbers = revisions(with_history())
    for write in some(kills(arrived().run(DOWN).writes, before=before), 3):
        for order in (DOWN, down(rollback=True)):
            world = arrived()
            assert world.killed_at(DOWN, write, before=before)
            try:
                world.run(order)
            except RefusedError:
                continue  # never begun, or at the end already
            world.assert_kept()
            if order.rollback:
                world.assert_up()
                assert images(world) == numbers
            else:
                world.assert_down(same=False)
                assert revisions(world) == numbers


def test_a_limit_takes_none_of_them_away() -> None:
    """The Deployment would delete what is beyond its limit as it comes."""
    world = with_history()
    before = revisions(world)
    world.run(up(spec={"revisionHistoryLimit": 1}))
    world.assert_up()
    assert images(world) == before


# --- autoscalers ---


def scaled_by_itself() -> Migrations:
    world = Migrations()
    world.sandbox.create(AUTOSCALER)
    return world


def test_an_autoscaler_goes_along_and_comes_back() -> None:
    world = scaled_by_itself()
    world.run(UP)
    assert target(world) == {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}
    world.run(DOWN)
    assert target(world) == AUTOSCALER["spec"]["scaleTargetRef"]
    world.assert_kept()


@pytest.mark.sweep
@BEFORE
def test_it_is_never_left_behind(before: bool) -> None:
    for write in some(kills(scaled_by_itself().run(UP).writes, before=before), 2):
        for order in (UP, UP_BACK):
            world = scaled_by_itself()
            assert world.killed_at(UP, write, before=before)
            try:
                world.run(order)
            except RefusedError:
                continue
            kind = "ReplicationController" if order.rollback else "Deployment"
            assert target(world)["kind"] == kind
            world.assert_kept()


# --- what the Deployment is ---


def test_metadata_goes_along() -> None:
    manifest = web()
    manifest["metadata"]["annotations"] |= {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "openshift.io/deployment.phase": "Complete",
        "kubernetes.io/change-cause": "first",
    }
    manifest["metadata"]["finalizers"] = ["example.com/book"]
    manifest["spec"]["minReadySeconds"] = 700
    world = Migrations(manifest)
    free = {"metadata": {"finalizers": None}}

    def freed() -> None:
        world.sandbox.patch("rc", "default", NAME, free)

    order = up(spec={"revisionHistoryLimit": 3, "strategy": {"rollingUpdate": {"maxSurge": 2}}})
    assert world.disturbed_at(order, plain().run(UP).writes, lambda: world.sandbox.clock.schedule(9.0, freed))
    made = world.assert_up()
    assert made["metadata"]["labels"] == {"app": NAME}
    kept = {
        key: text
        for key, text in made["metadata"]["annotations"].items()
        if not key.startswith(("rolling", "deploy"))
    }
    assert kept == {"team": "shop", "kubernetes.io/change-cause": "first"}
    assert made["metadata"]["finalizers"] == ["example.com/book"]
    spec = made["spec"]
    assert (spec["minReadySeconds"], spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"]) == (
        700,
        1300,
        3,
    )
    assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 2


def test_a_finalizer_that_the_controller_has_as_well_does_not_keep_the_deployment() -> None:
    """Whoever put it there takes it off the controller alone, on the way back and on one taken back."""
    manifest = web()
    manifest["metadata"]["finalizers"] = ["example.com/book"]
    world = Migrations(manifest)
    for write in some(range(8, plain().run(UP).writes), 3):
        assert world.killed_at(UP, write, before=False)
        world.run(UP_BACK)
        assert world.assert_down()["metadata"]["finalizers"] == ["example.com/book"]
    world.assert_kept()
    free = {"metadata": {"finalizers": None}}

    def freed() -> None:
        world.sandbox.patch("rc", "default", NAME, free)

    world.disturbed_at(UP, plain().run(UP).writes, lambda: world.sandbox.clock.schedule(9.0, freed))
    world.run(DOWN)
    assert world.assert_down(same=False)["metadata"]["finalizers"] == ["example.com/book"]
    world.assert_kept()


def test_its_deadline_is_above_the_seconds_that_were_asked_for() -> None:
    world = Migrations()
    world.sandbox.advance(700)
    world.run(up(spec={"minReadySeconds": 700}))
    (made,) = world.deployments().values()
    assert (made["spec"]["minReadySeconds"], made["spec"]["progressDeadlineSeconds"]) == (700, 1300)


def test_under_another_name() -> None:
    world = Migrations()
    world.run(up(new_name="site"))
    world.assert_up("site")
    world.run(down(name="site", new_name="shop"))
    (controller,) = world.controllers().values()
    assert controller["metadata"]["name"] == "shop"
    world.assert_kept()


def test_the_old_one_is_kept() -> None:
    world = Migrations()
    world.run(up(keep=True))
    world.assert_up(keep=True)
    uid = world.controllers()[NAME]["metadata"]["uid"]
    assert world.run(up(keep=True)).writes == 0
    world.run(DOWN)
    assert world.assert_down(same=False)["metadata"]["uid"] == uid
    world.assert_kept()


@pytest.mark.parametrize("size", [0, 1])
def test_few_pods(size: int) -> None:
    world = Migrations(web(size))
    world.run(UP)
    (made,) = world.deployments().values()
    assert made["spec"]["replicas"] == size
    world.run(DOWN)
    world.assert_down(same=False)
    world.assert_kept()


# --- where it cannot be ---


def test_where_a_hold_does_not_hold() -> None:
    """The class exists: it is seen by the one pod that is made, and everything is as it was."""
    world = Migrations()
    meta = {"name": CLASS, "uid": "1", "creationTimestamp": "2023-11-14T22:13:20Z"}
    found = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta, "value": 1}
    found["preemptionPolicy"] = "PreemptLowerPriority"
    world.sandbox.restore([found])
    world.run(UP)
    assert "a pod was created although" in world.outcome.why
    world.assert_down()
    world.assert_none_lost()
    assert len(world.made) == 1


def test_where_templates_would_differ() -> None:
    """Something changes the template of a Deployment as it is created, but not in a dry run: nothing is
    restarted."""
    world = Migrations()

    def mutate(request: Request) -> Response | None:
        if (
            request.method == "POST"
            and request.path.endswith("/deployments")
            and not request.query.get("dryRun")
        ):
            request.body["spec"]["template"]["spec"]["hostNetwork"] = True
        return None

    world.sandbox.intercept(mutate)
    world.run(UP)
    assert "another pod template" in world.outcome.why
    assert "spec.hostNetwork" in world.outcome.why
    world.assert_down()
    world.assert_kept()


def test_where_templates_differ_in_a_dry_run() -> None:
    world = Migrations()

    def mutate(request: Request) -> Response | None:
        if request.method == "POST" and request.path.endswith("/replicasets"):
            request.body["spec"]["template"]["spec"]["containers"][0]["image"] = "web@sha256:00"
        return None

    world.sandbox.intercept(mutate)
    with pytest.raises(RefusedError, match=r"spec\.containers\[web\]\.image"):
        world.run(UP)
    world.assert_down()


@pytest.mark.parametrize("freed", [False, True], ids=["held", "freed"])
def test_the_end_is_told_once_the_controller_is_gone(freed: bool) -> None:
    """A finalizer may hold it for ever; the pods are the Deployment's by then, and do not go back."""
    manifest = web()
    manifest["metadata"]["finalizers"] = ["example.com/book"]
    world = Migrations(manifest)

    def taken_off() -> None:
        world.sandbox.patch("rc", "default", NAME, {"metadata": {"finalizers": None}})

    if freed:
        assert world.disturbed_at(
            UP, plain().run(UP).writes, lambda: world.sandbox.clock.schedule(9.0, taken_off)
        )
        world.assert_up()
    else:
        with pytest.raises(StoppedError, match=r"being deleted, held by its finalizers: example\.com/book"):
            world.run(UP)
        with pytest.raises(RefusedError, match="is being deleted, held by its finalizers"):
            world.run(UP_BACK)
    ends = [event.pods for event in world.events if isinstance(event, Migrated)]
    assert ends == [SIZE] * freed
    if not freed:
        taken_off()
        world.run(UP)
        world.assert_up()
    world.assert_kept()
