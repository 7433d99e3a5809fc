"""Owners and finalizers of a controller: which there are, which it gets, and how that is taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.belonging import Belongings, Former
from testing.objects import Json


def owner(uid: str, **more: object) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": f"name-{uid}", "uid": uid, **more}


belongings = st.builds(
    Belongings,
    owners=st.lists(st.text(min_size=1, max_size=3), max_size=3, unique=True).map(
        lambda uids: tuple(map(owner, uids))
    ),
    finalizers=st.lists(st.text(max_size=3), max_size=3, unique=True).map(tuple),
)


@given(belongings)
def test_what_is_written_is_read(belongings: Belongings) -> None:
    """As an annotation, and as metadata."""
    assert Belongings.decode(belongings.encode()) == belongings
    meta: Json = {"name": "web"}
    belongings.written(meta)
    assert Belongings.of(meta) == belongings
    Belongings().written(meta)
    assert meta == {"name": "web"}


@given(belongings, belongings)
def test_nothing_is_lost_or_doubled(one: Belongings, other: Belongings) -> None:
    """All of both, each once; without the others it is what it was."""
    both = one.and_also(other)
    assert both.and_also(other) == both == both.and_also(one)
    assert not one.without(both)
    assert both.without(one) == other.without(one)


def test_an_object_has_one_controlling_owner() -> None:
    """The other one stays, as a plain owner."""
    both = Belongings((owner("a", controller=True),)).and_also(Belongings((owner("b", controller=True),)))
    assert [one["controller"] for one in both.owners] == [True, False]


def test_what_has_another_shape_is_passed_over() -> None:
    """A server sends no such thing, but no traceback depends on it."""
    assert not Belongings.of({"ownerReferences": {"a": 1}, "finalizers": "x"})
    assert Belongings.of({"ownerReferences": ["x", owner("a")], "finalizers": [1, "f"]}) == Belongings(
        (owner("a"),), ("f",)
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"finalizers":"x","ownerReferences":[]}', "[" * 10_000])
def test_a_spoilt_annotation(text: str) -> None:
    """It is no guess what was meant."""
    with pytest.raises((ValueError, RecursionError)):
        Belongings.decode(text)


META: Json = {
    "labels": {"app": "web", "tier": "front"},
    "annotations": {"a": "1"},
    "finalizers": ["own/x"],
    "ownerReferences": [owner("a")],
}
GIVEN: Json = {"labels": {"tier": "back", "new": "x"}, "annotations": {"a": "1"}}
GAINED = Belongings((owner("b"),), ("file/x", "own/x"))


def test_metadata_is_taken_back() -> None:
    """What became another becomes what it was, also once it has been through JSON."""
    former = Former.of(META, GIVEN, GAINED)
    assert former is not None
    assert former.annotations == {}
    former = Former.parse(former.body())
    after: Json = {**META, "labels": {**META["labels"], **GIVEN["labels"]}}
    Belongings.of(META).and_also(GAINED).written(after)
    former.restored(after, GIVEN)
    assert after == META


def test_what_others_have_set_since_stays() -> None:
    """Only our own values are taken back."""
    former = Former.of({}, GIVEN, Belongings())
    assert former is not None
    after: Json = {"labels": {"tier": "middle", "new": "x"}}
    former.restored(after, GIVEN)
    assert after == {"labels": {"tier": "middle"}}


def test_nothing_to_take_back() -> None:
    """Where the metadata says all of it already."""
    assert Former.of(META, {"labels": {"app": "web"}}, Belongings(finalizers=("own/x",))) is None


@pytest.mark.parametrize("body", [[], {}, {"labels": {}}, {"labels": {"a": 1}, "annotations": {}}])
def test_a_spoilt_memory(body: object) -> None:
    """As for any other annotation of ours, the user is asked to set it right."""
    with pytest.raises(ValueError, match="no former metadata"):
        Former.parse(body)
