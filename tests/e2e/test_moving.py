"""A migration as a user runs it: what is shown before, asked, and printed. On the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testing.objects import Json
from tests.e2e.test_changes import typed
from tests.e2e.world import World, opened
from tests.support.manifests import my_nginx

NAME = "my-nginx"
THERE, BACK = (NAME, "--to=deployment"), (f"deployment/{NAME}", "--to=replicationcontroller")


@pytest.fixture
def world(sandbox_kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    """With a controller of two pods."""
    with opened(sandbox_kubeconfig, "moving", tmp_path) as world:
        world.have(my_nginx(replicas=2))
        yield world


def manifest(world: World, *words: str) -> Json:
    ended = world.run(*words, "-o", "yaml")
    assert ended.status == 0, ended.stderr
    found: Json = yaml.safe_load(ended.stdout)
    return found


@pytest.mark.parametrize("where", ["client", "server"])
def test_a_dry_run_says_the_lines_of_the_real_run(world: World, where: str) -> None:
    before = world.versions()
    planned = world.run(*THERE, f"--dry-run={where}")
    assert (planned.status, planned.stderr, world.versions()) == (0, "", before)
    suffix = {"client": " (dry run)\n", "server": " (server dry run)\n"}[where]
    assert planned.stdout.endswith(f"2 pods kept{suffix}")
    done = world.run(*THERE)
    assert done.status == 0, done.stderr
    assert planned.stdout.replace(suffix, "\n") == done.stdout
    again = world.run(*THERE, f"--dry-run={where}")
    assert again.stdout == (
        f"deployment.apps/{NAME} has the pods of replicationcontroller/{NAME} already{suffix}"
    )


def test_a_manifest_is_the_same_before_in_the_middle_and_after(world: World) -> None:
    before = manifest(world, *THERE, "--dry-run=client")
    assert before["kind"] == "Deployment"
    running = world.start(*THERE)
    running.until("Holding")
    running.send(9)
    running.end()
    assert manifest(world, *THERE, "--dry-run=client") == before
    live = manifest(world, *THERE)
    assert (live["kind"], live["status"]["readyReplicas"]) == ("Deployment", 2)
    assert manifest(world, *THERE, "--dry-run=server") == before
    named = world.run(*BACK, "--dry-run", "-o", "name")
    assert named.stdout == f"replicationcontroller/{NAME}\n"
    assert world.run(*BACK, "-o", "name").stdout == f"replicationcontroller/{NAME}\n"


def test_the_difference_is_shown_and_asked_about(world: World) -> None:
    before = world.versions()
    with typed(b"n\n") as terminal:
        ended = world.start(*THERE, "--confirm", stdin=terminal).end()
    assert ended.status == 1
    assert ended.stdout.startswith(f"--- replicationcontroller/{NAME}\n+++ deployment/{NAME}\n")
    assert "\n-kind: ReplicationController\n+apiVersion: apps/v1\n+kind: Deployment\n" in ended.stdout
    assert ended.stderr == "Proceed? [y/N] error: not confirmed; nothing was changed\n"
    assert world.versions() == before
    with typed(b"y\n") as terminal:
        ended = world.start(*THERE, "--confirm", "-o", "name", stdin=terminal).end()
    assert (ended.status, ended.stdout) == (0, f"deployment.apps/{NAME}\n")
    shown = world.run(*BACK, "--diff", "--dry-run")
    assert shown.stdout.startswith(f"--- deployment/{NAME}\n+++ replicationcontroller/{NAME}\n")
    assert shown.stdout.endswith("(dry run)\n")


def test_without_a_terminal_nobody_is_asked(world: World) -> None:
    """A dry run asks nothing, and needs none."""
    ended = world.run(*THERE, "--confirm", stdin="y\n")
    assert ended.status == 1
    assert "error: --confirm needs a terminal on standard input; nothing was changed" in ended.stderr
    assert world.run(*THERE, "--confirm", "--dry-run", stdin="").status == 0


@pytest.mark.parametrize("name", ["we b", "UP_PER", "a%2fb", "ü", "x" * 300, "..", "a?b=c"])
def test_odd_names_end_in_one_line(world: World, name: str) -> None:
    before = world.versions()
    for words in (
        (name, "--to=deployment"),
        (f"deployment/{name}", "--to=rc"),
        (NAME, name, "--to=deployment"),
    ):
        ended = world.run(*words)
        assert ended.status == 1, str(ended)
        assert ended.stderr.startswith("error: ") or "Error from server" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert world.versions() == before


def test_the_last_line_of_a_run_that_stops_says_so(world: World) -> None:
    """`--progress=json`: as for an update."""
    other = my_nginx(replicas=1, name="other")
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    other["metadata"]["finalizers"] = ["example.com/book"]
    world.have(other)
    ended = world.run("other", *THERE[1:], "--timeout=1s", "--progress=json")
    assert ended.status == 3, ended.stderr
    last = json.loads(ended.stdout.splitlines()[-1])
    assert (last["event"], last["status"]) == ("Stopped", 3)
    assert last["reason"] in ended.stderr
    world.api.merge("other", {"metadata": {"finalizers": None}})
