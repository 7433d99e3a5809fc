"""``--status -w`` beside an update that ends while it is being looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollupdate.core.budget import Amount
from rollupdate.engine.following import follow
from testing.kubeconfig import Json
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.engine.world import World, to_image
from tests.support.manifests import my_nginx


@dataclass
class Watched(SandboxCluster):
    """Before the controllers are listed, something happens that the one who looks does not know of."""

    happens: Callable[[], object] = lambda: None

    def list_controllers(self) -> list[Json]:
        self.happens()
        return super().list_controllers()


def test_an_update_to_another_name_ends_in_the_middle_of_a_look() -> None:
    """The old controller goes right before the list is read: the new one is what is told of then."""
    world = World(my_nginx(replicas=2, labels={"deployment": "v1"}))
    cluster = Watched(world.sandbox)
    world.update(to_image(new_name="next", pause_at=(Amount.parse("1"),)))
    assert world.paused
    told = follow(
        cluster,
        FakeClock(world.sandbox),
        "my-nginx",
        timeout=0,
        poll_interval=3,
        away=lambda problem: None,
    )
    seen, _ = next(told)
    assert (seen.name, seen.in_progress) == ("my-nginx", True)

    def finish() -> None:
        cluster.happens = lambda: None
        world.update(to_image(new_name="next"))

    cluster.happens = finish
    *_, (seen, _) = told
    assert (seen.name, seen.in_progress) == ("next", False)
