"""Different updates of one controller, begun at the same moment: one of them happens, the other leaves
nothing.

Each client is stopped between deciding on a write and sending it, in every order up to the moment from
which on both would see each other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from rollupdate.core.model import record
from rollupdate.errors import InProgressError, RefusedError, StoppedError
from testing.objects import Json
from tests.chaos.interleaving import Client
from tests.engine.inprocess import Killed, killed
from tests.engine.test_kills import BARE, LABELLED
from tests.engine.world import NAME, World, patched, to_file, to_image
from tests.support.asking import Asking
from tests.support.effort import some
from tests.support.manifests import my_nginx_v4

SECOND, THIRD = "nginx:1.9.1", "nginx:1.11"
TWO = to_image(SECOND, timeout=60.0)
THREE = to_image(THIRD, timeout=60.0)
STARTS = 8
"""Writes within which both have begun, also if the old pods get their label first."""


def images(world: World) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods()}


def both_have_looked(world: World, one: Asking, two: Asking) -> tuple[Client, Client]:
    """Both see nothing in progress, and have decided on their first write."""
    clients = Client(world, one, "one"), Client(world, two, "two")
    for client in clients:
        client.run_to(1)
    return clients


def assert_one_of_them(world: World, one: Client, two: Client, sizes: tuple[int, int] = (2, 3)) -> None:
    """One has finished, the other was refused in the words for an update in progress, or as it came too
    late."""
    ended = {client.succeeded for client in (one, two)}
    assert ended == {True, False}, (repr(one.error), repr(two.error))
    loser = two if one.succeeded else one
    assert isinstance(loser.error, RefusedError), repr(loser.error)
    said = str(loser.error)
    assert said.startswith("Found existing in-progress update ") or "in the meantime" in said
    assert (world.least_available, world.most_pods) == sizes
    world.assert_clean(NAME, SECOND if one.succeeded else THIRD, 2)


@pytest.mark.parametrize("manifest", [BARE, LABELLED], ids=["first update", "second update"])
@pytest.mark.parametrize("first", some(range(1, STARTS), 3))
@pytest.mark.parametrize("second", some(range(1, STARTS), 3))
def test_two_images(manifest: Json, first: int, second: int) -> None:
    """Each waits with a write of its beginning decided on while the other goes on."""
    world = World(manifest)
    one, two = both_have_looked(world, TWO, THREE)
    one.run_to(first)
    two.run_to(second)
    one.run_to()
    two.run_to()
    assert_one_of_them(world, one, two)


@pytest.mark.parametrize("manifest", [BARE, LABELLED], ids=["first update", "second update"])
def test_the_sleeper_creates_last(manifest: Json) -> None:
    """It had decided to create when the other one had all its pods and was finished: its controller goes
    again, and the message says why."""
    for write in range(1, STARTS):
        world = World(manifest)
        sleeper, other = both_have_looked(world, TWO, THREE)
        if not sleeper.run_to(write):
            break
        other.run_to()
        assert other.succeeded or isinstance(other.error, RefusedError), repr(other.error)
        sleeper.run_to()
        assert sleeper.stopped_properly
        if other.succeeded:
            assert not sleeper.succeeded, write
            assert isinstance(sleeper.error, (RefusedError, StoppedError)), repr(sleeper.error)
            world.assert_clean(NAME, THIRD, 2)


def test_a_file_against_an_image() -> None:
    """Names of their own, sizes of their own: the same."""
    for write in range(1, 6):
        world = World(LABELLED)
        one, two = both_have_looked(world, to_file(my_nginx_v4(2), timeout=60.0), TWO)
        one.run_to(write)
        two.run_to()
        one.run_to()
        assert sorted((one.succeeded, two.succeeded)) == [False, True]
        loser = two if one.succeeded else one
        assert isinstance(loser.error, RefusedError), repr(loser.error)
        world.sandbox.settle()
        (name,) = world.controllers()
        assert name == ("my-nginx-v4" if one.succeeded else NAME)
        assert (world.least_available, world.most_pods) == (2, 3)


def test_a_patch_of_something_else_is_not_lost() -> None:
    """A loser whose change was planned on the template before does not undo the winner's."""
    for write in range(1, 5):
        world = World(LABELLED)
        patch = patched({"env": [{"name": "MODE", "value": "a"}]}, timeout=60.0)
        one, two = both_have_looked(world, patch, TWO)
        alive = one.run_to(write)
        two.run_to()
        one.run_to()
        if two.succeeded and alive:
            assert not one.succeeded
            world.assert_clean(NAME, SECOND, 2)


@pytest.mark.parametrize("write", range(1, 9))
def test_the_same_update_twice_is_one(write: int) -> None:
    """Two jobs with the same image: both succeed."""
    world = World(LABELLED)
    one, two = Client(world, TWO, "one"), Client(world, TWO, "two")
    one.run_to(write)
    two.run_to()
    one.run_to()
    assert two.succeeded
    assert one.succeeded, repr(one.error)
    world.assert_clean(NAME, SECOND, 2)


def test_the_message_names_the_other_and_the_way_out() -> None:
    """On a controller that is labelled the loser has created its own by then."""
    world = World(LABELLED)
    one, two = both_have_looked(world, TWO, THREE)
    one.run_to(2)
    two.run_to(3)
    one.run_to()
    two.run_to()
    assert isinstance(one.error, InProgressError)
    (said,) = [one.error.message]
    assert said.startswith(f"Found existing in-progress update of {NAME} to {NAME}-")
    assert said.endswith("; what this command had created was deleted again")
    assert one.error.hint is not None
    assert f"kubectl rolling-update {NAME} --rollback" in one.error.hint
    world.assert_clean(NAME, THIRD, 2)


@pytest.mark.parametrize("write", [1, 2, 3])
@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_loser_that_never_goes_on_leaves_nothing_behind(write: int, killed_at: int) -> None:
    """Whatever it has left: the winner, or the next command, ends clean."""
    world = World(LABELLED)
    winner, loser = both_have_looked(world, THREE, TWO)
    winner.run_to(write)
    loser.run_to(killed_at)
    winner.run_to()
    for request in (THREE, TWO):
        if len(world.controllers()) == 1:
            break
        try:
            world.update(request)
        except RefusedError as error:
            assert "in-progress" in error.message or "in use" in error.message
    (controller,) = world.controllers().values()
    image = controller["spec"]["template"]["spec"]["containers"][0]["image"]
    world.assert_clean(NAME, image, 2)
    assert world.least_available == 2


def supersedes(image: str) -> Asking:
    return to_image(image, supersede=True, timeout=60.0)


@pytest.mark.parametrize("first", some(range(1, 7), 2))
@pytest.mark.parametrize("second", some(range(1, 7), 2))
def test_against_supersede(first: int, second: int) -> None:
    """An update has begun, and one comes that takes its place whatever there is: one is left in the end."""
    world = World(LABELLED)
    one, two = Client(world, TWO, "begun"), Client(world, supersedes(THIRD), "superseding")
    one.run_to(first)
    two.run_to(second)
    one.run_to()
    two.run_to()
    assert_ends(world, one, two)


@pytest.mark.sweep
@pytest.mark.parametrize("write", some(range(2, 24), 2))
@pytest.mark.parametrize("second", [1, 2])
def test_supersede_meets_the_finish(write: int, second: int) -> None:
    """It has looked, or made its first mark, when the update is at its beginning, and goes on when that is
    anywhere: among the pods that change owners it is too late."""
    world = World(LABELLED)
    one, two = Client(world, TWO, "begun"), Client(world, supersedes(THIRD), "superseding")
    one.run_to(2)
    two.run_to(second)
    one.run_to(write)
    two.run_to()
    one.run_to()
    assert_ends(world, one, two)


@pytest.mark.parametrize("first", some(range(1, 7), 2))
@pytest.mark.parametrize("second", some(range(1, 7), 2))
def test_two_that_supersede(first: int, second: int) -> None:
    """Both want the place of the same update: one gets it, and the other one leaves nothing."""
    world = World(LABELLED)
    with pytest.raises(Killed):
        world.update(to_image("nginx:1.13"), after=killed(4))
    one, two = Client(world, supersedes(SECOND), "one"), Client(world, supersedes(THIRD), "two")
    one.run_to(first)
    two.run_to(second)
    one.run_to()
    two.run_to()
    assert_ends(world, one, two)


def assert_ends(world: World, one: Client, two: Client) -> None:
    assert one.stopped_properly, repr(one.error)
    assert two.stopped_properly, repr(two.error)
    assert one.succeeded or two.succeeded, (repr(one.error), repr(two.error))
    assert (world.least_available, world.most_pods <= 3) == (2, True)
    for request in (supersedes(SECOND), supersedes(THIRD)):
        with contextlib.suppress(RefusedError):
            world.update(request)
    world.assert_clean(NAME, THIRD, 2)


@pytest.mark.parametrize("first", some(range(1, 8), 2))
@pytest.mark.parametrize("second", some(range(1, 5), 2))
def test_against_a_rollback(first: int, second: int) -> None:
    """A rollback meets an update that has just begun: what is left is one of the two versions, whole."""
    world = World(LABELLED)
    one = Client(world, TWO, "update")
    one.run_to(first)
    back = Client(world, to_image(rollback=True, timeout=60.0), "back")
    back.run_to(second)
    one.run_to()
    back.run_to()
    assert one.stopped_properly
    assert back.stopped_properly
    assert (world.least_available, world.most_pods <= 3) == (2, True)
    with contextlib.suppress(RefusedError):
        world.update(to_image(SECOND))
    world.assert_clean(NAME, SECOND, 2)


def edit_image(image: str) -> Callable[[World], None]:
    def edit(world: World) -> None:
        patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
        world.sandbox.patch("replicationcontrollers", "default", NAME, patch)

    return edit


@pytest.mark.parametrize("write", [1, 2])
def test_against_an_edit(write: int) -> None:
    """Someone sets an image while the update begins: nothing of it is left, and the edit stands."""
    world = World(LABELLED)
    one = Client(world, TWO, "update")
    one.run_to(write)
    edit_image("nginx:1.8")(world)
    one.run_to()
    assert isinstance(one.error, RefusedError), repr(one.error)
    assert one.error.message == (
        f'replicationcontroller "{NAME}" was changed by another client in the meantime; this command changed '
        "nothing"
    )
    assert list(world.controllers()) == [NAME]
    assert images(world) == {"nginx:1.7.9"}


def test_scripts_see_it_before_any_pod() -> None:
    """``next-controller-id`` is on the old controller before the new one grows, whatever ran before."""
    world = World(LABELLED)
    world.update(TWO)
    seen: list[tuple[int, str | None]] = []

    def look(_write: int) -> None:
        found = world.controllers()
        new = [controller for name, controller in found.items() if name != NAME]
        annotations = found[NAME]["metadata"].get("annotations") or {}
        if new:
            seen.append((new[0]["spec"]["replicas"], annotations.get(record.NEXT_CONTROLLER)))

    world.sandbox.kubelet.paused = True
    with pytest.raises(StoppedError):
        world.update(to_image(THIRD, timeout=5.0), before=look)
    grown = [name for size, name in seen if size]
    assert not grown or all(grown)
    (new,) = [name for name in world.controllers() if name != NAME]
    assert world.controller(NAME)["metadata"]["annotations"][record.NEXT_CONTROLLER] == new
