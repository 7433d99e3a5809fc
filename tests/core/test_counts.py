"""How many of something, in words."""

from __future__ import annotations

import pytest

from rollupdate.counts import counted


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(0, "pod", "0 pods"), (1, "pod", "1 pod"), (1, "new pod", "1 new pod"), (12, "new pod", "12 new pods")],
)
def test_one_and_many(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words
