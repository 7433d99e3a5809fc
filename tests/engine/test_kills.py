"""The client is killed at every write of every kind of update, before and after the write took effect.

Then the same command runs again, or the rollback does: there is one controller, with its pods, and nothing
left of the update. Also with a second kill, at every write of the second run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from rollupdate.core.changes.template import TemplateChange
from rollupdate.errors import ApiError, RefusedError, StoppedError
from testing.objects import Json
from tests.engine.inprocess import Killed, killed
from tests.engine.world import NAME, World, patched, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.effort import examples, kills, some
from tests.support.manifests import my_nginx, my_nginx_v4, other_pod, quota

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
FAR = 10_000


@dataclass(frozen=True)
class Story:
    """What there is, what is asked for, and how it ends."""

    name: str
    request: Asking
    manifest: Json
    ends_as: str = NAME
    image: str = NEW
    size: int = 2
    prepare: Callable[[World], None] = lambda world: None


def _to_v4(size: int) -> Json:
    manifest = my_nginx_v4(size)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = NEW
    return manifest


def _stopped_early(world: World) -> None:
    """An update that never got a new pod available."""
    world.sandbox.kubelet.paused = True
    with pytest.raises(StoppedError):
        world.update(to_image(timeout=5.0))
    world.sandbox.kubelet.paused = False


def _stopped_by_a_quota(world: World) -> None:
    """The manager backs off from it; there is room by now."""
    world.sandbox.create(quota({"pods": "3"}))
    world.sandbox.create(other_pod())
    world.sandbox.settle()
    with pytest.raises(StoppedError):
        world.update(to_image(timeout=100.0))
    world.sandbox.delete("pods", "default", "other")
    world.sandbox.settle()


def _stopped_at(write: int) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        with pytest.raises(Killed):
            world.update(to_image(), after=killed(write))

    return prepare


LABELLED = my_nginx(replicas=2, labels={"deployment": "v1"}, selector=True)
BARE = my_nginx(replicas=2)
BACK = to_image(rollback=True)
RESTART = asking(NAME, change=TemplateChange((), restart=True))
STORIES = [
    Story("first update, keeping the name", to_image(), BARE),
    Story("second update, keeping the name", to_image(), LABELLED),
    Story("patched", patched({"image": NEW, "env": [{"name": "A", "value": "1"}]}), BARE),
    Story("restarted", RESTART, LABELLED, image=OLD),
    Story("to a new name", to_image(new_name="next"), BARE, ends_as="next"),
    Story("from a file", to_file(_to_v4(3)), LABELLED, ends_as="my-nginx-v4", size=3),
    Story("from a file, keeping the name", to_file(_to_v4(3), keep_name=True), LABELLED, size=3),
    Story(
        "from a file of the same name and selector",
        to_file(my_nginx(image=NEW, replicas=1), keep_name=True),
        BARE,
        size=1,
    ),
    Story("resumed once a quota has room", to_image(), LABELLED, prepare=_stopped_by_a_quota),
    Story("rollback early", BACK, BARE, image=OLD, prepare=_stopped_early),
    Story("rollback in the middle", BACK, BARE, image=OLD, prepare=_stopped_at(7)),
    Story("rollback after the pods were let go", BACK, BARE, image=OLD, prepare=_stopped_at(10)),
    Story("rollback after the pods were handed over", BACK, BARE, image=OLD, prepare=_stopped_at(11)),
]


def by_name(stories: list[Story]) -> pytest.MarkDecorator:
    names = [story.name.replace(" ", "-").replace(",", "") for story in stories]
    return pytest.mark.parametrize("story", stories, ids=names)


BEFORE = pytest.mark.parametrize(
    "before",
    [pytest.param(True, id="before"), pytest.param(False, id="after", marks=pytest.mark.sweep)],
)
"""Coverage is measured with the few that are killed before a write."""
ONWARDS = [story for story in STORIES if not story.request.intent.rollback]


def world_of(story: Story) -> World:
    world = World(story.manifest)
    story.prepare(world)
    return world


def run_killed(world: World, request: Asking, write: int, *, before: bool) -> bool:
    """Whether the kill happened (a run has only so many writes)."""
    try:
        if before:
            world.update(request, before=killed(write))
        else:
            world.update(request, after=killed(write))
    except Killed:
        return True
    return False


def writes_of(story: Story) -> int:
    return world_of(story).update(story.request).writes


def assert_ended(world: World, story: Story) -> None:
    world.assert_clean(story.ends_as, story.image, story.size)
    assert_promises(world, story)


def assert_promises(world: World, story: Story) -> None:
    before = story.manifest["spec"]["replicas"]
    floor = min(before, story.size)
    assert world.least_available >= floor
    assert world.most_pods <= max(before, story.size, floor + 1)


def again(world: World, story: Story) -> None:
    """The same command, as often as somebody would: once, unless the update was finished already."""
    try:
        world.update(story.request)
    except RefusedError as error:
        finished = ("must be provided when --image is the same", "is already in use", "to rollback")
        assert any(each in error.message for each in finished)
    except ApiError as error:
        assert error.is_not_found


def back(world: World, story: Story) -> None:
    """The rollback; where the update had just been finished there is nothing to go back from."""
    try:
        world.update(story.request.but(rollback=True))
    except RefusedError as error:
        assert "to rollback" in error.message
    except ApiError as error:
        assert error.is_not_found


@by_name(STORIES)
@BEFORE
def test_killed_at_every_write_and_continued(story: Story, before: bool) -> None:
    """The same command finishes what the killed one began."""
    for write in kills(writes_of(story), before=before):
        world = world_of(story)
        assert run_killed(world, story.request, write, before=before), write
        again(world, story)
        assert_ended(world, story)


@pytest.mark.sweep
@by_name(ONWARDS)
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_at_every_write_and_rolled_back(story: Story, before: bool) -> None:
    """The rollback reverts everything, the label included; only after the very last write it is too late."""
    total = writes_of(story)
    for write in kills(total, before=before):
        world = world_of(story)
        assert run_killed(world, story.request, write, before=before), write
        back(world, story)
        if write == total and not before:
            assert_ended(world, story)
            continue
        size = story.manifest["spec"]["replicas"]
        after = world.assert_clean(NAME, OLD, size)
        assert after["spec"] == world.before["spec"], write
        assert after["metadata"]["uid"] == world.before["metadata"]["uid"]
        assert_promises(world, story)


@pytest.mark.sweep
@by_name(STORIES)
def test_killed_twice(story: Story) -> None:
    """The resume is killed as well, at every write of it; the third run finishes."""
    for write in some(range(1, writes_of(story) + 1), 4):
        second = 1
        while True:
            world = world_of(story)
            run_killed(world, story.request, write, before=False)
            try:
                happened = run_killed(world, story.request, second, before=second % 2 == 0)
            except (RefusedError, ApiError):
                happened = False
            if happened:
                again(world, story)
            assert_ended(world, story)
            if not happened:
                break
            second += examples(3, 1)


@pytest.mark.sweep
@by_name(ONWARDS)
def test_killed_rolled_back_killed_and_continued(story: Story) -> None:
    """Forwards, back and forwards again, each killed in turn: it still ends as asked for last."""
    for write in some(range(1, writes_of(story)), 4):
        for second in some(range(1, 8), 3):
            world = world_of(story)
            run_killed(world, story.request, write, before=False)
            run_killed(world, story.request.but(rollback=True), second, before=False)
            again(world, story)
            assert_ended(world, story)
