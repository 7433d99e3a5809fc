"""Pauses and checks: an update goes as far as it was asked to, and not before what there is was checked."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.engine.ports import Batch
from rollupdate.errors import FailureError, RefusedError
from rollupdate.events import Paused, Verified, Waiting
from tests.engine.inprocess import Killed, killed
from tests.engine.test_kills import BEFORE
from tests.engine.world import NAME, World, to_image
from tests.support.asking import Asking
from tests.support.effort import examples
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"


def pausing(*points: str, **more: Any) -> Asking:
    return to_image(pause_at=tuple(Amount.parse(each) for each in points), **more)


def sizes(world: World) -> tuple[int, int]:
    """Of the old controller and of the new one."""
    found = world.controllers()
    (new,) = set(found) - {NAME}
    return found[NAME]["spec"]["replicas"], found[new]["spec"]["replicas"]


def test_it_pauses_and_the_same_command_goes_on_to_the_next_pause() -> None:
    """So many new pods, the rest old; nothing is lost meanwhile, and at the end nothing is left."""
    world = World(my_nginx(replicas=5))
    request = pausing("1", "60%")
    for new in (1, 3):
        world.update(request)
        assert world.paused
        assert sizes(world) == (5 - new, new)
        (name,) = set(world.controllers()) - {NAME}
        assert world.controller(name)["metadata"]["annotations"][record.PAUSED] == str(new)
        assert world.events[-1] == Paused(name, new, 5)
    world.update(request)
    assert not world.paused
    world.assert_clean(NAME, NEW, 5)
    assert world.least_available == 5
    assert len([each for each in world.events if isinstance(each, Paused)]) == 2


def test_a_pause_with_all_new_pods_comes_before_the_finish() -> None:
    """At 100% the old controller is still there, empty: the way back is open."""
    world = World(my_nginx(replicas=3))
    world.update(pausing("100%"))
    assert world.paused
    assert sizes(world) == (0, 3)
    world.update(pausing("100%").but(rollback=True))
    after = world.assert_clean(NAME, OLD, 3)
    assert after["spec"] == world.before["spec"]


def test_a_pause_before_the_first_pod() -> None:
    """At 0 the new controller is there, without pods."""
    world = World(my_nginx(replicas=3))
    world.update(pausing("0"))
    assert (world.paused, sizes(world)) == (True, (3, 0))
    world.update(pausing("0"))
    world.assert_clean(NAME, NEW, 3)


def test_a_pause_behind_what_there_is_or_beyond_what_there_will_be_is_none() -> None:
    """Continued with another pause than it was begun with: only what lies ahead counts."""
    world = World(my_nginx(replicas=4))
    world.update(pausing("3"))
    world.update(pausing("2", "3", "9"))
    assert not world.paused
    world.assert_clean(NAME, NEW, 4)


def test_a_paused_update_is_rolled_back() -> None:
    """With the pauses on the command line, as the original command with --rollback appended has them."""
    world = World(my_nginx(replicas=4))
    world.update(pausing("2"))
    world.update(pausing("2", rollback=True))
    after = world.assert_clean(NAME, OLD, 4)
    assert after["spec"] == world.before["spec"]
    assert world.least_available == 4


def test_two_clients_one_pauses() -> None:
    """What another client pauses is left alone by the one that is under way."""
    world = World(my_nginx(replicas=4))
    second = False

    def another(count: int) -> None:
        nonlocal second
        (*_, new) = [*world.controllers()]
        if not second and new != NAME and world.controller(new)["spec"]["replicas"] == 2:
            second = True
            world.update(pausing("2"))

    world.update(to_image(), before=another)
    assert second
    assert sizes(world) == (2, 2)
    assert isinstance(world.events[-1], Paused)
    world.update(to_image())
    world.assert_clean(NAME, NEW, 4)


@BEFORE
@pytest.mark.parametrize("turned", [True, False], ids=["back", "on"])
def test_killed_at_every_write_on_the_way_through_a_pause(before: bool, turned: bool) -> None:
    """Begun, paused, continued, killed at each write of both runs: the same command, as often as it pauses,
    or the rollback comes to a clean end."""
    request = pausing("1")
    write = 1
    happened = True
    while happened:
        world = World(my_nginx(replicas=2))
        happened = False
        for _ in range(2):
            hit = killed(write) if not happened else None
            try:
                world.update(request, **({"before": hit} if before else {"after": hit}))  # type: ignore[arg-type]
            except Killed:
                happened = True
                break
        if happened:
            to_the_end(world, request.but(rollback=turned))
        found = world.controllers()[NAME]["spec"]["template"]["spec"]["containers"][0]["image"]
        world.assert_clean(NAME, found, 2)
        assert world.least_available == 2
        assert world.most_pods <= 3
        write += examples(5, 1) if before else 1
    assert write > 8


def to_the_end(world: World, request: Asking) -> None:
    """The same command until it does not pause any more."""
    for _ in range(3):
        try:
            world.update(request)
        except RefusedError as error:
            known = "to rollback" in error.message or "must be provided when --image" in error.message
            assert known, error.message
            return
        if not world.paused:
            return
    raise AssertionError("it pauses for ever")


# --- checks ---


def test_each_batch_is_checked_before_it_counts() -> None:
    """No old pod goes, and no further new one comes, before the check of those that there are has passed."""
    world = World(my_nginx(replicas=3))
    seen: list[tuple[int, int, int]] = []

    def check(batch: Batch) -> None:
        assert (batch.old_name, batch.namespace, batch.target) == (NAME, "default", 3)
        assert sizes(world) == (batch.old_replicas, batch.new_replicas)
        seen.append((batch.old_available, batch.new_available, world.available))

    world.update(to_image(verifies=True), check=check)
    world.assert_clean(NAME, NEW, 3)
    assert seen == [(3, 1, 4), (2, 2, 4), (1, 3, 4)]


def test_a_batch_is_checked_when_all_of_it_is_available() -> None:
    """With a larger surge, once for each batch and not for each pod."""
    world = World(my_nginx(replicas=6))
    checked: list[int] = []
    request = to_image(verifies=True, budget=Budget(Amount(3), Amount(0)))
    world.update(request, check=lambda batch: checked.append(batch.new_available))
    assert checked == [3, 6]
    world.assert_clean(NAME, NEW, 6)


def test_a_check_that_fails_stops_the_update() -> None:
    """It is a failure like any other; nothing old has gone for the batch, and the way back is open."""
    world = World(my_nginx(replicas=3))
    request = to_image(verifies=True)
    with pytest.raises(FailureError, match=r"the check of my-nginx-[0-9a-f]{32} failed: exit status 7"):
        world.update(request, check=lambda batch: "exit status 7" if batch.new_available == 2 else None)
    assert sizes(world) == (2, 2)
    assert [each.problem for each in world.events if isinstance(each, Verified)] == [None, "exit status 7"]
    world.update(request.but(rollback=True), check=lambda batch: pytest.fail("a rollback checks nothing"))
    world.assert_clean(NAME, OLD, 3)


def test_a_check_that_fails_is_run_again_where_it_is_waited_for() -> None:
    """--on-failure=wait: until it passes, and the wait is told."""
    world = World(my_nginx(replicas=2))
    answers = iter(["exit status 1", "exit status 1", None, None])
    started = world.sandbox.now()
    world.update(to_image(verifies=True, on_failure="wait"), check=lambda batch: next(answers))
    world.assert_clean(NAME, NEW, 2)
    assert world.sandbox.now() - started >= 20
    assert [each for each in world.events if isinstance(each, Waiting) and "is run again" in each.reason]


def test_checked_then_paused_then_checked_again() -> None:
    """The batch that reaches the pause is checked before it, and once more before it is continued."""
    world = World(my_nginx(replicas=3))
    checked: list[int] = []
    request = pausing("2", verifies=True)
    world.update(request, check=lambda batch: checked.append(batch.new_available))
    assert checked == [1, 2]
    world.update(request, check=lambda batch: checked.append(batch.new_available))
    assert checked == [1, 2, 2, 3]
    world.assert_clean(NAME, NEW, 3)
