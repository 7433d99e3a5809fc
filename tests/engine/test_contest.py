"""Another client puts the old size back each time: it is waited for, and named; and whoever controls the
controller is told to be changed instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollupdate.core.phases.contest import LONGEST
from rollupdate.errors import ApiError, FailureError, RefusedError
from rollupdate.events import Scaled, ScaledByOthers, SizeContested
from testing.objects import Json
from testing.sandbox import Change
from testing.sandbox.resources import PODS
from tests.engine.inprocess import Killed, SandboxCluster, killed
from tests.engine.test_references import autoscaler
from tests.engine.world import NAME, World, to_image
from tests.support.asking import asking
from tests.support.manifests import my_nginx


def owner(world: World, *, controller: bool = True) -> Json:
    """An object that owns a controller, as a DeploymentConfig does: here of a kind that the sandbox has."""
    found = world.sandbox.create({"kind": "ConfigMap", "metadata": {"name": "web"}})
    uid = found["metadata"]["uid"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": uid, "controller": controller}


def give(world: World, reference: Json) -> None:
    path = f"/api/v1/namespaces/default/replicationcontrollers/{NAME}"
    patch = {"metadata": {"ownerReferences": [reference]}}
    world.sandbox.request("PATCH", path, {}, patch, content_type="application/merge-patch+json")


class Rival:
    """Puts the size of a controller back after each write of ours, as long as it holds on."""

    def __init__(self, world: World, *, seconds: float, size: int = 3) -> None:
        self.world, self.size = world, size
        self.turns = self.killed = 0
        self._until = world.sandbox.clock.now() + seconds
        world.sandbox.on_write(self._count)

    def _count(self, change: Change) -> None:
        self.killed += change.resource is PODS and change.new is None

    def __call__(self, _number: int) -> None:
        sandbox = self.world.sandbox
        found = sandbox.find("ReplicationController", "default", NAME)
        if found is None or found["spec"]["replicas"] >= self.size or sandbox.clock.now() > self._until:
            return
        self.turns += 1
        sandbox.advance(0.1)  # the manager is quicker
        path = f"/api/v1/namespaces/default/replicationcontrollers/{NAME}"
        patch = {"spec": {"replicas": self.size}}
        sandbox.request("PATCH", path, {}, patch, content_type="application/merge-patch+json")


def fought(world: World, seconds: float, **policy: Any) -> Rival:
    rival = Rival(world, seconds=seconds)
    world.update(to_image(**policy), after=rival)
    return rival


@pytest.mark.parametrize("lets_go", [True, False])
def test_the_new_controller_is_set_to_0_again_and_again(*, lets_go: bool) -> None:
    """It counts once, as a scale-down does; the service is not scaled away turn by turn."""
    world = World(my_nginx(replicas=5))

    def rival(_number: int) -> None:
        for name, found in world.controllers().items():
            if name != NAME and found["spec"]["replicas"] and not (lets_go and world.sandbox.now() > 100.0):
                path = f"/api/v1/namespaces/default/replicationcontrollers/{name}"
                patch = {"spec": {"replicas": 0}}
                world.sandbox.request("PATCH", path, {}, patch, content_type="application/merge-patch+json")

    if lets_go:
        world.update(to_image(), after=rival)
        world.assert_clean(NAME, "nginx:1.9.1", 4)
    else:
        with pytest.raises(FailureError, match="timed out"):
            world.update(to_image(timeout=60.0), after=rival)
    assert world.least_available >= 4
    assert len(told(world)) == 1


def told(world: World) -> list[SizeContested]:
    return [event for event in world.events if isinstance(event, SizeContested)]


@pytest.mark.parametrize(
    ("arrange", "by"),
    [
        (lambda world: world.sandbox.create(autoscaler(NAME)), 'HorizontalPodAutoscaler "web"'),
        (lambda world: world.sandbox.create(autoscaler("other")), "another client"),
    ],
    ids=["autoscaler", "unknown"],
)
def test_a_size_is_put_back_again_and_again(arrange: Callable[[World], object], by: str) -> None:
    """For two minutes: one line that names who it is, few writes, few pods killed. Then it lets go, and the
    update is completed."""
    world = World()
    arrange(world)
    rival = fought(world, 120.0)
    world.assert_clean(NAME, "nginx:1.9.1", 3)
    assert told(world) == [SizeContested(NAME, 3, by)]
    assert rival.turns <= 10
    assert rival.killed <= rival.turns + 3 + 3  # three old pods go in the end
    assert len([event for event in world.events if isinstance(event, ScaledByOthers)]) == 3
    assert len([event for event in world.events if isinstance(event, Scaled)]) <= rival.turns + 6
    assert world.least_available >= 3


def test_it_goes_on_soon_after_the_other_has_let_go() -> None:
    """However long it was waited for."""
    world = World()
    start = world.sandbox.clock.now()
    fought(world, 120.0)
    assert world.sandbox.clock.now() - start < 120.0 + LONGEST + 10.0


def test_it_never_lets_go() -> None:
    """A size that is put back is no progress: the update stops after --timeout, and says who does it."""
    world = World()
    world.sandbox.create(autoscaler(NAME))
    start = world.sandbox.clock.now()
    with pytest.raises(FailureError) as caught:
        fought(world, 1e6, timeout=60.0)
    assert world.sandbox.clock.now() - start < 100.0
    assert caught.value.hint == (
        'HorizontalPodAutoscaler "web" changes the size of my-nginx back again and again'
    )
    world.update(to_image(rollback=True))
    world.assert_clean(NAME, "nginx:1.7.9", 3)


def test_who_it_is_may_not_be_seen() -> None:
    """Then it is another client."""

    class Blind(SandboxCluster):
        def list_referring(self, kind: str) -> list[Json]:
            raise ApiError(403, "Forbidden", "no")

    world = World()
    cluster = Blind(world.sandbox)
    cluster.after = Rival(world, seconds=30.0)
    world.update_with(cluster, to_image())
    (contested,) = told(world)
    assert contested.by == "another client"
    assert contested.problem.endswith(": no")
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_scaling_by_hand_is_no_contest() -> None:
    """A size set now and then counts at once, as ever."""
    world = World()
    sizes = iter((4, 5))

    def scales(number: int) -> None:
        if number in (6, 9):
            path = f"/api/v1/namespaces/default/replicationcontrollers/{NAME}"
            patch = {"spec": {"replicas": next(sizes)}}
            world.sandbox.request("PATCH", path, {}, patch, content_type="application/merge-patch+json")

    world.update(to_image(), after=scales)
    assert not told(world)
    assert world.sandbox.clock.now() < 60.0


# --- controllers that are controlled ---


def test_a_controller_of_something_else_is_not_updated() -> None:
    """Its owner would set it right again: refused before anything is written, with what to change instead."""
    world = World()
    give(world, owner(world))
    before = world.controllers(), world.sandbox.pods()
    with pytest.raises(RefusedError) as caught:
        world.update(to_image())
    assert (world.controllers(), world.sandbox.pods()) == before
    assert caught.value.message == (
        'ReplicationController "my-nginx" is controlled by ConfigMap "web", which would undo the '
        "update; nothing was changed"
    )
    assert caught.value.hint == "change the pod template of that object instead: kubectl edit configmap web"


@pytest.mark.parametrize("back", [True, False], ids=["rolled back", "resumed"])
def test_what_is_in_progress_is_ended_all_the_same(back: bool) -> None:
    """An owner that came in the middle holds neither direction up."""
    world = World()
    with pytest.raises(Killed):
        world.update(to_image(), after=killed(6))
    give(world, owner(world))
    world.update(to_image(rollback=back))
    world.sandbox.settle()
    assert list(world.controllers()) == [NAME]
    image = "nginx:1.7.9" if back else "nginx:1.9.1"
    assert {pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods()} == {image}


def test_an_undo_is_a_rollback() -> None:
    """It is not refused for an owner."""
    world = World()
    world.update(to_image())
    give(world, owner(world))
    world.update(asking(name=NAME, rollback=True, to_revision=0, history_limit=10))
    assert {pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods()} == {"nginx:1.7.9"}


def test_an_owner_that_does_not_control_it() -> None:
    """It is no reason for anything."""
    world = World()
    give(world, owner(world, controller=False))
    world.update(to_image())
    world.sandbox.settle()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods()} == {"nginx:1.9.1"}
