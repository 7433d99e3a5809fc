"""``--status -w`` beside an update that ends while it is being looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from rollupdate.core.model.budget import Amount
from rollupdate.engine.watch_status import Look, follow
from rollupdate.errors import ApiError, UnreachableError
from rollupdate.report.status import body, one_line
from testing.objects import Json
from tests.engine.inprocess import FakeClock, SandboxCluster
from tests.engine.migrations import NAME, Migrations, up
from tests.engine.world import World, to_image
from tests.support.manifests import my_nginx


@dataclass
class Watched(SandboxCluster):
    """Before the controllers are listed, something happens that the one who looks does not know of."""

    happens: Callable[[], object] = lambda: None

    def list_controllers(self) -> list[Json]:
        self.happens()
        return super().list_controllers()


def following(
    cluster: Watched, unreachable: Callable[[str], None] = lambda problem: None, name: str = "my-nginx"
) -> Iterator[Look]:
    return follow(
        cluster, FakeClock(cluster.sandbox), name, timeout=0, poll_interval=3, unreachable=unreachable
    )


def test_an_update_to_another_name_ends_in_the_middle_of_a_look() -> None:
    """The old controller goes right before the list is read: the new one is what is told of then."""
    world = World(my_nginx(replicas=2, labels={"deployment": "v1"}))
    cluster = Watched(world.sandbox)
    world.update(to_image(new_name="next", pause_at=(Amount.parse("1"),)))
    assert world.paused
    told = following(cluster)
    seen, _ = next(told)
    assert (seen.name, seen.in_progress) == ("my-nginx", True)

    def finish() -> None:
        cluster.happens = lambda: None
        world.update(to_image(new_name="next"))

    cluster.happens = finish
    *_, (seen, _) = told
    assert (seen.name, seen.in_progress) == ("next", False)


def test_a_server_that_has_answered_once_may_be_away() -> None:
    """Also right after the first answer, before anything was told."""
    world = World(my_nginx(replicas=2, labels={"deployment": "v1"}))
    cluster = Watched(world.sandbox)
    world.update(to_image(new_name="next", pause_at=(Amount.parse("1"),)))
    answers = iter([True, False, True])

    def some_answer() -> None:
        if not next(answers):
            raise UnreachableError("away")

    cluster.happens = some_answer
    problems: list[str] = []
    seen, _ = next(following(cluster, problems.append))
    assert (seen.in_progress, problems) == (True, ["away"])


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    world = World(my_nginx(replicas=2, labels={"deployment": "v1"}))

    def unreachable() -> None:
        raise UnreachableError("away")

    with pytest.raises(UnreachableError):
        next(following(Watched(world.sandbox, happens=unreachable)))


@pytest.mark.parametrize("keep", [False, True], ids=["deleted", "kept"])
def test_pods_that_go_to_a_deployment(keep: bool) -> None:
    """At the end the controller is gone, or has no pods: where they are is what is told last."""
    world = Migrations()
    assert world.killed_at(up(keep=keep), 8, before=False)
    cluster = Watched(world.sandbox)
    told = following(cluster, name=NAME)
    (seen, why) = next(told)
    assert seen.in_progress
    assert one_line(seen, why) == "web: its pods are on their way to deployment/web"

    def finish() -> None:
        cluster.happens = lambda: None
        world.run(up(keep=keep))

    cluster.happens = finish
    *_, (seen, why) = told
    assert not seen.in_progress
    assert one_line(seen, why) == "web: its pods have gone to deployment/web"
    assert body(seen, why)["movedTo"] == "deployment/web"


def test_a_controller_that_is_deleted_on_its_way() -> None:
    """By another client, so nothing has its pods."""
    world = Migrations()
    assert world.killed_at(up(), 8, before=False)
    cluster = Watched(world.sandbox)
    told = following(cluster, name=NAME)
    next(told)
    world.sandbox.delete("replicationcontrollers", "default", NAME)
    with pytest.raises(ApiError, match='replicationcontrollers "web" not found'):
        list(told)
