"""Another client edits the template of the old controller in mid-update: `kubectl apply`, `edit`, `set
image`.

Its pods stay what they are, as no ReplicationController restarts a pod for that. So the update stops; a
rollback puts back the template that the pods are of; and nothing that never ran is kept as what ran."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount
from rollupdate.core.model.controller import Controller
from rollupdate.core.status.update_status import update_status
from rollupdate.errors import RefusedError, StoppedError
from rollupdate.events import TemplateRestored
from testing.objects import Json
from testing.sandbox.objects import is_active
from tests.engine.inprocess import Killed, killed
from tests.engine.test_kills import BARE, LABELLED, NEW, OLD
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking
from tests.support.manifests import my_nginx_v4

EDITED = "nginx:1.8"
HALF = to_image(pause_at=(Amount.parse("50%"),))
BACK = to_image(rollback=True, timeout=60.0)
Edit = Callable[[World], None]


def patch(world: World, name: str, *operations: Json) -> None:
    world.sandbox.patch("replicationcontrollers", "default", name, list(operations))


def image(world: World) -> None:
    path = "/spec/template/spec/containers/0/image"
    patch(world, NAME, {"op": "replace", "path": path, "value": EDITED})


def variable(world: World) -> None:
    path = "/spec/template/spec/containers/0/env"
    patch(world, NAME, {"op": "add", "path": path, "value": [{"name": "MODE", "value": "x"}]})


def annotation(world: World) -> None:
    path = "/spec/template/metadata/annotations"
    patch(world, NAME, {"op": "add", "path": path, "value": {"prometheus.io/scrape": "true"}})


def sidecar(world: World) -> None:
    path = "/spec/template/spec/containers/-"
    patch(world, NAME, {"op": "add", "path": path, "value": {"name": "log", "image": "log:1"}})


EDITS = [image, variable, annotation, sidecar]


def half_way(manifest: Json = LABELLED, request: Asking = HALF) -> World:
    world = World(manifest)
    world.update(request)
    assert world.paused
    return world


def ran(world: World) -> list[str]:
    """The images of the history, the oldest first."""
    found = world.sandbox.objects("controllerrevisions", "default")
    ordered = sorted(found, key=lambda revision: revision["revision"])
    return [revision["data"]["spec"]["template"]["spec"]["containers"][0]["image"] for revision in ordered]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("manifest", [BARE, LABELLED], ids=["first update", "second update"])
def test_forwards_it_stops_and_back_it_is_undone(edit: Edit, manifest: Json) -> None:
    """Half way, then an edit. The same command stops, status 3, and changes nothing; the rollback goes back
    to what ran, the template as it was, and says that it restored it."""
    world = half_way(manifest)
    edit(world)
    before = world.controllers()
    with pytest.raises(StoppedError) as caught:
        world.update(HALF)
    assert f'the pod template of replicationcontroller "{NAME}" was edited by another client' in str(
        caught.value
    )
    assert caught.value.hint is not None
    assert {name: found["spec"] for name, found in world.controllers().items()} == {
        name: found["spec"] for name, found in before.items()
    }
    world.update(BACK)
    after = world.assert_clean(NAME, OLD, 2)
    assert after["spec"] == world.before["spec"]
    assert [event.controller for event in world.events if isinstance(event, TemplateRestored)] == [NAME]
    assert (world.least_available, world.most_pods) == (2, 3)


@pytest.mark.parametrize("edit", EDITS)
def test_at_every_write(edit: Edit) -> None:
    """Before any write of a run: it is refused, stops, or was finished; a rollback and then the update end
    clean, and the history has nothing that never ran."""
    for manifest in (BARE, LABELLED):
        for write in range(1, 30):
            world = World(manifest)

            def disturb(number: int, world: World = world, write: int = write) -> None:
                if number == write:
                    edit(world)

            try:
                world.update(to_image(timeout=60.0), before=disturb)
            except (StoppedError, RefusedError):
                pass
            else:
                continue  # the edit is one of the finished controller, and stays
            try:
                world.update(BACK)
            except RefusedError:
                assert list(world.controllers()) == [NAME], write
                continue
            world.sandbox.settle()
            assert list(world.controllers()) == [NAME], write
            containers = {
                pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods() if is_active(pod)
            }
            assert containers == {OLD}, write
            assert EDITED not in ran(world), write


def test_status_says_so() -> None:
    world = half_way()
    image(world)
    controllers = {name: Controller.parse(found) for name, found in world.controllers().items()}
    said = update_status(NAME, controllers).note
    assert said == f"the template of {NAME} was edited during the update; a rollback restores it"


def test_supersede_is_refused() -> None:
    """A third version made from an edited template would carry the edit along, unsaid."""
    world = half_way()
    image(world)
    before = world.controllers()
    with pytest.raises(RefusedError) as caught:
        world.update(to_image("nginx:1.11", supersede=True))
    assert f'"{NAME}" was edited by another client during the update; nothing was changed' in str(
        caught.value
    )
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"kubectl rolling-update {NAME} --rollback")
    assert world.controllers() == before


def test_put_back_by_its_owner_it_goes_on() -> None:
    world = half_way()
    image(world)
    with pytest.raises(StoppedError):
        world.update(HALF)
    patch(world, NAME, {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": OLD})
    world.update(to_image())
    world.assert_clean(NAME, NEW, 2)
    assert ran(world) == [OLD, NEW]


def test_an_update_to_a_file_of_another_name() -> None:
    """The same: what goes back is the old controller as it was."""
    request = to_file(my_nginx_v4(2), pause_at=(Amount.parse("50%"),))
    world = half_way(LABELLED, request)
    variable(world)
    with pytest.raises(StoppedError):
        world.update(request)
    world.update(to_file(my_nginx_v4(2), rollback=True))
    after = world.assert_clean(NAME, OLD, 2)
    assert after["spec"] == world.before["spec"]


@pytest.mark.parametrize("write", range(1, 7))
def test_a_rollback_that_is_killed_restores_it_too(write: int) -> None:
    world = half_way()
    image(world)
    try:
        world.update(BACK, after=killed(write))
    except Killed:
        world.update(BACK)
    after = world.assert_clean(NAME, OLD, 2)
    assert after["spec"] == world.before["spec"]


def test_edited_again_and_again() -> None:
    """A deployment tool that applies its file every few seconds: no fight, a stop that says so."""
    world = half_way()
    image(world)
    turns: list[int] = []

    def apply_again(number: int) -> None:
        found = world.controller(NAME)["spec"]["template"]["spec"]["containers"][0]["image"]
        if found == OLD and len(turns) < 20:
            turns.append(number)
            image(world)

    with pytest.raises(StoppedError) as caught:
        world.update(BACK, after=apply_again)
    assert "again, after it had been restored" in str(caught.value)
    assert len(turns) == 1
    world.update(BACK)
    world.assert_clean(NAME, OLD, 2)


@pytest.mark.parametrize("lost", ["", "[]", "{", '[[["spec","containers",7,"image"],"x"]]'])
def test_what_it_was_is_lost(lost: str) -> None:
    """Its annotation is gone, or is nonsense: the rollback stops, and the command that it prints accepts
    the edit."""
    world = half_way()
    (new,) = [name for name in world.controllers() if name != NAME]
    path = f"/metadata/annotations/{record.TEMPLATE_BEFORE.replace('/', '~1')}"
    patch(
        world, new, {"op": "replace", "path": path, "value": lost} if lost else {"op": "remove", "path": path}
    )
    variable(world)
    with pytest.raises(StoppedError) as caught:
        world.update(BACK)
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"kubectl annotate rc {NAME} {record.TEMPLATE_SEEN}-")
    key = f"/metadata/annotations/{record.TEMPLATE_SEEN.replace('/', '~1')}"
    patch(world, NAME, {"op": "remove", "path": key})
    world.update(BACK)
    world.assert_clean(NAME, OLD, 2)


def test_edited_and_the_new_controller_deleted() -> None:
    """Nothing says any more what ran: no pod of another template is made unasked."""
    world = half_way()
    (new,) = [name for name in world.controllers() if name != NAME]
    image(world)
    world.sandbox.delete("replicationcontrollers", "default", new)
    world.sandbox.settle()
    with pytest.raises(StoppedError) as caught:
        world.update(BACK)
    assert "was edited by another client during the update" in str(caught.value)
    assert world.controller(NAME)["spec"]["replicas"] == 1
