"""Updates that the command of kubectl 1.17 began and did not finish, stopped after each of its writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollupdate.core.model import record
from rollupdate.errors import ApiError, RefusedError
from tests.engine.world import NAME, World, to_image
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
OLD_HASH, NEW_HASH = "2d1d7a8f682934a254002b56404b813e-orig", "ccba8fbd8cc8160970f63f9a2696fc46"
NEXT = f"{NAME}-{NEW_HASH}"
RC = "replicationcontrollers"


class OldCommand:
    """Its writes for an image update of two pods that keeps the name, in its order."""

    def __init__(self, world: World) -> None:
        self.world = world
        pods = [pod["metadata"]["name"] for pod in world.sandbox.pods()]
        self.writes: list[Callable[[], Any]] = [
            self.label_template,
            *(lambda name=name: self.label_pod(name) for name in pods),
            self.label_selector,
            self.create,
            lambda: self.annotate(NAME, {record.ORIGINAL_REPLICAS: "2"}),
            lambda: self.scale(NEXT, 1),
            lambda: self.scale(NAME, 1),
            lambda: self.scale(NEXT, 2),
            lambda: self.scale(NAME, 0),
            lambda: self.annotate(NEXT, {record.SOURCE_ID: None, record.DESIRED_REPLICAS: None}),
            lambda: world.sandbox.delete(RC, "default", NAME),
        ]

    def run(self, count: int) -> None:
        """The first ``count`` writes, the cluster settled after each."""
        for write in self.writes[:count]:
            write()
            self.world.sandbox.settle()

    def annotate(self, name: str, annotations: dict[str, str | None]) -> None:
        self.world.sandbox.patch(RC, "default", name, {"metadata": {"annotations": annotations}})

    def scale(self, name: str, replicas: int) -> None:
        self.world.sandbox.scale("default", name, replicas)

    def label_template(self) -> None:
        labels = {"metadata": {"labels": {"deployment": OLD_HASH}}}
        self.world.sandbox.patch(RC, "default", NAME, {"spec": {"template": labels}})

    def label_pod(self, name: str) -> None:
        labels = {"metadata": {"labels": {"deployment": OLD_HASH}}}
        self.world.sandbox.patch("pods", "default", name, labels)

    def label_selector(self) -> None:
        selector = {"spec": {"selector": {"deployment": OLD_HASH}}}
        marks = {"metadata": {"annotations": {record.NEXT_CONTROLLER: NEXT}}}
        self.world.sandbox.patch(RC, "default", NAME, {**selector, **marks})

    def create(self) -> None:
        manifest = my_nginx(NEXT, image=NEW, replicas=0, labels={"deployment": NEW_HASH}, selector=True)
        uid = self.world.controller(NAME)["metadata"]["uid"]
        manifest["metadata"]["annotations"] = {
            record.SOURCE_ID: f"{NAME}:{uid}",
            record.DESIRED_REPLICAS: "2",
        }
        self.world.sandbox.create(manifest)


STRIPPED, DELETED = 11, 12
COUNTS = range(DELETED + 1)


def stopped_after(count: int) -> World:
    world = World(my_nginx(replicas=2))
    command = OldCommand(world)
    assert len(command.writes) == DELETED
    command.run(count)
    return world


@pytest.mark.parametrize("count", COUNTS)
def test_the_same_command_continues(count: int) -> None:
    """From each of its states, also when only the temporary controller is left."""
    world = stopped_after(count)
    world.update(to_image(NEW))
    after = world.assert_clean(NAME, NEW, 2)
    assert world.least_available >= 2
    assert world.most_pods <= 3
    if count < DELETED:
        assert after["metadata"]["uid"] == world.before["metadata"]["uid"]


@pytest.mark.parametrize("count", COUNTS)
def test_the_rollback_goes_back(count: int) -> None:
    """From each of its states to two old pods; where nothing tells of an update, nothing is done."""
    world = stopped_after(count)
    known = count >= 4
    if count == DELETED:
        with pytest.raises(ApiError, match="not found"):
            world.update(to_image(NEW, rollback=True))
        assert world.available == 2
        return
    if known:
        world.update(to_image(NEW, rollback=True))
    else:
        with pytest.raises(RefusedError, match="Could not find my-nginx to rollback"):
            world.update(to_image(NEW, rollback=True))
    world.assert_clean(NAME, OLD, 2)
    assert world.least_available >= 2
    assert world.most_pods <= 3


def test_what_a_finished_update_of_the_old_command_left_is_not_taken_for_a_size() -> None:
    """It never removes its annotations from the old controller's successor: stale ones are replaced."""
    world = World(my_nginx(replicas=2))
    stale = {record.ORIGINAL_REPLICAS: "7", record.NEXT_CONTROLLER: "long-gone"}
    OldCommand(world).annotate(NAME, dict(stale))
    world.update(to_image(NEW))
    world.assert_clean(NAME, NEW, 2)
    assert world.most_pods <= 3
