"""The manager backs off from a full quota: once there is room the controller is touched, and gets pods."""

from __future__ import annotations

import itertools

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.errors import FailureError
from rollupdate.events import LookLeftOut, Waiting
from testing.sandbox import Request, Response
from testing.sandbox.resources import CONTROLLERS
from testing.sandbox.store import Change
from tests.engine.inprocess import Killed, killed
from tests.engine.world import NAME, World, to_image
from tests.support.manifests import my_nginx, other_pod, quota

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
QUOTA = "resourcequotas"


def full(replicas: int = 2) -> World:
    """As many pods as the quota allows, one of them somebody else's."""
    world = World(my_nginx(replicas=replicas))
    world.sandbox.create(quota({"pods": str(replicas + 1)}))
    world.sandbox.create(other_pod())
    world.sandbox.settle()
    return world


def free(world: World) -> None:
    """The other pod goes."""
    world.sandbox.delete("pods", "default", "other")


def allow(world: World, pods: str) -> None:
    world.sandbox.patch(QUOTA, "default", "few", {"spec": {"hard": {"pods": pods}}})


def touches(world: World) -> list[float]:
    """Filled with the time of each touch."""
    seen: list[float] = []

    def watch(change: Change) -> None:
        if change.resource is not CONTROLLERS or change.new is None or change.old is None:
            return
        before, after = (
            (obj["metadata"].get("annotations") or {}).get(record.TOUCHED) for obj in (change.old, change.new)
        )
        if after not in (None, before):
            seen.append(world.sandbox.now())

    world.sandbox.on_write(watch)
    return seen


def test_room_that_comes_while_it_waits() -> None:
    """Seconds later there are pods, not when the manager would have tried again (minutes later)."""
    world = full()
    room_at = world.sandbox.now() + 700
    world.sandbox.clock.schedule(700, lambda: free(world))
    world.update(to_image(on_failure="wait"))
    assert world.sandbox.now() - room_at < 15
    world.assert_clean(NAME, NEW, 2)


def test_a_later_run_that_needs_no_room() -> None:
    """The update stops; later the same command with --max-surge=0 --max-unavailable=1 goes through at once,
    and does not give what the manager said before as the reason."""
    world = full(3)
    with pytest.raises(FailureError):
        world.update(to_image(timeout=300.0))
    world.sandbox.advance(60)
    world.events.clear()
    started = world.sandbox.now()
    world.update(to_image(timeout=300.0, budget=Budget(Amount(0), Amount(1))))
    assert world.sandbox.now() - started < 20
    assert not [event for event in world.events if isinstance(event, Waiting)]
    free(world)
    world.assert_clean(NAME, NEW, 3)
    assert world.least_available >= 2


def test_room_that_came_before_it_was_resumed() -> None:
    """One touch, at once."""
    world = full()
    with pytest.raises(FailureError):
        world.update(to_image(timeout=300.0))
    free(world)
    world.sandbox.advance(1)
    seen, started = touches(world), world.sandbox.now()
    world.update(to_image(timeout=300.0))
    assert len(seen) == 1
    assert world.sandbox.now() - started < 15
    world.assert_clean(NAME, NEW, 2)


def test_rolling_back() -> None:
    """The old controller lacks pods that the quota refuses; it is touched in the same way."""
    world = World(my_nginx(replicas=3))
    with pytest.raises(Killed):
        world.update(to_image(), after=killed(9))
    world.sandbox.settle()
    world.sandbox.create(quota({"pods": "3"}))
    world.sandbox.advance(1)
    room_at = world.sandbox.now() + 700
    world.sandbox.clock.schedule(700, lambda: allow(world, "6"))
    world.update(to_image(rollback=True, on_failure="wait"))
    assert world.sandbox.now() - room_at < 15
    world.assert_clean(NAME, OLD, 3)


def test_a_touch_is_no_progress() -> None:
    """With a quota that stays full it stops after --timeout, and touches nothing on the way."""
    world = full()
    seen, started = touches(world), world.sandbox.now()
    with pytest.raises(FailureError, match="timed out"):
        world.update(to_image(timeout=60.0))
    assert world.sandbox.now() - started < 70
    assert not seen
    with pytest.raises(FailureError, match="timed out"):
        world.update(to_image(timeout=60.0))
    assert len(seen) == 1


def test_without_the_right_to_look_at_quotas() -> None:
    """It tries, less and less often; that it could not look is said at -v=2."""
    world = full()

    def refuse(request: Request) -> Response | None:
        if request.method == "GET" and QUOTA in request.path:
            return Response(403, {"kind": "Status", "reason": "Forbidden", "message": "cannot list quotas"})
        return None

    world.sandbox.intercept(refuse)
    seen, started = touches(world), world.sandbox.now()
    world.sandbox.clock.schedule(700, lambda: free(world))
    world.update(to_image(on_failure="wait"))
    world.assert_clean(NAME, NEW, 2)
    assert world.sandbox.now() - started < 700 + 320
    gaps = [after - before for before, after in itertools.pairwise(seen)]
    assert gaps == sorted(gaps)
    assert [event.resource for event in world.events if isinstance(event, LookLeftOut)] == [QUOTA]
