"""Owners, finalizers, labels and annotations of a controller are with the one that stays, and never in the
way of a rollback."""

from __future__ import annotations

import pytest

from rollupdate.core.model import record
from rollupdate.core.model.belonging import Belongings
from rollupdate.errors import ApiError, RefusedError, StoppedError
from rollupdate.events import Finished
from testing.objects import Json
from testing.sandbox import Change
from testing.sandbox.resources import CONTROLLERS
from tests.engine.test_kills import run_killed
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking
from tests.support.effort import some
from tests.support.manifests import my_nginx

OLD, NEW = "nginx:1.7.9", "nginx:1.9.1"
FINALIZER = "shop.example/cleanup"
LATER = 3.0
"""Seconds after which another client takes its finalizers off a deleted controller."""


class Owned:
    """``my-nginx`` belongs to a ConfigMap and has a finalizer, which another client takes off once the
    controller is deleted (unless that one is ``asleep``)."""

    def __init__(self, *, asleep: bool = False) -> None:
        manifest = my_nginx(replicas=2, labels={"deployment": "v1"})
        manifest["metadata"].update(labels={"team": "shop"}, annotations={"note": "mine"})
        self.world = World(manifest)
        self.owners = {name: self._owner(name) for name in ("shop", "file")}
        own = {"ownerReferences": [self.owners["shop"]], "finalizers": [FINALIZER]}
        self.world.sandbox.patch("replicationcontrollers", "default", NAME, {"metadata": own})
        self.world.settled_anew()
        self.asleep = asleep
        self.temporary: list[str] = []
        """Controllers that had an owner or a finalizer while they still could be deleted by a rollback."""
        self.world.sandbox.on_write(self._watch)

    def _owner(self, name: str) -> Json:
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        meta = self.world.sandbox.create(manifest)["metadata"]
        return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": meta["uid"]}

    def file(self, name: str = NAME) -> Json:
        manifest = my_nginx(name, image=NEW, replicas=2)
        manifest["metadata"].update(
            labels={"team": "web"},
            annotations={"from": "file"},
            ownerReferences=[self.owners["file"]],
            finalizers=["file.example/x"],
        )
        if name != NAME:
            manifest["spec"]["template"]["metadata"]["labels"]["deployment"] = "file"
        return manifest

    def _watch(self, change: Change) -> None:
        obj = change.new
        if change.resource is not CONTROLLERS or obj is None:
            return
        meta = obj["metadata"]
        temporary = record.SOURCE_ID in (meta.get("annotations") or {}) and meta["name"] != NAME
        if temporary and Belongings.of(meta):
            self.temporary.append(meta["name"])
        if meta.get("deletionTimestamp") and not self.asleep:
            self.world.sandbox.clock.schedule(LATER, lambda: self.clean_up(meta["name"]))

    def clean_up(self, name: str) -> None:
        """The client that the finalizers are of."""
        if self.world.controllers().get(name, {}).get("metadata", {}).get("finalizers"):
            self.world.sandbox.patch(
                "replicationcontrollers", "default", name, {"metadata": {"finalizers": None}}
            )

    def belongings(self, name: str) -> tuple[set[str], set[str]]:
        """The names of the owners, and the finalizers."""
        meta = self.world.controller(name)["metadata"]
        return {one["name"] for one in meta.get("ownerReferences") or ()}, set(meta.get("finalizers") or ())

    def metadata(self) -> Json:
        """What a user sees of my-nginx, apart from what every write changes."""
        meta = self.world.controller(NAME)["metadata"]
        fields = ("labels", "annotations", "ownerReferences", "finalizers", "uid")
        return {field: meta.get(field) for field in fields}

    def file_update(self, name: str = NAME) -> Asking:
        return to_file(self.file(name), keep_name=name == NAME)


# --- another name ---


def test_a_new_name_gets_the_owner_and_the_finalizer() -> None:
    """As it gets the labels and annotations; 'rolling updated' is said once the old controller is gone."""
    owned = Owned()
    began = owned.world.sandbox.now()
    owned.world.update(to_image(NEW, new_name="next"))
    assert NAME not in owned.world.controllers()
    assert owned.world.sandbox.now() - began >= LATER
    assert [type(event) for event in owned.world.events].count(Finished) == 1
    owned.world.assert_clean("next", NEW, 2)
    assert owned.belongings("next") == ({"shop"}, {FINALIZER})
    meta = owned.world.controller("next")["metadata"]
    assert (meta["labels"]["team"], meta["annotations"]["note"]) == ("shop", "mine")
    assert not owned.temporary


def test_a_file_of_another_name_adds_its_own() -> None:
    """Its labels and annotations are those of the file, as ever."""
    owned = Owned()
    owned.world.update(owned.file_update("next"))
    owned.world.assert_clean("next", NEW, 2)
    assert owned.belongings("next") == ({"shop", "file"}, {FINALIZER, "file.example/x"})
    meta = owned.world.controller("next")["metadata"]
    assert meta["labels"] == {"team": "web"}
    assert meta["annotations"] == {"from": "file"}
    assert not owned.temporary


def test_what_the_old_one_got_meanwhile_comes_along() -> None:
    """Somebody labels and annotates the old controller while the update is under way."""
    owned = Owned()

    def annotate(number: int) -> None:
        if number == 4:
            meta = {"labels": {"late": "x"}, "annotations": {"note": "other", "also": "y"}}
            owned.world.sandbox.patch("replicationcontrollers", "default", NAME, {"metadata": meta})

    owned.world.update(to_image(NEW, new_name="next"), before=annotate)
    meta = owned.world.controller("next")["metadata"]
    assert meta["labels"] == {"team": "shop", "late": "x"}
    assert meta["annotations"] == {"note": "mine", "also": "y"}


def test_nobody_takes_the_finalizer_off() -> None:
    """The wait names it; the run stops at --timeout, and no rollback is tried. Once it is off, it is done."""
    owned = Owned(asleep=True)
    asked = to_image(NEW, new_name="next", timeout=60.0, on_failure="rollback")
    with pytest.raises(StoppedError, match="timed out waiting for a controller to be deleted") as stopped:
        owned.world.update(asked)
    assert stopped.value.hint == (
        f"replicationcontroller {NAME} is being deleted, held by its finalizers: {FINALIZER}"
    )
    assert not any(isinstance(event, Finished) for event in owned.world.events)
    with pytest.raises(RefusedError, match="its update cannot be rolled back"):
        owned.world.update(asked.but(rollback=True))
    owned.clean_up(NAME)
    owned.world.assert_clean("next", NEW, 2)
    assert owned.belongings("next") == ({"shop"}, {FINALIZER})


def test_the_new_one_can_be_updated_while_the_old_one_is_held() -> None:
    """That update is over but for a finalizer of others."""
    owned = Owned(asleep=True)
    with pytest.raises(StoppedError):
        owned.world.update(to_image(NEW, new_name="next", timeout=60.0))
    owned.world.update(to_image("nginx:2").but(name="next"))
    assert owned.belongings("next") == ({"shop"}, {FINALIZER})


# --- the name stays ---


def test_a_file_that_keeps_the_name() -> None:
    """All that it says of owners, finalizers, labels and annotations is on the controller that stays."""
    owned = Owned()
    uid = owned.world.controller(NAME)["metadata"]["uid"]
    owned.world.update(owned.file_update())
    meta = owned.world.assert_clean(NAME, NEW, 2)["metadata"]
    assert meta["uid"] == uid
    assert owned.belongings(NAME) == ({"shop", "file"}, {FINALIZER, "file.example/x"})
    assert meta["labels"] == {"team": "web"}
    assert meta["annotations"] == {"from": "file", "note": "mine"}
    assert not owned.temporary
    before = owned.metadata()
    owned.world.update(to_image(OLD, rollback=False))
    assert owned.metadata() == before
    assert not owned.temporary


@pytest.mark.sweep
@pytest.mark.parametrize("name", [NAME, "next"])
@pytest.mark.parametrize("movable", [True, False], ids=["moved", "released"])
def test_a_rollback_from_anywhere_leaves_the_metadata_as_it_was(
    monkeypatch: pytest.MonkeyPatch, name: str, movable: bool
) -> None:
    """Killed after every write, then rolled back, or finished by the same command after all."""
    if not movable:
        monkeypatch.setattr("rollupdate.engine.update.rehearse", lambda *_: "not today")
    writes = Owned().world.update(Owned().file_update(name)).writes if movable else 40
    for write in some(range(1, writes + 1), 2):
        owned = Owned()
        before = owned.metadata()
        if not run_killed(owned.world, owned.file_update(name), write, before=False):
            break
        try:
            owned.world.update(to_image(rollback=True).but(change=None))
        except RefusedError as error:
            assert "is being deleted" in error.message or "to rollback" in error.message, (write, error)
            continue
        owned.world.assert_clean(NAME, OLD, 2)
        assert owned.metadata() == before, write
        assert not owned.temporary
        owned.world.update(owned.file_update(name))
        owned.world.assert_clean(name, NEW, 2)
        assert owned.belongings(name) == ({"shop", "file"}, {FINALIZER, "file.example/x"}), write


@pytest.mark.sweep
@pytest.mark.parametrize("name", [NAME, "next"])
def test_killed_at_every_write_and_resumed(name: str) -> None:
    """The annotation says what the new controller is to get, whoever goes on."""
    for write in some(range(1, 60), 2):
        owned = Owned()
        if not run_killed(owned.world, owned.file_update(name), write, before=False):
            break
        if NAME in owned.world.controllers():
            owned.world.update(owned.file_update(name))
        owned.world.assert_clean(name, NEW, 2)
        assert owned.belongings(name) == ({"shop", "file"}, {FINALIZER, "file.example/x"}), write
    assert write >= 10


def test_what_the_server_does_not_take_is_refused_first() -> None:
    """It is asked with the owners and finalizers that the controller gets in the end."""
    owned = Owned()
    manifest = owned.file("next")
    manifest["metadata"]["finalizers"] = ["cleanup"]
    versions = owned.world.controllers()
    with pytest.raises(ApiError, match="finalizers"):
        owned.world.update(to_file(manifest))
    assert owned.world.controllers() == versions
