"""Numbers as text: how many of something, in words, and the numbers that annotations and labels say."""

from __future__ import annotations

LARGEST = 2**31 - 1
"""Of a size: what the API has room for."""


def counted(number: int, noun: str) -> str:
    """``noun``: of one, with a regular plural: ``new pod``. The one place that knows of "1 pod" and "2 pods".

    Not for lines that kubectl 1.17 printed, which say ``pods`` of any number, nor for "1 of 1 pods".
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def whole(text: object) -> int | None:
    """The number that an annotation or a label says, of 0 to :data:`LARGEST`; None for any other text.

    Anyone may write them, and ``int`` knows more than a number of a few digits: signs, underscores, digits of
    other scripts; and of thousands of digits it raises.
    """
    known = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 10
    number = int(str(text)) if known else -1
    return number if 0 <= number <= LARGEST else None


def wholes(text: object) -> tuple[int, ...]:
    """Those of them that stand between commas."""
    return tuple(found for part in str(text or "").split(",") if (found := whole(part)) is not None)
