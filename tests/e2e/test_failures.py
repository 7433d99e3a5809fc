"""New pods that fail, on each kind of cluster: the reason, soon, in one line, and what is done about it."""

from __future__ import annotations

import json

from testing.command import Ended
from tests.e2e.test_scenarios import assert_finished, image_of
from tests.e2e.world import World
from tests.support.manifests import asking_for, limit_range, my_nginx, other_pod, quota

LOG = "its log ends: starting nginx:crashing | error: cannot read /etc/settings: no such file"


def reason_of(ended: Ended, name: str = "my-nginx") -> str:
    """What stopped it; the same was told as what it waited for, in the first line that is not documented."""
    assert ended.status == 3, ended
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("Warning: surge ")]
    assert lines[0].startswith(f"Waiting: 0 of 1 pods of {name}-"), ended.stderr
    at = next(number for number, line in enumerate(lines) if line.startswith("error: "))
    assert lines[at + 1].partition("; ")[2]
    assert lines[at + 1] in lines[at - 1]
    assert lines[at + 2].startswith(f"To resume:    kubectl rolling-update {name} --image=")
    assert lines[at + 3].startswith(f"To roll back: kubectl rolling-update {name} --image=")
    assert lines[at + 3].endswith(" --rollback")
    return lines[at + 1].partition("; ")[2]


REASONS = {
    "nginx:missing": '1 pod: image "nginx:missing" cannot be pulled: ',
    "nginx:crashing": f"1 pod: container nginx crashes: exit code 1; {LOG}",
    "nginx:never-ready": "1 pod: Readiness probe failed: HTTP probe failed with statuscode: 503",
}


def test_why_new_pods_do_not_get_available(world: World) -> None:
    """The reason in one line, soon, and again when the update stops for it."""
    runs = {}
    # Side by side, as each of them mostly waits.
    for image in REASONS:
        name = image.replace(":", "-")
        world.have(my_nginx(name, replicas=2, labels={"app": name}))
        runs[name, image] = world.start(name, f"--image={image}", "--timeout=6s")
    for (name, image), running in runs.items():
        ended = running.end()
        assert reason_of(ended, name).startswith(REASONS[image])
        assert "error: timed out waiting for any update progress to be made\n" in ended.stderr


def test_a_quota_stops_it(world: World) -> None:
    """No pod can be made: the server's words. With more room, the same command goes on."""
    world.have(my_nginx(replicas=2))
    world.api.create(other_pod())
    world.api.create(quota({"pods": "3"}))
    world.api.counted("few", {"pods": "3"})
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--timeout=6s")
    said = reason_of(ended)
    assert said.startswith("pods of my-nginx-")
    assert " cannot be created: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3" in said
    world.api.delete("other", "pods")
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert ended.status == 0, ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_a_limit_range_stops_it(world: World) -> None:
    """The pods that there are were made before there was one. An account that may create pods is told before
    anything is written: ``test_room``."""
    world.have(asking_for(my_nginx(replicas=2), limits={"memory": "2Gi"}, requests={"memory": "2Gi"}))
    running = world.start("my-nginx", "--image=nginx:1.9.1", "--timeout=6s", "--pause-at=0")
    assert running.end().status == 0  # what is resumed is not looked at again
    world.api.create(limit_range(max={"memory": "512Mi"}))
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--timeout=6s")
    said = reason_of(ended)
    assert said.endswith("cannot be created: maximum memory usage per Container is 512Mi, but limit is 2Gi")


def test_stops_when_all_new_pods_fail(world: World) -> None:
    """--failure-grace, long before --timeout; the old pods are as they were, and both ways are open."""
    world.have(my_nginx(replicas=2))
    ended = world.run("my-nginx", "--image=nginx:crashing", "--failure-grace=2s")
    reason_of(ended)
    assert "error: the pods of my-nginx-" in ended.stderr
    controllers = world.api.controllers()
    assert controllers["my-nginx"]["status"]["availableReplicas"] == 2
    back = world.run("my-nginx", "--image=nginx:crashing", "--rollback")
    assert back.status == 0, back
    assert_finished(world, "my-nginx", "nginx:1.7.9", 2)


def test_rolls_back_by_itself(world: World) -> None:
    """--on-failure=rollback: everything as it was, said, and a status that tells it is not what was asked
    for. With -o the controller as it is now, alone on standard output."""
    before = world.have(my_nginx(replicas=2))
    flags = ("--failure-grace=2s", "--on-failure=rollback", "-o", "json")
    ended = world.run("my-nginx", "--image=nginx:missing", *flags)
    assert ended.status == 3, ended
    assert "error: the pods of my-nginx-" in ended.stderr
    assert "Rolling back because of --on-failure=rollback.\n" in ended.stderr
    assert ended.stderr.endswith("Rolled back: my-nginx runs what it ran before the update.\n")
    assert 'Setting "my-nginx" replicas to 2\n' in ended.stderr
    assert "To resume:    " not in ended.stderr
    assert image_of(json.loads(ended.stdout)) == "nginx:1.7.9"
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"] == before["spec"]


def test_rolls_back_by_itself_after_the_timeout(world: World) -> None:
    """What is not beyond hope is a failure as well once nothing has moved for --timeout."""
    before = world.have(my_nginx(replicas=2))
    ended = world.run("my-nginx", "--image=nginx:never-ready", "--timeout=5s", "--on-failure=rollback")
    assert ended.status == 3, ended
    assert "error: timed out waiting for any update progress to be made\n" in ended.stderr
    assert 'Setting "my-nginx" replicas to 2\n' in ended.stdout
    assert ended.stderr.endswith("Rolled back: my-nginx runs what it ran before the update.\n")
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"] == before["spec"]


def test_a_disruption_budget_is_told_and_holds_nothing_back(world: World) -> None:
    """It asks for more available pods than --max-unavailable leaves."""
    groups = world.api.call("GET", "/apis/policy")
    version = groups["preferredVersion"]["groupVersion"]
    world.have(my_nginx(replicas=3))
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": "nginx"}}}
    body = {"apiVersion": version, "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": spec}
    world.api.call("POST", f"/apis/{version}/namespaces/{world.namespace}/poddisruptionbudgets", body)
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--max-unavailable=1")
    assert ended.status == 0, ended
    assert ended.stderr.startswith(
        "Warning: PodDisruptionBudget web requires 3 available pods, but this update keeps 2; their nodes"
    )
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)
    assert world.run("my-nginx", "--image=nginx:1.9.2").stderr == ""
