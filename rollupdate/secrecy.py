"""Passwords in texts that are shown again. Which flags are secret is in the table of flags."""

from __future__ import annotations

import re

REDACTED = "REDACTED"
_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]*@")


def without_passwords(text: str) -> str:
    """Passwords in URLs taken out: ``https://me:REDACTED@host/``."""
    return _PASSWORD.sub(rf"\1{REDACTED}@", text)
