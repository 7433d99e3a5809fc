"""The command as kubectl starts it: words, streams, exit status, signals, environment, and completion."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import command
from testing.command import Ended, environment, put
from tests.e2e.world import World, opened
from tests.support.manifests import my_nginx

pytestmark = pytest.mark.typed


@pytest.fixture
def world(sandbox_kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    """A namespace of the sandbox with one controller."""
    with opened(sandbox_kubeconfig, "plugin", tmp_path) as world:
        world.have(my_nginx(replicas=1))
        yield world


def run(world: World, kubectl: str, *words: str) -> Ended:
    return world.run("rolling-update", *words, command=[kubectl])


def test_the_exit_status_is_that_of_the_plugin(world: World, each_kubectl: str) -> None:
    refused = run(world, each_kubectl, "other", "--image=nginx:1.9.1")
    assert refused.status == 1
    assert refused.stderr.startswith(
        'Error from server (NotFound): replicationcontrollers "other" not found\n'
    )
    stopped = run(world, each_kubectl, "my-nginx", "--image=nginx:missing", "--timeout=1s")
    assert stopped.status == 3
    back = run(world, each_kubectl, "my-nginx", "--rollback")
    assert (back.status, back.stderr) == (0, "")


@pytest.mark.interrupted
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_to_kubectl_reaches_the_plugin(
    world: World, each_kubectl: str, number: signal.Signals
) -> None:
    """Which stops between two writes and says how to continue."""
    words = ("rolling-update", "my-nginx", "--image=nginx:1.9.1", "--update-period=1h")
    running = world.start(*words, command=[each_kubectl])
    running.until("Scaling my-nginx-")
    running.send(number)
    ended = running.end()
    assert ended.status == 130
    assert (
        "To resume:    kubectl rolling-update my-nginx --image=nginx:1.9.1 --update-period=1h" in ended.stderr
    )


def test_a_check_may_call_the_kubectl_that_was_called(
    world: World, each_kubectl: str, tmp_path: Path
) -> None:
    """kubectl 1.37 and newer say in KUBECTL_PATH where it is; nothing that a plugin is given is kept from a
    program of the user's."""
    told = tmp_path / "told"
    ended = run(
        world, each_kubectl, "my-nginx", "--image=nginx:1.9.1", f'--verify=echo "$KUBECTL_PATH" >{told}'
    )
    assert ended.status == 0, ended.stderr
    shown = subprocess.run(
        [each_kubectl, "version", "--client", "-o", "json"], capture_output=True, check=True
    )
    version = json.loads(shown.stdout)["clientVersion"]
    tells = (int(version["major"]), int(version["minor"].rstrip("+"))) >= (1, 37)
    assert told.read_text().strip() == (each_kubectl if tells else "")


def test_what_kubectl_makes_itself_reaches_the_sandbox_by_a_pipe(world: World, each_kubectl: str) -> None:
    """It sends protobuf, which the sandbox does not read; what it says instead works."""
    create = ("create", "quota", "few", "--hard=pods=3")
    refused = world.run(*create, command=[each_kubectl])
    assert refused.status == 1
    assert refused.stderr.rstrip().endswith(
        "the sandbox reads JSON and YAML; add --dry-run=client -o yaml, piped into: kubectl create -f -"
    )
    made = world.run(*create, "--dry-run=client", "-o", "yaml", command=[each_kubectl])
    piped = world.run("create", "-f", "-", stdin=made.stdout, command=[each_kubectl])
    assert (piped.status, piped.stdout) == (0, "resourcequota/few created\n"), piped


def test_kubectl_asks_the_plugin_for_completion(world: World, each_kubectl: str, tmp_path: Path) -> None:
    """As the completion of each shell does."""
    folder = tmp_path / "links"
    folder.mkdir()
    put(folder, "kubectl-rolling_update", "kubectl_complete-rolling_update")
    variables = environment(PATH=str(folder), HOME=str(tmp_path), KUBECONFIG=str(world.kubeconfig))

    def offered(*words: str) -> list[str]:
        asked = [each_kubectl, "__complete", "rolling-update", "--request-timeout=60", *words]
        return command.run(asked, variables, tmp_path).stdout.splitlines()

    assert offered("") == ["my-nginx\t1 replica, nginx:1.7.9", ":4"]
    assert offered("my-nginx", "--dry-run=s") == ["server", ":36"]
    assert offered("my-nginx", "-n", world.namespace[:-1]) == [world.namespace, ":4"]
    assert offered("my-nginx", "-f", "") == ["json", "yaml", "yml", ":8"]
