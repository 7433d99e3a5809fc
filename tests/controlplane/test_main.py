"""``python -m testing.controlplane``: one line when ready, and nothing left when it ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.client import Client
from testing.controlplane.__main__ import main
from testing.controlplane.servers import Binaries
from testing.kubeconfig import read
from testing.namespace import Namespace, wait
from tests.support.manifests import my_nginx
from tests.support.openshift import config_of

SERVE = [sys.executable, "-m", "testing.controlplane"]


@pytest.mark.realplane
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_ends(programs: Binaries, tmp_path: Path, number: signal.Signals) -> None:
    """Servers and folder are gone, also when it had no chance to clean up; its kubeconfig only if it had."""
    config = tmp_path / "config"
    command = [*SERVE, "--kubeconfig", str(config), "--rule", "odd=never-ready", "--deployment-configs"]
    with started(command) as owner:
        assert owner.stdout is not None
        line = owner.stdout.readline()
        assert line.startswith("control plane ready at https://127.0.0.1:")
        default = Namespace(Client(read(config)), "default")
        default.create(my_nginx("web", replicas=1, image="odd"))

        def reasons() -> set[str]:
            return {each["reason"] for each in default.client.get(default.path("events"))["items"]}

        wait(lambda: "Unhealthy" in reasons(), "the rule is heeded")
        default.create(config_of("even"))
        wait(lambda: "even-1" in default.controllers(), "a DeploymentConfig is rolled out")
        default.client.close()
        folder, servers = servers_of(owner.pid)
        assert len(servers) == 4  # and the keeper
        owner.send_signal(number)
        status = owner.wait(30)
    assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in servers), "the servers are gone")
    wait(lambda: not folder.exists(), "their folder is gone")
    assert config.exists() is (number == signal.SIGKILL)


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """It does not outlive the block: after a failure in there Popen's own exit would wait for ever."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as owner:
        try:
            yield owner
        finally:
            owner.kill()


@pytest.mark.realplane
def test_it_ends_also_where_signals_were_ignored(programs: Binaries, tmp_path: Path) -> None:
    """In the background of a script SIGINT is; and its API server is stopped, so that it never answers."""
    config = tmp_path / "config"
    command = ["bash", "-c", 'trap "" INT; exec "$@"', "bash", *SERVE, "--kubeconfig", str(config)]
    with started(command) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith("control plane ready")
        folder, servers = servers_of(owner.pid)
        for pid in servers:
            if Path(f"/proc/{pid}/comm").read_text().startswith("kube-apiserver"):
                os.kill(pid, signal.SIGSTOP)
        owner.send_signal(signal.SIGINT)
        assert owner.wait(20) == 0
    wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in servers), "its servers are gone")
    assert not folder.exists()


def servers_of(owner: int) -> tuple[Path, set[int]]:
    """The plane's folder and the processes that were started for ``owner``."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended meanwhile
    (keeper,) = [pid for pid, parent in parents.items() if parent == owner]
    folder = Path(Path(f"/proc/{keeper}/cmdline").read_bytes().split(b"\0")[4].decode())
    return folder, {keeper} | {pid for pid, parent in parents.items() if parent == keeper}


def test_the_reason_is_told_when_there_is_none(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit status 1."""
    assert main(["binaries"]) == 1
    assert "control plane not available: building the control plane needs " in capsys.readouterr().err


def test_a_named_cluster_needs_no_programs(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is built for it."""
    monkeypatch.setenv("ROLLUPDATE_E2E_KUBECONFIG", "/some/config")
    assert main(["binaries"]) == 0
    assert "/some/config is used, nothing to build" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--kubeconfig FILE is needed"),
        (["--kubeconfig", "f", "--rule", "nonsense"], "'nonsense' is not SUBSTRING=BEHAVIOUR"),
        (["--kubeconfig", "f", "--rule", "a=explodes"], "'explodes' is not a valid Behaviour"),
    ],
)
def test_usage(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's exit status 2."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert complaint in capsys.readouterr().err
