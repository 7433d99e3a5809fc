"""Amounts as the API writes them: read exactly, written so that they are read as the same."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model.quantity import parse, written

SUFFIXES = {
    **dict(zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 21, 3), strict=True)),
}
BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("4Gi", 4 * 2**30),
        ("0.5Gi", 2**29),
        ("1500m", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("1e3", 1000),
        ("1E3", 1000),
        ("2E", 2 * 10**18),
        ("1e-1", Fraction(1, 10)),
        ("-3k", -3000),
        (7, 7),
        (0.1, Fraction(1, 10)),
        ("0.1n", Fraction(1, 10**9)),  # rounded up, as the server does
    ],
)
def test_read(text: object, value: int | Fraction) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text", ["", "lots", "1KB", "1ki", "e3", "1e99", "--1", "1 Gi", None, [], "9" * 5000, "٣"]
)
def test_what_is_none(text: object) -> None:
    assert parse(text) is None


@given(
    st.decimals(-(10**6), 10**6, places=3),
    st.sampled_from([*SUFFIXES]),
)
def test_decimal_ones_as_the_decimal_module_reads_them(number: Decimal, suffix: str) -> None:
    """But for what is finer than a billionth, which is rounded up."""
    plain = Fraction(number) * Fraction(10) ** SUFFIXES[suffix]
    read = parse(f"{number}{suffix}")
    assert read is not None
    assert 0 <= read - plain < Fraction(1, 10**9)
    assert read == plain or plain.denominator > 1


@given(st.integers(-(10**9), 10**9), st.sampled_from(BINARY), st.sampled_from(["4Gi", "1G", "8", "500m"]))
def test_written_and_read_again(number: int, suffix: str, like: str) -> None:
    value = Fraction(number * 1024 ** (BINARY.index(suffix) + 1), 1000)
    assert parse(written(value, like)) == value


@pytest.mark.parametrize(
    ("amount", "like", "text"),
    [
        (Fraction(512 * 2**20), "4Gi", "512Mi"),
        (Fraction(3 * 2**29), "4Gi", "1536Mi"),
        (Fraction(10**9), "4Gi", "1G"),
        (Fraction(10**9), "4G", "1G"),
        (Fraction(1, 4), "2", "250m"),
        (Fraction(3), "3", "3"),
        (Fraction(1000), "4Gi", "1k"),
        (Fraction(0), "4Gi", "0"),
    ],
)
def test_in_the_units_of_the_quota(amount: Fraction, like: str, text: str) -> None:
    """If that is exact."""
    assert written(amount, like) == text
