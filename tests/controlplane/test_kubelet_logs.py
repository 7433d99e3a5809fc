"""The hollow kubelet's own server: which log it is, and who may read it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from testing.controlplane.certificates import Authority, KeyPair
from testing.controlplane.kubelet_logs import LogServer, NoLogError, check_run
from testing.controlplane.pod_status import Container, State

NOW = "2026-01-02T03:04:05Z"


def containers(state: State, restarts: int = 0) -> tuple[Container, ...]:
    return (Container("main", "web:1", state, NOW, restarts),)


@pytest.mark.parametrize(
    ("state", "restarts", "previous", "refused"),
    [
        (State.READY, 0, False, ""),
        (State.READY, 0, True, 'previous terminated container "main" in pod "p" not found'),
        (State.UNREADY, 1, True, ""),
        (State.CRASH_BACK_OFF, 1, False, ""),
        (State.CRASH_BACK_OFF, 1, True, ""),
        (State.CREATING, 0, False, 'container "main" in pod "p" is waiting to start: ContainerCreating'),
        (
            State.PULL_FAILED,
            0,
            False,
            'container "main" in pod "p" is waiting to start: image can\'t be pulled',
        ),
        (
            State.PULL_BACK_OFF,
            0,
            False,
            'container "main" in pod "p" is waiting to start: trying and failing to pull image',
        ),
    ],
)
def test_which_runs_have_a_log(state: State, restarts: int, previous: bool, refused: str) -> None:
    """In the words of a kubelet."""
    if not refused:
        assert check_run("p", "main", containers(state, restarts), previous=previous).name == "main"
        return
    with pytest.raises(NoLogError) as caught:
        check_run("p", "main", containers(state, restarts), previous=previous)
    assert str(caught.value) == refused


def test_a_container_that_is_not_there() -> None:
    """Or not yet."""
    with pytest.raises(NoLogError, match='container "other" in pod "p" is not available'):
        check_run("p", "other", containers(State.READY), previous=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[LogServer]:
    server = LogServer(authority.server("kubelet"), str(authority.path))
    server.find = lambda namespace, pod: containers(State.READY) if (namespace, pod) == ("n", "p") else None
    server.printed = lambda image: f"{image}\nlast\n"
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
    """The whole log, its last lines, its first bytes; 404 for a pod that is not here."""
    pair = authority.client("apiserver-kubelet")
    path = "/containerLogs/n/p/main"
    assert ask(server, authority, path, pair) == (200, "web:1\nlast\n")
    assert ask(server, authority, f"{path}?tailLines=1", pair) == (200, "last\n")
    assert ask(server, authority, f"{path}?limitBytes=3", pair) == (200, "web")
    assert ask(server, authority, f"{path}?previous=true", pair)[0] == 400
    assert ask(server, authority, "/containerLogs/n/other/main", pair)[0] == 404
    assert ask(server, authority, "/pods", pair)[0] == 404


def test_nobody_else_does(server: LogServer, authority: Authority) -> None:
    """Without a certificate of the authority there is no answer."""
    with pytest.raises((urllib3.exceptions.HTTPError, ssl.SSLError, OSError)):
        ask(server, authority, "/containerLogs/n/p/main", None)
