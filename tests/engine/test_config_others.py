"""What others do to a DeploymentConfig while its pods go to a Deployment or come back; and lags."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from rollupdate.engine.order import Order
from rollupdate.errors import RollingUpdateError, StoppedError
from rollupdate.events import Arranged
from tests.engine.configs import Configs
from tests.engine.migrations import NAME, SIZE
from tests.engine.test_config_migration import (
    DOWN,
    DOWN_BACK,
    UP,
    UP_BACK,
    arrived,
    changed,
    plain,
    rolled_out,
)
from tests.support.effort import examples, some

Made = Callable[[], Configs]
WAYS = pytest.mark.parametrize(
    ("made", "order"),
    [(rolled_out, UP), (arrived, DOWN), (changed, DOWN)],
    ids=["up", "down", "down-changed"],
)


def total(made: Made, order: Order) -> int:
    return made().run(order).writes


def assert_ended(world: Configs, order: Order, *, same: bool = False) -> None:
    if order.to_deployment != order.rollback:
        world.assert_arrived()
    else:
        world.assert_home(same=same)


@pytest.mark.sweep
@WAYS
def test_unpaused_anywhere(made: Made, order: Order) -> None:
    """Its controller acts for as long as nobody has noticed; it is paused again."""
    again = 0
    for write in some(range(2, total(made, order) - 1), 6):
        world = made()
        world.events.clear()

        def unpaused() -> None:
            world.patch({"spec": {"paused": None}})  # noqa: B023
            world.sandbox.advance(5)  # noqa: B023

        world.disturbed_at(order, write, unpaused)
        told = [event for event in world.events if isinstance(event, Arranged) and event.act == "paused"]
        again += sum(event.object == f"deploymentconfig/{NAME}" for event in told) > 1
        assert_ended(world, order)
        world.assert_kept()
    assert again


def test_unpaused_again_and_again_it_is_taken_back() -> None:
    world = plain()

    def unpaused(_: int) -> None:
        world.patch({"spec": {"paused": None}})

    world.run(UP, after=unpaused)
    assert world.outcome.gave_up
    assert "deploymentconfig/web is unpaused again and again" in world.outcome.why
    world.assert_home()
    world.assert_kept()


@pytest.mark.sweep
@WAYS
def test_scaled_anywhere(made: Made, order: Order) -> None:
    """The size counts, wherever the pods are by then, and no pod that was there is lost."""
    last = total(made, order)
    for write in some(range(1, last), 6):
        world = made()
        world.disturbed_at(order, write, lambda: world.patch({"spec": {"replicas": SIZE + 2}}))  # noqa: B023
        world.sandbox.settle()
        world.sandbox.advance(60)
        closing = order.to_deployment and write >= last - 1  # the marks are off it: it is paused for good
        if not closing:
            assert len(world.active_pods()) == SIZE + 2, write
            assert_ended(world, order)
        world.assert_none_lost()


@pytest.mark.sweep
def test_its_controller_is_scaled_anywhere() -> None:
    """Not what counts: the size is that of the DeploymentConfig."""
    for write in some(range(3, total(plain, UP)), 3):
        world = plain()
        name = world.active()["metadata"]["name"]
        scale = lambda: world.sandbox.scale("default", name, SIZE + 2, "replicationcontrollers")  # noqa: B023, E731
        world.disturbed_at(UP, write, scale)
        assert world.assert_arrived()["spec"]["replicas"] in (SIZE, SIZE + 2)
        world.assert_none_lost()


@pytest.mark.sweep
@WAYS
def test_edited_anywhere(made: Made, order: Order) -> None:
    """While it is paused nothing is rolled out: the pods stay what they are."""
    image = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:9.9"}]}}}}
    for write in some(range(2, total(made, order) - 2), 6):
        world = made()
        world.disturbed_at(order, write, lambda: world.patch(image))  # noqa: B023
        if order.to_deployment:
            world.assert_arrived()
            world.assert_kept()
            assert world.config()["spec"]["template"]["spec"]["containers"][0]["image"] == "web:9.9"
        else:  # given back, it is rolled out, or is replaced by what the pods run
            world.sandbox.settle()
            world.sandbox.advance(60)
            assert not world.deployments()
            assert not world.alone
            assert len(world.active_pods()) == SIZE


def test_a_rollout_that_begins_before_the_pause_is_let_through() -> None:
    """It is taken back at once, and the new pods come, as somebody has asked for."""
    world = plain()
    assert world.disturbed_at(UP, 1, lambda: world.roll_out("web:2.0"))
    assert world.outcome.gave_up
    assert "another client began a rollout of deploymentconfig/web" in world.outcome.why
    world.sandbox.settle()
    assert not world.deployments()
    assert world.active()["metadata"]["name"] == "web-2"
    assert world.active()["status"]["replicas"] == SIZE
    assert not world.config()["spec"].get("paused")


@pytest.mark.sweep
@WAYS
def test_deleted_anywhere_with_its_controllers_left(made: Made, order: Order) -> None:
    """They are nobody's then: the pods go where they were to go, and stay with what they have come to."""
    for write in some(range(2, total(made, order) - 2), 6):
        world = made()
        world.disturbed_at(order, write, lambda: world.delete_config("Orphan"))  # noqa: B023
        world.sandbox.settle()
        world.assert_kept()
        if order.to_deployment:
            (found,) = world.deployments().values()
            assert found["status"]["availableReplicas"] == SIZE
            assert not found["spec"].get("paused")
        else:
            assert not world.deployments()
            assert world.active()["status"]["replicas"] == SIZE


@pytest.mark.sweep
def test_deleted_anywhere_with_all_that_it_owns() -> None:
    """What it still owns goes, as was asked for. Once the Deployment has the pods they stay."""
    stayed = 0
    for write in some(range(2, total(rolled_out, UP)), 6):
        world = rolled_out()

        def deleted() -> None:
            world.delete_config()  # noqa: B023
            world.sandbox.settle()  # noqa: B023

        with contextlib.suppress(StoppedError):
            world.disturbed_at(UP, write, deleted)
        world.sandbox.settle()
        assert not world.configs()
        assert not world.controllers()
        if world.names() == world.before:
            world.assert_arrived(keep=False)
            stayed += 1
        else:
            assert isinstance(world.outcome.error, StoppedError)
            assert "was deleted by another client" in world.outcome.error.message
    assert stayed


@pytest.mark.sweep
@WAYS
def test_a_pod_that_dies_is_replaced_in_the_end(made: Made, order: Order) -> None:
    for write in some(range(1, total(made, order) + 1), 6):
        world = made()
        victim = min(world.before)
        world.disturbed_at(order, write, lambda: world.sandbox.delete("Pod", "default", victim))  # noqa: B023
        assert_ended(world, order)
        assert len(world.active_pods()) == SIZE
        assert world.before - world.names() == {victim}
        assert not world.alone


@pytest.mark.sweep
@pytest.mark.parametrize("back", [UP_BACK, DOWN_BACK], ids=["up", "down"])
def test_a_pod_of_the_replica_set_comes_along_on_the_way_back(back: Order) -> None:
    """It has only the labels of a ReplicaSet, and no controller of a rollout would select it."""
    order = UP if back is UP_BACK else DOWN
    made = plain if back is UP_BACK else arrived
    for write in some(range(4, total(made, order)), 3):
        world = made()
        assert world.killed_at(order, write, before=False)
        victim = min(world.before)
        world.sandbox.delete("Pod", "default", victim)
        world.sandbox.settle()
        world.sandbox.advance(30)
        world.run(back)
        assert_ended(world, back)
        assert world.before - world.names() == {victim}
        assert len(world.active_pods()) == SIZE
        assert not world.alone


@pytest.mark.sweep
@WAYS
@pytest.mark.parametrize("which", ["manager", "deployment_configs"])
def test_controllers_that_stop_for_moments(made: Made, order: Order, which: str) -> None:
    """Of the cluster, and OpenShift's: what they do not know yet is waited for."""
    for seed in range(examples(1, 8)):
        world, rng = made(), random.Random(seed)
        controller = getattr(world.sandbox, which)

        def stops(_: int) -> None:
            if rng.random() < 0.4:  # noqa: B023
                controller.pause()  # noqa: B023
                world.sandbox.clock.schedule(rng.uniform(0.1, 3), controller.resume)  # noqa: B023

        world.run(order, after=stops)
        controller.resume()
        assert_ended(world, order)
        world.assert_kept()


def test_an_openshift_controller_that_does_not_answer_changes_nothing_but_the_pause() -> None:
    world = plain()
    assert world.sandbox.deployment_configs is not None
    world.sandbox.deployment_configs.pause()
    with pytest.raises(StoppedError, match="web is to observe that it is paused"):
        world.run(UP)
    world.assert_kept()
    world.sandbox.deployment_configs.resume()
    world.run(UP_BACK)
    world.assert_home()
    world.assert_kept()


@pytest.mark.sweep
def test_two_clients_in_opposite_directions() -> None:
    """The later command wins; the earlier one stops, and no pod is lost."""
    for write in some(range(2, total(rolled_out, UP)), 6):
        world = rolled_out()
        won = []

        def other() -> None:
            world.run(UP_BACK)  # noqa: B023
            won.append(True)  # noqa: B023

        done, stopped = False, False

        def after(number: int) -> None:
            nonlocal done
            if number == write and not done:  # noqa: B023
                done = True
                other()

        try:
            world.run(UP, after=after)
        except RollingUpdateError:
            stopped = True
        assert won
        assert stopped
        world.assert_home()
        world.assert_kept()


def test_twenty_pods() -> None:
    world = Configs(20, images=("web:1.0", "web:2.0"))
    world.run(UP)
    world.assert_arrived()
    world.run(DOWN)
    world.assert_home()
    world.assert_kept()
