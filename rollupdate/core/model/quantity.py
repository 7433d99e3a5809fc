"""Amounts of a resource as the API writes them (resource.Quantity: ``500m``, ``4Gi``). Exact and pure."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40}))(?P<suffix>[a-zA-Z]*|[eE][+-]?\d{1,3})", re.ASCII
)
_DECIMAL: dict[str, int] = dict(
    zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 21, 3), strict=True)
)
_BINARY: dict[str, int] = {
    suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
}
_LARGEST_EXPONENT = 30
"""Of what is taken for a quantity: the API server knows none that large."""
_NANO = 10**9
"""The finest part of one that the API keeps; it rounds up."""


def parse(text: object) -> Fraction | None:
    """As a number; None if it is none."""
    found = _QUANTITY.fullmatch(str(text)) if isinstance(text, (str, int, float)) else None
    if found is None:
        return None
    number, suffix = Fraction(found["number"]), found["suffix"]
    if suffix in _BINARY:
        return _kept(number * _BINARY[suffix])
    exponent = _DECIMAL.get(suffix)
    if exponent is None and suffix[:1] in ("e", "E") and suffix[1:].lstrip("+-").isdigit():
        exponent = int(suffix[1:])
    if exponent is None or abs(exponent) > _LARGEST_EXPONENT:
        return None
    return _kept(number * Fraction(10) ** exponent)


def written(amount: Fraction, like: str = "") -> str:
    """With the largest suffix that is exact: a binary one if ``like``, another quantity, has one."""
    if not amount:
        return "0"
    if like.endswith("i"):
        for suffix, factor in reversed(_BINARY.items()):
            if amount % factor == 0:
                return f"{amount / factor}{suffix}"
    amount = _kept(amount)
    return next(
        f"{scaled}{suffix}"
        for suffix, exponent in reversed(_DECIMAL.items())
        if (scaled := amount / Fraction(10) ** exponent).denominator == 1
    )


def _kept(amount: Fraction) -> Fraction:
    return Fraction(math.ceil(amount * _NANO), _NANO)
