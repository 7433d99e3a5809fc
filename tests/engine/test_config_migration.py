"""From a DeploymentConfig to a Deployment and back: the same pods, whatever happens to the client in the
middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from rollupdate.engine.migration_plan import plan
from rollupdate.engine.order import Arrived, Order
from rollupdate.errors import RefusedError
from testing.openshift import names
from tests.engine.configs import Configs, down, up
from tests.engine.inprocess import SandboxCluster
from tests.engine.migrations import NAME
from tests.engine.test_migration import BEFORE, again
from tests.support.effort import kills, some

Made = Callable[[], Configs]
UP, UP_BACK = up(), up(rollback=True)
DOWN, DOWN_BACK = down(), down(rollback=True)
IMAGES = ("web:1.0", "web:2.0")


def plain() -> Configs:
    return Configs()


def rolled_out() -> Configs:
    """Two complete rollouts, and one that failed."""
    world = Configs(images=IMAGES)
    world.roll_out("web:broken", comes_to=names.FAILED)
    world.sandbox.advance(600)
    world.watched_from_now()
    return world


def arrived(made: Made = plain) -> Configs:
    world = made()
    spec, given = world.spec_of_active, world.given
    world.run(UP)
    world.watched_from_now()
    world.spec_of_active, world.given = spec, given
    return world


def arrived_with_history() -> Configs:
    return arrived(rolled_out)


def changed(made: Made = rolled_out) -> Configs:
    """As a Deployment another image was rolled out, so the pods are other ones."""
    world = arrived(made)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:4.0"}]}}}}
    world.sandbox.patch("deployments", "default", NAME, image)
    world.sandbox.settle()
    world.sandbox.advance(600)
    world.watched_from_now()
    return world


WAYS_UP = pytest.mark.parametrize("made", [plain, rolled_out])
WAYS_BACK = pytest.mark.parametrize("made", [arrived, changed], ids=["same", "changed"])


def writes(made: Made, order: Order) -> int:
    return made().run(order).writes


def points(made: Made, total: int, *, before: bool) -> Sequence[int]:
    """The writes at which a client is killed: of those after a write the gate tries one in two, of worlds
    with a history one in four."""
    every = kills(total, before=before)
    return some(every, 1 if before else 2) if made in (plain, arrived) else some(every, 4)


@WAYS_UP
def test_to_a_deployment(made: Made) -> None:
    world = made()
    world.run(UP)
    world.assert_arrived()
    world.assert_kept()


def test_there_and_back_and_there_again() -> None:
    world = rolled_out()
    for _ in range(2):
        world.run(UP)
        world.assert_arrived()
        world.run(DOWN)
        world.assert_home()
    world.run(UP)
    world.assert_arrived()
    world.assert_kept()


def test_back_it_scales_again() -> None:
    world = arrived()
    world.run(DOWN)
    world.assert_home()
    world.assert_kept()
    world.assert_scales()


def test_given_again_it_changes_nothing() -> None:
    world = arrived()
    assert world.run(UP).writes == 0
    with pytest.raises(RefusedError, match="no move of"):
        world.run(UP_BACK)
    world.assert_arrived()
    world.run(DOWN)
    assert world.run(DOWN).writes == 0
    with pytest.raises(RefusedError, match="no move of"):
        world.run(DOWN_BACK)
    world.assert_home()


def test_the_deploymentconfig_goes_where_it_is_not_to_stay() -> None:
    world = Configs(images=IMAGES)
    world.run(up(keep=False))
    world.assert_arrived(keep=False)
    again = plan(SandboxCluster(world.sandbox), UP)
    assert isinstance(again, Arrived)
    assert (again.left, again.back) == ("", ("deployment/web", "--to=replicationcontroller"))
    world.run(Order(name=NAME, new_name=NAME, to_deployment=False))
    world.assert_kept()


def test_deleted_later_the_pods_stay() -> None:
    world = arrived(rolled_out)
    world.delete_config()
    world.sandbox.settle()
    world.assert_arrived(keep=False)
    world.assert_kept()


@pytest.mark.parametrize("name", ["web-1", "web-2"])
def test_a_controller_says_whose_it_is(name: str) -> None:
    world = Configs(images=IMAGES)
    world.run(up(name=name, new_name="", config=False))
    assert world.assert_arrived()["metadata"]["name"] == NAME
    world.assert_kept()


@pytest.mark.parametrize("new_name", ["web-1", "shop"])
def test_by_the_name_of_its_controller_to_the_name_that_is_given(new_name: str) -> None:
    """Also if that is the controller's own."""
    world = plain()
    order = up(name="web-1", new_name=new_name, config=False)
    assert world.killed_at(order, 6, before=False)
    world.run(order)
    assert list(world.deployments()) == [new_name]
    world.assert_kept()


def test_under_another_name() -> None:
    world = plain()
    world.run(up(new_name="site"))
    assert world.assert_arrived()["metadata"]["name"] == "site"
    world.run(down(name="site", new_name="site"))
    world.assert_home()
    assert world.run(down(name="site", new_name="site")).writes == 0
    world.assert_kept()


@pytest.mark.parametrize("size", [0, 1, 20])
def test_sizes(size: int) -> None:
    world = Configs(size)
    world.run(UP)
    assert world.assert_arrived_at(size)
    world.run(DOWN)
    world.assert_home()
    world.assert_kept()


@pytest.mark.sweep
@WAYS_UP
@BEFORE
def test_killed_at_every_write_and_continued(made: Made, before: bool) -> None:
    for write in points(made, writes(made, UP), before=before):
        world = made()
        assert world.killed_at(UP, write, before=before), write
        world.run(UP)
        world.assert_arrived()
        world.assert_kept()


@pytest.mark.sweep
@WAYS_UP
@BEFORE
def test_killed_at_every_write_and_rolled_back(made: Made, before: bool) -> None:
    total = writes(made, UP)
    for write in points(made, total, before=before):
        world = made()
        assert world.killed_at(UP, write, before=before), write
        again(world, UP_BACK)
        if write == total and not before:
            world.assert_arrived()
        else:
            world.assert_home()
        world.assert_kept()


@pytest.mark.sweep
@WAYS_BACK
@BEFORE
def test_the_way_back_killed_at_every_write_and_continued(made: Made, before: bool) -> None:
    for write in points(made, writes(made, DOWN), before=before):
        world = made()
        assert world.killed_at(DOWN, write, before=before), write
        world.run(DOWN)
        world.assert_home(same=made is arrived)
        world.assert_kept()


@pytest.mark.sweep
@WAYS_BACK
@BEFORE
def test_the_way_back_killed_at_every_write_and_rolled_back(made: Made, before: bool) -> None:
    total = writes(made, DOWN)
    for write in points(made, total, before=before):
        world = made()
        assert world.killed_at(DOWN, write, before=before), write
        again(world, DOWN_BACK)
        if write == total and not before:
            world.assert_home(same=made is arrived)
        else:
            world.assert_arrived()
        world.assert_kept()


@pytest.mark.sweep
def test_killed_where_the_deploymentconfig_is_not_to_stay() -> None:
    order = up(keep=False)
    for write in some(range(1, writes(rolled_out, order) + 1), 4):
        world = rolled_out()
        assert world.killed_at(order, write, before=False), write
        world.run(up())
        world.assert_arrived(keep=False)
        world.assert_kept()


@pytest.mark.sweep
def test_killed_twice() -> None:
    """On the way there, then on the way back; the third client goes on, or back."""
    for first in some(range(1, writes(plain, UP) + 1), 5):
        for second in some(range(1, 12), 5):
            for last in (UP, UP_BACK):
                world = plain()
                assert world.killed_at(UP, first, before=False)
                try:
                    world.killed_at(UP_BACK, second, before=False)
                    world.run(last)
                except RefusedError:
                    continue
                if last.rollback:
                    world.assert_home()
                else:
                    world.assert_arrived()
                world.assert_kept()
