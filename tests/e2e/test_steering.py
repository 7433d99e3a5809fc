"""Pauses, checks and a third version, by the command itself: on the sandbox and on the real control plane."""

from __future__ import annotations

from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx

UPDATE = ("my-nginx", "--image=nginx:1.9.1")


def sizes(world: World) -> dict[str, int]:
    """Of each controller; the new one's is under ``new``."""
    found = world.api.controllers().items()
    return {name if name == "my-nginx" else "new": each["spec"]["replicas"] for name, each in found}


def test_pause_and_go_on(world: World) -> None:
    """Status 0 at each pause, with both commands to go on; the same command continues to the next one."""
    before = world.have(my_nginx(replicas=4))
    command = (*UPDATE, "--pause-at=1", "--pause-at=75%")
    for new in (1, 3):
        ended = world.run(*command)
        assert ended.status == 0, ended.stderr
        assert sizes(world) == {"my-nginx": 4 - new, "new": new}
        said = ended.stderr.splitlines()
        assert said[-3].startswith(f"Paused: {new} of 4 pods of my-nginx-")
        assert said[-2] == f"To resume:    kubectl rolling-update {' '.join(command)}"
        assert said[-1] == f"To roll back: kubectl rolling-update {' '.join(command)} --rollback"
    ended = world.run(*command)
    assert (ended.status, ended.stderr) == (0, "")
    after = assert_finished(world, "my-nginx", "nginx:1.9.1", 4)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_pause_and_go_back(world: World) -> None:
    """The command that is printed for it reverts everything."""
    before = world.have(my_nginx(replicas=2))
    assert world.run(*UPDATE, "--pause-at=50%").status == 0
    ended = world.run(*UPDATE, "--pause-at=50%", "--rollback")
    assert ended.status == 0, ended.stderr
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"] == before["spec"]


def test_each_batch_is_checked(world: World) -> None:
    """The check is told names and sizes, what it writes is shown indented, and what it refuses stops."""
    world.have(my_nginx(replicas=2))
    seen = 'echo "$ROLLING_UPDATE_OLD/$ROLLING_UPDATE_NEW_AVAILABLE/$ROLLING_UPDATE_TARGET"'
    ended = world.run(*UPDATE, f"--verify={seen}; test $ROLLING_UPDATE_NEW_AVAILABLE -lt 2")
    assert ended.status == 3
    assert "\n  my-nginx/1/2\n" in ended.stderr
    assert "\n  my-nginx/2/2\n" in ended.stderr
    assert "failed: exit status 1\n" in ended.stderr
    assert "To resume:    kubectl rolling-update my-nginx --image=nginx:1.9.1 '--verify=" in ended.stderr
    assert sizes(world) == {"my-nginx": 1, "new": 2}
    ended = world.run(*UPDATE, f"--verify={seen}")
    assert ended.status == 0, ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_a_check_that_fails_rolls_back(world: World) -> None:
    """--on-failure=rollback: it says so, and the status tells that it is not what was asked for."""
    before = world.have(my_nginx(replicas=2))
    ended = world.run(*UPDATE, "--verify=exit 9", "--on-failure=rollback")
    assert ended.status == 3
    assert "failed: exit status 9\n" in ended.stderr
    assert "Rolling back because of --on-failure=rollback." in ended.stderr
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"] == before["spec"]


def test_a_check_that_hangs_is_ended(world: World) -> None:
    """With all that it has started."""
    world.have(my_nginx(replicas=1))
    ended = world.run(*UPDATE, "--verify=sleep 600 & sleep 600", "--verify-timeout=1s")
    assert ended.status == 3
    assert "failed: --verify has not ended within 1s and was stopped\n" in ended.stderr
    assert ended.seconds < 300


def test_a_third_version_takes_the_place_of_the_second(world: World) -> None:
    """Its pods, which never get ready, go first; nothing of it is left."""
    world.have(my_nginx(replicas=3))
    stopped = world.run("my-nginx", "--image=nginx:missing", "--timeout=2s")
    assert stopped.status == 3
    refused = world.run(*UPDATE)
    assert refused.status == 1
    assert refused.stderr.startswith("error: Found existing in-progress update to image (nginx:missing).\n")
    ended = world.run(*UPDATE, "--supersede")
    assert ended.status == 0, ended.stderr
    assert "Superseding the update to my-nginx-" in ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)


def test_going_back_from_the_third_version(world: World) -> None:
    """Paused in the middle of it: --rollback goes to the first version, and the second is gone as well."""
    before = world.have(my_nginx(replicas=3))
    assert world.run(*UPDATE, "--pause-at=2").status == 0
    third = ("my-nginx", "--image=nginx:1.11", "--supersede", "--pause-at=1")
    assert world.run(*third).status == 0
    ended = world.run(*third, "--rollback")
    assert ended.status == 0, ended.stderr
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 3)["spec"] == before["spec"]
