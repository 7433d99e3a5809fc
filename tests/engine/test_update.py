"""The loop on the sandbox: few, whole stories; the many are in the properties and in e2e."""

from __future__ import annotations

import pytest

from rollupdate.errors import StoppedError
from rollupdate.events import ApiReachable, ApiUnreachable, ScaledByOthers, Waiting
from tests.engine.inprocess import Killed, killed, lost
from tests.engine.world import NAME, World, to_image
from tests.support.manifests import my_nginx


def test_an_update_in_few_requests() -> None:
    """4 N + 32 requests at the most for N pods, where no pod needs a label; none of them periodic. Half of
    them scale, the other half moves the pods; six are looks, at the same time as others, at what refers to
    the pods and at what the server says of the end. The first one has what ran before it to keep as well,
    and looks at what the pods run."""
    world = World(my_nginx(replicas=20, labels={"deployment": "v1"}, selector=True))
    for image, more in (("nginx:1.9.1", 2), ("nginx:1.9.2", 0)):
        cluster = world.update(to_image(image))
        world.assert_clean(NAME, image, 20)
        # The mirror of these tests fetches what the real one is sent by its two watches.
        asked = [each for each in cluster.requests if not each.startswith("GET replicationcontrollers/")]
        assert len(asked) + 4 <= 4 * 20 + 32 + more, asked


def test_labelling_loses_no_pod() -> None:
    """The first update labels the running pods; each of them lives until it is its turn."""
    world = World(my_nginx(replicas=4))
    names = {pod["metadata"]["name"] for pod in world.sandbox.pods()}
    created: list[str] = []
    world.sandbox.on_write(
        lambda change: (
            created.append(change.name)
            if change.verb == "create" and change.resource.plural == "pods"
            else None
        )
    )
    world.update(to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 4)
    assert len(created) == 4
    assert not names & set(created)
    assert world.least_available == 4
    assert world.most_pods == 5


@pytest.mark.parametrize("done", [True, False], ids=["carried-out", "not-carried-out"])
@pytest.mark.parametrize(("begun", "image"), [(0, "nginx:1.9.1"), (9, "nginx:1.7.9")], ids=["on", "back"])
def test_lost_answers_are_found_out_by_looking(begun: int, image: str, done: bool) -> None:
    """The connection breaks after a write took effect, or before, once at each write: nothing is done twice,
    and nothing is taken for done that was not. Of an update, and of the rollback of one that was killed."""
    count = 1
    while True:
        world = World(my_nginx(replicas=2))
        if begun:
            with pytest.raises(Killed):
                world.update(to_image(), after=killed(begun))
        asked = to_image(rollback=bool(begun))
        before, after = (None, lost(count)) if done else (lost(count), None)
        cluster = world.update(asked, before=before, after=after)
        world.assert_clean(NAME, image, 2)
        assert world.least_available >= 2
        assert world.most_pods <= 3
        if cluster.writes < count:
            break
        count += 1
    assert count > 8


def test_the_api_is_away_for_a_while() -> None:
    """Nothing is answered for 20 seconds: said once, and once when it is back."""
    world = World()
    began = world.sandbox.now()

    def unreachable(_: int) -> None:
        if began + 2 < world.sandbox.now() < began + 22:
            lost(0)(0)

    world.update(to_image(update_period=1.0), before=unreachable)
    world.assert_clean(NAME, "nginx:1.9.1", 3)
    told = [each for each in world.events if isinstance(each, ApiUnreachable | ApiReachable)]
    assert [type(each) for each in told] == [ApiUnreachable, ApiReachable]


def test_no_progress_stops_at_the_timeout() -> None:
    """An image that cannot be pulled: stopped after --timeout and not before."""
    world = World()
    started = world.sandbox.now()
    with pytest.raises(StoppedError, match="timed out waiting for any update progress to be made"):
        world.update(to_image("nginx:missing", timeout=300.0, failure_grace=0.0))
    assert 300 <= world.sandbox.now() - started < 310
    assert world.least_available == 3
    world.update(to_image("nginx:missing", rollback=True))
    after = world.assert_clean(NAME, "nginx:1.7.9", 3)
    assert after["spec"] == world.before["spec"]


def test_slow_but_steady_is_progress() -> None:
    """Pods that take four minutes each never add up to a timeout of five."""
    world = World(my_nginx(replicas=5))
    world.sandbox.kubelet.config = type(world.sandbox.kubelet.config)(ready_after=240.0)
    world.update(to_image(timeout=300.0))
    world.assert_clean(NAME, "nginx:1.9.1", 5)


def test_an_autoscaler_that_holds_a_minimum_does_not_drive_the_goal_up() -> None:
    """Something sets the old controller back to 3 each time it is scaled down to 2: the goal stays 3."""
    world = World(my_nginx(replicas=3))
    world.sandbox.kubelet.config = type(world.sandbox.kubelet.config)(ready_after=2.0)
    pushed = 0

    def push(_: int) -> None:
        nonlocal pushed
        live = world.controllers().get(NAME)
        if live and live["spec"]["replicas"] == 2 and pushed < 4:
            pushed += 1
            world.sandbox.scale("default", NAME, 3)

    world.update(to_image(), before=push)
    world.assert_clean(NAME, "nginx:1.9.1", 3)
    assert pushed
    assert {each.goal for each in world.events if isinstance(each, ScaledByOthers)} == {3}


def test_conflicts_that_nobody_caused_pass() -> None:
    """A proxy or an admission plugin answers 409 though nothing has changed: tried again, and told."""
    world = World(my_nginx(replicas=2))
    for _ in range(8):
        world.sandbox.fail_next("PATCH", "replicationcontrollers", status=409, message="try again")
    world.update(to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 2)
    assert any(isinstance(each, Waiting) and "try again" in each.reason for each in world.events)
