"""TAB in bash, zsh and fish, with the real kubectl in between; the helper on PATH, or made by the script that
``kubectl rolling-update completion SHELL`` prints."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from testing import command
from tests.completion import shells
from tests.completion.shells import Shell
from tests.e2e.world import World
from tests.support import needs

UPDATE = "kubectl rolling-update --request-timeout=60 "
"""On a busy machine an answer may take longer than whoever has pressed TAB would wait."""
OPEN: dict[str, Callable[..., Shell]] = {"bash": shells.bash, "zsh": shells.zsh}


@pytest.fixture
def environment(world: World, tmp_path: Path, kubectl: str) -> dict[str, str]:
    """kubectl, the usual programs, and the one name on PATH that krew would put there."""
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "kubectl").symlink_to(kubectl)
    command.put(folder, "kubectl-rolling_update")
    (tmp_path / "rc.yaml").touch()
    (tmp_path / "notes.txt").touch()
    path = [str(folder), "/usr/local/bin", "/usr/bin", "/bin"]
    return command.environment(
        PATH=os.pathsep.join(path), HOME=str(tmp_path), KUBECONFIG=str(world.kubeconfig)
    )


def with_helper(environment: dict[str, str], shell: str, tmp_path: Path) -> str:
    """The line for a startup file where both names are on PATH, as pip puts them there."""
    command.put(tmp_path / "links", "kubectl_complete-rolling_update")
    return "kubectl completion fish | source" if shell == "fish" else f"source <(kubectl completion {shell})"


def with_script(environment: dict[str, str], shell: str, tmp_path: Path) -> str:
    """The line for a startup file where krew has installed the plugin."""
    if shell == "fish":
        return "kubectl rolling-update completion fish | source"
    return f"source <(kubectl rolling-update completion {shell})"


WAYS = pytest.mark.parametrize("way", [with_helper, with_script])
Way = Callable[[dict[str, str], str, Path], str]


@WAYS
@pytest.mark.typed
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_in_a_terminal(
    shell: str, way: Way, world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    opened = OPEN[shell](environment, tmp_path, way(environment, shell, tmp_path))
    try:
        choice = opened.tab(UPDATE)
        assert "3 replicas, nginx:1.7.9" in choice.screen
        assert "1 replica, nginx:1.7.9" in choice.screen
        for typed, line in (
            ("my", "my-nginx "),
            ("my-nginx --roll", "my-nginx --rollback "),
            ("my-nginx --dry-run=s", "my-nginx --dry-run=server "),
            ("my-nginx --image-pull-policy N", "my-nginx --image-pull-policy Never "),
            ("my-nginx --container s", "my-nginx --container sidecar "),
            (f"-n {world.namespace[:-1]}", f"-n {world.namespace} "),
            ("my-nginx -f r", "my-nginx -f rc.yaml "),
            ("my-nginx new", "my-nginx new"),
            ("my-nginx --image=reg", "my-nginx --image=registry.test:5000/side:"),
        ):
            assert opened.tab(UPDATE + typed).line == UPDATE + line
    finally:
        opened.close()


@pytest.mark.typed
@WAYS
def test_tab_in_fish(way: Way, world: World, environment: dict[str, str], tmp_path: Path) -> None:
    setup = way(environment, "fish", tmp_path)
    for typed, offered in (
        (
            "",
            [
                "my-nginx\t3 replicas, nginx:1.7.9, registry.test:5000/side:v1",
                "other\t1 replica, nginx:1.7.9",
            ],
        ),
        ("my-nginx --dry-run=s", ["--dry-run=server"]),
        ("my-nginx --container s", ["sidecar\tregistry.test:5000/side:v1"]),
        (
            "my-nginx --image=reg",
            [
                "--image=registry.test:5000/side:\tanother tag for sidecar",
                "--image=registry.test:5000/side:v1\tsidecar now",
            ],
        ),
        ("my-nginx new", []),
    ):
        assert shells.fish(environment, tmp_path, setup, UPDATE + typed) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_makes_one_small_file_and_only_where_it_is_needed(
    shell: str, environment: dict[str, str], tmp_path: Path
) -> None:
    needs.program(shell)
    data = tmp_path / ".local" / "share" / "kubectl-rolling_update"

    def start() -> None:
        setup = with_script(environment, shell, tmp_path)
        if shell == "fish":
            shells.fish(environment, tmp_path, setup, "kubectl rolling-upd")
        else:
            OPEN[shell](environment, tmp_path, setup).close()

    start()
    [made] = data.iterdir()
    assert made.read_text() == '#!/bin/sh\nexec kubectl-rolling_update __complete "$@"\n'
    before = made.stat().st_mtime_ns
    start()
    assert made.stat().st_mtime_ns == before
    made.unlink()
    with_helper(environment, shell, tmp_path)
    start()
    assert not made.exists()
