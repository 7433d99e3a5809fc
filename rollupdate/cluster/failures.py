"""What went wrong between us and the API server, in the words of kubectl. Translation only, pure.

Everything that urllib3 and the client package raise becomes an UnreachableError (a ClusterError where it will
not pass), every answer that is no success an ApiError.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3.exceptions

from rollupdate.errors import ApiError, ClusterError, UnreachableError

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
_UNABLE = "Unable to connect to the server"


def unreachable(error: BaseException, *, url: str, proxy: str, answered_before: bool) -> ClusterError:
    """``answered_before``: the server did answer an earlier request, so a certificate that cannot be
    verified may be some other machine's for the moment; otherwise it is a matter of configuration."""
    lasting = UnreachableError if answered_before else ClusterError
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    chain = list(_chain(error))

    def among(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in chain if isinstance(cause, kinds)), None)

    through = among(urllib3.exceptions.ProxyError) is not None and bool(proxy)
    if through:
        address = urlsplit(proxy).netloc.rpartition("@")[2]
    verification = among(ssl.SSLCertVerificationError)
    if isinstance(verification, ssl.SSLCertVerificationError):
        what = f"{_UNABLE}: tls: failed to verify certificate of {address}: {verification.verify_message}"
        hint = "check certificate-authority and tls-server-name of the cluster in the kubeconfig"
        return lasting(what, hint=hint)
    tls = among(ssl.SSLError) or among(urllib3.exceptions.SSLError)
    if tls is not None:
        library_reason = getattr(tls, "reason", None) or ""
        if library_reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
            what = f"{_UNABLE}: {address} does not speak TLS"
            return lasting(what, hint="check https:// in the address of the server")
        alert = re.sub(r"\s*\(_ssl\.c:\d+\)", "", " ".join(str(tls).split()))
        return UnreachableError(f"{_UNABLE}: tls: {alert[:300]}")
    prefix = f"{_UNABLE}: proxyconnect tcp: " if through else f"{_UNABLE}: "
    if among(ConnectionRefusedError):
        if through:
            return UnreachableError(f"{prefix}{address} refused the connection", hint="check the proxy")
        return UnreachableError(
            f"The connection to the server {address} was refused - did you specify the right host or port?"
        )
    if among(urllib3.exceptions.NameResolutionError, socket.gaierror):
        name = urlsplit(proxy).hostname if through else host
        return UnreachableError(f"{prefix}lookup {name}: no such host")
    if among(urllib3.exceptions.ConnectTimeoutError):
        return UnreachableError(f"{prefix}dial tcp {address}: i/o timeout")
    if among(urllib3.exceptions.TimeoutError, TimeoutError):
        return UnreachableError(f"{prefix}{address} did not answer in time")
    tunnel = next((str(cause) for cause in chain if str(cause).startswith("Tunnel connection failed")), None)
    if tunnel is not None:
        return UnreachableError(f"{prefix}{address}: {plain(tunnel)}", hint="check the proxy")
    system = among(OSError)
    if isinstance(system, OSError) and system.strerror:
        return UnreachableError(f"{prefix}{address}: {system.strerror.lower()}")
    if among(urllib3.exceptions.ProtocolError):
        return UnreachableError(f"{prefix}{address}: the connection was closed in the middle (EOF)")
    return UnreachableError(
        f"{prefix}{address}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from and what it carries as an argument, as urllib3 does."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        cause = queue.pop(0)
        if cause is None or id(cause) in seen or len(seen) > 30:
            continue
        seen.add(id(cause))
        yield cause
        queue += [arg for arg in cause.args if isinstance(arg, BaseException)]
        original = getattr(cause, "original_error", None)
        queue += [
            original if isinstance(original, BaseException) else None,
            cause.__cause__,
            cause.__context__,
        ]


def api_error(status: int, body: bytes, *, verb: str, resource: str, retry_after: str | None) -> ApiError:
    """From an answer that is no success; ``body`` is a v1.Status, or whatever a proxy says instead."""
    document = _status(body)
    details = document.get("details")
    details = details if isinstance(details, dict) else {}
    reason, text = document.get("reason"), document.get("message")
    if not isinstance(reason, str) or not reason:
        reason = _REASONS.get(status, "")
        if status == 409 and verb == "POST":
            reason = "AlreadyExists"
    if not isinstance(text, str) or not text:
        said = plain(body[:2000].decode("utf-8", "replace"))
        text = {
            401: "the server has asked for the client to provide credentials",
            404: "the server could not find the requested resource",
            429: "the server has received too many requests and has asked us to try again later",
        }.get(status, "")
        text = text or f'the server answered {status} to {verb} {resource}: "{said[:200] or "nothing"}"'
    text = "".join(char for char in text if char.isprintable() or char in "\n\t")
    error = ApiError(
        status=status, reason=reason, text=text, details=details, retry_after=_seconds(retry_after, details)
    )
    if status == 401:
        error.advice = (
            "you must be logged in to the server: check the credentials of the user in the kubeconfig"
        )
    elif status == 403:
        error.advice = _missing_right(text)
    elif 300 <= status < 400:
        error.advice = "the address is not that of an API server; a login page, perhaps"
    return error


def _missing_right(text: str) -> str | None:
    """The rule to add, where it is a right that is missing: a quota or an admission plugin says 403, too."""
    found = re.search(r'cannot (\w+) resource "([\w/]+)" in API group "([\w.]*)"', text)
    if found is None:
        return None
    needed, plural, group = found.groups()
    return (
        f'a Role has to allow it: apiGroups: ["{group}"], resources: ["{plural}"], verbs: ["{needed}"]; '
        "the same command with --print-rbac prints all that it needs"
    )


def _status(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) and document.get("kind") == "Status" else {}


def _seconds(header: str | None, details: dict[str, Any]) -> float | None:
    """Retry-After is in seconds or a date; a negative or absurd one is none."""
    value: float | None = None
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        value = float(text[:9])
    elif text:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            value = (moment - datetime.now(UTC)).total_seconds()
    if value is None:
        said = details.get("retryAfterSeconds")
        value = float(said) if isinstance(said, int) and not isinstance(said, bool) and said < 10**9 else None
    return value if value is not None and value > 0 else None


def plain(text: str) -> str:
    """One line that does nothing to a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


_WARNING = re.compile(r'(\d{3}) [^\s"]+ "((?:[^"\\]|\\.)*)"(?: "[^"]*")?\s*(?:,|\Z)')


def warnings(headers: list[str]) -> Iterator[str]:
    """The texts of ``Warning`` headers (RFC 7234) with code 299, which are the API server's."""
    for header in headers:
        for code, text in _WARNING.findall(header):
            if code == "299":
                unescaped = re.sub(r"\\(.)", r"\1", text)
                with suppress(UnicodeError):  # header values come as latin-1
                    unescaped = unescaped.encode("latin-1").decode("utf-8")
                yield plain(unescaped)
