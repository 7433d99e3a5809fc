"""The line of revisions: what is written so that it ends with what ran, from whatever is there."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model import history
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Ran, Revision, Write, plan, plan_back, revisions
from rollupdate.core.model.record import Undo
from rollupdate.core.plan.intent import PREVIOUS
from rollupdate.errors import RefusedError
from testing.objects import Json
from tests.core.worlds import raw
from tests.support import changes
from tests.support.asking import aimed, asking

KEY = "deployment"
FAR = 100


def template(image: str, label: str | None = None) -> Json:
    labels = {"app": "foo"} | ({KEY: label} if label else {})
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}


def owner(name: str = "foo") -> Controller:
    return Controller.parse(raw(name))


def ran(image: str, **more: Any) -> Ran:
    return Ran(template(image, label="x"), KEY, **more)


def carried_out(there: Sequence[Json], writes: Sequence[Write]) -> list[Json]:
    """What there is after those writes."""
    found = {each["metadata"]["name"]: each for each in there}
    for write in writes:
        if write.after is None:
            assert write.before is not None
            del found[write.before["metadata"]["name"]]
            continue
        name = write.after["metadata"]["name"]
        assert (name in found) == (write.before is not None), name
        found[name] = copy.deepcopy(write.after)
    return list(found.values())


def kept(there: Sequence[Json], *images: str, to: Controller | None = None, limit: int = FAR) -> list[Json]:
    """The history once those have run."""
    controller = to or owner()
    wanted = [ran(each) for each in images]
    return carried_out(there, plan(revisions(there), controller, wanted, limit))


def line(there: Sequence[Json], of: Controller | None = None) -> list[tuple[int, str]]:
    controller = of or owner()
    return [(each.number, each.images[0]) for each in revisions(there) if each.owner_uid == controller.uid]


def test_the_first_update_keeps_what_ran_before_it_as_well() -> None:
    """Else there would be nothing to go back to."""
    assert line(kept([], "a", "b")) == [(1, "a"), (2, "b")]


def test_what_is_kept_is_the_template_without_the_label() -> None:
    """Owned by the controller, found by its uid, named by what it is."""
    controller = owner()
    (made,) = kept([], "a")
    assert made["data"] == {"spec": {"template": template("a")}}
    assert made["metadata"]["labels"] == {history.OWNER: controller.uid}
    (reference,) = made["metadata"]["ownerReferences"]
    assert (reference["uid"], reference["kind"], reference["controller"]) == (
        controller.uid,
        "ReplicationController",
        True,
    )
    assert made["metadata"]["name"].startswith("foo-")
    assert kept([], "a") == [made]
    assert kept([], "b")[0]["metadata"]["name"] != made["metadata"]["name"]


def test_each_update_adds_one() -> None:
    """What ran before is the end of the line already."""
    there = kept(kept([], "a", "b"), "b", "c")
    assert line(there) == [(1, "a"), (2, "b"), (3, "c")]


def test_a_template_that_comes_back_gets_the_next_number() -> None:
    """And answers to the numbers that it had."""
    there = kept(kept(kept([], "a", "b"), "b", "a"), "a", "b")
    assert line(there) == [(3, "a"), (4, "b")]
    known = revisions(there)
    for number, image in ((1, "a"), (2, "b"), (3, "a"), (4, "b")):
        found = history.numbered(known, number)
        assert found is not None
        assert found.images == (image,)
    assert history.numbered(known, 5) is None


def test_what_was_edited_in_between_is_kept_too() -> None:
    """It ran, so one may want to go back to it."""
    there = kept(kept([], "a", "b"), "edited", "c")
    assert line(there) == [(1, "a"), (2, "b"), (3, "edited"), (4, "c")]


def test_what_ran_before_comes_right_before_what_runs() -> None:
    """However old its revision is: going back goes there."""
    there = kept(kept([], "a", "b", "c"), "a", "d")
    assert line(there) == [(2, "b"), (3, "c"), (4, "a"), (5, "d")]
    before = history.previous(revisions(there), template("d"))
    assert before is not None
    assert before.images == ("a",)


def test_of_what_only_gets_its_place_again_all_else_stays() -> None:
    """The cause is that of the update that brought it, and the time."""
    wanted = [ran("a", at="t0"), ran("b", command="to b", at="t1")]
    there = carried_out([], plan((), owner(), wanted, FAR))
    wanted = [ran("a"), ran("c", command="to c", at="t2")]
    there = carried_out(there, plan(revisions(there), owner(), wanted, FAR))
    assert [(each.images[0], each.cause, each.finished_at) for each in revisions(there)] == [
        ("b", "to b", "t1"),
        ("a", None, "t0"),
        ("c", "to c", "t2"),
    ]


def test_the_oldest_go() -> None:
    """So many are kept beside the one that runs."""
    there: list[Json] = kept([], "0", "1")
    for number in range(1, 6):
        there = kept(there, str(number), str(number + 1), limit=2)
    assert line(there) == [(5, "4"), (6, "5"), (7, "6")]


def test_another_name_takes_the_history_along() -> None:
    """As copies: the ones of the old controller go with it."""
    there = kept(kept([], "a", "b"), "b", "c")
    new = owner("bar")
    there = kept(there, "c", "d", to=new, limit=2)
    assert line(there, new) == [(2, "b"), (3, "c"), (4, "d")]
    assert line(there) == [(1, "a"), (2, "b"), (3, "c")], "the old one's are left alone"
    assert revisions(there)[-1].former == ()


def test_a_change_of_nothing_but_the_size_is_no_new_revision() -> None:
    """The same template before and after."""
    assert line(kept([], "a", "a")) == [(1, "a")]
    there = kept([], "a", "b")
    assert kept(there, "b", "b") == there


def test_another_label_key_is_the_same_template() -> None:
    """Each revision says which label it was kept without."""
    there = carried_out([], plan((), owner(), [Ran({**template("a", "x")}, KEY)], FAR))
    other = copy.deepcopy(template("a"))
    other["metadata"]["labels"][KEY] = "y"
    again = plan(revisions(there), owner(), [Ran(other, "turn")], FAR)
    assert again == ()


@pytest.mark.parametrize(
    ("annotations", "causes"),
    [
        ((None, None), [None, "command"]),
        (("new", "new"), ["new", "command"]),
        ((None, "ticket 7"), [None, "ticket 7"]),
        (("first", "ticket 7"), ["first", "ticket 7"]),
    ],
)
def test_the_cause_is_the_annotation_where_it_is_news(
    annotations: tuple[str | None, str | None], causes: list[str | None]
) -> None:
    """What it has said of an earlier revision is not said of the next one; then the command is."""
    before, after = annotations
    wanted = [ran("a", annotation=before), ran("b", annotation=after, command="command")]
    there = carried_out([], plan((), owner(), wanted, FAR))
    assert [each.cause for each in revisions(there)] == causes


def test_what_is_handed_back_is_forgotten() -> None:
    """A new revision goes, one that had come back gets its number back; anything else stays as it is."""
    controller = owner()
    first = kept([], "a", "b")

    def back(there: list[Json], *images: str) -> list[Json]:
        return carried_out(there, plan_back(revisions(there), controller, [ran(each) for each in images]))

    assert back(kept(first, "b", "c"), "b", "c") == first
    assert line(back(kept(first, "b", "a"), "b", "a")) == line(first)
    assert revisions(back(kept(first, "b", "a"), "b", "a"))[0].former == ()
    assert back(first, "b", "c") == first, "it had not been kept yet"
    assert back(first, "b", "a") == first
    assert back(first, "b") == first
    assert back([], "a", "b") == []


def test_a_rollback_undoes_a_finished_update_by_its_revision_only() -> None:
    """Without one it is refused with the number of the revision before; 0 is that revision."""
    there = carried_out([], plan((), owner(), [ran("a"), ran("b")], FAR))
    known = revisions(carried_out(there, plan(revisions(there), owner(), [ran("b"), ran("c")], FAR)))
    running = Controller.parse({**raw("foo"), "spec": {**raw("foo")["spec"], "template": known[-1].template}})
    controllers = {"foo": running}
    bare = asking("foo", rollback=True)
    for request in (bare, bare.but(to_revision=PREVIOUS)):
        with pytest.raises(RefusedError) as refused:
            aimed(request, controllers)
        assert (refused.value.message, refused.value.hint) == ("Could not find foo to rollback.", None)
    with pytest.raises(RefusedError, match=r"^Could not find foo to rollback\.$") as refused:
        aimed(bare, controllers, known)
    command = f"kubectl rolling-update foo --rollback --to-revision={known[-2].number}"
    assert str(refused.value.hint).endswith(f": {command}")
    for number in (PREVIOUS, known[-2].number):
        goal = aimed(bare.but(to_revision=number), controllers, known)
        assert not goal.rollback
        assert goal.undo == Undo(known[-2].number, known[-1].number)


def test_the_history_is_read_only_if_it_is_needed() -> None:
    """An update, and the rollback of one, are told without it."""
    old = raw("foo")
    goal = aimed(asking("foo", change=changes.image("nginx:2")), {"foo": Controller.parse(old)}, None)
    assert goal.manifest is not None
    new = {**goal.manifest, "metadata": {**goal.manifest["metadata"], "uid": "new", "resourceVersion": "1"}}
    controllers = {one["metadata"]["name"]: Controller.parse(one) for one in (old, new)}
    assert aimed(asking("foo", rollback=True), controllers, None).rollback


def test_what_cannot_be_read_is_left_alone() -> None:
    """Somebody's own ControllerRevisions, or ours when somebody has been at them."""
    (good,) = kept([], "a")
    for broken in (
        {**good, "data": None},
        {**good, "data": {"spec": []}},
        {**good, "revision": None},
        {**good, "metadata": {"name": "x"}},
    ):
        assert Revision.parse(broken) is None
    odd = copy.deepcopy(good)
    odd["metadata"]["annotations"][history.FORMER] = f"1,x,,-3,{9:0>5000}"
    parsed = Revision.parse(odd)
    assert parsed is not None
    assert parsed.former == (1,)


def test_a_long_name_is_cut() -> None:
    """An object's name has at most 253 characters, and ends in a letter or digit."""
    (made,) = kept([], "a", to=owner("a" * 241 + "." + "b" * 11))
    name = made["metadata"]["name"]
    assert len(name) <= 253
    assert "." not in name


images = st.sampled_from("abcd")
updates_ = st.tuples(images, images, st.integers(1, 4), st.lists(st.integers(0, 5), max_size=2))


@given(st.lists(updates_, min_size=1, max_size=6), st.booleans())
def test_killed_anywhere_it_ends_alike(updates: list[tuple[str, str, int, list[int]]], renamed: bool) -> None:
    """After any of its writes the next plan writes the rest, and the one after that nothing."""
    smooth: list[Json] = []
    rough: list[Json] = []
    for number, (before, after, limit, kills) in enumerate(updates):
        to = owner("bar") if renamed and number == len(updates) - 1 else owner()
        wanted = [ran(before), ran(after)]
        smooth = carried_out(smooth, plan(revisions(smooth), to, wanted, limit))
        for kill in [*kills, None]:
            rough = carried_out(rough, plan(revisions(rough), to, wanted, limit)[:kill])
        assert plan(revisions(rough), to, wanted, limit) == ()
        assert line(rough, to) == line(smooth, to)
        assert line(rough, to)[-1][1] == after
        assert len(line(rough, to)) <= limit + 1
        if before != after:
            previous = history.previous(revisions(rough), template(after))
            assert previous is not None
            assert previous.images == (before,)
