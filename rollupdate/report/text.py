"""Making text from outside fit for a terminal."""

from __future__ import annotations

import unicodedata
from typing import Any


def printable(text: str) -> str:
    """Control characters escaped (the newline stays), so that no name or message can drive the terminal."""
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else _escape(character)
        for character in text
    )


def one_line(text: str) -> str:
    """The same, on a single line."""
    return printable(text).replace("\n", " ")


def ascii_json(value: Any, *, indent: int | None = None) -> str:
    """JSON that no terminal acts on: ASCII, and not DEL, which JSON leaves alone."""
    import json

    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
