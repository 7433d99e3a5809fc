"""Kubeconfigs for a plane's users, and reaching a cluster that somebody else named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from testing import kubeconfig
from testing.controlplane.acquire import acquire
from testing.controlplane.attached import AttachedPlane
from testing.controlplane.unavailable import Unavailable
from testing.kubeconfig import Access


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A kubeconfig whose server does not answer (port 1)."""
    return kubeconfig.write(tmp_path / "config", Access(server="http://127.0.0.1:1", token="t"))


def test_what_is_written_is_private_complete_and_read_again(tmp_path: Path) -> None:
    """Nothing but the file itself is needed, and nobody else can read it."""
    access = Access(
        server="https://x.example",
        authority="CA",
        token="t",
        certificate="C",
        key="K",
        impersonated="jane",
        namespace="ns",
    )
    path = kubeconfig.write(tmp_path / "config", access)
    assert path.stat().st_mode & 0o777 == 0o600
    assert kubeconfig.read(path) == access


def test_files_are_found_relative_to_the_one_that_names_them(tmp_path: Path, named: Path) -> None:
    """As kubectl finds them."""
    content = yaml.safe_load(named.read_text())
    content["clusters"][0]["cluster"] = {"server": "https://x.example", "certificate-authority": "ca.crt"}
    content["users"][0]["user"] = {"tokenFile": "token"}
    named.write_text(yaml.safe_dump(content))
    (tmp_path / "ca.crt").write_text("CA")
    (tmp_path / "token").write_text("secret\n")
    assert kubeconfig.read(named) == Access(server="https://x.example", authority="CA", token="secret")


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
