"""URLs as people write them, read as Go's net/url reads them: with spaces, letters of any language, a login.

From a text to its parts, in the form in which they are sent. Nothing is connected to here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

_BEGINS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=%:@]*\Z", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_PATH = "/$&+,:;=@~!'()*"
"""What stays as it is in a path."""


@dataclass(frozen=True)
class Login:
    """The part of a URL before the @."""

    username: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Address:
    """An absolute URL without its login and its fragment."""

    scheme: str
    """In small letters."""
    host: str
    """With its port, if it has one; ASCII."""
    path: str
    """Escaped as it was written, and further where that is needed."""
    query: str
    login: Login | None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}{'?' if self.query else ''}{self.query}"


def has_scheme(text: str) -> bool:
    """Whether ``text`` is a URL with a host, and no HOST:PORT."""
    begins = _BEGINS.match(text)
    return begins is not None and text[begins.end() : begins.end() + 1] not in ("", "/", "?", "#")


def parse(text: str) -> Address:
    """Raises ValueError saying what is wrong."""
    if any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("it has a control character")
    begins = _BEGINS.match(text)
    if begins is None:
        raise ValueError("it has no scheme")
    rest = text[begins.end() :].partition("#")[0]
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    login, at, host = authority.rpartition("@")
    if _BAD_ESCAPE.search(login + path):
        raise ValueError("it has a % that begins no escape; write %25")
    return Address(
        scheme=begins.group(1).lower(),
        host=_host(host),
        path=quote(slash + path, safe=_PATH + "%"),
        query=quote(query, safe=_PATH + "%?[]"),
        login=_login(login) if at else None,
    )


def cleaned(path: str) -> str:
    """A path that others are appended to: with single slashes, none at its end, and no dots."""
    parts: list[str] = []
    for part in unquote(path).split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return quote("".join(f"/{part}" for part in parts), safe=_PATH)


def _login(text: str) -> Login:
    if not _LOGIN.match(text):
        raise ValueError("its user name or password has a character that must be escaped with %")
    name, _, password = text.partition(":")
    return Login(unquote(name), unquote(password))


def _host(text: str) -> str:
    """Raises ValueError; letters that are not ASCII are written as in the DNS."""
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:  # its words quote what may be a part of a password
        raise ValueError("its port is no port, or its host no host") from None
    if not name or port == 0 or any(char.isspace() or char in '<>"\\^`{|}' for char in text):
        raise ValueError("it has no valid host")
    if not text.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError("it has no valid host") from None
        return name if port is None else f"{name}:{port}"
    return text.removesuffix(":")
