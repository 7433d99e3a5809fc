"""``--status``: looked at by somebody else while an update runs, stands still, goes back, and is over."""

from __future__ import annotations

import json
import re
import signal

import pytest
import yaml

from tests.e2e.world import World
from tests.support.manifests import my_nginx

KEYS = [
    *("schema", "name", "inProgress", "direction", "phase", "pausedAt", "original", "target"),
    *(
        "startedBy",
        "startedAt",
        "lastWrite",
        "waiting",
        "availableIn",
        "note",
        "notMoved",
        "movesTo",
        "movedTo",
        "otherPods",
        "reasons",
        "controllers",
    ),
]
OF_A_CONTROLLER = ["role", "name", "images", "size", "current", "ready", "available", "failing"]


def test_from_the_beginning_to_the_end(world: World) -> None:
    """Nothing; stopped, with the reason; followed through a rollback; nothing again. Nothing is written."""
    world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    quiet = world.run("my-nginx", "--status")
    assert (quiet.status, quiet.stderr) == (0, "")
    assert quiet.stdout == "my-nginx: no update in progress; 2 of 2 pods are available\n"
    assert world.run("my-nginx", "next", "--image=nginx:missing", "--timeout=4s").status == 3
    before = world.versions()
    stopped = world.run("next", "--status")
    assert (stopped.status, stopped.stderr) == (3, "")
    lines = stopped.stdout.splitlines()
    assert lines[0] == "my-nginx is being updated (scaling)"
    assert re.match(r"  old  my-nginx +2 of 2 pods are available  nginx:1.7.9", lines[1])
    assert re.match(r"  new  next +0 of 1 pods are available  nginx:missing", lines[2])
    assert "0 of 1 pods of next are available; 1 pod: image " in stopped.stdout
    assert re.search(r"Started: +.* ago by \S+@\S+", stopped.stdout)
    assert lines[-1] == "  kubectl rolling-update my-nginx --rollback"
    elsewhere = world.run("next", "--status", f"--namespace={world.namespace}", "--request-timeout=1m")
    there = f"--namespace={world.namespace} --request-timeout=1m"
    assert elsewhere.stdout.splitlines()[-1] == f"  kubectl rolling-update my-nginx --rollback {there}"
    for output, reader in (("json", json.loads), ("yaml", yaml.safe_load)):
        ended = world.run("my-nginx", "--status", "-o", output)
        told = reader(ended.stdout)
        assert (ended.status, list(told)) == (3, KEYS)
        assert [list(each) for each in told["controllers"]] == [OF_A_CONTROLLER] * 2
        assert [list(each) for each in told["reasons"]] == [["pods", "reason", "fatal"]]
        assert (told["schema"], told["direction"], told["target"]) == (2, "forwards", 2)
    assert world.versions() == before
    following = world.start("my-nginx", "--status", "--watch")
    following.until("my-nginx is being updated: 0 of 2 new pods are available")
    assert world.run("my-nginx", "--rollback").status == 0
    ended = following.end(60)
    assert (ended.status, ended.stderr) == (0, "")
    assert "my-nginx is being rolled back: " in ended.stdout
    assert ended.stdout.endswith("my-nginx: no update in progress; 2 of 2 pods are available\n")


def test_paused(world: World) -> None:
    """At how many pods; and followed to the end under the other name that it ends with."""
    world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    update = ["my-nginx", "next", "--image=nginx:1.9.1"]
    assert world.run(*update, "--pause-at=1").status == 0
    ended = world.run("my-nginx", "--status")
    assert ended.status == 3
    assert ended.stdout.startswith("my-nginx is paused (scaling)\n")
    assert "Waiting:  paused at 1 new pod," in ended.stdout
    assert json.loads(world.run("my-nginx", "--status", "-o", "json").stdout)["pausedAt"] == 1
    following = world.start("my-nginx", "--status", "-w", "-o", "json")
    following.until('"pausedAt": 1')
    assert world.run(*update).status == 0
    told = [json.loads(line) for line in following.end(60).stdout.splitlines()]
    assert (told[-1]["name"], told[-1]["inProgress"]) == ("next", False)


@pytest.mark.interrupted
def test_interrupted_while_following(world: World) -> None:
    """It has changed nothing, and says so."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    assert world.run("my-nginx", "next", "--image=nginx:1.9.1", "--pause-at=1").status == 0
    following = world.start("my-nginx", "--status", "-w")
    following.until("my-nginx is paused")
    following.send(signal.SIGINT)
    ended = following.end(30)
    assert (ended.status, ended.stderr) == (130, "Interrupted; nothing was changed.\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nobody", "--status"), 'Error from server (NotFound): replicationcontrollers "nobody" not found\n'),
        (("a", "--status", "--image=b"), "error: --status and --image can not both be specified\n"),
        (("a", "--status", "-f", "b"), "error: --status and --filename can not both be specified\n"),
        (("a", "--status", "--rollback"), "error: --status and --rollback can not both be specified\n"),
        (("a", "--status", "--history"), "error: --status and --history can not both be specified\n"),
        (("a", "b", "--status"), "error: --status is of one controller: give its NAME alone\n"),
        (("a", "--status", "-o", "name"), "error: --status goes with -o json or yaml\n"),
        (("a", "--image=b", "-w"), "error: --watch goes with --status\n"),
        (("--status",), "error: Must specify the controller to update\n"),
    ],
)
def test_what_does_not_fit(world: World, arguments: tuple[str, ...], says: str) -> None:
    """Refused, with the reason."""
    ended = world.run(*arguments)
    assert (ended.status, ended.stdout, ended.stderr.splitlines(keepends=True)[0]) == (1, "", says)
