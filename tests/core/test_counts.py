"""Numbers as text, in both directions."""

from __future__ import annotations

import pytest

from rollupdate.counts import LARGEST, counted, whole, wholes


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(0, "pod", "0 pods"), (1, "pod", "1 pod"), (1, "new pod", "1 new pod"), (12, "new pod", "12 new pods")],
)
def test_one_and_many(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        (str(LARGEST), LARGEST),
        (str(LARGEST + 1), None),
        pytest.param("9" * 5000, None, id="large"),
        pytest.param("0" * 5000, None, id="zeros"),
        *((text, None) for text in ("", "-1", "+1", "1_0", " 1", "1.0", "x", "\u0663", "\u00b2", None, 3)),
    ],
)
def test_what_is_written_as_a_number(text: object, number: int | None) -> None:
    assert whole(text) == number


def test_several_of_them() -> None:
    assert wholes(f"1,x,,-3,{'9' * 5000},2") == (1, 2)
    assert wholes(None) == ()
