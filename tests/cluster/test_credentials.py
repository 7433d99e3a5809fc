"""Tokens, passwords, certificates and impersonation: what is sent, and when it is read again."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from rollupdate.cluster.credentials import Credentials, CredentialSource, bearer, impersonation_headers
from rollupdate.cluster.settings import Auth, ConnectionConfig, Impersonation, Pem
from rollupdate.errors import ConfigError


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def source(auth: Auth, clock: Clock | None = None) -> CredentialSource:
    return CredentialSource(ConnectionConfig("https://api.test", auth=auth), clock=clock or Clock())


def test_token_file_is_read_again_and_stripped(tmp_path: Path) -> None:
    """A rotated token is noticed within ten seconds; in between the file is left alone."""
    file = tmp_path / "token"
    file.write_text("one\n")
    clock = Clock()
    tokens = source(Auth(token_file=str(file)), clock)
    assert tokens.current().authorization == "Bearer one"
    file.write_text("  two\r\n")
    clock.seconds += 9.9
    assert tokens.current().authorization == "Bearer one"
    clock.seconds += 0.2
    assert tokens.current().authorization == "Bearer two"


def test_token_file_that_vanishes_leaves_the_last_token(tmp_path: Path) -> None:
    """A secret volume is swapped under us: not every moment has a file."""
    file = tmp_path / "token"
    file.write_text("one")
    clock = Clock()
    tokens = source(Auth(token_file=str(file)), clock)
    tokens.current()
    for damage in (lambda: file.unlink(), lambda: file.write_text("\n"), lambda: file.write_bytes(b"\xff")):
        damage()
        clock.seconds += 11
        assert tokens.current().authorization == "Bearer one"


@pytest.mark.parametrize("content", [None, b"\n", b"\xff"])
def test_token_file_without_a_token(tmp_path: Path, content: bytes | None) -> None:
    """Nothing to send is an error, never an anonymous request."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="tokenFile"):
        source(Auth(token_file=str(file))).current()


def test_token_file_before_token(tmp_path: Path) -> None:
    """As in client-go: the file wins, the literal token is what is left without it."""
    file = tmp_path / "token"
    auth = Auth(token="literal", token_file=str(file))
    assert source(auth).current().authorization == "Bearer literal"
    file.write_text("filed")
    assert source(auth).current().authorization == "Bearer filed"


def test_refused_token_file_is_read_at_once(tmp_path: Path) -> None:
    """After a 401 the file is looked at without waiting; the same token again is not worth a request."""
    file = tmp_path / "token"
    file.write_text("one")
    tokens = source(Auth(token_file=str(file)))
    refused = tokens.current()
    assert tokens.refresh(refused) is None
    file.write_text("two")
    fresh = tokens.refresh(refused)
    assert fresh is not None
    assert fresh.authorization == "Bearer two"


def test_basic_auth() -> None:
    """UTF-8, as Go encodes it."""
    sent = source(Auth(username="jürgen", password="p:w")).current().authorization
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == "jürgen:p:w"


def test_certificate_files_are_read_again(tmp_path: Path) -> None:
    certificate, key = tmp_path / "crt", tmp_path / "key"
    certificate.write_text("c1")
    key.write_text("k1")
    clock = Clock()
    pairs = source(Auth(certificate=Pem(file=str(certificate)), key=Pem(file=str(key)), token="t"), clock)
    assert pairs.current() == Credentials("Bearer t", b"c1", b"k1")
    certificate.write_text("c2")
    key.write_text("k2")
    assert pairs.current().certificate == b"c1"
    clock.seconds += 61
    assert pairs.current() == Credentials("Bearer t", b"c2", b"k2")
    key.unlink()
    clock.seconds += 61
    assert pairs.current().key == b"k2"


@pytest.mark.parametrize("token", ["a\nb", "a\r", "a\x00", "a\ud800"])
def test_tokens_that_cannot_be_sent(token: str) -> None:
    """The token is not quoted in the message."""
    with pytest.raises(ConfigError) as caught:
        bearer(token, 'user "u"')
    assert caught.value.message == (
        'the token of user "u" has a character that cannot be sent, such as a line break'
    )
    assert token not in repr(caught.value)


def test_a_plugin_is_run_when_needed_and_not_more_often() -> None:
    """First use, expiry, and a refusal; refusals of several threads at once are one refresh."""
    answers = [Credentials(f"Bearer {n}", expires_at=5000.0) for n in range(9)]
    runs: list[Credentials] = []

    def run() -> Credentials:
        runs.append(answers[len(runs)])
        return runs[-1]

    wall = Clock()
    plugin = CredentialSource(ConnectionConfig("https://api.test"), run, wall_clock=wall)
    first = plugin.current()
    assert plugin.current() is first
    assert plugin.refresh(first) is answers[1]
    assert plugin.refresh(first) is answers[1]
    wall.seconds = 5000.0
    assert plugin.current() is answers[2]
    assert len(runs) == 3


def test_impersonation_headers() -> None:
    """Names of extra keys are escaped as client-go does it; values are UTF-8."""
    wanted = Impersonation("jürgen", ("a", "b, c"), "7", (("Acme.io/Scope", ("x", "y")),))
    assert impersonation_headers(wanted) == [
        ("Impersonate-User", "jürgen".encode().decode("latin-1")),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b, c"),
        ("Impersonate-Extra-acme.io%2Fscope", "x"),
        ("Impersonate-Extra-acme.io%2Fscope", "y"),
    ]
    with pytest.raises(ConfigError, match="Impersonate-Group"):
        impersonation_headers(Impersonation("u", ("a\nImpersonate-User: root",)))
