"""Secrets reach no output, at any verbosity: planted ones are searched for in all that is said.

Tokens, passwords, keys, what an exec plugin prints, Authorization headers; in runs that succeed, that are
refused, that stop half way, and that never reach a server.
"""

from __future__ import annotations

import base64
import json
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollupdate.cli.main import main
from testing.chaos.arena import Arena, Site
from testing.chaos.stories import BARE, NAME, NEW
from testing.controlplane.certificates import Authority, KeyPair
from testing.objects import Json
from tests.support.effort import examples

LEVELS = examples((0, 6, 8, 10), tuple(range(11)))
"""Of verbosity: 6 tells of requests, 8 of what is in them, and in between nothing changes."""
TOKEN, PASSWORD = "planted-token-4711", "planted-password-0815"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAYS_EXEC = "client.authentication.k8s.io/v1"


@pytest.fixture(scope="module")
def safe(sandbox_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Arena, KeyPair]]:
    """A namespace behind TLS, without which no secret is sent at all; and a client's certificate."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    pair = authority.server("proxy")
    with sandbox_site.arena() as arena:
        arena.speak_tls(pair.certificate, pair.key, authority.path)
        arena.have(BARE)
        yield arena, pair


def planted(pair: KeyPair) -> list[str]:
    """Each in every form in which it could get out."""
    key = pair.key.read_bytes()
    login = base64.b64encode(f"planted-user:{PASSWORD}".encode()).decode()
    lines = [each for each in key.decode().splitlines() if "---" not in each]
    return [
        *(TOKEN, PASSWORD, login, base64.b64encode(key).decode()[:60], *lines, "Authorization", "Bearer"),
        *(base64.b64encode(each.encode()).decode()[:20] for each in (TOKEN, PASSWORD)),
    ]


def plugin(folder: Path, name: str, output: str, status: int) -> Json:
    """An exec plugin that prints that."""
    said, script = folder / f"{name} says", folder / f"{name}.sh"
    said.write_text(output)
    script.write_text(f"cat {shlex.quote(str(said))}; exit {status}\n")
    return {
        "apiVersion": SAYS_EXEC,
        "command": "/bin/sh",
        "args": [str(script)],
        "interactiveMode": "Never",
        "env": [{"name": "SECRET", "value": PASSWORD}],
    }


def credential(**status: str) -> str:
    return json.dumps({"kind": "ExecCredential", "apiVersion": SAYS_EXEC, "status": status})


def users(folder: Path, pair: KeyPair) -> dict[str, Json]:
    """Ways to show who one is, or to fail to: the user of the kubeconfig."""
    certificate, key = (base64.b64encode(each.read_bytes()).decode() for each in (pair.certificate, pair.key))
    (folder / "token").write_text(TOKEN + "\n")
    whole = credential(
        token=TOKEN, clientCertificateData=pair.certificate.read_text(), clientKeyData=pair.key.read_text()
    )
    outputs = {
        "a plugin": (whole, 0),
        "a plugin that prints something else": (f"token: {TOKEN}", 0),
        "a plugin of another version": (whole.replace("io/v1", "io/v2"), 0),
        "a plugin whose token has a line break": (credential(token=f"{TOKEN}\nx"), 0),
        "a plugin whose token is no text": (whole.replace(f'"{TOKEN}"', f'["{TOKEN}"]'), 0),
        "a plugin that fails": (whole, 3),
    }
    return {
        "a token": {"token": TOKEN},
        "a token file": {"tokenFile": str(folder / "token")},
        "a password": {"username": "planted-user", "password": PASSWORD},
        "a password and a token": {"username": "planted-user", "password": PASSWORD, "token": TOKEN},
        "a key": {"client-certificate-data": certificate, "client-key-data": key},
        "half a key": {"client-certificate-data": certificate, "client-key-data": key[:200]},
        **{name: {"exec": plugin(folder, name, *each)} for name, each in outputs.items()},
    }


UPDATE = [NAME, f"--image={NEW}"]
RUNS = (
    [*UPDATE, "--dry-run=client"],
    ["nobody", f"--image={NEW}"],
    [NAME, f"--image={NEW}", f"--token={TOKEN}", "-o=x"],
)
"""A plan, a refusal by the server, and one of the command line, whose words are repeated."""


class Listener:
    """Runs the command in this process, and reads all that goes to its streams."""

    def __init__(
        self, arena: Arena, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._arena, self._capfd, self._environment = arena, capfd, monkeypatch

    def run(self, user: Json, words: list[str], **environment: str) -> tuple[int, str]:
        self._arena.user = user
        config = self._arena.kubeconfig(self._arena.proxy.join_run())
        for name, value in {"KUBECONFIG": str(config), **environment}.items():
            self._environment.setenv(name, value)
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        try:
            status = main(words)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        out, err = self._capfd.readouterr()
        return status, out + err


@pytest.fixture
def listener(
    safe: tuple[Arena, KeyPair], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Listener:
    return Listener(safe[0], capfd, monkeypatch)


@pytest.mark.parametrize("level", LEVELS)
def test_whoever_one_is(level: int, safe: tuple[Arena, KeyPair], listener: Listener, tmp_path: Path) -> None:
    """Tokens, passwords, keys and plugins, right and wrong; runs that succeed and that are refused."""
    _, pair = safe
    statuses = set()
    for way, user in users(tmp_path, pair).items():
        for words in RUNS:
            status, said = listener.run(user, [*words, f"-v={level}"])
            statuses.add(status)
            assert said, (way, words)
            for secret in planted(pair):
                assert secret not in said, (way, words, said)
    assert statuses == {0, 1}, "some of it must succeed, and some be refused"


@pytest.mark.parametrize("level", LEVELS)
def test_what_the_server_refuses(level: int, safe: tuple[Arena, KeyPair], listener: Listener) -> None:
    """Answers of 401, the credentials are not shown."""
    arena, pair = safe
    arena.proxy.stale_tokens.add(TOKEN)
    try:
        status, said = listener.run({"token": TOKEN}, [*UPDATE, "--dry-run=client", f"-v={level}"])
    finally:
        arena.proxy.stale_tokens.discard(TOKEN)
    assert status == 1
    assert "Unauthorized" in said
    assert not [secret for secret in planted(pair) if secret in said.replace("Unauthorized", "")]


@pytest.mark.parametrize("level", LEVELS)
def test_passwords_in_addresses(
    level: int, safe: tuple[Arena, KeyPair], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a proxy, of a server, of a file: nothing is reached, and the message names the place without it."""
    nowhere = f"http://planted-user:{PASSWORD}@127.0.0.1:1"
    for words, environment in (
        ([NAME, "-f", f"{nowhere}/rc.yaml"], {}),
        ([*UPDATE, f"--server={nowhere}"], {}),
        ([*UPDATE, "--server=https://10.0.0.1:1", "--request-timeout=1"], {"HTTPS_PROXY": nowhere}),
        ([*UPDATE, "--server=https://10.0.0.1:1", "--request-timeout=1"], {"HTTPS_PROXY": f"{nowhere}:x"}),
    ):
        with monkeypatch.context():
            status, said = listener.run({"token": TOKEN}, [*words, f"-v={level}"], **environment)
        monkeypatch.delenv("HTTPS_PROXY", raising=False)
        assert status == 1, said
        assert not [secret for secret in (PASSWORD, TOKEN) if secret in said], said


def test_the_command_that_continues(safe: tuple[Arena, KeyPair]) -> None:
    """As a process: it stops half way at every verbosity, and says how to go on, without the token."""
    arena, pair = safe
    for level in (0, 9):
        arena.user = {}
        ended = arena.run(
            *(NAME, "next", "--image=nginx:missing", "--timeout=1s", f"-v={level}", "--token", TOKEN)
        )
        assert ended.status == 3, str(ended)
        said = ended.stdout + ended.stderr
        assert "To resume:    kubectl rolling-update my-nginx next" in said
        assert "--token REDACTED" in said
        assert not [secret for secret in planted(pair) if secret in said], said
    ended = arena.run(NAME, "next", "--rollback", "--token", TOKEN)
    assert ended.status == 0, str(ended)
