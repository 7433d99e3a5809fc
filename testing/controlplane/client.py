"""A small JSON client for one API server: token or client certificate in, dicts out.

For the plane itself, the hollow kubelet and tests that look at the cluster from outside. It is urllib3
only: what is under test talks through another client, and a mistake there must not be mirrored here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

_TIMEOUT = urllib3.Timeout(connect=5, read=30)


class ApiError(Exception):
    """The server said no: ``code`` is the HTTP status, ``reason`` the Status object's."""

    def __init__(self, method: str, path: str, code: int, body: Mapping[str, Any]) -> None:
        super().__init__(
            f"{method} {path}: {code} {body.get('message') or body.get('reason') or ''}".rstrip()
        )
        self.code = code
        self.reason = str(body.get("reason", ""))
        self.body = body


@dataclass(frozen=True)
class Credentials:
    """How a user proves who they are: a token, or a client certificate with its key."""

    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None


class Client:
    """Safe to share between threads. ``connections`` bounds how many requests are under way at once."""

    def __init__(
        self,
        url: str,
        ca: Path | None,
        credentials: Credentials,
        *,
        user_agent: str = "rollupdate-controlplane",
        connections: int = 8,
    ) -> None:
        self.url = url
        headers = {"User-Agent": user_agent, "Accept": JSON}
        if credentials.token is not None:
            headers["Authorization"] = f"Bearer {credentials.token}"
        self._pool = urllib3.connection_from_url(
            url,
            maxsize=connections,
            block=True,
            headers=headers,
            retries=False,
            **_tls(url, ca, credentials),
        )

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        timeout: float | None = None,
        **query: Any,
    ) -> dict[str, Any]:
        """One request; a JSON answer as dict, another as ``{"text": ...}``. Raises :class:`ApiError`."""
        if query:
            path = f"{path}?{urlencode(query)}"
        headers = dict(self._pool.headers)
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body).encode()
        response = self._pool.urlopen(
            method, path, body=data, headers=headers, timeout=_TIMEOUT if timeout is None else timeout
        )
        answer = _decode(response.data)
        if response.status >= 400:
            raise ApiError(method, path, response.status, answer)
        return answer

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read an object, a list, or a text page such as ``/readyz``."""
        return self.request("GET", path, **query)

    def create(self, path: str, body: Any) -> dict[str, Any]:
        """POST ``body`` to a collection or a subresource."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: Any, content_type: str = STRATEGIC_PATCH) -> dict[str, Any]:
        """Strategic merge patch unless told otherwise."""
        return self.request("PATCH", path, body, content_type=content_type)

    def delete(self, path: str, body: Any = None) -> dict[str, Any]:
        """DELETE with optional DeleteOptions."""
        return self.request("DELETE", path, body)

    def watch(self, path: str, resource_version: str, seconds: int = 300) -> Iterator[dict[str, Any]]:
        """Events after ``resource_version`` until the server ends the watch; an ERROR event raises."""
        query = urlencode(
            {
                "watch": "true",
                "resourceVersion": resource_version,
                "timeoutSeconds": seconds,
                "allowWatchBookmarks": "true",
            }
        )
        response = self._pool.urlopen(
            "GET",
            f"{path}?{query}",
            headers=self._pool.headers,
            preload_content=False,
            # Bookmarks come every minute or so: a longer silence is a lost connection.
            timeout=urllib3.Timeout(connect=5, read=120),
        )
        try:
            if response.status >= 400:
                raise ApiError("WATCH", path, response.status, _decode(response.read()))
            for line in _lines(response):
                event: dict[str, Any] = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError("WATCH", path, int(event["object"].get("code", 500)), event["object"])
                yield event
        finally:
            response.close()
            response.release_conn()  # else the pool, which blocks when all are out, never gets it back

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.close()


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    pending = b""
    # read1 gives what has arrived; read and stream would wait for a full block.
    while chunk := response.read1(65536):
        *complete, pending = (pending + chunk).split(b"\n")
        yield from (line for line in complete if line.strip())


def _decode(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {"text": data.decode(errors="replace"), "message": data.decode(errors="replace")}
    return value if isinstance(value, dict) else {"value": value}


def _tls(url: str, ca: Path | None, credentials: Credentials) -> dict[str, Any]:
    if not url.startswith("https:"):
        return {}
    return {
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": None if ca is None else str(ca),
        "cert_file": None if credentials.certificate is None else str(credentials.certificate),
        "key_file": None if credentials.key is None else str(credentials.key),
    }
