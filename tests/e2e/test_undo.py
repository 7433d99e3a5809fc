"""The history of a controller and going back in it, by the command itself, on every kind of cluster."""

from __future__ import annotations

import json
import re
import signal

import pytest

from testing.command import Ended
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import GOLDEN, World
from tests.support.manifests import my_nginx

A, B, C = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.9.2"


def updated(world: World, *images: str) -> None:
    """A controller that has been updated to each of those in turn."""
    world.have(my_nginx())
    for image in images:
        ended = world.run("my-nginx", f"--image={image}")
        assert (ended.status, ended.stderr) == (0, "")


def revisions(world: World) -> list[tuple[int, str]]:
    """Numbers and images of all ControllerRevisions there are."""
    return [
        (each["revision"], each["data"]["spec"]["template"]["spec"]["containers"][0]["image"])
        for each in world.api.revisions()
    ]


def shown(ended: Ended) -> str:
    """What ``--history`` has printed, without the times."""
    assert (ended.status, ended.stderr) == (0, "")
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-01-02T03:04:05Z", ended.stdout)


def test_update_twice_and_go_back(world: World) -> None:
    """The history is listed, a revision shown; back to the one before, and to any."""
    world.have(my_nginx())
    nothing = world.run("my-nginx", "--history")
    assert (nothing.status, nothing.stdout) == (0, 'No history of replicationcontroller "my-nginx" found.\n')
    for image in (B, C):
        assert world.run("my-nginx", f"--image={image}", "--token=").status == 0

    assert shown(world.run("my-nginx", "--history")) == (GOLDEN / "history.txt").read_text()
    uid = world.api.controller("my-nginx")["metadata"]["uid"]
    listed = json.loads(world.run("my-nginx", "--history", "-o", "json").stdout)
    assert [each["revision"] for each in listed["items"]] == [1, 2, 3]
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in listed["items"]} == {uid}
    one = world.run("my-nginx", "--history", "--revision=2")
    assert f"    - image: {B}\n" in one.stdout

    ended = world.run("my-nginx", "--rollback", "--to-revision=0")
    assert ended.status == 0, ended.stderr
    assert ended.stderr == "Rolling my-nginx back to revision 2\n"
    assert_finished(world, "my-nginx", B, 3)
    assert revisions(world) == [(1, A), (3, C), (4, B)]

    assert world.run("rc/my-nginx", "--rollback", "--to-revision=1").status == 0
    assert_finished(world, "my-nginx", A, 3)
    again = world.run("my-nginx", "--rollback", "--to-revision=1")
    assert (again.status, again.stdout) == (0, 'replicationcontroller "my-nginx" is up to date\n')
    assert revisions(world) == [(3, C), (4, B), (5, A)]
    assert world.api.controller("my-nginx")["metadata"]["uid"] == uid


@pytest.mark.interrupted
def test_an_undo_is_interrupted_and_continued(world: World) -> None:
    """The same command continues; both printed commands say which revision."""
    updated(world, B)
    running = world.start("my-nginx", "--rollback", "--to-revision=0", "--update-period=1h")
    running.until("Scaling my-nginx-")
    running.send(signal.SIGINT)
    ended = running.end()
    assert ended.status == 130
    onwards = "kubectl rolling-update my-nginx --update-period=1h --rollback --to-revision="
    assert f"To resume:    {onwards}1\nTo roll back: {onwards}2\n" in ended.stderr
    beside = world.run("my-nginx", f"--image={C}")
    assert beside.status == 1
    assert beside.stderr.startswith("error: Found existing in-progress rollback of my-nginx to revision 1;")
    assert world.run("my-nginx", "--rollback").status == 0
    assert_finished(world, "my-nginx", A, 3)
    assert revisions(world) == [(2, B), (3, A)]


def test_an_undo_is_interrupted_and_turned_round(world: World) -> None:
    """By the number of what ran before; the history is as it was."""
    updated(world, B)
    before = world.api.controller("my-nginx")["spec"]
    running = world.start("my-nginx", "--rollback", "--to-revision=0", "--update-period=1h")
    running.until("Scaling my-nginx-")
    running.send(signal.SIGKILL)
    running.end()
    refused = world.run("my-nginx", "--rollback", "--to-revision=7")
    assert refused.status == 1
    assert "roll it back with: kubectl rolling-update my-nginx --rollback --to-revision=2" in refused.stderr
    ended = world.run("my-nginx", "--rollback", "--to-revision=2")
    assert ended.status == 0, ended.stderr
    assert 'Setting "my-nginx" replicas to 3' in ended.stdout
    assert assert_finished(world, "my-nginx", B, 3)["spec"] == before
    assert revisions(world) == [(1, A), (2, B)]


def test_a_failing_undo_goes_back_by_itself(world: World) -> None:
    """--on-failure=rollback: to what the old pods run."""
    world.have(my_nginx(image="nginx:missing"), available=0)
    assert world.run("my-nginx", f"--image={B}").status == 0
    ended = world.run("my-nginx", "--rollback", "--to-revision=0", "--on-failure=rollback", "--timeout=2s")
    assert ended.status == 3, ended.stderr
    assert "Rolling back because of --on-failure=rollback." in ended.stderr
    assert_finished(world, "my-nginx", B, 3)


def test_only_so_many_revisions_are_kept(world: World) -> None:
    """--revision-history-limit: beside the one that runs; 0 leaves the history alone."""
    updated(world, B, C)
    assert world.run("my-nginx", "--image=nginx:2", "--revision-history-limit=1").status == 0
    assert revisions(world) == [(3, C), (4, "nginx:2")]
    assert world.run("my-nginx", "--image=nginx:3", "--revision-history-limit=0").status == 0
    assert revisions(world) == [(3, C), (4, "nginx:2")]
    ended = world.run("my-nginx", "--history")
    assert "is not in the history" in ended.stderr
    dry = world.run("my-nginx", "--rollback", "--to-revision=0", "--dry-run=server")
    assert dry.status == 0, dry.stderr
    assert 'replicationcontroller "my-nginx" rolling updated (server dry run)' in dry.stdout
    assert revisions(world) == [(3, C), (4, "nginx:2")]
    assert world.run("my-nginx", "--rollback", "--to-revision=0").status == 0
    assert_finished(world, "my-nginx", "nginx:2", 3)
    assert revisions(world)[-2:] == [(5, "nginx:3"), (6, "nginx:2")]


def test_a_new_name_takes_the_history_along(world: World) -> None:
    """And what belonged to the old controller goes with it."""
    updated(world, B)
    assert world.run("my-nginx", "next", f"--image={C}").status == 0
    uid = assert_finished(world, "next", C, 3)["metadata"]["uid"]

    def owners() -> set[str]:
        return {each["metadata"]["ownerReferences"][0]["uid"] for each in world.api.revisions()}

    world.api.wait(lambda: owners() == {uid}, "the old revisions are collected")
    assert revisions(world) == [(1, A), (2, B), (3, C)]
    assert world.run("next", "--rollback", "--to-revision=0").status == 0
    assert_finished(world, "next", B, 3)


def test_what_is_orphaned_lets_the_controller_go(world: World) -> None:
    """kubectl delete --cascade=orphan: the collector takes the revisions' owner away, and is done."""
    manifest = my_nginx()
    manifest["spec"]["template"]["metadata"]["annotations"] = {"odd": "<a> & \u00e9 \U0001f600 \u2028 \x7f"}
    world.have(manifest)
    assert world.run("my-nginx", f"--image={B}").status == 0
    assert world.run("my-nginx", "--rollback", "--to-revision=0").status == 0
    world.api.delete("my-nginx", policy="Orphan")
    world.api.wait(lambda: not world.api.controllers(), "the controller is gone")
    assert [each["metadata"].get("ownerReferences") for each in world.api.revisions()] == [None, None]
    for each in world.api.revisions():
        world.api.delete(each["metadata"]["name"], "controllerrevisions")


def test_the_change_cause(world: World) -> None:
    """What the controller says; else the command, without its secrets."""
    manifest = my_nginx()
    manifest["metadata"]["annotations"] = {"kubernetes.io/change-cause": "created for ticket 7"}
    world.have(manifest)
    assert world.run("my-nginx", f"--image={B}", "--server=" + world.api.client.url).status == 0
    world.api.merge("my-nginx", {"metadata": {"annotations": {"kubernetes.io/change-cause": "ticket 8"}}})
    assert world.run("my-nginx", f"--image={C}").status == 0
    lines = world.run("my-nginx", "--history").stdout.splitlines()
    assert [line.rpartition("  ")[2] for line in lines[1:]] == [
        "created for ticket 7",
        f"kubectl rolling-update my-nginx --image={B} --server={world.api.client.url}",
        "ticket 8",
    ]


def test_nothing_to_roll_back_to(world: World) -> None:
    """The documented message where there is no history, and what there is where the number is wrong."""
    world.have(my_nginx())
    for words in (("--rollback",), ("--rollback", "--to-revision=0")):
        refused = world.run("my-nginx", *words)
        assert (refused.status, refused.stderr) == (1, "error: Could not find my-nginx to rollback.\n")
    assert world.run("my-nginx", f"--image={B}").status == 0
    refused = world.run("my-nginx", f"--image={B}", "--rollback")
    assert (refused.status, refused.stderr) == (1, "error: Could not find my-nginx to rollback.\n")
    for words in (("--rollback", "--to-revision=5"), ("--history", "--revision=5")):
        refused = world.run("my-nginx", *words)
        assert (refused.status, refused.stderr) == (
            1,
            'error: revision 5 of replicationcontroller "my-nginx" not found\nits history has: 1, 2\n',
        )
    refused = world.run("missing", "--history")
    assert refused.stderr == (
        'Error from server (NotFound): replicationcontrollers "missing" not found\n'
        f'it was looked for in namespace "{world.namespace}"; what there is: kubectl get rc\n'
    )


# --- the scripts that deploy ---


def deploy(world: World, script: str) -> Ended:
    """A shell script as it is run by a pipeline."""
    return world.run("-c", script, command=["sh"])


def refusal(number: int, flags: str = "") -> str:
    """What ``--rollback`` alone says with nothing in progress; ``number``: of the revision before."""
    return (
        "error: Could not find my-nginx to rollback.\n"
        "no update of my-nginx is in progress; to undo a finished update and return to revision "
        f"{number}: kubectl rolling-update my-nginx --rollback --to-revision={number}{flags}\n"
    )


def undo_as_told(world: World, told: str) -> None:
    """Paste the command of the hint; ``kubectl`` finds the plugin by its name."""
    command = told.rstrip("\n").rpartition(": ")[2]
    ended = deploy(world, command.replace("kubectl rolling-update", "kubectl-rolling_update"))
    assert ended.status == 0, ended.stderr


def test_a_script_falls_back_after_a_refusal(world: World) -> None:
    """The same image again is refused: the update before it stays."""
    updated(world, B, C)
    before = world.versions()
    ended = deploy(
        world,
        f"kubectl-rolling_update my-nginx --image={C} || kubectl-rolling_update my-nginx --rollback",
    )
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr.endswith(refusal(2))
    assert world.versions() == before
    assert_finished(world, "my-nginx", C, 3)
    assert revisions(world) == [(1, A), (2, B), (3, C)]
    undo_as_told(world, ended.stderr)
    assert_finished(world, "my-nginx", B, 3)
    assert revisions(world) == [(1, A), (3, C), (4, B)]


def test_a_script_falls_back_after_a_wrong_flag(world: World) -> None:
    """Nothing was begun, so nothing is ended."""
    updated(world, B)
    before = world.versions()
    ended = deploy(
        world,
        f"""
        kubectl-rolling_update my-nginx --image={C} --max-surge=some
        if [ $? -ne 0 ]; then
            kubectl-rolling_update my-nginx --rollback -n {world.namespace}
        fi
        """,
    )
    assert (ended.status, ended.stdout) == (1, "")
    assert 'invalid argument "some"' in ended.stderr
    assert ended.stderr.endswith(refusal(1, f" -n {world.namespace}"))
    assert world.versions() == before
    assert_finished(world, "my-nginx", B, 3)
    undo_as_told(world, ended.stderr)
    assert_finished(world, "my-nginx", A, 3)


def test_a_script_falls_back_where_the_server_is_away(world: World) -> None:
    """The update has reached nothing; the rollback finds nothing in progress."""
    updated(world, B)
    before = world.versions()
    away = "--server=http://127.0.0.1:1 --timeout=1s"
    ended = deploy(
        world,
        f"kubectl-rolling_update my-nginx --image={C} {away} || kubectl-rolling_update my-nginx --rollback",
    )
    assert ended.status == 1
    assert ended.stderr.endswith(refusal(1))
    assert world.versions() == before


def test_a_script_falls_back_after_the_update_went_back(world: World) -> None:
    """--on-failure=rollback is back at the version before; it stays there."""
    updated(world, B)
    before = world.api.controller("my-nginx")["spec"]
    ended = deploy(
        world,
        "kubectl-rolling_update my-nginx --image=nginx:missing --timeout=2s --on-failure=rollback"
        " || kubectl-rolling_update my-nginx --rollback",
    )
    assert ended.status == 1
    assert "Rolled back: my-nginx runs what it ran before the update.\n" in ended.stderr
    assert ended.stderr.endswith(refusal(1))
    assert assert_finished(world, "my-nginx", B, 3)["spec"] == before
    assert revisions(world) == [(1, A), (2, B)]


def test_a_script_falls_back_from_an_update_in_progress(world: World) -> None:
    """What it is there for: an update that has stopped half way goes back, once."""
    updated(world, B)
    fallback = "kubectl-rolling_update my-nginx --rollback"
    ended = deploy(
        world,
        f"kubectl-rolling_update my-nginx --image=nginx:missing --timeout=2s || {fallback}",
    )
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", B, 3)
    assert revisions(world) == [(1, A), (2, B)]
    again = deploy(world, fallback)
    assert (again.status, again.stderr) == (1, refusal(1))
    assert_finished(world, "my-nginx", B, 3)
