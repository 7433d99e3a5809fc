"""Surge and unavailable: how they are written, and the floor and the ceiling they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.budget import Amount, Bounds, Budget

amounts = st.builds(Amount, st.integers(0, 400), st.booleans())
sizes = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", Amount(0)),
        ("3", Amount(3)),
        (3, Amount(3)),
        ("007", Amount(7)),
        ("25%", Amount(25, percent=True)),
        ("150%", Amount(150, percent=True)),
    ],
)
def test_a_number_of_pods_or_a_percentage(text: str | int, amount: Amount) -> None:
    """``3`` is three pods, ``25%`` a quarter of them."""
    assert Amount.parse(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "%",
            "-1",
            "+1",
            "1.5",
            "10 %",
            " 1",
            "1\n",
            "1%\n",
            "1%%",
            "ten",
            "٣",
            "1_0",
            "2147483648",
            -1,
        ),
        pytest.param("1" * 5000, id="large"),
    ],
)
def test_anything_else_is_refused(text: str | int) -> None:
    """What is neither is named in the message, not guessed at."""
    with pytest.raises(ValueError, match="neither a number of pods nor a percentage") as caught:
        Amount.parse(text)
    assert repr(str(text)) in str(caught.value)


@given(amounts)
def test_an_amount_is_written_as_it_is_read(amount: Amount) -> None:
    """Printing and reading again gives the same amount."""
    assert Amount.parse(str(amount)) == amount


@pytest.mark.parametrize(
    ("size", "up", "down"), [(0, 0, 0), (1, 1, 0), (3, 1, 0), (4, 1, 1), (5, 2, 1), (100, 25, 25)]
)
def test_percentages_round_as_asked(size: int, up: int, down: int) -> None:
    """A quarter of five pods is two of them rounded up and one rounded down."""
    quarter = Amount.parse("25%")
    assert quarter.of(size, round_up=True) == up
    assert quarter.of(size, round_up=False) == down


@pytest.mark.parametrize(
    ("surge", "unavailable", "original", "desired", "bounds"),
    [
        ("1", "0", 3, 3, Bounds(3, 4)),  # transcripts, section 1
        ("1", "0", 4, 5, Bounds(4, 5)),  # transcripts, section 3
        ("1", "0", 5, 2, Bounds(2, 3)),
        ("0", "30%", 10, 10, Bounds(7, 10)),
        ("10%", "0", 10, 20, Bounds(10, 12)),  # of the size to reach
        ("0", "0", 3, 3, Bounds(2, 3)),  # otherwise nothing could ever move
        ("0%", "10%", 3, 3, Bounds(2, 3)),
        ("1", "100%", 3, 3, Bounds(0, 4)),
        ("1", "9", 3, 3, Bounds(0, 4)),  # never below nothing
        ("1", "0", 3, 0, Bounds(0, 1)),
        ("50%", "50%", 0, 0, Bounds(0, 0)),
    ],
)
def test_floor_and_ceiling(surge: str, unavailable: str, original: int, desired: int, bounds: Bounds) -> None:
    """Both are counted from the smaller of the two sizes."""
    budget = Budget(Amount.parse(surge), Amount.parse(unavailable))
    assert budget.bounds(original=original, desired=desired) == bounds


@given(amounts, amounts, sizes, sizes)
def test_there_is_always_room_to_move(
    surge: Amount, unavailable: Amount, original: int, desired: int
) -> None:
    """Whatever is asked for: the floor is not above the smaller size, the ceiling not below it, and between
    the two there is at least one pod's room unless there are no pods."""
    bounds = Budget(surge, unavailable).bounds(original=original, desired=desired)
    base = min(original, desired)
    assert 0 <= bounds.floor <= base <= bounds.ceiling
    assert bounds.ceiling > bounds.floor or base == 0
