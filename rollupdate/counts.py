"""How many of something, in words: the one place that knows of "1 pod" and "2 pods".

Not for lines that kubectl 1.17 printed, which say ``pods`` of any number, nor for "1 of 1 pods".
"""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``noun``: of one, with a regular plural: ``new pod``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
