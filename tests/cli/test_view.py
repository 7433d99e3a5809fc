"""The live view as values and as lines of text: what it says, how long it takes yet, how it fits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from rollupdate.events import ApiReachable, ApiUnreachable, Event, Pods, Progress, Scaled
from rollupdate.report.live import LEAST_COLUMNS, drawn
from rollupdate.report.observers import kind
from rollupdate.report.view import Seen, follow, time_left, view

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def pods(role: str, size: int, available: int, *, current: int | None = None, failing: int = 0) -> Pods:
    current = size if current is None else current
    return Pods(f"my-nginx-{role}", role, size, current, available, available, failing)


def at(old: int, new: int, *, asked: int | None = None, rollback: bool = False, **more: object) -> Progress:
    """An update of 10 pods: so many old ones left, so many new ones available, of those asked for."""
    asked = new if asked is None else asked
    both = (pods("old", old, old), pods("new", asked, new))
    return replace(Progress(both, 10, 10, 9, 12, rollback, "scaling"), **more)  # type: ignore[arg-type]


def seen(*told: tuple[float, Event]) -> Seen:
    state = Seen()
    for now, event in told:
        state = follow(state, event, now)
    return state


def text(state: Seen, now: float, width: int = 100, *, plain_ascii: bool = False) -> list[str]:
    shown = view(state, now)
    assert shown is not None
    return [COLOUR.sub("", line) for line in drawn(shown, width, plain_ascii=plain_ascii)]


def test_nothing_is_shown_before_anything_is_known() -> None:
    """Nor by what is no progress."""
    assert view(Seen(), 0.0) is None
    assert view(seen((1.0, Scaled("a", 0, 1))), 2.0) is None


def test_all_that_is_to_be_seen() -> None:
    """Both bars in the same measure, bounds, times, why it waits."""
    both = (pods("old", 4, 4, current=5), pods("new", 6, 3, failing=1))
    here = at(0, 0, pods=both, waiting="3 of 6 pods are available", cause="1 pod: no such image", idle=7.0)
    assert text(seen((100.0, here)), 102.0) == [
        "  old  my-nginx-old  ████████████░░░······················  4 of 4 available, 1 leaving",
        "  new  my-nginx-new  █████████▒▒▒▒▒▒×××···················  "
        "3 of 10 available, 2 starting, 1 failing",
        "  7 available (floor 9), 11 pods (ceiling 12)",
        "  no progress for 9s",
        "  Waiting: 3 of 6 pods are available; 1 pod: no such image",
    ]


def test_without_any_other_character_than_ascii() -> None:
    """A terminal that knows no others."""
    both = (pods("old", 4, 4, current=5), pods("new", 6, 3, failing=1))
    lines = text(seen((0.0, at(0, 0, pods=both, waiting="ä"))), 0.0, plain_ascii=True)
    assert "  #####" in lines[0]
    assert "###---..." in lines[0]
    assert "###++++++xxx..." in lines[1]
    assert lines[-1] == "  Waiting: ?"


def test_in_a_rollback_the_old_ones_are_to_grow() -> None:
    """They are counted against the size to reach, and what the new ones lack is not being started."""
    both = (pods("old", 5, 4), pods("new", 5, 3))
    lines = text(seen((0.0, at(0, 0, pods=both, rollback=True))), 0.0)
    assert lines[0].endswith("4 of 10 available, 1 starting")
    assert lines[1].endswith("3 of 5 available, 2 unavailable")


@pytest.mark.parametrize(
    ("told", "now", "left"),
    [
        ([(0.0, at(10, 0))], 5.0, None),  # nothing has happened yet
        ([(0.0, at(10, 0)), (5.0, at(10, 1))], 5.0, None),  # one pod is no pace
        ([(0.0, at(10, 0)), (5.0, at(9, 1))], 5.0, 45.0),  # 2 of 20 in 5 s
        ([(0.0, at(10, 0)), (5.0, at(9, 1))], 8.0, 42.0),  # time passes
        ([(0.0, at(10, 0)), (5.0, at(9, 1)), (9.0, at(9, 1, asked=2))], 9.0, 41.0),  # asked for is not done
        ([(0.0, at(10, 0)), (5.0, at(9, 1))], 16.0, None),  # it has stood still for long
        ([(0.0, at(5, 5)), (10.0, at(3, 7))], 10.0, 15.0),  # resumed: only what we saw is the pace
        ([(0.0, at(10, 0)), (5.0, at(9, 1, cause="no such image"))], 5.0, None),
        ([(0.0, at(10, 0)), (5.0, at(9, 1)), (6.0, ApiUnreachable("refused"))], 6.0, None),
        (
            [(0.0, at(10, 0)), (5.0, at(9, 1)), (6.0, ApiUnreachable("x")), (7.0, ApiReachable(1.0))],
            7.0,
            43.0,
        ),
        ([(0.0, at(10, 0)), (5.0, at(5, 5)), (6.0, at(5, 5, rollback=True))], 6.0, None),  # turned round
        ([(0.0, at(10, 0)), (0.5, at(0, 10))], 0.5, None),  # too quick to tell
    ],
)
def test_the_time_left(told: list[tuple[float, Event]], now: float, left: float | None) -> None:
    """By the pace so far, in pods that are as they are to be; no guesses."""
    assert time_left(seen(*told), now) == left


def test_a_server_that_is_away_is_what_is_waited_for() -> None:
    """Until it is back."""
    state = seen((0.0, at(10, 0, waiting="pods")), (1.0, ApiUnreachable("refused")))
    assert text(state, 1.0)[-1] == "  Waiting: API server unreachable: refused"
    assert text(follow(state, ApiReachable(1.0), 2.0), 2.0)[-1] == "  Waiting: pods"


@given(
    st.integers(LEAST_COLUMNS - 1, 200),
    st.lists(st.integers(0, 10**6), min_size=6, max_size=6),
    st.text(max_size=300),
    st.booleans(),
)
@example(52, [0] * 6, "\n", False)
@example(23, [0] * 6, "00000\u0300", True)
def test_every_line_fits(width: int, numbers: list[int], words: str, plain_ascii: bool) -> None:
    """In any width, with any numbers and names: not a cell too many, and nothing that drives a terminal."""
    a, b, c, d, e, f = numbers
    both = (
        Pods(words[:60] or "a", "old", a, a + b, min(a, c), min(a, c)),
        Pods("b" * 250, "new", d, d, min(d, e), min(d, e), min(f, d - min(d, e))),
    )
    here = at(0, 0, pods=both, waiting=words, cause=words, target=a + d, ceiling=a)
    lines = text(seen((0.0, here)), 3.0, width, plain_ascii=plain_ascii)
    assert 4 <= len(lines) <= 9
    for line in lines:
        assert cell_len(line) <= width, line
        assert not [each for each in line if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def test_long_words_are_folded_and_then_cut() -> None:
    """Three lines of them at most."""
    lines = text(seen((0.0, at(10, 0, waiting="word " * 100))), 0.0, 60)
    waiting = lines[lines.index(next(line for line in lines if "Waiting" in line)) :]
    assert len(waiting) == 3
    assert waiting[-1].endswith("…")


def test_the_smallest_count_is_seen() -> None:
    """One pod of a thousand has a cell of its own."""
    both = (pods("old", 1000, 1000), pods("new", 2, 1))
    lines = text(seen((0.0, at(0, 0, pods=both, ceiling=1001, target=1000))), 0.0)
    assert lines[1].count("█") == 1
    assert lines[1].count("▒") == 1


@pytest.mark.parametrize(
    ("progress", "terminal", "term", "posix", "chosen"),
    [
        ("auto", True, "xterm", True, "live"),
        ("live", True, "xterm", True, "live"),
        ("auto", False, "xterm", True, "plain"),
        ("live", False, "xterm", True, "plain"),
        ("auto", True, "dumb", True, "plain"),
        ("live", True, "dumb", True, "plain"),
        ("auto", True, "", True, "plain"),
        ("auto", True, "xterm", False, "plain"),
        ("plain", True, "xterm", True, "plain"),
        ("json", True, "xterm", True, "json"),
        ("none", True, "xterm", True, "none"),
    ],
)
def test_which_one_is_shown(progress: str, terminal: bool, term: str, posix: bool, chosen: str) -> None:
    """Live where standard error is a terminal that can be drawn on; what is asked for otherwise."""
    assert kind(progress, terminal=terminal, environ={"TERM": term}, posix=posix) == chosen
