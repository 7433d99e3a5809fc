"""The engine in process does in turn what it does side by side elsewhere, unless a test asks for that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import in_turn as turns


@pytest.fixture(autouse=True, scope="module")
def _in_turn(in_turn: None) -> None:
    """All tests here."""


@pytest.fixture
def side_by_side() -> Iterator[None]:
    """For a test of what is asked at the same time."""
    with turns.side_by_side():
        yield
