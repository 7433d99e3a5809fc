"""Where an answer of 3xx leads, as Go's net/http follows it. Pure.

A read is sent again to where the answer points, with its credentials, as kubectl does; from https to http it
is not: they could be read on the way. A write is sent again for 307 and 308, which mean that. For the others
Go would make a read of it, whose answer is none to a write: that is left to the caller as the answer that it
is.
"""

from __future__ import annotations

from urllib.parse import urljoin

from rollupdate import addresses
from rollupdate.errors import ClusterError

MOST = 10
"""Requests for one answer."""
_SAME_AGAIN = (307, 308)
_REDIRECTS = (301, 302, 303, *_SAME_AGAIN)


def target(verb: str, url: str, status: int, location: str | None) -> str | None:
    """The URL to ask instead of ``url``, None if this is an answer. Raises ClusterError for one that is not
    to be asked."""
    if status not in _REDIRECTS or not location or (verb != "GET" and status not in _SAME_AGAIN):
        return None
    try:
        address = addresses.parse(urljoin(url, location))
    except ValueError as error:
        raise ClusterError(f"{_to('an address that is not valid')}: {error}") from None
    if address.scheme not in ("http", "https"):
        raise ClusterError(_to(f'an address with the scheme "{address.scheme}"'))
    if url.startswith("https:") and address.scheme == "http":
        raise ClusterError(
            _to(f"http://{address.host}, where the credentials could be read on the way"),
            hint="check the server's address: with the one that it redirects to nothing is redirected",
        )
    return address.url


def too_many() -> ClusterError:
    return ClusterError(f"Unable to connect to the server: stopped after {MOST} redirects")


def _to(where: str) -> str:
    return f"Unable to connect to the server: it redirects to {where}"
