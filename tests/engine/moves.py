"""A world whose pods change owners: who owned them at every instant, and how far the move is."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from rollupdate.core.model import record
from rollupdate.core.model.hold import CLASS
from rollupdate.errors import ApiError, RefusedError
from testing.objects import Json
from testing.sandbox import Change
from testing.sandbox.objects import controller_of, is_active, is_being_deleted
from testing.sandbox.resources import CONTROLLERS, PODS
from tests.engine.inprocess import Killed
from tests.engine.world import NAME, World, to_image
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
UPDATE = to_image()
BACK = to_image(rollback=True)
SIZE = 5
Rung = Callable[["Moves"], bool]


class Moves(World):
    """``my-nginx`` with its label, so that the second half of every update is the move of its pods.

    ``alone``, ``made``, ``gone``: names of new pods that were seen without a controller, of pods created, and
    of pods deleted, from the first hold on.
    """

    def __init__(self, manifest: Json | None = None, **more: Any) -> None:
        start = my_nginx(replicas=SIZE, labels={"deployment": "v1"}, selector=True)
        super().__init__(manifest or start, **more)
        self.alone: list[str] = []
        self.made: list[str] = []
        self.gone: list[str] = []
        self.begun = False
        self.sandbox.on_write(self._watch_owners)

    def _watch_owners(self, change: Change) -> None:
        if change.resource is CONTROLLERS and change.new is not None:
            annotations = change.new["metadata"].get("annotations") or {}
            self.begun = self.begun or record.TRANSFER in annotations
        if change.resource is not PODS or not self.begun:
            return
        if change.old is None:
            self.made.append(change.name)
        elif change.new is None or (is_being_deleted(change.new) and not is_being_deleted(change.old)):
            self.gone.append(change.name)
        if change.new is not None and not is_being_deleted(change.new) and controller_of(change.new) is None:
            self.alone.append(change.name)

    # --- what there is ---

    @property
    def old(self) -> Json:
        return self.controllers()[NAME]

    @property
    def new(self) -> Json:
        """The temporary controller."""
        (found,) = (obj for name, obj in self.controllers().items() if name.startswith(f"{NAME}-"))
        return found

    def owned(self, controller: Json) -> list[str]:
        """Names of the pods that it has."""
        uid = controller["metadata"]["uid"]
        return [
            pod["metadata"]["name"]
            for pod in self.sandbox.pods()
            if (controller_of(pod) or {}).get("uid") == uid and is_active(pod) and not is_being_deleted(pod)
        ]

    def names(self) -> set[str]:
        return {pod["metadata"]["name"] for pod in self.sandbox.pods()}

    # --- what happens ---

    def killed_at(self, rung: Rung, asked: Any = UPDATE) -> None:
        """The client dies after the write that leads to ``rung``; nothing that it has under way arrives."""
        dead, one_at_a_time = False, Lock()  # pods are written by several threads

        def before(_: int) -> None:
            one_at_a_time.acquire()
            if dead:
                one_at_a_time.release()
                raise Killed

        def after(_: int) -> None:
            nonlocal dead
            dead = reached(self, rung)
            one_at_a_time.release()
            if dead:
                raise Killed

        try:
            self.update(asked, before=before, after=after)
        except Killed:
            return
        raise AssertionError("it was never reached")

    def disturbed_at(self, rung: Rung, happens: Callable[[], object], asked: Any = UPDATE) -> None:
        """``happens`` right after the write that leads to ``rung``; the client goes on."""
        done, one_at_a_time = False, Lock()

        def before(_: int) -> None:
            one_at_a_time.acquire()

        def after(_: int) -> None:
            nonlocal done
            if not done and reached(self, rung):
                done = True
                happens()
            one_at_a_time.release()

        try:
            self.update(asked, before=before, after=after)
        finally:
            assert done, "it was never reached"

    def rolled_back(self) -> None:
        """The rollback, where there is one to be made."""
        try:
            self.update(BACK)
        except RefusedError as error:
            assert "to rollback" in error.message
        except ApiError as error:
            assert error.is_not_found

    # --- how it ends ---

    def assert_kept(self) -> None:
        """No pod of the update was created, deleted, or without a controller for a moment."""
        assert (self.alone, self.made, self.gone) == ([], [], [])

    def assert_updated(self, size: int = SIZE) -> None:
        self.assert_clean(NAME, NEW, size)
        self.assert_no_trace()

    def assert_as_before(self, size: int = SIZE) -> None:
        after = self.assert_clean(NAME, OLD, size)
        assert after["spec"] == {**self.before["spec"], "replicas": size}
        self.assert_no_trace()

    def assert_no_trace(self) -> None:
        """Nothing of ours is left on any object, and no hold."""
        for obj in (*self.controllers().values(), *self.sandbox.pods()):
            assert not set(obj["metadata"].get("annotations") or {}) & set(record.KEYS), obj["metadata"]
        assert not self.held()

    def held(self) -> list[str]:
        """Names of the controllers that make no pods."""
        return [name for name, obj in self.controllers().items() if is_held(obj)]


# --- how far it is ---


def is_held(controller: Json) -> bool:
    return bool(controller["spec"]["template"]["spec"].get("priorityClassName") == CLASS)


def reached(world: Moves, rung: Rung) -> bool:
    return len(world.controllers()) == 2 and (rung is noted or world.begun) and rung(world)


def noted(world: Moves) -> bool:
    return record.FORMAT in (world.old["metadata"].get("annotations") or {})


def new_held(world: Moves) -> bool:
    return is_held(world.new)


def both_held(world: Moves) -> bool:
    return len(world.held()) == 2


def some_moved(world: Moves) -> bool:
    return both_held(world) and len(world.owned(world.old)) == 2


def all_moved(world: Moves) -> bool:
    return both_held(world) and not world.owned(world.new)


def committed(world: Moves) -> bool:
    return is_held(world.new) and not is_held(world.old) and len(world.owned(world.old)) > 0


def emptied(world: Moves) -> bool:
    return not world.held() and len(world.owned(world.old)) > 0 and not world.owned(world.new)


def cleaned(world: Moves) -> bool:
    return emptied(world) and all(
        len(pod["metadata"]["ownerReferences"]) == 1 for pod in world.sandbox.pods()
    )


RUNGS = (noted, new_held, both_held, some_moved, all_moved, committed, emptied, cleaned)
