"""Credential plugins, as real programs: what they are told, what they may answer, how they fail."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollupdate.cluster import execplugin
from rollupdate.cluster.credentials import Credentials
from rollupdate.cluster.settings import Auth, ConnectionConfig, ExecPlugin, Pem, Tls
from rollupdate.environment import clean_environment
from rollupdate.errors import ConfigError

V1 = "client.authentication.k8s.io/v1"


def plugin(tmp_path: Path, script: str, **fields: Any) -> ConnectionConfig:
    """A configuration whose plugin is ``script``, in Python."""
    program = tmp_path / "plugin"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)
    chosen = {"command": str(program), "api_version": V1, "interactive_mode": "Never", **fields}
    return ConnectionConfig("https://api.test:1", auth=Auth(plugin=ExecPlugin(**chosen)), user="u")


def printing(tmp_path: Path, answer: object, **fields: Any) -> ConnectionConfig:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return plugin(tmp_path, f"print({text!r})", **fields)


def credential(version: str = V1, **status: Any) -> dict[str, Any]:
    return {"kind": "ExecCredential", "apiVersion": version, "status": status}


def failure(config: ConnectionConfig, environ: dict[str, str], **keywords: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        execplugin.run(config, environ, **keywords)
    return caught.value


def test_token_certificate_and_expiry(tmp_path: Path, environ: dict[str, str]) -> None:
    """All that a plugin gives is used: a certificate is not dropped because there is a token, too."""
    status = {
        "token": "t",
        "clientCertificateData": "C",
        "clientKeyData": "K",
        "expirationTimestamp": "2030-01-01T00:00:00Z",
    }
    found = execplugin.run(printing(tmp_path, credential(**status)), environ)
    assert found == Credentials("Bearer t", b"C", b"K", expires_at=1893456000.0)
    assert "Bearer" not in repr(found)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_what_the_plugin_is_told(tmp_path: Path, environ: dict[str, str], version: str) -> None:
    """KUBERNETES_EXEC_INFO, the environment of the kubeconfig on top of the user's, arguments."""
    api_version = f"client.authentication.k8s.io/{version}"
    seen = tmp_path / "seen"
    script = (
        "import json, os, sys\n"
        f"json.dump([dict(os.environ), sys.argv[1:], sys.stdin.read()], open({str(seen)!r}, 'w'))\n"
        f"print({json.dumps(credential(api_version, token='t'))!r})"
    )
    config = replace(
        plugin(
            tmp_path,
            script,
            api_version=api_version,
            arguments=("--flag", "a b"),
            environment=(("ADDED", "1"), ("HOME", "/elsewhere")),
            provide_cluster_info=True,
        ),
        tls=Tls(Pem(b"authority"), server_name="name"),
        exec_config={"audience": ["x"]},
        proxy_url="http://p:1",
    )
    execplugin.run(config, {**environ, "KEPT": "2"})
    told, arguments, stdin = json.loads(seen.read_text())
    assert (told["ADDED"], told["HOME"], told["KEPT"]) == ("1", "/elsewhere", "2")
    assert (arguments, stdin) == (["--flag", "a b"], "")
    assert json.loads(told["KUBERNETES_EXEC_INFO"]) == {
        "kind": "ExecCredential",
        "apiVersion": api_version,
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://api.test:1",
                "tls-server-name": "name",
                "certificate-authority-data": base64.b64encode(b"authority").decode(),
                "proxy-url": "http://p:1",
                "config": {"audience": ["x"]},
            },
        },
    }


def test_the_cluster_is_told_only_if_asked_for(tmp_path: Path, environ: dict[str, str]) -> None:
    seen = tmp_path / "seen"
    script = (
        f"import os; open({str(seen)!r}, 'w').write(os.environ['KUBERNETES_EXEC_INFO'])\n"
        f"print({json.dumps(credential(token='t'))!r})"
    )
    execplugin.run(plugin(tmp_path, script), environ)
    assert json.loads(seen.read_text())["spec"] == {"interactive": False}


def test_a_plugin_that_fails(
    tmp_path: Path, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own words go to standard error, its exit code and the install hint into the error."""
    script = "import sys; print('no session', file=sys.stderr); sys.exit(3)"
    error = failure(plugin(tmp_path, script, install_hint="get\nit \x1b[31mhere"), environ)
    assert error.message.endswith("plugin failed with exit code 3")
    assert error.message.startswith("getting credentials: exec: executable ")
    assert error.hint == "get\nit [31mhere"
    assert capfd.readouterr().err == "no session\n"


def test_a_plugin_that_is_killed(tmp_path: Path, environ: dict[str, str]) -> None:
    error = failure(plugin(tmp_path, "import os; os.kill(os.getpid(), 9)"), environ)
    assert error.message.endswith("was ended by signal 9")


def test_a_plugin_that_is_not_installed(tmp_path: Path, environ: dict[str, str]) -> None:
    for command in ("no-such-plugin", str(tmp_path / "nosuch")):
        config = plugin(tmp_path, "", command=command, install_hint="get it")
        error = failure(config, environ)
        assert error.message == f"getting credentials: exec: executable {command} not found"
        assert error.hint == "get it"
    error = failure(plugin(tmp_path, "", command="no-such-plugin"), environ)
    assert error.hint is not None
    assert "credential plugin that is not installed" in error.hint


def test_a_file_that_is_no_program(tmp_path: Path, environ: dict[str, str]) -> None:
    config = plugin(tmp_path, "")
    (tmp_path / "plugin").chmod(0o644)
    assert "permission denied" in failure(config, environ).message


def test_a_bare_name_is_found_in_path(tmp_path: Path, environ: dict[str, str]) -> None:
    config = printing(tmp_path, credential(token="t"), command="plugin")
    found = execplugin.run(config, {**environ, "PATH": f"{tmp_path}:{environ['PATH']}"})
    assert found.authorization == "Bearer t"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "decoding stdout of "),
        ("token: t", "exec plugin is configured to use API"),
        ("[" * 100_000, "decoding stdout of "),
        ("[]", "decoding stdout of "),
        (
            credential("client.authentication.k8s.io/v1beta1", token="t"),
            "exec plugin is configured to use API",
        ),
        ({**credential(token="t"), "kind": "Pod"}, "decoding stdout of "),
        ({"kind": "ExecCredential", "apiVersion": V1}, "exec plugin didn't return a status field"),
        (credential(), "exec plugin didn't return a token or cert/key pair"),
        (credential(clientKeyData="K"), "exec plugin returned only certificate or key, not both"),
        (credential(token=5), "exec plugin returned a credential that is not a string"),
        (credential(token="t", expirationTimestamp="soon"), "exec plugin returned an expirationTimestamp"),
        (
            credential(token="t", expirationTimestamp="2030-01-01"),
            "exec plugin returned an expirationTimestamp",
        ),
        (credential(token="t", expirationTimestamp=5), "exec plugin returned an expirationTimestamp"),
        (
            json.dumps(credential(token="\ud800")),
            "decoding stdout of ",
        ),
    ],
)
def test_answers_that_cannot_be_used(
    answer: object, message: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    """An error, never an anonymous request; what the plugin printed is not shown, it may be a secret."""
    error = failure(printing(tmp_path, answer), environ)
    assert error.message.removeprefix("getting credentials: ").startswith(message)


def test_a_plugin_that_prints_too_much(tmp_path: Path, environ: dict[str, str]) -> None:
    script = "while True: print('x' * 65536)"
    assert failure(plugin(tmp_path, script), environ).message.endswith("printed more than 1024 KiB")


def test_a_plugin_that_hangs(tmp_path: Path, environ: dict[str, str]) -> None:
    """It is stopped, and so is waiting for a child that keeps its output open."""
    started = time.monotonic()
    for script in (
        "import time; time.sleep(300)",
        "import os, time\nif os.fork() == 0: time.sleep(2)",
    ):
        error = failure(plugin(tmp_path, script), environ, longest_run=0.3)
        assert error.message.endswith("has not finished within 0.3s and was stopped")
    assert time.monotonic() - started < 60


def test_interactive_modes(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin gets our standard input only if that is a terminal and no manifest comes from it."""
    asked = tmp_path / "asked"
    script = (
        f"import json, os; open({str(asked)!r}, 'w').write(os.environ['KUBERNETES_EXEC_INFO'])\n"
        f"print({json.dumps(credential(token='t'))!r})"
    )

    def interactive(mode: str, *, terminal: bool, taken: bool = False) -> bool:
        class Stdin:
            closed = False

            def isatty(self) -> bool:
                return terminal

            def fileno(self) -> int:
                return 0

        monkeypatch.setattr("sys.stdin", Stdin())
        config = replace(plugin(tmp_path, script, interactive_mode=mode), stdin_taken=taken)
        execplugin.run(config, environ)
        return bool(json.loads(asked.read_text())["spec"]["interactive"])

    assert interactive("Always", terminal=True)
    assert interactive("IfAvailable", terminal=True)
    assert not interactive("IfAvailable", terminal=False)
    assert not interactive("IfAvailable", terminal=True, taken=True)
    assert not interactive("Never", terminal=True)
    with pytest.raises(ConfigError, match="standard input is not a terminal"):
        interactive("Always", terminal=False)
    with pytest.raises(ConfigError, match="it is used for the manifest"):
        interactive("Always", terminal=True, taken=True)


def test_environment_of_a_bundled_program() -> None:
    """PyInstaller's library path would break other programs: they get the user's, if there was one."""
    bundled = {
        "LD_LIBRARY_PATH": "/bundle",
        "LD_LIBRARY_PATH_ORIG": "/users",
        "DYLD_LIBRARY_PATH": "/bundle",
        "_MEIPASS2": "/bundle",
        "_PYI_ARCHIVE_FILE": "x",
        "KEPT": "1",
    }
    assert clean_environment(bundled, frozen=True) == {"LD_LIBRARY_PATH": "/users", "KEPT": "1"}
    assert clean_environment(bundled, frozen=False) == bundled
    assert clean_environment(os.environ) == dict(os.environ)
