"""Command lines of the three programs: which flags depend on the version."""

from __future__ import annotations

from pathlib import Path

import pytest

from testing.controlplane import servers
from testing.controlplane.certificates import KeyPair
from testing.controlplane.servers import Files, Ports, Version, parse_version
from testing.controlplane.unavailable import Unavailable

PAIR = KeyPair(Path("/p/c.crt"), Path("/p/c.key"))
PORTS = Ports(1, 2, 3)


def files(audit_log: Path | None = None) -> Files:
    """Paths that need not exist."""
    p = Path("/p")
    return Files(
        p / "etcd",
        p / "ca",
        PAIR,
        PAIR,
        PAIR,
        PAIR,
        p / "tokens",
        p / "sa",
        p / "kc",
        p / "policy",
        audit_log,
    )


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Kubernetes v1.20.2\n", (1, 20, 2)),
        ("Kubernetes v1.34.0-rc.1+abc\n", (1, 34, 0)),
        ("etcd Version: 3.4.23\nGit SHA: Not provided\nGo Version: go1.19.8\n", (3, 4, 23)),
        ("Kubernetes v0.0.0-master+faecb196815e2", (0, 0, 0)),
    ],
)
def test_versions_are_read(text: str, version: Version) -> None:
    """Of Kubernetes and of etcd."""
    assert parse_version(text) == version


def test_no_version_is_an_error() -> None:
    """Rather than a guess."""
    with pytest.raises(ValueError, match="no version in 'hello'"):
        parse_version("hello")


def test_a_program_that_cannot_run_is_a_reason(tmp_path: Path) -> None:
    """For example one of another architecture."""
    broken = tmp_path / "kube-apiserver"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(Unavailable, match="does not tell its version"):
        servers.version_of(broken)


@pytest.mark.parametrize(("version", "there"), [((1, 20, 2), True), ((1, 23, 17), True), ((1, 24, 0), False)])
def test_insecure_ports_are_switched_off_where_they_exist(version: Version, there: bool) -> None:
    """Both flags went in 1.24, and a server refuses flags it does not know."""
    apiserver = servers.apiserver_argv(Path("a"), version, PORTS, files())
    manager = servers.controller_manager_argv(Path("m"), version, files())
    assert ("--insecure-port=0" in apiserver) is there
    assert ("--port=0" in manager) is there


def test_the_manager_has_the_limits_that_are_asked_for() -> None:
    """High ones if nothing is said: they are not to be what a test measures."""
    usual = servers.controller_manager_argv(Path("m"), (1, 20, 2), files())
    default = servers.controller_manager_argv(Path("m"), (1, 20, 2), files(), servers.DEFAULT_LIMITS)
    assert {"--kube-api-qps=1000", "--kube-api-burst=2000"} < set(usual)
    assert {"--kube-api-qps=20", "--kube-api-burst=30"} < set(default)
    assert servers.DEFAULT_LIMITS.refill == 1.5


@pytest.mark.parametrize(("version", "there"), [((3, 4, 23), False), ((3, 5, 0), True)])
def test_etcd_skips_fsync_where_it_can(version: Version, there: bool) -> None:
    """The flag came with 3.5; before, memory helps."""
    assert ("--unsafe-no-fsync" in servers.etcd_argv(Path("e"), version, PORTS, files())) is there


def test_every_address_is_loopback() -> None:
    """Nothing listens where another machine could reach it."""
    etcd = " ".join(servers.etcd_argv(Path("e"), (3, 4, 23), PORTS, files()))
    apiserver = servers.apiserver_argv(Path("a"), (1, 20, 2), PORTS, files())
    assert "0.0.0.0" not in etcd and "http:" not in etcd
    assert "--bind-address=127.0.0.1" in apiserver


def test_an_audit_log_is_kept_only_when_wanted() -> None:
    """It costs a little."""
    assert not [a for a in servers.apiserver_argv(Path("a"), (1, 20, 2), PORTS, files()) if "audit" in a]
    argv = servers.apiserver_argv(Path("a"), (1, 20, 2), PORTS, files(Path("/p/audit")))
    assert "--audit-log-path=/p/audit" in argv
