"""Passwords in texts that are shown again. Which flags are secret is in the table of flags."""

from __future__ import annotations

import re

REDACTED = "REDACTED"
_CREDENTIALS = re.compile(r"(://(?:[^/@\s:?#]*:)?)[^/\s?#]+@")
"""Up to the last @ before the path: a password may hold one. A name without a password may be a token."""


_LOGIN = re.compile(r"^([^:/@]*:)?.+@")


def without_passwords(text: str) -> str:
    """Passwords in URLs taken out, and tokens: ``https://me:REDACTED@host/``."""
    return _CREDENTIALS.sub(rf"\1{REDACTED}@", text)


def without_login(text: str) -> str:
    """The same for the address of a server, which may have no scheme: ``me:REDACTED@host:6443``."""
    return without_passwords(text) if "://" in text else _LOGIN.sub(rf"\g<1>{REDACTED}@", text)
