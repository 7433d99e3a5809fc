"""What makes one JSON value of another is small and exact, and says so if it does not fit."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.difference import applied, difference

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(0, 3).map(lambda x: x / 2)
    | st.text(max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(VALUES, VALUES)
def test_it_makes_one_of_the_other(one: Any, other: Any) -> None:
    """To the letter (true is not 1, and 1 not 1.0), and leaves what it is made from alone."""
    before = copy.deepcopy(one)
    assert text(applied(one, difference(one, other))) == text(other)
    assert text(one) == text(before)


@given(VALUES)
def test_nothing_differs(value: Any) -> None:
    assert difference(value, copy.deepcopy(value)) == "[]"


def test_only_what_differs_is_kept() -> None:
    containers = [{"name": f"c{number}", "image": "a:1"} for number in range(9)]
    other = copy.deepcopy(containers)
    other[4]["image"] = "a:2"
    assert difference({"spec": containers}, {"spec": other}) == '[[["spec",4,"image"],"a:2"]]'


@pytest.mark.parametrize(
    "changes",
    [
        "",
        "{}",
        "7",
        "[7]",
        "[[7]]",
        "[[]]",
        '[[["x","y"],1]]',
        '[[["a","b"],1]]',
        '[[["l",5],1]]',
        '[[["x"]]]',
    ],
)
def test_what_does_not_fit_is_an_error(changes: str) -> None:
    """Whatever another client has made of it, or of the value."""
    with pytest.raises(ValueError):
        applied({"a": 1, "l": [1]}, changes)


@given(VALUES, st.text(max_size=12) | VALUES.map(text))
def test_nothing_but_a_value_error(value: Any, changes: str) -> None:
    with contextlib.suppress(ValueError):
        applied(value, changes)
