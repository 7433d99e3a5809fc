"""What turns one template into another: small, readable again, and harmless where it does not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.difference import Difference
from testing.objects import Json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=2), values, max_size=4)


@given(objects, objects, objects)
def test_from_one_to_the_other(before: Json, after: Json, another: Json) -> None:
    """Also once it was an annotation; applied twice it is as applied once; elsewhere nothing breaks."""
    difference = Difference.decode(Difference.between(before, after).encode())
    assert difference.applied(before) == after
    assert difference.applied(after) == after
    difference.applied(another)
    assert bool(difference) == (before != after)


def test_one_image_is_few_characters() -> None:
    """An object holds 256 KiB of annotations, and a template may be nearly as large."""
    before: Json = {"spec": {"containers": [{"name": "app", "image": "x:2", "args": ["y"] * 1000}]}}
    after: Json = {"spec": {"containers": [{**before["spec"]["containers"][0], "image": "x:1"}]}}
    assert Difference.between(before, after).encode() == '[{"at":["spec","containers",0,"image"],"is":"x:1"}]'


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"at":[]}]', '[{"at":[true]}]', '[{"at":"spec"}]', '[{"at":["a"],"x":1}]']
)
def test_a_spoilt_annotation(text: str) -> None:
    """It is no guess what was meant."""
    with pytest.raises(ValueError, match=r"."):
        Difference.decode(text)
