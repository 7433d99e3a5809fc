"""The hollow kubelet's own server: what it is asked for, and who may read it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from testing.controlplane.certificates import Authority, KeyPair
from testing.controlplane.kubelet_logs import LogServer
from testing.kubelet.logs import NoLogError


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def read(
    namespace: str, pod: str, container: str, previous: bool, lines: int | None, size: int | None
) -> str | None:
    """As a kubelet that has the pod n/p answers."""
    if previous:
        raise NoLogError("there is none")
    return f"{container} {lines} {size}" if (namespace, pod) == ("n", "p") else None


@pytest.fixture
def server(authority: Authority) -> Iterator[LogServer]:
    server = LogServer(authority.server("kubelet"), str(authority.path))
    server.read = read
    yield server
    server.close()


def ask(server: LogServer, authority: Authority, path: str, pair: KeyPair | None) -> tuple[int, str]:
    pool = urllib3.HTTPSConnectionPool(
        "127.0.0.1",
        server.port,
        ca_certs=str(authority.path),
        cert_file=None if pair is None else str(pair.certificate),
        key_file=None if pair is None else str(pair.key),
        retries=False,
        timeout=60,
    )
    answer = pool.request("GET", path)
    return answer.status, answer.data.decode()


def test_the_api_server_reads(server: LogServer, authority: Authority) -> None:
    """What is asked for is handed on; 404 for a pod that is not here."""
    pair = authority.client("apiserver-kubelet")
    path = "/containerLogs/n/p/main"
    assert ask(server, authority, path, pair) == (200, "main None None")
    assert ask(server, authority, f"{path}?tailLines=1&limitBytes=3", pair) == (200, "main 1 3")
    assert ask(server, authority, f"{path}?previous=true", pair) == (400, "there is none")
    assert ask(server, authority, "/containerLogs/n/other/main", pair)[0] == 404
    assert ask(server, authority, "/pods", pair)[0] == 404


def test_nobody_else_does(server: LogServer, authority: Authority) -> None:
    """Without a certificate of the authority there is no answer."""
    with pytest.raises((urllib3.exceptions.HTTPError, ssl.SSLError, OSError)):
        ask(server, authority, "/containerLogs/n/p/main", None)
