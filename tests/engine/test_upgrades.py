"""The API server is replaced by one of another release in the middle of an update, at every write.

Until 1.33 a server sends ``creationTimestamp: null`` in every pod template, from 1.34 on nothing. It is the
same template: what was begun on the one is finished on the other, whichever came first.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollupdate.core.model import history
from testing.sandbox import Sandbox
from tests.engine.inprocess import REVISIONS
from tests.engine.test_kills import STORIES, Story, by_name, run_killed, writes_of
from tests.engine.test_undo import BARE, A, B, undo, world_of
from tests.engine.world import NAME, World, to_image
from tests.support.effort import some
from tests.support.manifests import my_nginx

OLD, NEW = 33, 36

both_ways = pytest.mark.parametrize(
    ("first", "second"), [(OLD, NEW), (NEW, OLD)], ids=["upgraded", "downgraded"]
)


def _on(release: int, story: Story) -> World:
    world = World(story.manifest)
    world.sandbox.upgrade(release)
    story.prepare(world)
    return world


def _replaced(sandbox: Sandbox, release: int, write: int) -> Callable[[int], None]:
    """After that write the server is another one; what was read before is held still."""

    def replace(count: int) -> None:
        if count == write:
            sandbox.upgrade(release)

    return replace


@pytest.mark.sweep
@both_ways
@by_name(STORIES)
def test_an_update_goes_on_when_the_server_is_replaced(story: Story, first: int, second: int) -> None:
    """In the same run, after any of its writes."""
    for write in some(range(1, writes_of(story) + 1), 5):
        world = _on(first, story)
        world.update(story.request, after=_replaced(world.sandbox, second, write))
        world.assert_clean(story.ends_as, story.image, story.size)


@pytest.mark.sweep
@both_ways
@by_name([story for story in STORIES if story.prepare is STORIES[0].prepare])
def test_an_update_is_continued_on_another_server(story: Story, first: int, second: int) -> None:
    """The client was killed after any of its writes but the last; the same command goes on."""
    for write in some(range(1, writes_of(story)), 5):
        world = _on(first, story)
        assert run_killed(world, story.request, write, before=False)
        world.sandbox.upgrade(second)
        world.update(story.request)
        world.assert_clean(story.ends_as, story.image, story.size)


@both_ways
def test_an_update_is_rolled_back_on_another_server(first: int, second: int) -> None:
    """Also one that has handed over its pods: the template that was kept is that of the other server."""
    request = to_image()
    for write in some(range(2, World(my_nginx(replicas=2)).update(request).writes), 2):
        world = World(my_nginx(replicas=2))
        world.sandbox.upgrade(first)
        assert run_killed(world, request, write, before=False)
        world.sandbox.upgrade(second)
        world.update(to_image(rollback=True))
        world.assert_clean(NAME, A, 2)


@both_ways
def test_the_history_of_another_server_is_gone_back_in(first: int, second: int) -> None:
    """Its revisions are as that server wrote them, and none of them is taken for another template."""
    world = world_of()
    world.sandbox.upgrade(first)
    world.update(to_image(B))
    world.sandbox.upgrade(second)
    world.update(undo())
    world.assert_clean(NAME, A, 2)
    known = history.revisions(world.sandbox.objects(REVISIONS, "default"))
    assert [(each.number, each.images[0]) for each in known] == [(2, B), (3, A)]


@both_ways
def test_an_undo_is_ended_on_another_server(first: int, second: int) -> None:
    """Killed after any of its writes but the last, and turned round."""
    for write in range(1, world_of(B).update(undo()).writes):
        world = world_of(B)
        world.sandbox.upgrade(first)
        assert run_killed(world, undo(), write, before=False)
        world.sandbox.upgrade(second)
        world.update(BARE)
        world.assert_clean(NAME, A, 2)
