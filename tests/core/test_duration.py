"""Durations as Go reads and writes them (package time, ParseDuration), which is how kubectl's flags do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("0s", 0),
        ("3s", 3),
        ("1m0s", 60),
        ("5m0s", 300),
        ("1m30s", 90),
        ("300ms", 0.3),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("5.s", 5),
        ("+5s", 5),
        ("-5s", -5),
        ("2h3m4.5s", 7384.5),
        ("1s1h", 3601),  # the units come in any order
        ("1s1s", 2),
        ("12us", 12e-6),
        ("12µs", 12e-6),  # U+00B5, micro sign
        ("12μs", 12e-6),  # U+03BC, Greek letter mu
        ("1ns", 1e-9),
        ("0.9ns", 0),
        ("0.3333333333333333333h", 1200),
        ("0100000000000000000000000000000.1s", None),
        ("000000000000000000000000000000.1s", 0.1),
        ("9223372036854775807ns", 9223372036.854775807),
    ],
)
def test_what_go_reads(text: str, seconds: float | None) -> None:
    """Every form of Go's, in seconds."""
    if seconds is None:
        with pytest.raises(ValueError, match="invalid duration"):
            parse_duration(text)
    else:
        assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        (".", 'time: invalid duration "."'),
        (".s", 'time: invalid duration ".s"'),
        ("s", 'time: invalid duration "s"'),
        (" 3s", 'time: invalid duration " 3s"'),
        ("--3s", 'time: invalid duration "--3s"'),
        ("٣s", 'time: invalid duration "٣s"'),
        ("3", 'time: missing unit in duration "3"'),
        ("-3", 'time: missing unit in duration "-3"'),
        ("1h5", 'time: missing unit in duration "1h5"'),
        ("1.5", 'time: missing unit in duration "1.5"'),
        ("3d", 'time: unknown unit "d" in duration "3d"'),
        ("3S", 'time: unknown unit "S" in duration "3S"'),
        ("3s ", 'time: unknown unit "s " in duration "3s "'),
        ("1 s", 'time: unknown unit " s" in duration "1 s"'),
        ("1e3s", 'time: unknown unit "e" in duration "1e3s"'),
        ("1h-1s", 'time: unknown unit "h-" in duration "1h-1s"'),
        ("9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'),
        ("3000000h", 'time: invalid duration "3000000h"'),
    ],
)
def test_what_go_refuses_in_its_words(text: str, message: str) -> None:
    """The message says which part is wrong."""
    with pytest.raises(ValueError, match=r"^time: ") as caught:
        parse_duration(text)
    assert str(caught.value) == message


@given(st.text(st.sampled_from("0123456789.-+hmsuµn_ ٣")) | st.text())
def test_nothing_else_ever_escapes(text: str) -> None:
    """Any text is a number of seconds within Go's range, or a ValueError."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert abs(seconds) <= 2**63 / 1e9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.3, "300ms"),
        (0.0005, "0.5ms"),
        (0.99999, "1s"),
        (1, "1s"),
        (2.5, "2.5s"),
        (59.94, "59.9s"),
        (59.96, "1m0s"),
        (60, "1m0s"),
        (90.4, "1m30s"),
        (3600, "1h0m0s"),
        (7384, "2h3m4s"),
    ],
)
def test_durations_in_messages(seconds: float, text: str) -> None:
    """Short ones to a tenth of a second, from a minute on to the second."""
    assert format_duration(seconds) == text


@given(st.integers(0, 10**7))
def test_what_is_written_can_be_read(seconds: int) -> None:
    """Whole seconds survive being written and read."""
    assert parse_duration(format_duration(seconds)) == seconds
