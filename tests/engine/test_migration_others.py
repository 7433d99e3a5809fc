"""What others do while pods go to a Deployment or come from one; what pods do; and a manager that lags."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import CLASS
from rollupdate.core.plan.refusals import refuse_migrated
from rollupdate.engine.order import Order
from rollupdate.errors import ApiError, RefusedError, RollingUpdateError, StoppedError
from rollupdate.events import EditLeft, Migrated
from testing.objects import Json
from testing.sandbox import ManagerConfig
from testing.sandbox.objects import controller_of
from testing.sandbox.statuses import ApiError as NotThere
from tests.engine.migrations import NAME, SIZE, Migrations, up, web
from tests.engine.test_migration import DOWN, DOWN_BACK, UP, UP_BACK, arrived, plain, updated
from tests.support.effort import examples, some

Made = Callable[[], Migrations]
RC, RS, DEPLOYMENT = "replicationcontrollers", "replicasets", "deployments"
WAYS = pytest.mark.parametrize(
    ("made", "order"), [(plain, UP), (updated, UP), (arrived, DOWN)], ids=["up", "up-labelled", "down"]
)


def total(made: Made, order: Order) -> int:
    return made().run(order).writes


def assert_ended(world: Migrations, order: Order, *, same: bool = False) -> None:
    if order.to_deployment != order.rollback:
        world.assert_up()
    else:
        world.assert_down(same=same)


def available(world: Migrations) -> int:
    world.sandbox.settle()
    return len(world.active_pods())


@pytest.mark.sweep
@WAYS
def test_scaled_up_anywhere(made: Made, order: Order) -> None:
    """Whoever has a size at that moment gets another one: it counts, and no pod that was there is lost."""
    for kind in (RC, DEPLOYMENT):
        for write in some(range(1, total(made, order) + 1), 3):
            world, size = made(), SIZE

            def scaled() -> None:
                nonlocal size
                with contextlib.suppress(NotThere):
                    world.sandbox.scale("default", NAME, SIZE + 2, kind)  # noqa: B023
                    size = SIZE + 2

            world.disturbed_at(order, write, scaled)
            assert_ended(world, order)
            world.assert_none_lost()
            assert available(world) == size


@pytest.mark.sweep
@WAYS
def test_a_pod_that_dies_is_replaced_in_the_end(made: Made, order: Order) -> None:
    for write in some(range(1, total(made, order) + 1), 3):
        world = made()
        victim = min(world.before)
        world.disturbed_at(order, write, lambda: world.sandbox.delete("Pod", "default", victim))  # noqa: B023
        assert_ended(world, order)
        assert available(world) == SIZE
        assert world.before - world.names() == {victim}
        assert not world.alone


@pytest.mark.sweep
def test_a_pod_that_the_replica_set_has_made_comes_along_on_the_way_back() -> None:
    """It has not the label that told the controller's pods apart, and would be released without it."""
    for write in some(range(8, total(updated, UP)), 2):
        world = updated()
        assert world.killed_at(UP, write, before=False)
        victim = min(world.before)
        world.sandbox.delete("Pod", "default", victim)
        world.sandbox.settle()
        world.sandbox.advance(30)
        world.run(UP_BACK)
        world.assert_down()
        assert world.before - world.names() == {victim}
        assert available(world) == SIZE
        assert not world.alone


def hold_taken_off(world: Migrations) -> None:
    """As an edit would, of whatever is held."""
    for kind in (RC, RS):
        for one in world.sandbox.objects(kind, "default"):
            if one["spec"]["template"]["spec"].get("priorityClassName"):
                patch = {"spec": {"template": {"spec": {"priorityClassName": None}}}}
                world.sandbox.patch(kind, "default", one["metadata"]["name"], patch)


@pytest.mark.sweep
@WAYS
def test_a_hold_that_is_taken_off(made: Made, order: Order) -> None:
    """Pods too many may be made meanwhile, and go again; those that serve stay."""
    for write in some(range(1, total(made, order) + 1), 3):
        world = made()
        world.disturbed_at(order, write, lambda: hold_taken_off(world))  # noqa: B023
        assert_ended(world, order)
        assert available(world) == SIZE
        world.assert_none_lost()


def overlapping(world: Migrations) -> None:
    """A Deployment that selects what is moved."""
    world.sandbox.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "other"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": NAME}},
                "template": {
                    "metadata": {"labels": {"app": NAME, "tier": "other"}},
                    "spec": {"containers": [{"name": "web", "image": "other:1.0"}]},
                },
            },
        }
    )


@pytest.mark.sweep
@WAYS
def test_an_overlapping_deployment_gets_nothing(made: Made, order: Order) -> None:
    """The ReplicaSet has an owner at every instant, so nobody adopts it."""
    for write in some(range(1, total(made, order)), 3):
        world = made()
        before = set(world.before)
        world.disturbed_at(order, write, lambda: overlapping(world))  # noqa: B023
        world.sandbox.settle()
        assert before <= world.names()
        (other,) = (one for one in world.deployments().values() if one["metadata"]["name"] == "other")
        sets = [one for one in world.replica_sets().values() if _owner(one) == other["metadata"]["uid"]]
        assert len(sets) == 1
        assert not {pod["metadata"]["name"] for pod in world.active_pods() if _of(pod, sets)} & before


@pytest.mark.sweep
@WAYS
def test_the_replica_set_is_deleted(made: Made, order: Order) -> None:
    """`kubectl delete rs`: its pods go with it, as it was told; in the end there are as many as before."""
    for write in some(range(1, total(made, order) + 1), 3):
        world = made()

        def deleted() -> None:
            for name in world.replica_sets():  # noqa: B023
                world.sandbox.delete("ReplicaSet", "default", name, "Background")  # noqa: B023

        world.disturbed_at(order, write, deleted)
        if world.outcome.gave_up:  # the Deployment was live: it has made new ones at once
            assert "was rolled out by another client" in world.outcome.why
            world.assert_up()
        else:
            assert_ended(world, order)
        assert available(world) == SIZE


def _owner(obj: Json) -> str:
    return str((controller_of(obj) or {}).get("uid"))


def _of(pod: Json, sets: list[Json]) -> bool:
    return _owner(pod) in {one["metadata"]["uid"] for one in sets}


@WAYS
@pytest.mark.parametrize("seed", range(3))
def test_a_manager_that_lags(made: Made, order: Order, seed: int) -> None:
    """It acts, and says so, seconds after it was told: what it says meanwhile is not believed."""
    slow = ManagerConfig(latency=(0.2, 2.5), status_latency=(0.1, 1.5))
    world = Migrations(web(updated=made is updated), manager=slow, seed=seed)
    if made is arrived:
        world.run(UP)
        world.watched_from_now()
    world.run(order)
    assert_ended(world, order)
    world.assert_kept()


@pytest.mark.sweep
@WAYS
def test_a_manager_that_stops_for_moments(made: Made, order: Order) -> None:
    """After each write in turn, for three seconds; it is back with all that it has missed."""
    for write in some(range(1, total(made, order) + 1), 3):
        world = made()

        def stops() -> None:
            world.sandbox.manager.pause()  # noqa: B023
            world.sandbox.clock.schedule(3.0, world.sandbox.manager.resume)  # noqa: B023

        world.disturbed_at(order, write, stops)
        assert_ended(world, order)
        world.assert_kept()


@pytest.mark.sweep
@WAYS
@pytest.mark.parametrize("after", [True, False], ids=["carried-out", "not-carried-out"])
def test_an_answer_that_is_lost(made: Made, order: Order, after: bool) -> None:
    """At every write in turn: what has become of it is found out by looking."""
    for write in some(range(1, total(made, order) + 1), 3):
        world = made()

        def breaks(number: int) -> None:
            if number == write:  # noqa: B023
                raise ApiError(503, "ServiceUnavailable", "try again")

        world.run(order, **{"after" if after else "before": breaks})
        assert_ended(world, order)
        world.assert_kept()


@pytest.mark.sweep
@WAYS
def test_killed_twice(made: Made, order: Order) -> None:
    """The one that goes on is killed as well, at every write of it; the third one finishes."""
    for write in some(range(1, total(made, order) + 1), 4):
        for second in some(range(1, 60), 3):
            world = made()
            world.killed_at(order, write, before=False)
            happened = world.killed_at(order, second, before=second % 2 == 0)
            if happened:
                world.run(order)
            assert_ended(world, order)
            world.assert_kept()
            if not happened:
                break


@pytest.mark.sweep
@WAYS
def test_killed_rolled_back_killed_and_continued(made: Made, order: Order) -> None:
    """Forwards, back and forwards again, each killed in turn: it still ends as asked for last."""
    back = UP_BACK if order is UP else DOWN_BACK
    dice = random.Random(7)
    for write in some(range(1, total(made, order)), 4):
        for second in dice.sample(range(1, 16), examples(2, 5)):
            world = made()
            world.killed_at(order, write, before=False)
            with contextlib.suppress(RollingUpdateError):
                world.killed_at(back, second, before=False)
            world.run(order)
            assert_ended(world, order)
            world.assert_kept()


def edited(world: Migrations, kind: str) -> None:
    image = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:9.9"}]}}}}
    world.sandbox.patch(kind, "default", NAME, image)


@pytest.mark.sweep
@WAYS
def test_an_edit_is_not_dropped_without_a_word(made: Made, order: Order) -> None:
    """It would have changed no pod where it was made; what has the pods in the end either has it, or that is
    said, or the whole is taken back before a pod has moved."""
    source, told = (RC if order.to_deployment else DEPLOYMENT), 0
    for write in some(range(1, total(made, order) + 1), 2):
        world, done = made(), False

        def happens() -> None:
            nonlocal done
            with contextlib.suppress(NotThere):
                edited(world, source)  # noqa: B023
                done = True

        world.disturbed_at(order, write, happens)
        if not done:
            continue
        world.sandbox.settle()
        if world.outcome.gave_up and not order.to_deployment:  # it was live: it rolls out what was asked for
            assert "deployment/web was rolled out by another client" in world.outcome.why
            (kept,) = world.deployments().values()
            assert kept["spec"]["template"]["spec"]["containers"][0]["image"] == "web:9.9"
            continue
        assert world.before == world.names()
        if world.outcome.gave_up:
            assert "the pod template of web was edited meanwhile" in world.outcome.why
            assert (
                world.controllers()[NAME]["spec"]["template"]["spec"]["containers"][0]["image"] == "web:9.9"
            )
            continue
        (ended,) = world.deployments().values() if order.to_deployment else world.controllers().values()
        assert ended["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1.0"
        left = [event for event in world.events if isinstance(event, EditLeft)]
        assert [event.fields for event in left] == [("spec.containers[web].image",)]
        told += 1
    assert told


@WAYS
def test_pods_that_came_anew_are_not_counted_as_kept(made: Made, order: Order) -> None:
    """One dies while nothing replaces it, and is replaced before the end."""
    for write in range(1, total(made, order) + 1):
        world = made()
        victim = min(world.before)
        held = [False]

        def dies() -> None:
            sets = [*world.controllers().values(), *world.replica_sets().values()]  # noqa: B023
            both = [one["spec"]["template"]["spec"].get("priorityClassName") == CLASS for one in sets]
            held[0] = len(both) == 2 and all(both)  # noqa: B023
            if held[0]:  # noqa: B023
                world.sandbox.delete("Pod", "default", victim)  # noqa: B023

        world.disturbed_at(order, write, dies)
        if held[0]:
            *_, end = (event for event in world.events if isinstance(event, Migrated))
            assert end.pods == SIZE - 1
            assert available(world) == SIZE
            return
    raise AssertionError("both were never held")


def test_a_controller_that_is_kept_says_where_its_pods_are() -> None:
    """An update of it would end with the pods of nobody, and without a way back for those that went."""
    world = Migrations()
    world.run(up(keep=True))
    world.assert_up(keep=True)
    kept = Controller.parse(world.controllers()[NAME])
    assert kept.migrated_to == NAME
    with pytest.raises(RefusedError, match='pods of replicationcontroller "web" have gone to deployment/web'):
        refuse_migrated(kept, [kept])
    world.watched_from_now()
    world.run(DOWN)
    assert Controller.parse(world.assert_down(same=False)).migrated_to == ""
    world.assert_kept()
    world.run(up(keep=True))
    world.sandbox.delete("Deployment", "default", NAME)
    with pytest.raises(
        RefusedError, match='deployment "web" had the pods of replicationcontroller'
    ) as caught:
        world.run(UP)
    assert str(caught.value.advice).endswith("kubectl delete rc web")


def test_the_controller_is_deleted_on_its_way() -> None:
    """It leaves what it owns, as the API has it by default. Once a ReplicaSet is there, it is made again as
    long as the Deployment has not the pods; before, what was lost is said, and how to have pods again."""
    ended: list[bool] = []
    for write in range(1, total(plain, UP)):
        world = plain()

        def deleted() -> None:
            world.sandbox.delete(RC, "default", NAME)  # noqa: B023

        try:
            world.disturbed_at(UP, write, deleted)
        except StoppedError as error:
            assert "was deleted by another client" in error.message
            assert error.hint
            ended.append(False)
            continue
        world.assert_up()
        assert world.before == world.names()
        ended.append(True)
    assert ended == [False, *[True] * (len(ended) - 1)]


def test_the_controller_is_deleted_with_all_that_it_owns() -> None:
    """Until the Deployment has the pods they go with it, and that is said."""
    ended: list[bool] = []
    for write in range(2, total(plain, UP)):
        world = plain()

        def deleted() -> None:
            world.sandbox.delete(RC, "default", NAME, "Background")  # noqa: B023

        try:
            world.disturbed_at(UP, write, deleted)
        except StoppedError as error:
            assert 'replicationcontroller "web" was deleted by another client' in error.message
            assert error.hint
            ended.append(False)
            continue
        world.assert_up()
        world.assert_kept()
        ended.append(True)
    assert ended == sorted(ended), "from the handover on"
    assert set(ended) == {False, True}
