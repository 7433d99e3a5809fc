"""The pod template was changed, and no pod restarted: what the pods run decides what an update does, what it
keeps as the version before, and what a rollback returns to."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.changes.edits import SetEnv
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model import history
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.record import RESTART
from rollupdate.core.plan.intent import PREVIOUS
from rollupdate.engine.watch_status import look
from rollupdate.errors import ApiError, NothingChangesError, RefusedError, StoppedError
from rollupdate.events import PodsDiffer, PodsNotSeen, UpToDate
from testing.objects import Json
from tests.engine.inprocess import REVISIONS, SandboxCluster
from tests.engine.test_kills import run_killed
from tests.engine.world import NAME, World, patched, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.effort import some
from tests.support.manifests import my_nginx

ONE, TWO, THREE = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.9.2"


def set_image(world: World, image: str) -> None:
    """``kubectl set image``: a controller restarts no pod for that."""
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
    world.sandbox.patch("replicationcontrollers", "default", NAME, patch)
    world.settled_anew()


def edited(*, updated_before: bool = False, replicas: int = 2, image: str = TWO) -> World:
    """All pods run 1.7.9, and the template says another image."""
    world = World(my_nginx(replicas=replicas))
    if updated_before:
        world = World(my_nginx(replicas=replicas, image="nginx:1.7.8"))
        world.update(to_image(ONE))
    set_image(world, image)
    return world


def images(world: World) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in world.sandbox.pods())


def kept(world: World, name: str = NAME) -> list[str]:
    """The images of the history."""
    uid = world.controller(name)["metadata"]["uid"]
    known = history.revisions(world.sandbox.objects(REVISIONS, "default"))
    return [one.images[0] for one in known if one.owner_uid == uid]


def file(image: str = TWO, **more: Any) -> Json:
    return my_nginx(image=image, replicas=2, **more)


WAYS = {
    "image": to_image(TWO),
    "image, to another name": to_image(TWO, new_name="next"),
    "patch": patched({"image": TWO}, history_limit=10),
    "file": to_file(file(), keep_name=True),
    "restart": asking(NAME, change=TemplateChange((), restart=True), history_limit=10),
    "own label key": to_image(TWO, label_key="example.com/run"),
}
UNDO = asking(name=NAME, rollback=True, to_revision=PREVIOUS, history_limit=10)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("updated_before", [False, True], ids=["first update", "later update"])
def test_the_pods_are_updated_and_what_ran_is_kept(way: str, updated_before: bool) -> None:
    """Every way to ask for what the template says already. The revision before is 1.7.9, which ran, and
    going back to it is going back to what ran."""
    asked, name = WAYS[way], "next" if way.endswith("name") else NAME
    world = edited(updated_before=updated_before)
    world.update(asked)
    world.assert_clean(name, TWO, 2)
    assert world.least_available >= 2
    assert world.most_pods <= 3
    told = [event for event in world.events if isinstance(event, PodsDiffer)]
    assert [(event.others, event.looked, event.differs) for event in told] == [
        (2, 2, ("spec.containers[nginx].image",))
    ]
    assert kept(world, name)[-2:] == [ONE, TWO]
    world.update(UNDO.but(name=name))
    world.assert_clean(name, ONE, 2)


@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"restart", "image, to another name"}))
def test_run_again_it_changes_nothing(way: str) -> None:
    """As for any update: the pods run it now."""
    world = edited()
    world.update(WAYS[way])
    world.settled_anew()
    if way == "file":
        world.update(WAYS[way])
        assert isinstance(world.events[-1], UpToDate)
    else:
        with pytest.raises(NothingChangesError):
            world.update(WAYS[way])
    world.assert_clean(NAME, TWO, 2)
    assert kept(world) == [ONE, TWO]


def test_a_third_version() -> None:
    """The second one never ran: it is no revision."""
    world = edited(updated_before=True)
    world.update(to_image(THREE))
    world.assert_clean(NAME, THREE, 2)
    assert kept(world) == ["nginx:1.7.8", ONE, THREE]
    world.update(UNDO)
    world.assert_clean(NAME, ONE, 2)


def test_what_runs_is_asked_for() -> None:
    """Somebody changed the template and wants the version that runs: the template is that one again."""
    world = edited(updated_before=True)
    world.update(to_image(ONE))
    world.assert_clean(NAME, ONE, 2)
    assert set(kept(world)) == {"nginx:1.7.8", ONE}


def test_some_pods_died_since() -> None:
    """Those that replaced them run the second version already: all are alike afterwards, and the history has
    what the others ran."""
    world = edited(replicas=3)
    world.sandbox.delete("pods", "default", world.sandbox.pods()[0]["metadata"]["name"])
    world.settled_anew()
    assert images(world) == [ONE, ONE, TWO]
    world.update(to_image(TWO))
    world.assert_clean(NAME, TWO, 3)
    assert kept(world) == [ONE, TWO]


def test_adopted_pods_of_an_older_controller() -> None:
    """The controller was deleted without its pods, and created with a newer template."""
    world = World(my_nginx(replicas=2))
    world.sandbox.delete("replicationcontrollers", "default", NAME, policy="Orphan")
    world.sandbox.settle()
    world.sandbox.create(file())
    world.settled_anew()
    assert images(world) == [ONE, ONE]
    world.update(to_file(file(), keep_name=True))
    world.assert_clean(NAME, TWO, 2)
    assert kept(world) == [ONE, TWO]


def test_a_variable_and_a_command() -> None:
    """Not only images: whatever the template says and the pods do not."""
    world = World(my_nginx(replicas=2))
    container = {"env": [{"name": "LEVEL", "value": "debug"}], "command": ["/new"]}
    spec = {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": ONE, **container}]}}}}
    world.sandbox.patch("replicationcontrollers", "default", NAME, spec)
    world.settled_anew()
    asked = asking(NAME, change=TemplateChange((SetEnv("LEVEL", "debug"),)), history_limit=10)
    world.update(asked)
    world.assert_clean(NAME, ONE, 2)
    assert all(pod["spec"]["containers"][0]["command"] == ["/new"] for pod in world.sandbox.pods())
    world.update(UNDO)
    assert all("command" not in pod["spec"]["containers"][0] for pod in world.sandbox.pods())


def test_a_revision_that_is_the_template_and_does_not_run() -> None:
    """Somebody put the first template back by hand: going to that revision makes its pods."""
    world = World(my_nginx(replicas=2))
    world.update(to_image(TWO))
    set_image(world, ONE)
    assert images(world) == [TWO, TWO]
    world.update(asking(name=NAME, rollback=True, to_revision=1, history_limit=10))
    world.assert_clean(NAME, ONE, 2)
    assert kept(world)[-2:] == [TWO, ONE]


@pytest.mark.sweep
@pytest.mark.parametrize("way", ["image", "image, to another name", "file", "patch"])
def test_killed_at_every_write_and_resumed(way: str) -> None:
    """The same command goes on, and the history has what ran."""
    asked, name = WAYS[way], "next" if way.endswith("name") else NAME
    for write in some(range(1, 60), 2):
        world = edited()
        if not run_killed(world, asked, write, before=False):
            break
        try:
            world.update(asked)
        except NothingChangesError:
            pass  # it was the last write
        except ApiError as error:
            assert error.is_not_found, write
        world.assert_clean(name, TWO, 2)
        assert kept(world, name) == [ONE, TWO], write
    assert write >= 10


@pytest.mark.sweep
@pytest.mark.parametrize(
    "asked", [to_image(TWO), to_image(THREE), WAYS["file"]], ids=["same", "third", "file"]
)
def test_a_rollback_from_anywhere_returns_to_what_ran(asked: Asking) -> None:
    """Not to what the template said, which no pod had run."""
    for write in some(range(1, 60), 2):
        world = edited()
        if not run_killed(world, asked, write, before=False):
            break
        try:
            world.update(UNDO.but(to_revision=None))
        except RefusedError as error:
            assert "to rollback" in error.message, write
            continue
        world.sandbox.settle()
        assert images(world) == [ONE, ONE], write
        assert world.least_available >= 2
        assert list(world.controllers()) == [NAME]
    assert write >= 10


def test_a_version_that_fails_goes_back_to_what_ran() -> None:
    """The template that was set names an image that is not there, and old pods have gone for it already."""
    world = edited(replicas=3, image="nginx:missing")
    budget = Budget(Amount.parse("0"), Amount.parse("1"))
    with pytest.raises(StoppedError):
        world.update(to_image("nginx:missing", timeout=20.0, failure_grace=0.0, budget=budget))
    assert images(world) == [ONE, ONE, "nginx:missing"]
    world.update(UNDO.but(to_revision=None))
    world.assert_clean(NAME, ONE, 3)


# --- what others add, and what may not be looked at ---


def test_an_update_that_is_complete_needs_no_look() -> None:
    """The label says that nobody has changed the template since."""
    world = World(my_nginx(replicas=2))
    world.update(to_image(TWO))
    cluster = world.update(to_image(THREE))
    first = cluster.requests.index("POST replicationcontrollers")
    assert "GET pods" not in cluster.requests[:first]
    assert not any(isinstance(event, PodsDiffer) for event in world.events)


def test_pods_that_may_not_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out, and said: the template is taken for what runs, as ever."""

    def refuse(*_: object, **__: object) -> list[Json]:
        raise ApiError(403, "Forbidden", "pods is forbidden", {})

    monkeypatch.setattr(SandboxCluster, "running_pods", refuse)
    world = edited()
    with pytest.raises(NothingChangesError):
        world.update(to_image(TWO))
    assert [type(event) for event in world.events] == [PodsNotSeen]
    world.update(to_image(THREE))
    assert kept(world) == [TWO, THREE]
    problems: list[str] = []
    set_image(world, ONE)
    look(SandboxCluster(world.sandbox), NAME, unseen=problems.append)
    assert problems == ["Error from server (Forbidden): pods is forbidden"]


def test_a_status_says_so() -> None:
    """And no longer once the pods are updated."""
    world = edited()
    seen, _ = look(SandboxCluster(world.sandbox), NAME)
    assert (seen.running.others, seen.running.looked) == (2, 2)
    assert seen.running.differs == ("spec.containers[nginx].image",)
    world.update(to_image(TWO))
    seen, _ = look(SandboxCluster(world.sandbox), NAME)
    assert seen.running.others == 0


def test_the_mark_that_makes_the_template_another_one() -> None:
    """As of a restart."""
    world = edited()
    world.update(to_image(TWO))
    annotations = world.controller(NAME)["spec"]["template"]["metadata"]["annotations"]
    assert set(annotations) == {RESTART}
