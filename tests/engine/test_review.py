"""What is shown before anything is written, and that nothing else is done than what was shown."""

from __future__ import annotations

import pytest

from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model.template import differences
from rollupdate.core.plan.preview import Preview
from rollupdate.errors import RefusedError
from tests.engine.inprocess import Killed, killed
from tests.engine.world import NAME, World, patched, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.manifests import my_nginx

ENV = patched({"env": [{"name": "A", "value": "1"}]})
SIDE = patched({"name": "side", "image": "side:1"})


def shown(world: World, request: Asking) -> Preview:
    """What is shown; then somebody says no, and nothing was written."""
    found: list[Preview] = []

    def no(preview: Preview) -> None:
        found.append(preview)
        raise RefusedError("no")

    before = world.controllers()
    with pytest.raises(RefusedError, match=r"^no$"):
        world.update(request, review=no)
    assert world.controllers() == before
    (preview,) = found
    return preview


def changes(world: World, request: Asking) -> list[str]:
    preview = shown(world, request)
    return differences(preview.before, preview.after)


def test_what_is_shown_is_what_the_server_would_store() -> None:
    """With its defaults, and without the label that this command needs."""
    preview = shown(World(), SIDE)
    side = preview.after["spec"]["containers"][0]
    assert (side["name"], side["terminationMessagePath"]) == ("side", "/dev/termination-log")
    assert preview.after["metadata"] == preview.before["metadata"] == {"labels": {"app": "nginx"}}
    assert changes(World(), ENV) == ["spec.containers[nginx].env"]
    assert changes(World(), to_image(new_name="next")) == ["spec.containers[nginx].image"]


def test_a_restart_shows_its_mark() -> None:
    """There to stay, so to be seen."""
    request = asking(NAME, change=TemplateChange((), restart=True))
    assert changes(World(), request) == ["metadata.annotations"]


def test_a_file_is_shown_too() -> None:
    """Its own labels are a change like any other."""
    file = to_file(my_nginx("next", labels={"deployment": "v2"}, selector=True))
    world = World(my_nginx(labels={"deployment": "v1"}, selector=True))
    assert changes(world, file) == ["metadata.labels.deployment"]


@pytest.mark.parametrize("write", [3, 9, 10, 11])
def test_in_the_middle_the_whole_change_is_shown_and_the_way_back(write: int) -> None:
    """Whatever was done of it already, also once the pods were let go and handed over."""
    world = World(my_nginx(replicas=2))
    with pytest.raises(Killed):
        world.update(ENV, after=killed(write))
    if write == 3:
        world.sandbox.settle()
    there = shown(world, ENV)
    assert differences(there.before, there.after) == ["spec.containers[nginx].env"]
    back = shown(world, patched({"env": []}, rollback=True))
    if len(world.controllers()) == 2:
        assert (back.before, back.after) == (there.after, there.before)
        assert back.resuming
    else:
        assert back.before == back.after == there.before


def test_what_was_shown_is_done() -> None:
    """However long the look at it took: the time is none without progress."""
    world = World()
    world.update(ENV, review=lambda _: world.sandbox.advance(3600.0))
    after = world.assert_clean(NAME, "nginx:1.7.9", 3)
    assert after["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]


def test_it_was_changed_while_somebody_looked() -> None:
    """What was shown is no longer what would come of it: refused, and the other's change stands."""
    world = World()

    def update(_: Preview) -> None:
        world.update(to_image())

    with pytest.raises(RefusedError, match="was changed by another client in the meantime"):
        world.update(ENV, review=update)
    world.assert_clean(NAME, "nginx:1.9.1", 3)


def test_it_was_scaled_while_somebody_looked() -> None:
    """That is no other change; the new size counts."""
    world = World()

    def scale(_: Preview) -> None:
        world.sandbox.request(
            "PATCH",
            f"/api/v1/namespaces/default/replicationcontrollers/{NAME}",
            {},
            {"spec": {"replicas": 4}},
            content_type="application/merge-patch+json",
        )
        world.sandbox.settle()

    world.update(ENV, review=scale)
    world.assert_clean(NAME, "nginx:1.7.9", 4)


def test_a_change_that_the_server_undoes_is_none() -> None:
    """What it completes to what runs already is refused, with the way to new pods."""
    world = World()
    with pytest.raises(RefusedError) as caught:
        world.update(patched({"imagePullPolicy": None}))
    assert "is already in use" in caught.value.message
    assert caught.value.hint == "to replace the pods all the same, add --restart"
    assert list(world.controllers()) == [NAME]
