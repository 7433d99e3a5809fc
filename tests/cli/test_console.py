"""What is said to people where they may have gone."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from rollupdate.console import print_note


class Gone(io.StringIO):
    """Closed, and replaced by ``next_one``, while another thread writes to it."""

    def __init__(self, error: Exception, next_one: io.TextIOBase, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._error, self._next, self._monkeypatch = error, next_one, monkeypatch

    def write(self, text: str) -> int:
        self._monkeypatch.setattr(sys, "stderr", self._next)
        raise self._error


@pytest.mark.parametrize("error", [OSError(9, "Bad file descriptor"), ValueError("closed file")])
def test_a_note_that_comes_late_leaves_the_stream_that_followed_alone(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread may write when the run that it belongs to has ended."""
    with (tmp_path / "next").open("w+") as following:
        monkeypatch.setattr(sys, "stderr", Gone(error, following, monkeypatch))
        print_note("late")
        following.write("its own")
        following.seek(0)
        assert following.read() == "its own"
