"""What the server will refuse is found before anything is written, whichever size or controller it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollupdate.core.model.packing import PACKED_FROM
from rollupdate.core.model.record import LARGEST_ANNOTATIONS, Transfer
from rollupdate.errors import ApiError, RefusedError, RollingUpdateError
from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.resources import CONTROLLERS, Resource
from tests.engine.inprocess import Killed, SandboxCluster, killed
from tests.engine.world import NAME, World, patched, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.manifests import my_nginx


def refused(world: World, request: Asking) -> RollingUpdateError:
    """And nothing was written."""
    before = world.controllers(), world.sandbox.pods()
    with pytest.raises(RollingUpdateError) as caught:
        world.update(request)
    assert (world.controllers(), world.sandbox.pods()) == before
    assert caught.value.exit_status == 1
    return caught.value


# --- rules that look at one size, or at one controller ---


def with_disk(name: str = NAME, *, read_only: bool = False) -> Json:
    manifest = my_nginx(name, image="nginx:1.9.1", labels={"disk": "yes"}, selector=True)
    disk = {"pdName": "disk", "fsType": "ext4", **({"readOnly": True} if read_only else {})}
    manifest["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "gcePersistentDisk": disk}]
    return manifest


@pytest.mark.parametrize(
    "request_", [to_file(with_disk("next")), to_file(with_disk(), keep_name=True)], ids=["new name", "kept"]
)
def test_a_disk_that_several_pods_cannot_have(request_: Asking) -> None:
    """One pod may have it, so a controller without pods is let through; the size to be reached is not."""
    error = refused(World(my_nginx(labels={"disk": "no"}, selector=True)), request_)
    assert isinstance(error, ApiError)
    assert (
        "gcePersistentDisk.readOnly: Invalid value: false: must be true for replicated pods > 1" in error.text
    )


def test_a_disk_that_they_can_have() -> None:
    """Or that one pod has."""
    world = World(my_nginx(labels={"disk": "no"}, selector=True))
    world.update(to_file(with_disk("next", read_only=True)))
    world.assert_clean("next", "nginx:1.9.1", 3)
    world = World(my_nginx(replicas=1, labels={"disk": "no"}, selector=True))
    manifest = with_disk("next")
    manifest["spec"]["replicas"] = 1
    world.update(to_file(manifest))
    world.assert_clean("next", "nginx:1.9.1", 1)


def rule(refuses: Callable[[Json], bool]) -> Callable[[Resource, Json], None]:
    def admit(resource: Resource, obj: Json) -> None:
        if resource is CONTROLLERS and refuses(obj):
            raise statuses.forbidden(resource, obj["metadata"]["name"], "a rule of this cluster")

    return admit


def test_a_rule_of_the_cluster_about_the_size() -> None:
    """It is asked of the new controller with all its pods."""
    world = World()
    world.sandbox.verbs.admission.append(rule(lambda obj: obj["spec"]["replicas"] > 2))
    assert "a rule of this cluster" in refused(world, to_image()).message


def test_a_rule_of_the_cluster_about_controllers_without_pods() -> None:
    """It is asked of the new one as it is created, too."""
    world = World()
    world.sandbox.verbs.admission.append(rule(lambda obj: obj["spec"]["replicas"] == 0))
    assert "a rule of this cluster" in refused(world, to_image()).message


def test_a_rule_about_the_controller_that_keeps_its_name() -> None:
    """The server is asked about that one as it is to be in the end; the annotations of the file are on it."""
    world = World(my_nginx(labels={"v": "1"}, selector=True))
    big = {"own": "x" * (LARGEST_ANNOTATIONS // 2)}
    path = f"/api/v1/namespaces/default/replicationcontrollers/{NAME}"
    patch = {"metadata": {"annotations": big}}
    world.sandbox.request("PATCH", path, {}, patch, content_type="application/merge-patch+json")
    file = my_nginx(image="nginx:1.9.1", labels={"v": "2"}, selector=True)
    file["metadata"]["annotations"] = {"further": "x" * (LARGEST_ANNOTATIONS // 2)}
    error = refused(world, to_file(file, keep_name=True))
    assert str(LARGEST_ANNOTATIONS) in error.message


def test_nothing_more_is_asked_than_is_needed() -> None:
    """Three questions for an update that keeps the name, two for one that does not."""
    for request, count in ((to_image(), 3), (to_image(new_name="next"), 2)):
        asked: list[str] = []
        world = World()
        cluster = world.update(request)
        asked = cluster.dry_runs
        assert len(asked) - sum(" pods" in line for line in asked) == count, asked


# --- what the finish has to keep ---


@pytest.mark.parametrize("refused_verb", ["GET", "PATCH"])
def test_pods_that_may_not_be_labelled(refused_verb: str) -> None:
    """Found out before the old controller's template has the label."""

    class Unlabelled(SandboxCluster):
        def _call(self, method: str, path: str, *args: Any, **more: Any) -> Json:
            if method == refused_verb and path.partition("/")[0] == "pods":
                raise ApiError(403, "Forbidden", "pods is forbidden")
            return super()._call(method, path, *args, **more)

    world = World()
    before = world.controllers(), world.sandbox.pods()
    with pytest.raises(ApiError, match="pods is forbidden"):
        world.update_with(Unlabelled(world.sandbox), to_image())
    assert (world.controllers(), world.sandbox.pods()) == before


def quoted(size: int) -> Json:
    """A template of that many bytes, mostly quotes: each is two in JSON."""
    manifest = my_nginx(replicas=1)
    manifest["spec"]["template"]["spec"]["containers"][0]["args"] = ['{"a": "b"}' * (size // 10)]
    return manifest


def test_a_large_template_full_of_quotes() -> None:
    """The finish keeps it compressed, so that it fits."""
    world = World(quoted(240_000))
    world.update(to_image())
    world.assert_clean(NAME, "nginx:1.9.1", 1)


@pytest.mark.parametrize("write", range(6, 16))
def test_it_is_rolled_back_from_anywhere(write: int) -> None:
    """The former specification is what it was."""
    world = World(quoted(240_000))
    before = world.controller(NAME)["spec"]
    try:
        world.update(to_image(), after=killed(write))
    except Killed:
        world.update(to_image(rollback=True))
        assert world.assert_clean(NAME, "nginx:1.7.9", 1)["spec"] == before


def noise(size: int) -> str:
    """Text that no compression makes shorter."""
    import base64
    import random

    return base64.b64encode(random.Random(1).randbytes(size * 3 // 4)).decode()


def test_what_does_not_fit_is_refused_before_anything_is_written() -> None:
    """With the number of bytes, and the way out: under a new name nothing is kept."""
    manifest = my_nginx(replicas=1)
    manifest["spec"]["template"]["spec"]["containers"][0]["args"] = [noise(340_000)]
    world = World(manifest)
    error = refused(world, to_image())
    assert isinstance(error, RefusedError)
    assert "bytes of annotations" in error.message
    assert "the same command for my-nginx my-nginx-2" in (error.hint or "")
    world.update(to_image(new_name="my-nginx-2"))
    world.assert_clean("my-nginx-2", "nginx:1.9.1", 1)


def test_an_undo_that_does_not_fit() -> None:
    """No flag goes to a revision under a new name, so none is advised."""
    world = World(my_nginx(replicas=1))
    world.update(patched({"image": "nginx:1.9.1", "args": [noise(340_000)]}, history_limit=10))
    error = refused(world, asking(name=NAME, rollback=True, to_revision=0, history_limit=10))
    assert (error.hint or "").endswith("write the template of revision 1 into a file (--filename)")


def test_a_patch_that_would_not_fit_under_the_old_name() -> None:
    """It is the former specification that is kept: a large new one is none of it."""
    world = World(my_nginx(replicas=1))
    world.update(patched({"image": "nginx:1.9.1", "args": [noise(340_000)]}))
    world.assert_clean(NAME, "nginx:1.9.1", 1)


def test_annotations_that_leave_no_room() -> None:
    """The user's own, on the controller."""
    manifest = my_nginx(replicas=1)
    manifest["metadata"]["annotations"] = {"own": "x" * (LARGEST_ANNOTATIONS - 100)}
    error = refused(World(manifest), to_image(new_name="next"))
    assert error.hint == "take annotations off my-nginx that nobody needs"


def test_what_an_update_can_do_without_is_left_out() -> None:
    """A patch that takes the large part of a template away: what makes the old one of the new one has no
    room, so an edit in mid-update could not be taken back; the update needs nothing of it."""
    manifest = my_nginx(replicas=1)
    manifest["spec"]["template"]["spec"]["containers"][0]["args"] = [noise(150_000)]
    world = World(manifest)
    world.update(patched({"image": "nginx:1.9.1", "args": ["-T"]}))
    world.assert_clean(NAME, "nginx:1.9.1", 1)


def test_a_transfer_is_only_compressed_if_it_is_large() -> None:
    """What older versions can read they shall read; the other kind stops them."""
    small = Transfer({"a": "b"}, {"a": "b"}, 1, 1, {"template": {}})
    assert '"packed"' not in small.encode()
    large = Transfer({"a": "b"}, {"a": "b"}, 1, 1, {"template": {"x": '\ud800"' * PACKED_FROM}}, moved=True)
    assert len(large.encode()) < 10_000
    for transfer in (small, large):
        assert Transfer.decode(transfer.encode()) == transfer
    for text in ('{"packed": "x"}', '{"packed": "eJw="}', '{"packed": 1}', '{"move": {"packed": ""}}'):
        with pytest.raises(ValueError, match=r"."):
            Transfer.decode(text)
