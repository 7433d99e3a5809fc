"""Kubeconfigs for a plane's users, and reaching a cluster that somebody else named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from testing.controlplane import kubeconfig
from testing.controlplane.acquire import acquire
from testing.controlplane.attached import AttachedPlane
from testing.controlplane.client import Credentials
from testing.controlplane.unavailable import Unavailable


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A kubeconfig whose server does not answer (port 1)."""
    (tmp_path / "ca.crt").write_text("no certificate")
    path = tmp_path / "config"
    kubeconfig.write(path, "http://127.0.0.1:1", tmp_path / "ca.crt", "admin", Credentials(token="t"))
    return path


def test_it_is_private_and_complete(named: Path) -> None:
    """Nothing but the file itself is needed, and nobody else can read it."""
    content = yaml.safe_load(named.read_text())
    assert named.stat().st_mode & 0o777 == 0o600
    assert content["current-context"] == "plane"
    assert content["users"] == [{"name": "admin", "user": {"token": "t"}}]
    assert set(content["clusters"][0]["cluster"]) == {"server", "certificate-authority-data"}


def test_relative_paths_survive_a_copy(tmp_path: Path, named: Path) -> None:
    """kubectl reads them relative to the file they stand in."""
    content = yaml.safe_load(named.read_text())
    content["clusters"][0]["cluster"] = {"server": "https://x.example", "certificate-authority": "ca.crt"}
    named.write_text(yaml.safe_dump(content))
    (tmp_path / "elsewhere").mkdir()
    kubeconfig.copy(named, tmp_path / "elsewhere" / "config")
    copied = yaml.safe_load((tmp_path / "elsewhere" / "config").read_text())
    assert copied["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")


def test_a_named_cluster_that_does_not_answer(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a reason, and the programs on this machine are no way out: the user wanted that cluster."""
    monkeypatch.setenv("ROLLUPDATE_E2E_KUBECONFIG", str(named))
    with pytest.raises(Unavailable, match=f"the cluster of {named} does not answer"):
        acquire()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "can't be used"),
        ("current-context: a\ncontexts: []\n", "can't be used"),
        ("a: [", "can't be used"),
        (
            "current-context: a\n"
            "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
            "clusters: [{name: c, cluster: {server: 'https://x.example'}}]\n"
            "users: [{name: u, user: {exec: {command: login}}}]\n",
            "no token and no certificate",
        ),
    ],
)
def test_a_kubeconfig_that_says_too_little(tmp_path: Path, text: str, reason: str) -> None:
    """Each is a reason, not a traceback."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Unavailable, match=reason):
        AttachedPlane.attach(path)


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """Named by mistake."""
    with pytest.raises(Unavailable, match="can't be used"):
        AttachedPlane.attach(tmp_path / "none")
