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
from rollupdate.errors import EditedError, RefusedError, RollingUpdateError, StoppedError
from rollupdate.events import TemplateRestored
from testing.objects import Json
from testing.sandbox.objects import is_active
from tests.engine.inprocess import Killed, killed
from tests.engine.test_kills import BARE, LABELLED, NEW, OLD
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking
from tests.support.effort import some
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


def stopped_by(world: World, write: int, act: Edit) -> bool:
    """Whether an update stops if that is done right before that write."""

    def disturb(number: int) -> None:
        if number == write:
            act(world)

    try:
        world.update(to_image(timeout=60.0), before=disturb)
    except (StoppedError, RefusedError):
        return True
    return False


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


@pytest.mark.sweep
@pytest.mark.parametrize("edit", EDITS)
def test_at_every_write(edit: Edit) -> None:
    """Before any write of a run: it is refused, stops, or was finished; a rollback and then the update end
    clean, and the history has nothing that never ran."""
    for manifest in (BARE, LABELLED):
        for write in some(range(1, 30), 2):
            world = World(manifest)
            if not stopped_by(world, write, edit):
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


@pytest.mark.parametrize("write", [3, 6, 9])
def test_both_have_lost_all_our_annotations(write: int) -> None:
    """Nothing says any more that the two belong together: it stops, and says so."""
    world = World(LABELLED)

    def disturb(number: int) -> None:
        if number == write:
            for name in world.controllers():
                forget(world, name)

    with pytest.raises(RollingUpdateError, match="taken the annotations of the update off both controllers"):
        world.update(to_image(), before=disturb)
    assert world.least_available >= 2


@pytest.mark.parametrize(
    ("wanted", "command"),
    [
        (HALF, f"{NAME} ..."),
        (to_file(my_nginx_v4(2), pause_at=HALF.policy.pause_at), f"{NAME} my-nginx-v4 ..."),
    ],
    ids=["image", "file"],
)
def test_the_old_one_was_deleted(wanted: Asking, command: str) -> None:
    """There is nothing to go back to, which the rollback says; the command that began it completes it."""
    world = half_way(LABELLED, wanted)
    world.sandbox.delete("replicationcontrollers", "default", NAME)
    world.sandbox.settle()
    before = world.controllers()
    with pytest.raises(RefusedError, match="there is nothing to go back to") as caught:
        world.update(BACK if wanted is HALF else to_file(my_nginx_v4(2), rollback=True))
    assert str(caught.value.hint).endswith(f": kubectl rolling-update {command}")
    assert world.controllers() == before
    world.update(wanted)
    (completed,) = world.controllers().values()
    assert completed["spec"]["replicas"] == 2


def new_of(world: World) -> str:
    (new,) = (name for name in world.controllers() if name != NAME)
    return new


@pytest.mark.parametrize("wanted", [HALF, to_image(EDITED)], ids=["the same", "the edited image"])
def test_the_new_one_was_edited(wanted: Asking) -> None:
    """The command that began it is still that of this update, whatever image another client has set; neither
    gets on, and status says so."""
    world = half_way()
    world.sandbox.settle()
    new = new_of(world)
    patch(world, new, {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": EDITED})
    controllers = {name: Controller.parse(found) for name, found in world.controllers().items()}
    assert update_status(NAME, controllers).note == (
        f"the template of {new} was edited during the update; roll back, then update again"
    )
    before = world.controllers()
    with pytest.raises(EditedError, match="its pods are no longer all alike"):
        world.update(wanted)
    assert {name: found["spec"] for name, found in world.controllers().items()} == {
        name: found["spec"] for name, found in before.items()
    }
    world.update(BACK)
    world.assert_clean(NAME, OLD, 2)


def test_another_update_beside_an_edited_one() -> None:
    """No command continues it as it is: only the rollback is named."""
    world = half_way()
    new = new_of(world)
    patch(world, new, {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": EDITED})
    with pytest.raises(RefusedError) as caught:
        world.update(to_image("nginx:1.11"))
    assert caught.value.message == (
        f'the pod template of replicationcontroller "{new}" was edited by another client during the update; '
        "nothing was changed"
    )
    assert caught.value.hint == (
        f"roll that update back, then run the new one: kubectl rolling-update {NAME} --rollback"
    )


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


def forget(world: World, name: str) -> None:
    """What ``kubectl replace`` of a file does to our annotations."""
    found = world.controller(name)["metadata"].get("annotations") or {}
    gone = dict.fromkeys(found)
    world.sandbox.patch("replicationcontrollers", "default", name, {"metadata": {"annotations": gone}})


@pytest.mark.parametrize("tried", [True, False], ids=["continued first", "rolled back at once"])
@pytest.mark.parametrize("edit", EDITS)
def test_edited_by_a_file_that_has_none_of_our_annotations(edit: Edit, tried: bool) -> None:
    """`kubectl replace -f` of the old controller, in mid-update: the new one still knows which template the
    pods are of. So it is an edit like any other."""
    world = half_way()
    edit(world)
    forget(world, NAME)
    if tried:
        with pytest.raises(StoppedError, match="was edited by another client"):
            world.update(HALF)
    world.update(BACK)
    after = world.assert_clean(NAME, OLD, 2)
    assert after["spec"] == world.before["spec"]
    assert ran(world) in ([], [OLD])


def test_replaced_as_it_was() -> None:
    """The same file without an edit: it goes on."""
    world = half_way()
    forget(world, NAME)
    world.update(to_image())
    world.assert_clean(NAME, NEW, 2)
    assert ran(world) == [OLD, NEW]


@pytest.mark.parametrize("rollback", [False, True], ids=["continued", "rolled back"])
@pytest.mark.parametrize("manifest", [BARE, LABELLED], ids=["first update", "second update"])
def test_the_new_one_has_lost_all_our_annotations(manifest: Json, rollback: bool) -> None:
    """`kubectl replace -f` of the new controller half way: the old one has pods yet, so the finish has not
    been there, and the service keeps its size."""
    world = half_way(manifest)
    forget(world, new_of(world))
    world.update(BACK if rollback else to_image())
    world.assert_clean(NAME, OLD if rollback else NEW, 2)
    assert (world.least_available, world.most_pods) == (2, 3)
