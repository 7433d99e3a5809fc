"""A small JSON client for one API server: dicts in, dicts out.

For whoever looks at a cluster from outside: tests, the hollow kubelet, measurements. It is urllib3 only and
knows nothing of the product: a mistake of what is under test must not be mirrored here.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from testing.kubeconfig import Access
from testing.objects import Json

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

_TIMEOUT = urllib3.Timeout(connect=10, read=120)


class ApiError(Exception):
    """The server said no: ``code`` is the HTTP status, ``reason`` the Status object's."""

    def __init__(self, method: str, path: str, code: int, body: Mapping[str, Any]) -> None:
        super().__init__(
            f"{method} {path}: {code} {body.get('message') or body.get('reason') or ''}".rstrip()
        )
        self.code = code
        self.reason = str(body.get("reason", ""))
        self.body = body


TROUBLE = (ApiError, urllib3.exceptions.HTTPError, OSError)
"""All that a request may fail with: a refusal, or no answer."""


class Client:
    """Safe to share between threads. ``connections`` bounds how many requests are under way at once."""

    def __init__(self, access: Access, *, agent: str = "testing", connections: int = 8) -> None:
        self.url = access.server.rstrip("/")
        headers = {"User-Agent": agent, "Accept": JSON}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        if access.impersonated:
            headers["Impersonate-User"] = access.impersonated
        tls = {"ssl_context": tls_of(access)} if self.url.startswith("https:") else {}
        self._pool = urllib3.connection_from_url(
            self.url, maxsize=connections, block=True, headers=headers, retries=False, **tls
        )

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: urllib3.Timeout = _TIMEOUT,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """One request as it is; whatever the answer is, it is given back."""
        return self._pool.urlopen(
            method,
            path,
            body=body,
            headers={**self._pool.headers, **(headers or {})},
            timeout=timeout,
            preload_content=not stream,
        )

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = JSON, **query: Any
    ) -> Json:
        """One request; a JSON answer as dict, another as ``{"text": ...}``. Raises :class:`ApiError`."""
        if query:
            path = f"{path}?{urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": content_type}
        for _ in range(3):
            response = self.send(method, path, data, headers)
            answer = _decode(response.data)
            # From etcd to its API server, where both are busy; the same question is answered then.
            if method != "GET" or "unexpected EOF" not in str(answer.get("message")):
                break
        if response.status >= 400:
            raise ApiError(method, path, response.status, answer)
        return answer

    def get(self, path: str, **query: Any) -> Json:
        """Read an object, a list, or a text page such as ``/readyz``."""
        return self.request("GET", path, **query)

    def create(self, path: str, body: Any) -> Json:
        """POST ``body`` to a collection or a subresource."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: Any, content_type: str = MERGE_PATCH) -> Json:
        """A merge patch unless told otherwise."""
        return self.request("PATCH", path, body, content_type=content_type)

    def delete(self, path: str, body: Any = None) -> Json:
        """DELETE with optional DeleteOptions."""
        return self.request("DELETE", path, body)

    def watch(self, path: str, resource_version: str, seconds: int = 300) -> Iterator[Json]:
        """Events after ``resource_version`` until the server ends the watch; an ERROR event raises."""
        query = {
            "watch": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": seconds,
            "allowWatchBookmarks": "true",
        }
        # Bookmarks come every minute or so: a longer silence is a lost connection.
        with self.stream(f"{path}?{urlencode(query)}", urllib3.Timeout(connect=5, read=120)) as lines:
            for line in lines:
                event: Json = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError("WATCH", path, int(event["object"].get("code", 500)), event["object"])
                yield event

    @contextlib.contextmanager
    def stream(self, path: str, timeout: urllib3.Timeout) -> Iterator[Iterator[bytes]]:
        """The lines of an answer as they come. Raises :class:`ApiError` where it is a refusal."""
        response = self.send("GET", path, timeout=timeout, stream=True)
        try:
            if response.status >= 400:
                raise ApiError("GET", path, response.status, _decode(response.read()))
            yield _lines(response)
        finally:
            response.close()
            response.release_conn()  # else the pool, which blocks when all are out, never gets it back

    def close(self) -> None:
        """Close the pooled connections."""
        self._pool.close()


class _SharedContext(ssl.SSLContext):
    """urllib3 says with each connection what is offered, which frees what OpenSSL may be copying for another
    thread: a server then answers "unexpected message". Nothing is offered here; HTTP/1.1 is the default."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        pass


def tls_of(access: Access) -> ssl.SSLContext:
    """Whom to trust, and what to show of oneself."""
    context = _SharedContext(ssl.PROTOCOL_TLS_CLIENT)
    if access.authority:
        context.load_verify_locations(cadata=access.authority)
    else:
        context.load_default_certs()
    if access.certificate:
        with tempfile.TemporaryDirectory() as folder:  # it can only be loaded from files
            certificate, key = Path(folder) / "certificate", Path(folder) / "key"
            certificate.write_text(access.certificate)
            key.write_text(access.key)
            context.load_cert_chain(certificate, key)
    return context


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    pending = b""
    # read1 gives what has arrived; read and stream would wait for a full block.
    while chunk := response.read1(65536):
        *complete, pending = (pending + chunk).split(b"\n")
        yield from (line for line in complete if line.strip())


def _decode(data: bytes) -> Json:
    try:
        value = json.loads(data)
    except ValueError:
        return {"text": data.decode(errors="replace"), "message": data.decode(errors="replace")}
    return value if isinstance(value, dict) else {"value": value}
