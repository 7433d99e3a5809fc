"""Two versions of the client and one update: the older one does not write to what a newer one has written."""

from __future__ import annotations

import pytest

from rollupdate.core.model import record
from rollupdate.engine.watch_status import look
from rollupdate.errors import RefusedError, StoppedError
from tests.engine.inprocess import Killed, SandboxCluster, killed
from tests.engine.world import NAME, World, to_image
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
RC = "replicationcontrollers"
NEWER = str(record.KNOWN_FORMAT + 1)


def begun(writes: int = 7) -> World:
    world = World(my_nginx(replicas=2))
    with pytest.raises(Killed):
        world.update(to_image(), after=killed(writes))
    return world


def mark(world: World, name: str, number: str) -> None:
    annotate(world, name, record.FORMAT, number)


def annotate(world: World, name: str, key: str, text: str | None) -> None:
    world.sandbox.patch(RC, "default", name, {"metadata": {"annotations": {key: text}}})


@pytest.mark.parametrize("rollback", [False, True])
@pytest.mark.parametrize("number", [NEWER, "17"])
def test_what_a_newer_client_has_written_is_not_written_to(number: str, rollback: bool) -> None:
    """For either controller, update or rollback; --status says the same."""
    for name in begun().controllers():
        world = begun()
        mark(world, name, number)
        world.sandbox.settle()
        before, writes = world.controllers(), list[int]()
        said = f'"{name}": the annotation rolling-update/format is {number}, and the highest'
        with pytest.raises(RefusedError, match=said):
            world.update(to_image(rollback=rollback), before=writes.append)
        with pytest.raises(RefusedError, match=said):
            look(SandboxCluster(world.sandbox), NAME)
        world.sandbox.settle()
        assert (writes, world.controllers()) == ([], before)


@pytest.mark.parametrize("which", [0, 1], ids=["old", "new"])
def test_a_newer_client_comes_in_between(which: int) -> None:
    """The run stops without another write. A version that knows the format resumes it."""
    world = World(my_nginx(replicas=2))
    marked = 0

    def another(number: int) -> None:
        nonlocal marked
        found = list(world.controllers())
        assert not marked, "a write after the mark"
        if len(found) == 2 and world.controller(found[1])["spec"]["replicas"]:
            marked = number
            mark(world, found[which], NEWER)

    with pytest.raises(StoppedError, match=rf"is {NEWER}, and the highest .* is \d+; stopping$") as stopped:
        world.update(to_image(), after=another)
    assert marked
    assert "upgrade the plugin" in str(stopped.value.hint)
    for name in world.controllers():
        mark(world, name, "2")
    world.update(to_image())
    world.assert_clean(NAME, NEW, 2)


@pytest.mark.parametrize("image", [NEW, OLD])
@pytest.mark.parametrize("writes", range(1, 12))
def test_a_state_of_the_highest_known_format_is_continued(writes: int, image: str) -> None:
    """Update and rollback, from every write; the number is removed with the other annotations."""
    world = begun(writes)
    for name in world.controllers():
        mark(world, name, "2")
    world.update(to_image(rollback=image == OLD))
    world.assert_clean(NAME, image, 2)


@pytest.mark.parametrize("key", [record.EPOCH, record.FORMAT, record.TRANSFER])
@pytest.mark.parametrize("which", [0, 1], ids=["old", "new"])
def test_an_annotation_becomes_unreadable_in_the_middle(which: int, key: str) -> None:
    """Something was changed already, so the run stops and says which annotation; set right, it is resumed."""
    world = World(my_nginx(replicas=2))
    marked = ""

    def spoil(number: int) -> None:
        nonlocal marked
        found = list(world.controllers())
        if len(found) == 2 and not marked and world.controller(found[1])["spec"]["replicas"]:
            marked = found[which]
            annotate(world, marked, key, "abc")

    with pytest.raises(StoppedError, match=r"cannot be read: 'abc'; stopping$") as stopped:
        world.update(to_image(), after=spoil)
    assert f"kubectl annotate rc {marked} {key}=" in str(stopped.value.hint)
    annotate(world, marked, key, None)
    world.update(to_image())
    world.assert_clean(NAME, NEW, 2)
