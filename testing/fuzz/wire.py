"""A transport that reaches no network: what the server answers is asked of a function.

Everything above the socket is the command's own: headers, answers cut into pieces, JSON, errors.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import urllib3

from rollupdate.cluster import ConnectionConfig
from rollupdate.cluster.api import ApiCluster
from rollupdate.cluster.connection import Connection
from rollupdate.cluster.credentials import CredentialSource
from rollupdate.cluster.pool import Clients
from testing.fuzz.guard import DefectError

CONFIG = ConnectionConfig("http://api.test")


@dataclass(frozen=True)
class Call:
    """One request as it would go out."""

    verb: str
    path: str
    query: dict[str, str]
    body: Any
    content_type: str

    @property
    def is_write(self) -> bool:
        dry = "dryRun" in self.query or (isinstance(self.body, dict) and "dryRun" in self.body)
        return self.verb != "GET" and not dry


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


Answering = Callable[[Call], Reply]


class _Wire:
    """In the place of the client of the pool."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer

    def request(self, verb: str, url: str, *, headers: Any, body: Any, _request_timeout: Any) -> Any:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        reply = self._answer(Call(verb, parts.path, query, body, headers.get("Content-Type", "")))
        response = urllib3.HTTPResponse(
            io.BytesIO(reply.body),
            headers=urllib3.HTTPHeaderDict(reply.headers),
            status=reply.status,
            preload_content=False,
        )
        return mock.Mock(response=response)

    def close(self) -> None:
        """There is nothing to close."""


@contextmanager
def cluster_that(answer: Answering) -> Iterator[ApiCluster]:
    """A cluster of which every request is answered so."""
    wire: Any = _Wire(answer)
    with mock.patch("rollupdate.cluster.connection.new_clients", lambda *_given: Clients(wire, wire)):
        yield ApiCluster(Connection(CONFIG, CredentialSource(CONFIG), environ={}), CONFIG)


def refusing_writes(answer: Answering) -> Answering:
    """The same, for what must never write."""

    def guarded(call: Call) -> Reply:
        if call.is_write:
            raise DefectError(f"a write: {call.verb} {call.path}")
        return answer(call)

    return guarded
