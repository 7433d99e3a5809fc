"""HTTP to one API server: one request, one answer, as plain values. No retries, no objects, no resources.

What it is sent over is made in ``pool``, proxies are chosen in ``proxies``, credentials come from
``credentials``, ``redirects`` says where another server is asked instead, and ``failures`` what went wrong. A
401 is met with refreshed credentials, once.
"""

from __future__ import annotations

import http.client
import json
import platform
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from rollupdate.cluster import failures, proxies, redirects
from rollupdate.cluster.credentials import Credentials, CredentialSource, impersonation_headers
from rollupdate.cluster.package import ApiException
from rollupdate.cluster.pool import Clients, new_clients
from rollupdate.cluster.settings import ConnectionConfig, Exchange, OnRequest, OnWarning
from rollupdate.errors import UnreachableError
from rollupdate.version import __version__

CONNECT_SECONDS = 30.0
"""As Go's dialer; ``--request-timeout`` shortens it."""
READ_SECONDS = 90.0
"""Without ``--request-timeout``: how long a server may be silent. It ends requests itself after 60 s."""
LARGEST_ANSWER = 128 * 1024 * 1024
LARGEST_LINE = 16 * 1024 * 1024
"""Bytes of one watch event; etcd holds objects of up to 1.5 MiB."""
_SHOWN_KINDS = re.compile(r"/(replicationcontrollers|pods|events)(/|\Z)")

Query = Sequence[tuple[str, str]]
Timeouts = float | tuple[float, float]
"""Seconds for all of it, or to connect and between two reads."""


def user_agent() -> str:
    """In the form kubectl has: ``kubectl-rolling_update/0.1.0 (linux/amd64)``."""
    machine = platform.machine().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine) or "unknown"
    return f"kubectl-rolling_update/{__version__} ({sys.platform}/{machine})"


class Connection:
    """Thread safe. Requests raise ClusterError, or ConfigError where credentials cannot be had."""

    def __init__(
        self,
        config: ConnectionConfig,
        source: CredentialSource,
        *,
        environ: Mapping[str, str],
        on_warning: OnWarning | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        self._config = config
        self._source = source
        self._on_warning, self._on_request = on_warning, on_request
        self._environ = environ
        self._proxy = proxies.proxy_for(config.server, config.proxy_url, environ)
        self._impersonation = impersonation_headers(config.impersonation)
        if config.tls.insecure:  # asked for by the user; kubectl does not comment on it either
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._lock = threading.Lock()
        self._clients: dict[str, Clients] = {}
        """By scheme and host; those of other servers are where a redirect has led."""
        self._clients_pair: tuple[bytes, bytes] = (b"", b"")
        self._warned: set[str] = set()
        self._answered = False

    def request(
        self,
        verb: str,
        path: str,
        query: Query = (),
        *,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        """The answer to one request, an object in JSON. ``path`` is quoted already (see ``segment``)."""
        timeout = self._config.request_timeout
        if timeout:
            query = [*query, ("timeout", f"{timeout:g}s")]
        url = self._url(path, query)
        started = time.monotonic()
        status: int | None = None
        received: Any = None
        try:
            response = self._send(
                verb,
                url,
                timeout or (CONNECT_SECONDS, READ_SECONDS),
                body=body,
                content_type=content_type,
                accept=accept,
            )
            status = response.status
            with self._translated(url), closing_on_error(response):
                content = _read(response, started + timeout if timeout else None)
            if not 200 <= response.status <= 299:
                received = failures.plain(content[:2000].decode("utf-8", "replace"))
                raise failures.api_error(
                    response.status,
                    content,
                    verb=verb,
                    resource=path,
                    retry_after=response.headers.get("Retry-After"),
                )
            document = received = _object(content, verb, path)
            return document
        finally:
            self._tell(verb, url, status, started, body, received)

    def text(self, path: str, query: Query, *, seconds: float, limit: int) -> str:
        """An answer that is text, such as a log: its first ``limit`` bytes, whole within ``seconds``."""
        url = self._url(path, query)
        started = time.monotonic()
        status: int | None = None
        try:
            response = self._send("GET", url, (seconds, seconds), compressed=False)
            status = response.status
            with self._translated(url):
                try:
                    content = _beginning(response, started + seconds, limit)
                finally:
                    response.close()  # there may be more, or no end
            if not 200 <= status <= 299:
                raise failures.api_error(status, content, verb="GET", resource=path, retry_after=None)
            return content.decode("utf-8", "replace")
        finally:
            self._tell("GET", url, status, started, None, None)

    def stream(self, path: str, query: Query, *, read_timeout: float) -> Stream:
        """Lines of a watch, on a connection of its own. ``read_timeout``: seconds of silence after which it
        is given up."""
        url = self._url(path, query)
        started = time.monotonic()
        status: int | None = None
        try:
            response = self._send(
                "GET", url, (CONNECT_SECONDS, read_timeout), compressed=False, streamed=True
            )
            status = response.status
            if status != 200:
                with self._translated(url), closing_on_error(response):
                    content = _read(response, started + CONNECT_SECONDS)
                retry_after = response.headers.get("Retry-After")
                raise failures.api_error(status, content, verb="GET", resource=path, retry_after=retry_after)
        finally:
            self._tell("GET", url, status, started, None, None)
        return Stream(self, response, url)

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for kept in clients.values():
            kept.close()

    # --- one request on the wire ---

    def _send(
        self,
        verb: str,
        url: str,
        timeouts: Timeouts,
        *,
        body: Any = None,
        content_type: str = "",
        accept: str = "application/json",
        compressed: bool = True,
        streamed: bool = False,
    ) -> urllib3.HTTPResponse:
        """The answer's head; the body is still to be read."""

        def call(credentials: Credentials) -> urllib3.HTTPResponse:
            headers = self._headers(credentials, accept, compressed)
            if body is not None:
                headers["Content-Type"] = content_type
            there = url
            for _ in range(redirects.MOST):
                clients = self._clients_for(credentials, there)
                client = clients.streams if streamed else clients.requests
                with self._translated(there):
                    answer = client.request(
                        verb, there, headers=headers, body=body, _request_timeout=timeouts
                    )
                response: urllib3.HTTPResponse = answer.response
                location = response.headers.get("Location")
                further = redirects.target(verb, there, response.status, location)
                if further is None:
                    return response
                _discard(response)
                there = further
            raise redirects.too_many()

        credentials = self._source.current()
        response = call(credentials)
        if response.status == 401:
            fresh = self._source.refresh(credentials)
            if fresh is not None:
                response.close()
                response = call(fresh)
        self._answered = True
        for text in failures.warnings(response.headers.getlist("Warning")):
            with self._lock:
                new = text not in self._warned
                self._warned.add(text)
            if new and self._on_warning is not None:
                self._on_warning(text)
        return response

    def _headers(self, credentials: Credentials, accept: str, compressed: bool) -> urllib3.HTTPHeaderDict:
        headers = urllib3.HTTPHeaderDict()
        headers["Accept"] = accept
        headers["User-Agent"] = user_agent()
        headers["Accept-Encoding"] = "gzip" if compressed and self._config.compression else "identity"
        if credentials.authorization:
            headers["Authorization"] = credentials.authorization
        for name, value in self._impersonation:
            headers.add(name, value)
        return headers

    def _clients_for(self, credentials: Credentials, url: str) -> Clients:
        """The clients for this certificate: a new one means new connections, a new token does not."""
        pair = (credentials.certificate, credentials.key)
        parts = urlsplit(url)
        server = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if self._clients_pair != pair:
                self._clients, self._clients_pair = {}, pair
            if server not in self._clients:
                proxy = proxies.proxy_for(server, self._config.proxy_url, self._environ)
                self._clients[server] = new_clients(replace(self._config, server=server), proxy, credentials)
            return self._clients[server]

    def _url(self, path: str, query: Query) -> str:
        encoded = urlencode(list(query), quote_via=quote)
        return f"{self._config.server}{path}{'?' if encoded else ''}{encoded}"

    @contextmanager
    def _translated(self, url: str) -> Iterator[None]:
        """Everything that transport raises, as a ClusterError."""
        try:
            yield
        except (
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            ApiException,
            OSError,
            UnicodeError,
        ) as error:
            raise failures.unreachable(
                error, url=url, proxy=self._proxy, answered_before=self._answered
            ) from error

    def _tell(
        self, verb: str, url: str, status: int | None, started: float, sent: Any, received: Any
    ) -> None:
        if self._on_request is None:
            return
        if not _SHOWN_KINDS.search(urlsplit(url).path):
            sent = received = None
        milliseconds = (time.monotonic() - started) * 1000
        self._on_request(Exchange(verb, url, status, milliseconds, sent, received))


class Stream:
    """The lines of one watch. One thread reads; any other may ``shutdown`` it."""

    def __init__(self, connection: Connection, response: urllib3.HTTPResponse, url: str) -> None:
        self._connection, self._response, self._url = connection, response, url

    def lines(self) -> Iterator[bytes]:
        """Each as soon as it is there, until the server ends the stream. Raises UnreachableError where it is
        cut, silent for too long, or where a line is larger than any object can be."""
        rest = b""
        try:
            with self._connection._translated(self._url):
                while chunk := self._response.read1(65536):
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from (line for line in lines if line.strip())
                    if len(rest) > LARGEST_LINE:
                        raise UnreachableError("the watch delivered an event that is too large")
        finally:
            self._response.close()

    def shutdown(self) -> None:
        """Wake the reader, wherever it is."""
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            self._response.shutdown()


def segment(text: str) -> str:
    """One part of a path, quoted."""
    return quote(text, safe="", errors="surrogateescape")


@contextmanager
def closing_on_error(response: urllib3.HTTPResponse) -> Iterator[None]:
    """A connection whose answer was not read to its end is of no further use."""
    try:
        yield
    except BaseException:  # also an interruption
        response.close()
        raise
    response.release_conn()


def _discard(response: urllib3.HTTPResponse) -> None:
    """So that the connection is used again, unless there is much to read for that."""
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) <= 65536:
        response.drain_conn()
    else:
        response.close()


def _read(response: urllib3.HTTPResponse, deadline: float | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    # Said outright: of an answer in chunks the library hands out what came, compressed, unless it is told.
    for part in response.stream(262144, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER:
            raise UnreachableError(f"the answer is larger than {LARGEST_ANSWER // 1024 // 1024} MiB")
        if deadline is not None and time.monotonic() > deadline:
            raise UnreachableError("Unable to connect to the server: the answer did not arrive in time")
    return b"".join(parts)


def _beginning(response: urllib3.HTTPResponse, deadline: float, limit: int) -> bytes:
    content = b""
    while len(content) < limit and (part := response.read1(limit - len(content))):
        content += part
        if time.monotonic() > deadline:
            raise UnreachableError("the answer did not arrive in time")
    return content


def _object(content: bytes, verb: str, path: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        said = failures.plain(content[:200].decode("utf-8", "replace"))[:100] or "nothing"
        raise UnreachableError(
            f"the server's answer to {verb} {path} is not an object in JSON, or was cut: {said}",
            hint="check that the address is that of an API server",
        )
    return document
