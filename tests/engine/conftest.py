"""The engine in process does in turn what it does side by side elsewhere."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def _in_turn(in_turn: None) -> None:
    """All tests here."""
