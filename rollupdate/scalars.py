"""What a plain scalar of YAML is: null, true, a number or text, as the YAML library of Kubernetes reads it.

That library (goyaml.v2, within sigs.k8s.io/yaml) knows YAML 1.1 and the octal numbers of 1.2, and keeps dates
as text. What it makes of a value is sent as JSON, so a whole number that is written with a point or an
exponent is the whole number. Nothing is parsed here but one scalar.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_INTEGER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[0-9]+)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_LARGEST_INTEGER = 2**64
_PLAIN_FROM = 1e21
"""From here on JSON writes a float with an exponent."""


def plain(text: str) -> Scalar:
    """Raises ValueError for a number that JSON cannot write."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.match(text):
        raise ValueError("not finite")
    first = text[:1]
    if not (first.isascii() and (first.isdigit() or first in "+-.")):
        return text
    digits = text if first == "." else text.replace("_", "")
    whole = integer(digits)
    if whole is not None:
        return whole
    if not _FLOAT.match(digits):
        return text
    number = float(digits)
    return as_json(number) if math.isfinite(number) else text


def as_json(number: float) -> int | float:
    """A float as JSON of Go writes it: a whole number without a point."""
    return int(number) if number.is_integer() and abs(number) < _PLAIN_FROM else number


def key(scalar: Scalar) -> str | None:
    """The text of a scalar that is a key; None for null, which can be none."""
    if isinstance(scalar, bool):
        return "true" if scalar else "false"
    return None if scalar is None else str(scalar)


def integer(text: str) -> int | None:
    """``text`` without underscores, if it is an integer of at most 64 bits; a float is none."""
    found = _INTEGER.match(text)
    if found is None or len(text) > 80:
        return None
    sign, digits = found.groups()
    if digits[:2].lower() in ("0x", "0o", "0b"):
        number = int(digits, 0)
    elif digits[0] != "0":
        number = int(digits)
    elif digits.strip("01234567"):
        return None  # 08 is no octal number, and so a float
    else:
        number = int(digits, 8)
    if number >= _LARGEST_INTEGER:
        return None
    return -number if sign == "-" else number
