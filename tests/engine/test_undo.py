"""The history, and going back in it: updates like any other, so killed at every write as any other."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.core.model import history
from rollupdate.core.plan.intent import PREVIOUS
from rollupdate.engine.executor import HISTORY_TRIES
from rollupdate.errors import ApiError, FailureError, NothingChangesError, RefusedError, UnreachableError
from rollupdate.events import HistoryNotKept, Undoing, UpToDate
from testing.objects import Json
from tests.engine.inprocess import REVISIONS, Killed, SandboxCluster, killed
from tests.engine.test_kills import run_killed
from tests.engine.world import NAME, World, to_file, to_image
from tests.support.asking import Asking, asking
from tests.support.effort import kills, some
from tests.support.manifests import my_nginx

A, B, C = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.9.2"


def undo(to_revision: int | None = PREVIOUS, **more: Any) -> Asking:
    """``--rollback --to-revision``."""
    return asking(name=NAME, rollback=True, to_revision=to_revision, **{"history_limit": 10, **more})


BARE = undo(None)
"""``--rollback`` alone: ends what is in progress, and nothing else."""


def world_of(*images: str) -> World:
    """A controller that has been updated to each of those in turn."""
    world = World(my_nginx(replicas=2))
    for image in images:
        world.update(to_image(image))
        world.settled_anew()
    return world


def history_of(world: World, name: str = NAME) -> list[tuple[int, str]]:
    """Numbers and images; all revisions there are must be of that controller."""
    world.sandbox.settle()
    known = history.revisions(world.sandbox.objects(REVISIONS, "default"))
    uid = world.controller(name)["metadata"]["uid"]
    assert {each.owner_uid for each in known} <= {uid}
    return [(each.number, each.images[0]) for each in known]


def assert_undone(world: World) -> None:
    """Back at A, in the history of which it is the latest now."""
    world.assert_clean(NAME, A, 2)
    assert history_of(world) == [(2, B), (3, A)]
    assert_promises(world)


def assert_as_before(world: World) -> None:
    """Still at B, as if nothing had been."""
    after = world.assert_clean(NAME, B, 2)
    assert after["spec"] == world.before["spec"]
    assert after["metadata"]["uid"] == world.before["metadata"]["uid"]
    assert history_of(world) == [(1, A), (2, B)]
    assert_promises(world)


def assert_promises(world: World) -> None:
    assert world.least_available >= 2
    assert world.most_pods <= 3


# --- history ---


def test_updates_are_kept() -> None:
    """What ran before the first one as well."""
    assert history_of(world_of(B)) == [(1, A), (2, B)]
    assert history_of(world_of(B, C)) == [(1, A), (2, B), (3, C)]


def test_another_name_takes_the_history_along() -> None:
    """The old controller's own goes with it."""
    world = world_of(B)
    world.update(to_image(C, new_name="next"))
    world.assert_clean("next", C, 2)
    assert history_of(world, "next") == [(1, A), (2, B), (3, C)]


def test_a_template_edited_by_others_is_kept_when_it_goes() -> None:
    """It is what the next rollback goes to, if pods were made of it."""
    world = world_of(B)
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "edited"}]
    world.sandbox.patch("replicationcontrollers", "default", NAME, patch)
    for pod in world.sandbox.pods():
        world.sandbox.delete("pods", "default", pod["metadata"]["name"])
    world.sandbox.settle()
    world.update(to_image(C))
    assert history_of(world) == [(1, A), (2, B), (3, "edited"), (4, C)]


def test_no_history_is_written_where_none_is_wanted() -> None:
    """Nor looked for."""
    world = World(my_nginx(replicas=2))
    cluster = world.update(to_image(history_limit=0))
    assert not [each for each in cluster.requests if REVISIONS in each]
    assert history_of(world) == []


def test_the_limit_takes_the_oldest_away() -> None:
    """Also where it has become smaller."""
    world = world_of(B, C)
    world.update(to_image("nginx:2", history_limit=1))
    assert history_of(world) == [(3, C), (4, "nginx:2")]


def test_an_update_and_its_history_in_few_requests() -> None:
    """Looking once, and one write for each template that is new; the rest as without a history."""
    world = World(my_nginx(replicas=2))
    for image, writes in ((B, 2), (C, 1)):
        cluster = world.update(to_image(image))
        assert [each for each in cluster.requests if REVISIONS in each] == [
            f"GET {REVISIONS}",
            *[f"POST {REVISIONS}"] * writes,
        ]


@pytest.mark.parametrize(
    ("error", "looks"),
    [
        (ApiError(403, "Forbidden", "no", {}), 1),
        (ApiError(404, "NotFound", "no such thing", {}), 1),
        (ApiError(500, "InternalError", "not now", {}), HISTORY_TRIES),
        (UnreachableError("gone"), HISTORY_TRIES),
    ],
    ids=str,
)
def test_no_update_fails_for_its_history(
    monkeypatch: pytest.MonkeyPatch, error: Exception, looks: int
) -> None:
    """One warning; what may pass is tried a few times first."""
    looked = 0

    def refuse(cluster: SandboxCluster, label_selector: str) -> list[Json]:
        nonlocal looked
        looked += 1
        raise error

    monkeypatch.setattr(SandboxCluster, "list_revisions", refuse)
    world = World(my_nginx(replicas=2))
    world.update(to_image(B))
    world.assert_clean(NAME, B, 2)
    assert looked == looks
    assert [type(each) for each in world.events].count(HistoryNotKept) == 1


def test_a_passing_trouble_is_tried_again() -> None:
    """The write that was lost is done again, whether or not it took effect."""
    for after in (False, True):
        world = World(my_nginx(replicas=2))
        world.sandbox.fail_next("POST", f"/{REVISIONS}", status=500, after=after)
        world.update(to_image(B))
        assert history_of(world) == [(1, A), (2, B)]
        assert HistoryNotKept not in {type(each) for each in world.events}


@pytest.mark.parametrize(
    "answer",
    [
        ApiError(409, "Conflict", 'Operation cannot be fulfilled on controllerrevisions.apps "x"', {}),
        ApiError(404, "NotFound", 'controllerrevisions.apps "x" not found', {}),
    ],
    ids=["1.20", "1.36"],
)
def test_a_revision_that_goes_while_it_is_replaced_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, answer: ApiError
) -> None:
    """Whatever the server calls that: the history is looked at again, and ends as it should."""
    replace_revision, refusals = SandboxCluster.replace_revision, [answer]

    def gone(cluster: SandboxCluster, obj: Json) -> Json:
        if not refusals:
            return replace_revision(cluster, obj)
        world.sandbox.delete(REVISIONS, "default", obj["metadata"]["name"])
        raise refusals.pop()

    world = world_of(B)
    monkeypatch.setattr(SandboxCluster, "replace_revision", gone)
    world.update(undo())
    assert not refusals
    world.assert_clean(NAME, A, 2)
    assert history_of(world)[-1][1] == A
    assert HistoryNotKept not in {type(each) for each in world.events}


# --- undo ---


def test_back_to_what_was_before() -> None:
    """By an update that keeps floor and ceiling, and says where it goes."""
    world = world_of(B)
    world.events.clear()
    world.update(undo())
    assert_undone(world)
    assert Undoing(NAME, 1) in world.events
    assert world.controller(NAME)["metadata"]["uid"] == world.before["metadata"]["uid"]


def assert_refused(world: World) -> None:
    """--rollback alone, with nothing in progress: the hint has the command that undoes, and nothing is
    written."""
    world.sandbox.settle()
    stored = (
        world.sandbox.objects("replicationcontrollers", "default"),
        world.sandbox.objects(REVISIONS, "default"),
    )
    known = history.revisions(stored[1])
    before = history.previous(known, world.controller(NAME)["spec"]["template"])
    with pytest.raises(RefusedError) as refused:
        world.update(BARE)
    assert refused.value.message == "Could not find my-nginx to rollback."
    assert refused.value.hint == (
        before
        and "no update of my-nginx is in progress; to undo a finished update and return to revision "
        f"{before.number}: kubectl rolling-update my-nginx --rollback --to-revision={before.number}"
    )
    world.sandbox.settle()
    assert stored == (
        world.sandbox.objects("replicationcontrollers", "default"),
        world.sandbox.objects(REVISIONS, "default"),
    )


def test_without_a_number_no_finished_update_is_undone() -> None:
    """It is what a script falls back to after a command that was refused before it wrote anything."""
    assert_refused(World(my_nginx(replicas=2)))
    world = world_of(B)
    with pytest.raises(NothingChangesError):
        world.update(to_image(B))
    assert_refused(world)
    assert_as_before(world)
    world.update(undo(1))
    assert_refused(world)
    assert_undone(world)


def test_without_a_number_it_goes_back_once() -> None:
    """An update that has gone back already is not followed by the one before it."""
    world = interrupted(to_image(C))
    world.update(BARE)
    assert_as_before(world)
    assert_refused(world)
    assert_as_before(world)


def test_without_a_number_it_ends_an_undo_and_undoes_no_other() -> None:
    """What was an undo in progress is a finished update afterwards."""
    world = interrupted(undo())
    world.update(BARE)
    assert_refused(world)
    assert_undone(world)


def test_the_one_before_while_an_update_is_in_progress() -> None:
    """--to-revision=0 then goes back, or on, as --rollback alone does."""
    world = interrupted(to_image(C))
    world.update(undo())
    assert_as_before(world)
    world = interrupted(undo(1))
    world.update(undo())
    assert_undone(world)


def test_back_and_back_again() -> None:
    """A rollback is an update as well: the next one undoes it."""
    world = world_of(B)
    world.update(undo())
    world.update(undo())
    world.assert_clean(NAME, B, 2)
    assert history_of(world) == [(3, A), (4, B)]


def test_to_any_revision_also_by_a_number_it_had() -> None:
    """A number means the same template as long as it is kept."""
    world = world_of(B, C)
    world.update(undo(1))
    world.assert_clean(NAME, A, 2)
    assert history_of(world) == [(2, B), (3, C), (4, A)]
    world.update(undo(2))
    world.update(undo(1))
    world.assert_clean(NAME, A, 2)
    assert history_of(world) == [(3, C), (5, B), (6, A)]


def test_to_what_runs_is_nothing_to_do() -> None:
    """So the same command may be given again when it is done."""
    world = world_of(B)
    for number in (2, 1, 1):
        cluster = world.update(undo(number))
    assert isinstance(world.events[-1], UpToDate)
    assert cluster.writes == 0
    assert_undone(world)


def test_without_a_history_there_is_nothing_to_roll_back() -> None:
    """In the documented words."""
    world = World(my_nginx(replicas=2))
    with pytest.raises(RefusedError, match=r"Could not find my-nginx to rollback\."):
        world.update(undo())
    with pytest.raises(RefusedError, match=r"revision 1 of replicationcontroller .* not found") as refused:
        world.update(undo(1))
    assert refused.value.hint == "it has no history"
    world = world_of(B)
    with pytest.raises(RefusedError) as refused:
        world.update(undo(7))
    assert refused.value.hint == "its history has: 1, 2"


def test_a_rollback_of_some_update_is_none_of_another() -> None:
    """With an image, a file or a name it is about the update in progress, and there is none."""
    world = world_of(B)
    for request in (
        to_image(B, rollback=True),
        to_file(my_nginx("other"), rollback=True),
        undo(new_name="next"),
    ):
        with pytest.raises(RefusedError, match=r"Could not find .* to rollback\."):
            world.update(request)
    assert_as_before(world)


def test_after_another_name_the_template_before_fits_still() -> None:
    """The labels that the old selector asked for are those of the old pods."""
    world = World(my_nginx(replicas=2, labels={"version": "1"}, selector=True))
    world.update(to_file(my_nginx("next", image=B, replicas=2, labels={"version": "2"}, selector=True)))
    world.update(undo().but(name="next"))
    after = world.assert_clean("next", A, 2)
    assert after["spec"]["selector"]["version"] == "1"
    assert after["spec"]["template"]["metadata"]["labels"]["version"] == "1"
    assert_promises(world)


def test_the_label_key_of_the_history_is_used() -> None:
    """Whoever goes back need not know with which key somebody has updated."""
    world = World(my_nginx(replicas=2))
    world.update(to_image(B, label_key="turn"))
    world.update(undo())
    after = world.assert_clean(NAME, A, 2)
    assert set(after["spec"]["selector"]) == {"app", "turn"}
    assert history_of(world) == [(2, B), (3, A)]


# --- killed ---


def writes_of(request: Asking) -> int:
    return world_of(B).update(request).writes


def test_an_undo_killed_at_every_write_and_continued() -> None:
    """The same command continues it, whether or not it names the revision."""
    total = writes_of(undo())
    for request in (undo(), undo(1)):
        for before in (True, False):
            for write in kills(total, before=before):
                world = world_of(B)
                assert run_killed(world, request, write, before=before), write
                if write < total or before or request.intent.to_revision:
                    world.update(request)
                assert_undone(world)


@pytest.mark.sweep
def test_an_undo_killed_at_every_write_and_continued_without_a_number() -> None:
    """--rollback alone ends it; it is refused before the first write and after the last one."""
    total = writes_of(undo())
    for before in (True, False):
        for write in kills(total, before=before):
            world = world_of(B)
            assert run_killed(world, undo(), write, before=before), write
            if (write, before) in ((1, True), (total, False)):
                assert_refused(world)
            else:
                world.update(BARE)
            (assert_as_before if (write, before) == (1, True) else assert_undone)(world)


@pytest.mark.sweep
def test_an_undo_killed_at_every_write_and_turned_round() -> None:
    """--to-revision with what ran before goes back, and leaves the history as it was."""
    total = writes_of(undo())
    for before in (True, False):
        for write in kills(total, before=before):
            world = world_of(B)
            assert run_killed(world, undo(), write, before=before), write
            if write == 1 and before:
                assert_as_before(world)  # nothing was begun
            elif write == total and not before:
                assert_undone(world)  # nothing is left to turn round
            else:
                world.update(undo(2))
                assert_as_before(world)


@pytest.mark.sweep
def test_an_undo_killed_turned_killed_and_continued() -> None:
    """Forwards, back and forwards again."""
    for write in some(range(1, writes_of(undo())), 3):
        for second in some(range(1, 9), 2):
            world = world_of(B)
            run_killed(world, undo(1), write, before=False)
            if not run_killed(world, undo(2), second, before=False):
                assert_as_before(world)
                break
            world.update(undo(1))
            assert_undone(world)


@pytest.mark.sweep
def test_an_update_killed_and_rolled_back_leaves_the_history() -> None:
    """A rollback while it is in progress is no undo; what the killed one had kept is forgotten."""
    total = world_of(B).update(to_image(C)).writes
    for before in (True, False):
        for write in some(range(2, total + (1 if before else 0)), 5 if before else 1):
            world = world_of(B)
            run_killed(world, to_image(C), write, before=before)
            world.update(BARE)
            assert_as_before(world)


@pytest.mark.sweep
def test_a_new_name_killed_at_every_write_takes_the_history_along() -> None:
    """All of it, once."""
    request = to_image(C, new_name="next")
    total = world_of(B).update(request).writes
    for before in (True, False):
        for write in kills(total, before=before):
            world = world_of(B)
            run_killed(world, request, write, before=before)
            if write < total or before:
                world.update(request)
            assert history_of(world, "next") == [(1, A), (2, B), (3, C)]


def without_label(world: World) -> None:
    """Somebody replaces the controller by one that has not the label: an undo has to label its pods again."""
    image = {"op": "replace", "path": "/spec/selector", "value": {"app": "nginx"}}
    label = {"op": "remove", "path": "/spec/template/metadata/labels/deployment"}
    world.sandbox.patch("replicationcontrollers", "default", NAME, [image, label])
    world.settled_anew()


def test_an_undo_killed_while_it_labels() -> None:
    """Before there is a new controller the old one says what it was to be."""
    for write in range(1, 6):
        for request, ended in ((undo(), assert_undone), (undo(2), assert_as_before)):
            world = world_of(B)
            without_label(world)
            run_killed(world, undo(), write, before=False)
            world.update(request)
            ended(world)


# --- beside others ---


def interrupted(request: Asking, write: int = 4) -> World:
    world = world_of(B)
    with pytest.raises(Killed):
        world.update(request, after=killed(write))
    return world


@pytest.mark.parametrize(
    "request_",
    [undo(5), to_image(C), to_image(A), to_image(B, rollback=True), undo(new_name="next")],
    ids=["another revision", "an image", "the image of it", "back from an image", "a name"],
)
def test_nothing_else_goes_beside_an_undo(request_: Asking) -> None:
    """It is refused, with both commands to go on."""
    world = interrupted(undo())
    with pytest.raises(RefusedError, match="in-progress rollback of my-nginx to revision 1") as refused:
        world.update(request_)
    assert refused.value.hint is not None
    assert "--rollback --to-revision=1" in refused.value.hint
    assert "--rollback --to-revision=2" in refused.value.hint


def test_former_numbers_count_for_an_undo_in_progress() -> None:
    """Whoever has the numbers of before is understood as well."""
    for write in range(1, 8):
        for number, image in ((1, A), (3, A), (2, B)):
            world = world_of(B)
            world.update(undo(1))
            world.settled_anew()
            assert run_killed(world, undo(2), write, before=False)
            world.update(undo(number))
            world.assert_clean(NAME, image, 2)
            assert history_of(world) == ([(2, B), (3, A)] if image == A else [(3, A), (4, B)])


def test_no_revision_goes_beside_an_update() -> None:
    """First it has to be finished, or rolled back."""
    world = interrupted(to_image(C))
    with pytest.raises(RefusedError, match="in-progress update of my-nginx to my-nginx-") as refused:
        world.update(undo(1))
    assert "kubectl rolling-update my-nginx --rollback" in str(refused.value.hint)
    world.update(BARE)
    assert_as_before(world)


def test_an_undo_of_pods_that_fail_goes_back() -> None:
    """As any update that stops for a failure can."""
    world = world_of(B)
    world.sandbox.kubelet.paused = True
    with pytest.raises(FailureError):
        world.update(undo(timeout=20.0))
    world.sandbox.kubelet.paused = False
    world.update(undo(2))
    assert_as_before(world)


def test_an_undo_can_be_superseded() -> None:
    """By an update that asks for it; what is in progress then is no undo any more."""
    for write in range(1, 6):
        world = interrupted(undo(), write)
        with pytest.raises(RefusedError, match="in-progress rollback of my-nginx to revision 1"):
            world.update(to_image(C))
        world.update(to_image(C, supersede=True))
        world.assert_clean(NAME, C, 2)
        assert history_of(world) == [(1, A), (2, B), (3, C)]
        assert_promises(world)


def test_what_has_superseded_an_undo_is_rolled_back_as_an_update() -> None:
    """--rollback goes back to what ran before the undo, and takes both away."""
    for write in range(1, 9):
        world = interrupted(undo(), 4)
        if run_killed(world, to_image(C, supersede=True), write, before=False):
            if write == 1:
                with pytest.raises(RefusedError, match="in-progress update of my-nginx"):
                    world.update(undo(1))
            world.update(BARE)
            assert_as_before(world)
