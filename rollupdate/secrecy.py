"""What a command line may hold that must not be shown again. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence

REDACTED = "REDACTED"
_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]*@")


def without_passwords(text: str) -> str:
    """Passwords in URLs taken out: ``https://me:REDACTED@host/``."""
    return _PASSWORD.sub(rf"\1{REDACTED}@", text)


def without_secrets(argv: Sequence[str]) -> list[str]:
    """A command line without the value of ``--token`` and without passwords in URLs."""
    words: list[str] = []
    hide = False
    for word in argv:
        if hide:
            words.append(REDACTED)
        elif word.startswith("--token="):
            words.append(f"--token={REDACTED}")
        else:
            words.append(without_passwords(word))
        hide = not hide and word == "--token"
    return words
