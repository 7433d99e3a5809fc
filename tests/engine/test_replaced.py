"""Another client replaces the old controller by a whole file in mid-update: `kubectl replace -f`.

That takes our annotations off, and sets size, labels and selector as well. A selector without the label that
the first update adds matches the pods of both controllers: those that have changed owners must not go for it.
"""

from __future__ import annotations

import copy
import itertools

import pytest

from rollupdate.core.changes.template import TemplateChange
from rollupdate.engine.running import left_by_an_edit
from rollupdate.errors import RefusedError, StoppedError
from testing.objects import Json
from testing.sandbox.objects import is_active
from tests.engine.inprocess import Killed, killed
from tests.engine.test_edits import BACK, EDITED, half_way, stopped_by
from tests.engine.test_kills import BARE, LABELLED, NEW, OLD
from tests.engine.world import NAME, World, to_image
from tests.support.asking import asking
from tests.support.effort import some


def replaced_by_a_file(world: World, manifest: Json, image: str = EDITED, size: int = 2) -> None:
    """`kubectl replace -f`: labels, selector, size and annotations are those of the file."""
    edited = copy.deepcopy(manifest)
    edited["spec"]["replicas"] = size
    edited["spec"]["template"]["spec"]["containers"][0]["image"] = image
    path = f"/api/v1/namespaces/default/replicationcontrollers/{NAME}"
    assert world.sandbox.request("PUT", path, body=edited).status == 200


def active(world: World) -> list[Json]:
    world.sandbox.settle()
    return [pod for pod in world.sandbox.pods() if is_active(pod)]


def image_of(pod: Json) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def images(world: World) -> set[str]:
    return set(map(image_of, active(world)))


@pytest.mark.sweep
@pytest.mark.parametrize("tried", [True, False], ids=["continued first", "rolled back at once"])
@pytest.mark.parametrize("manifest", [BARE, LABELLED], ids=["first update", "second update"])
def test_replaced_by_an_edited_file_at_every_write(manifest: Json, tried: bool) -> None:
    """It makes pods of the file's image, as its size grows: a rollback leaves one controller, of the template
    before, and it is known which pods are not of it."""

    def replace_and_settle(world: World) -> None:
        replaced_by_a_file(world, manifest)
        world.sandbox.settle()

    rolled_back = 0
    for write in some(range(2, 20), 2):
        world = World(manifest)
        if not stopped_by(world, write, replace_and_settle):
            continue  # the edit is one of the finished controller, and stays
        if tried:
            try:
                world.update(to_image(timeout=60.0))
            except StoppedError:
                pass
            else:
                world.assert_clean(NAME, NEW, 2)
                continue
        try:
            cluster = world.update(BACK)
        except RefusedError:
            continue  # nothing had begun
        assert world.outcome is not None
        found = left_by_an_edit(cluster, world.outcome, pytest.fail)
        assert list(world.controllers()) == [NAME], write
        assert image_of(world.controller(NAME)["spec"]["template"]) == OLD, write
        assert found.others == sum(image_of(pod) != OLD for pod in active(world)), write
        if found.others:
            world.update(asking(NAME, change=TemplateChange((), restart=True)))
        world.assert_clean(NAME, OLD, 2)
        rolled_back += 1
    assert rolled_back


@pytest.mark.parametrize("write", range(1, 5))
def test_what_it_has_made_is_found_after_a_kill(write: int) -> None:
    """The rollback is killed at each write but the last two, when nothing says any more that there was an
    edit; the run that completes it looks for such pods."""
    world = half_way()
    replaced_by_a_file(world, LABELLED)
    world.sandbox.settle()
    assert EDITED in images(world)
    try:
        cluster = world.update(BACK, after=killed(write))
    except Killed:
        cluster = world.update(BACK)
    assert world.outcome is not None
    found = left_by_an_edit(cluster, world.outcome, pytest.fail)
    assert (found.looked, found.others) == (2, sum(EDITED in image_of(pod) for pod in active(world)))
    assert found.others


LAST_WRITES = {"moved": range(14, 20), "released": range(12, 15)}
"""Of a first update: from where the pods change owners, in that way."""


def replaced_at(write: int, image: str, size: int, *, behind: bool) -> World | None:
    """The client is killed at that write, and the file is there in its place. ``behind``: the controller
    manager has not seen it yet. None if that was the end of the update."""
    world = World(BARE)
    try:
        world.update(to_image(), before=killed(write))
    except Killed:
        replaced_by_a_file(world, BARE, image, size)
        if not behind:
            world.settled_anew()
        return world
    return None


def assert_one_owner(world: World, image: str, size: int) -> None:
    """The service never had less pods than before, and nothing is left of it."""
    assert world.least_available >= 2
    after = world.assert_clean(NAME, image, size)
    assert image == NEW or after["spec"]["selector"] == BARE["spec"]["template"]["metadata"]["labels"]


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("rollback", "size", "image", "behind", "way"),
    some(list(itertools.product((False, True), (2, 4), (OLD, EDITED), (False, True), LAST_WRITES)), 3),
)
def test_replaced_as_the_pods_change_owners(
    monkeypatch: pytest.MonkeyPatch, rollback: bool, size: int, image: str, behind: bool, way: str
) -> None:
    """They stay, what the file had made goes, and its size is the one that the update ends with; killed once
    more at any write, the same command completes it."""
    if way == "released":
        monkeypatch.setattr("rollupdate.engine.update.rehearse", lambda *_: "not today")
    command = BACK if rollback else to_image(timeout=60.0)
    tried = 0
    for write in some(LAST_WRITES[way], 2):
        for again in some(range(12), 4):
            world = replaced_at(write, image, size, behind=behind)
            if world is None:
                break
            try:
                world.update(command, before=killed(again))
            except Killed:
                world.update(command)
            assert_one_owner(world, OLD if rollback else NEW, size)
            tried += 1
    assert tried > 5
