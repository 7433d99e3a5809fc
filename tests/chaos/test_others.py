"""People, autoscalers and the cluster in between: something else happens at every step of an update.

It ends clean, or it stops with words for the user; the same command, or a rollback, then ends clean.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from rollupdate.errors import ApiError, RollingUpdateError
from testing.sandbox.statuses import ApiError as SandboxError
from tests.engine.test_kills import BARE, NEW, OLD
from tests.engine.world import NAME, World, to_image
from tests.support.effort import some
from tests.support.manifests import other_pod, quota

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("in_turn")]

REQUEST = to_image(timeout=60.0)
WHOLE, END, FAR = 17, 22, 31
"""The write after the one that made the old controller whole; the last write; and more than there are."""
Act = Callable[[World], object]


def outcome(world: World, write: int, act: Act) -> RollingUpdateError | None:
    """One run, with something done right before that write. How it ended."""

    def disturb(number: int) -> None:
        if number == write:
            with suppress(SandboxError):  # not there yet, or no more
                act(world)

    try:
        world.update(REQUEST, before=disturb)
    except RollingUpdateError as error:
        return error
    return None


def successor(world: World) -> str:
    return next((name for name in world.controllers() if name != NAME), "none")


def delete_a_pod(world: World) -> None:
    world.sandbox.delete("pods", "default", world.sandbox.pods()[0]["metadata"]["name"])


def delete_all_pods(world: World) -> None:
    for pod in world.sandbox.pods():
        world.sandbox.delete("pods", "default", pod["metadata"]["name"])


@pytest.mark.parametrize("act", [delete_a_pod, delete_all_pods])
def test_pods_are_deleted(act: Act) -> None:
    """One or all of them, before any write: their controllers make new ones, and it goes on."""
    for write in some(range(1, FAR), 3):
        world = World(BARE)
        assert outcome(world, write, act) is None, write
        world.assert_clean(NAME, NEW, 2)


@pytest.mark.parametrize("size", [0, 1, 4])
@pytest.mark.parametrize("old", [True, False], ids=["old", "new"])
def test_one_of_the_two_is_scaled(old: bool, size: int) -> None:
    """By a person, before any write: it ends clean, with whatever size that comes to, and says so."""
    for write in some(range(1, FAR), 3):
        world = World(BARE)
        error = outcome(
            world,
            write,
            lambda world: world.sandbox.scale("default", NAME if old else successor(world), size),
        )
        assert error is None, (write, error)
        world.sandbox.settle()
        world.assert_clean(NAME, NEW, world.controller(NAME)["spec"]["replicas"])


def test_the_new_controller_is_deleted() -> None:
    """It stops and says who did it; the same command begins again."""
    for write in range(1, FAR):
        world = World(BARE)
        error = outcome(
            world,
            write,
            lambda world: world.sandbox.delete("replicationcontrollers", "default", successor(world)),
        )
        if error is not None:
            assert "was deleted by another client" in error.message, (write, error)
            again(world)
        world.assert_clean(NAME, NEW, 2)


def test_the_old_controller_is_deleted() -> None:
    """It stops and says so; never is anything deleted by us that somebody still needs."""
    for write in range(1, FAR):
        world = World(BARE)
        error = outcome(
            world,
            write,
            lambda world: world.sandbox.delete("replicationcontrollers", "default", NAME),
        )
        if error is None:
            # The update was finished, but for what is tidied up and the new one's end: it was the result that
            # somebody deleted, and its pods with it.
            assert WHOLE <= write <= END or world.assert_clean(NAME, NEW, 2), write
        else:
            assert "deleted" in error.message or "not found" in error.message, (write, error)


def test_the_old_template_is_edited() -> None:
    """Another image in the old controller, before any write: it is refused as long as nothing is created, and
    stops later; a rollback restores what ran. Once the pods are with it, the edit is one of the finished
    controller, and stays."""
    for write in range(1, FAR):
        world = World(BARE)
        patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nginx:1.8"}]

        def edit(world: World, patch: list[dict[str, str]] = patch) -> None:
            world.sandbox.patch("replicationcontrollers", "default", NAME, patch)

        error = outcome(world, write, edit)
        if error is not None:
            assert write < WHOLE
            begun = len(world.controllers()) > 1 or world.controller(NAME)["metadata"].get("annotations")
            said = "was edited by another client" if len(world.controllers()) > 1 else "in the meantime"
            assert said in error.message, (write, error)
            if begun:
                world.update(to_image(rollback=True))
            images = {pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods()}
            assert images == {OLD}, write
            continue
        world.sandbox.settle()
        (controller,) = world.controllers().values()
        image = controller["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image in (NEW, "nginx:1.8"), write
        # After the transfer the edit is one of the finished controller, and stays.
        assert image == NEW or write >= WHOLE


def test_a_quota_stops_the_surge() -> None:
    """No pod more is allowed: it stops at its timeout with the reason, and goes back without one."""
    world = World(BARE)
    world.sandbox.create(quota({"pods": "3"}))
    world.sandbox.create(other_pod())
    world.sandbox.settle()
    with pytest.raises(RollingUpdateError) as caught:
        world.update(REQUEST)
    assert "exceeded quota" in f"{caught.value.message} {caught.value.hint}"
    world.update(to_image(rollback=True))
    world.sandbox.delete("pods", "default", "other")
    after = world.assert_clean(NAME, OLD, 2)
    assert after["spec"] == world.before["spec"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_admission_refuses_a_write(method: str) -> None:
    """Its words are shown; once it allows the write, the same command finishes."""
    world = World(BARE)
    words = 'admission webhook "policy.example.com" denied the request: not on Fridays'
    world.sandbox.fail_next(method, "replicationcontrollers", status=403, message=words, times=FAR)
    with pytest.raises(RollingUpdateError, match="not on Fridays"):
        world.update(REQUEST)
    world.sandbox.api.faults.clear()
    world.update(REQUEST)
    world.assert_clean(NAME, NEW, 2)


def end_namespace(world: World) -> None:
    """What a client sees of it: nothing can be created any more, and one by one everything goes."""
    words = "unable to create new content in namespace default because it is being terminated"
    world.sandbox.fail_next("POST", status=403, message=words, times=FAR)
    for name in world.controllers():
        world.sandbox.delete("replicationcontrollers", "default", name)


def test_the_namespace_is_deleted() -> None:
    """Before any write: it stops with words for the user, and makes nothing anew."""
    for write in range(1, WHOLE):
        world = World(BARE)
        error = outcome(world, write, end_namespace)
        assert error is not None, write
        assert "deleted" in error.message or "terminated" in error.message, (write, error)
        world.sandbox.settle()
        assert not world.controllers(), write


def again(world: World) -> None:
    try:
        world.update(REQUEST)
    except ApiError as error:
        assert error.is_not_found
