"""The address of an API server: from what a kubeconfig or a flag has to the URL that requests begin with.

The rules are those of client-go's DefaultServerURL and Go's net/url. Pure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from rollupdate import addresses
from rollupdate.addresses import Login
from rollupdate.errors import ConfigError


@dataclass(frozen=True)
class Server:
    """``url``: without a slash at its end, a query or a login; it may have a path."""

    url: str
    login: Login | None = None
    """Name and password in the address."""


def server(text: str, *, tls: bool) -> Server:
    """A URL, or HOST:PORT, which is taken for https if anything is configured for TLS. Raises ConfigError."""
    whole = addresses.has_scheme(text)
    try:
        address = addresses.parse(text if whole else f"{'https' if tls else 'http'}://{text}")
    except ValueError as error:
        raise _wrong(text, f"check the server's address: {error}") from None
    path = addresses.cleaned(address.path)
    if path and not whole:
        raise _wrong(text, "check the server's address: one with a path begins with https://")
    if address.scheme not in ("http", "https"):
        raise ConfigError(
            f'unsupported protocol scheme "{address.scheme}" in the server\'s address "{_shown(text)}"'
        )
    return Server(f"{address.scheme}://{address.host}{path}", address.login)


def _wrong(text: str, hint: str) -> ConfigError:
    quoted = json.dumps(_shown(text), ensure_ascii=False)
    return ConfigError(f"host must be a URL or a host:port pair: {quoted}", hint=hint)


def _shown(text: str) -> str:
    """Without what stands before the host, which may be a password."""
    before, at, host = text.rpartition("@")
    return f"...@{host}" if at and before else text
