"""What others do while pods change owners: scale, edit, replace, delete; and what pods do."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

import pytest

from rollupdate.core.model import record
from rollupdate.errors import RollingUpdateError
from rollupdate.events import ScaledByOthers
from testing.objects import Json
from testing.sandbox import Sandbox
from testing.sandbox.objects import controller_of
from tests.engine import moves
from tests.engine.moves import BACK, NEW, OLD, RUNGS, SIZE, UPDATE, Moves, Rung
from tests.engine.world import NAME
from tests.support.asking import Asking
from tests.support.effort import some

HELD = (moves.new_held, moves.both_held, moves.some_moved, moves.all_moved)
at_each_rung = pytest.mark.parametrize("rung", RUNGS[1:], ids=[rung.__name__ for rung in RUNGS[1:]])
while_held = pytest.mark.parametrize("rung", HELD, ids=[rung.__name__ for rung in HELD])
once_both_are = pytest.mark.parametrize("rung", HELD[1:], ids=[rung.__name__ for rung in HELD[1:]])
which_way = pytest.mark.parametrize("asked", [UPDATE, BACK], ids=["forwards", "back"])
SECOND = 1.0
"""In which the manager does what it was told."""


def replaced(world: Moves, controller: Json, change: Callable[[Json], object]) -> None:
    """``kubectl replace``: the whole object, on no condition."""
    obj = copy.deepcopy(controller)
    obj.pop("status")
    for field in ("uid", "resourceVersion", "generation", "creationTimestamp"):
        del obj["metadata"][field]
    change(obj)
    path = f"/api/v1/namespaces/default/replicationcontrollers/{obj['metadata']['name']}"
    assert world.sandbox.request("PUT", path, body=obj).ok


def without_class(obj: Json) -> None:
    del obj["spec"]["template"]["spec"]["priorityClassName"]


def without_anything_of_ours(obj: Json) -> None:
    without_class(obj)
    for key in record.KEYS:
        obj["metadata"]["annotations"].pop(key, None)


def with_image(world: Moves, controller: Json, image: str) -> None:
    path = "/spec/template/spec/containers/0/image"
    patch = [{"op": "replace", "path": path, "value": image}]
    world.sandbox.patch("replicationcontrollers", "default", controller["metadata"]["name"], patch)


def deleted(world: Moves, controller: Json) -> None:
    """``kubectl delete``: its pods go as well, unless another owner has them."""
    world.sandbox.delete("ReplicationController", "default", controller["metadata"]["name"], "Background")


def stopped(world: Moves, rung: Rung, happens: Callable[[], object], asked: Asking = UPDATE) -> str:
    """The run stops after that; with these words."""
    with pytest.raises(RollingUpdateError) as caught:
        world.disturbed_at(rung, happens, asked)
    return caught.value.message


# --- sizes ---


@which_way
@at_each_rung
@pytest.mark.parametrize("size", [3, 7])
def test_the_kept_controller_is_scaled(rung: Rung, size: int, asked: Asking) -> None:
    """The size is what is had in the end, either way. At 0 it has asked for nothing: only more counts."""
    world = Moves()
    world.killed_at(rung)
    world.sandbox.scale("default", NAME, size)
    world.update(asked)
    expected = SIZE if rung is moves.new_held and (size < SIZE or asked is BACK) else size
    if rung is moves.new_held and asked is BACK and size > SIZE:
        expected = size
    world.sandbox.settle()
    assert world.alone == []
    world.assert_updated(expected) if asked is UPDATE else world.assert_as_before(expected)
    assert world.least_available >= min(size, SIZE)


@which_way
@while_held
@pytest.mark.parametrize("size", [3, 7])
def test_the_temporary_controller_is_scaled(rung: Rung, size: int, asked: Asking) -> None:
    """It counts as if the other one were scaled, and is told once."""
    world = Moves()
    world.killed_at(rung)
    world.sandbox.scale("default", world.new["metadata"]["name"], size)
    world.update(asked)
    assert world.alone == []
    world.assert_updated(size) if asked is UPDATE else world.assert_as_before(size)
    assert [event.goal for event in world.events if isinstance(event, ScaledByOthers)] == [size]


@pytest.mark.parametrize("rung", [moves.emptied, moves.cleaned])
def test_the_temporary_controller_is_scaled_when_it_is_empty(rung: Rung) -> None:
    """The pods that it makes match no other selector. They go before it gets its former one: else nobody
    would own them."""
    world = Moves()
    world.killed_at(rung)
    world.sandbox.scale("default", world.new["metadata"]["name"], 3)
    world.sandbox.advance(SECOND)
    world.update(BACK)
    assert world.alone == []
    world.assert_as_before()


# --- specifications ---


@once_both_are
@pytest.mark.parametrize("which", ["old", "new"])
def test_the_image_is_changed(rung: Rung, which: str) -> None:
    """``kubectl apply`` leaves the hold. The template is not that of the pods: it is not lifted blindly."""
    world = Moves()
    said = stopped(world, rung, lambda: with_image(world, getattr(world, which), "nginx:9"))
    assert said.startswith(f'the pod template of replicationcontroller "{NAME}"') or "edited" in said
    world.assert_kept()
    world.rolled_back()
    assert world.alone == []
    world.assert_as_before()


def goes_on(rung: Rung, act: Callable[[Moves], object]) -> None:
    """Whatever it makes for a second, the pods that were there are those that stay."""
    world = Moves()
    pods: set[str] = set()

    def happens() -> None:
        pods.update(world.names())
        act(world)
        world.sandbox.advance(SECOND)

    world.disturbed_at(rung, happens)
    world.assert_updated()
    assert world.alone == []
    assert world.names() == pods
    assert world.least_available == SIZE


@at_each_rung
@pytest.mark.parametrize("which", ["old", "new"])
def test_the_hold_is_taken_off(rung: Rung, which: str) -> None:
    """``kubectl replace`` without the class: it makes pods for those that have not come yet, which go again;
    those of the update are those that stay."""

    def act(world: Moves) -> None:
        if moves.is_held(getattr(world, which)):
            replaced(world, getattr(world, which), without_class)

    goes_on(rung, act)


@once_both_are
@pytest.mark.parametrize("which", ["old", "new"])
def test_the_hold_and_our_annotations_are_taken_off(rung: Rung, which: str) -> None:
    """The other one says what is needed to go on."""
    goes_on(rung, lambda world: replaced(world, getattr(world, which), without_anything_of_ours))


@which_way
def test_the_annotations_are_taken_off_the_old_one_at_0(asked: Asking) -> None:
    """What size it is to have again stands on the new one, too."""
    world = Moves()
    world.killed_at(moves.new_held)
    replaced(
        world,
        world.old,
        lambda obj: [obj["metadata"]["annotations"].pop(key, None) for key in record.KEYS],
    )
    world.update(asked)
    world.assert_updated() if asked is UPDATE else world.assert_as_before()
    assert world.least_available == SIZE


@which_way
@at_each_rung
def test_the_kept_controller_is_replaced_by_its_old_file(rung: Rung, asked: Asking) -> None:
    """Old selector, old template, its size: it releases what it has and makes old pods. The command stops;
    either command ends it then, and the new pods have run all the time."""
    world = Moves()

    def happens() -> None:
        spec = copy.deepcopy(world.before["spec"])
        replaced(world, world.before, lambda obj: obj.update(spec=spec))
        world.sandbox.advance(SECOND)

    assert "another client" in stopped(world, rung, happens)
    world.sandbox.settle()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods()} == {OLD, NEW}
    world.update(asked)
    world.assert_updated() if asked is UPDATE else world.assert_as_before()
    assert world.least_available == SIZE


# --- deletions ---


@pytest.mark.parametrize("wait", [0.0, SECOND], ids=["at once", "later"])
@at_each_rung
def test_the_kept_controller_is_deleted(rung: Rung, wait: float) -> None:
    """The pods are with the temporary one again, which makes pods again; the message says so. Those that bear
    no trace of the move any more go with their owner, as is asked for."""
    world = Moves()

    def happens() -> None:
        deleted(world, world.old)
        world.sandbox.advance(wait)

    said = stopped(world, rung, happens)
    world.sandbox.settle()
    (left,) = world.controllers().values()
    kept = 0 if rung is moves.cleaned else SIZE
    assert f"{left['metadata']['name']} keeps running with {kept} pods as it is" in said
    assert not world.held()
    assert (world.made, len(set(world.gone))) == ([], SIZE - kept)
    assert len(world.owned(left)) == left["spec"]["replicas"] == kept
    if kept:
        world.update(UPDATE)
        world.assert_updated()


@at_each_rung
def test_the_temporary_controller_is_deleted(rung: Rung) -> None:
    """Pods that had not been moved go with it; the kept one is held no longer, and makes them anew."""
    world = Moves()
    there = 0

    def happens() -> None:
        nonlocal there
        there = len(world.owned(world.old))
        deleted(world, world.new)
        world.sandbox.advance(SECOND)

    if rung is moves.new_held:  # all that there was of the new specification is gone
        assert "was deleted by another client during the update; my-nginx has 0 pods" in stopped(
            world, rung, happens
        )
        assert not world.held()
        world.rolled_back()
        world.assert_as_before()
        return
    world.disturbed_at(rung, happens)
    world.assert_updated()
    assert len(set(world.gone)) == len(world.made) == SIZE - there
    assert world.alone == []


@which_way
@once_both_are
def test_the_temporary_controller_is_deleted_while_nobody_looks(rung: Rung, asked: Asking) -> None:
    """What it was before is lost with it: what remains is the new version, and makes pods again."""
    world = Moves()
    world.killed_at(rung)
    deleted(world, world.new)
    world.sandbox.settle()
    if asked is BACK:
        with pytest.raises(RollingUpdateError, match="nothing left to roll back"):
            world.update(asked)
    else:
        world.update(asked)
    world.assert_updated()


# --- pods ---


def dies(sandbox: Sandbox, name: str) -> None:
    sandbox.delete("Pod", "default", name, grace_seconds=0)


def is_evicted(sandbox: Sandbox, name: str) -> None:
    sandbox.delete("Pod", "default", name)


def ends(phase: str) -> Callable[[Sandbox, str], None]:
    def end(sandbox: Sandbox, name: str) -> None:
        status = {"status": {"phase": phase, "conditions": [{"type": "Ready", "status": "False"}]}}
        path = f"/api/v1/namespaces/default/pods/{name}/status"
        patched = sandbox.request("PATCH", path, body=status, content_type="application/merge-patch+json")
        assert patched.ok

    return end


ENDS = {"dies": dies, "evicted": is_evicted, "failed": ends("Failed"), "done": ends("Succeeded")}


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("how", "rung", "wait", "asked"),
    some(list(itertools.product(ENDS, RUNGS[1:], (0.0, SECOND), (UPDATE, BACK))), 3),
    ids=lambda value: getattr(value, "__name__", str(value)) if value not in (UPDATE, BACK) else "",
)
def test_a_pod_ends(how: str, rung: Rung, wait: float, asked: Asking) -> None:
    """One is made in its place, when there is no hold any more; all others stay."""
    world = Moves()
    world.killed_at(rung)
    pods = sorted(world.names())
    ENDS[how](world.sandbox, (world.owned(world.new) or pods)[0])
    world.sandbox.advance(wait)
    world.update(asked)
    world.sandbox.settle()
    world.assert_no_trace()
    (left,) = world.controllers().values()
    assert {controller_of(pod)["uid"] for pod in world.sandbox.pods()} == {left["metadata"]["uid"]}  # type: ignore[index]
    assert len(world.owned(left)) == SIZE
    assert world.alone == []
    assert world.least_available == SIZE - 1
    if asked is UPDATE:
        assert len(world.made) == 1


@at_each_rung
def test_a_pod_appears(rung: Rung) -> None:
    """One with the labels of the new ones, that nobody owns: it is adopted, and one too many goes."""
    world = Moves()

    def appears() -> None:
        (pod, *_) = (pod for pod in world.sandbox.pods())
        meta = {"name": "stranger", "labels": pod["metadata"]["labels"]}
        spec = {"containers": [{"name": "nginx", "image": NEW}], "terminationGracePeriodSeconds": 0}
        world.sandbox.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    world.disturbed_at(rung, appears)
    world.assert_updated()
    if rung is not moves.new_held:  # it stands for the one that was to be refused: nothing is proved
        assert set(world.alone) == {"stranger"}
    assert world.least_available == SIZE
