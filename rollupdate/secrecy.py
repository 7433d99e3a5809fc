"""What a command line may hold that must not be shown again. No I/O."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

REDACTED = "REDACTED"
_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]*@")


def without_passwords(text: str) -> str:
    """Passwords in URLs taken out: ``https://me:REDACTED@host/``."""
    return _PASSWORD.sub(rf"\1{REDACTED}@", text)


_LONGEST_COMMAND = 1000


def shown_command(argv: Sequence[str]) -> str:
    """The whole command, ready to paste unless it is very long."""
    text = shlex.join(["kubectl", "rolling-update", *without_secrets(argv)])
    return text if len(text) <= _LONGEST_COMMAND else text[: _LONGEST_COMMAND - 3] + "..."


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
