"""Waits that end by themselves, and one that never will, on each kind of cluster: pods that only have to stay
ready, a quota that has room again, a namespace that is deleted."""

from __future__ import annotations

import json
import re
import time

from testing.client import ApiError
from testing.objects import Json
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx, other_pod, quota


def test_pods_that_only_have_to_stay_ready(world: World) -> None:
    """minReadySeconds longer than --timeout: nothing times out, nothing is rolled back, and whoever looks is
    told when the pods are available."""
    manifest = my_nginx(replicas=1)
    manifest["spec"]["minReadySeconds"] = 7
    world.have(manifest)
    running = world.start("my-nginx", "--image=nginx:1.9.1", "--timeout=3s", "--on-failure=rollback")
    running.until("up to 1")

    def seen() -> bool:
        told: Json = json.loads(world.run("my-nginx", "--status", "-o", "json").stdout)
        return told["availableIn"] is not None and "(1 ready, must stay so for 7s)" in (told["waiting"] or "")

    world.api.wait(seen, "a pod is ready")
    shown = world.run("my-nginx", "--status").stdout
    assert re.search(r"0 of 1 pods are available, 1 ready, available in \d+", shown), shown
    ended = running.end(60)
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 1)


def test_a_quota_that_has_room_again(world: World) -> None:
    """The manager backs off from it. The same command has its pods at once, and the touch is undone."""
    world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    world.api.create(other_pod())
    world.api.create(quota({"pods": "3"}))
    world.api.counted("few", {"pods": "3"})
    stopped = world.run("my-nginx", "next", "--image=nginx:1.9.1", "--timeout=25s")
    assert stopped.status == 3
    assert "exceeded quota: few" in stopped.stderr
    world.api.delete("other", "pods")
    world.api.counted("few", {"pods": "2"})
    began = time.monotonic()
    paused = world.run("my-nginx", "next", "--image=nginx:1.9.1", "--pause-at=1")
    assert (paused.status, time.monotonic() - began < 10) == (0, True), paused
    touched = world.api.controllers()["next"]["metadata"]["annotations"]["rolling-update/touched"]
    assert touched == "1"
    assert world.run("my-nginx", "next", "--image=nginx:1.9.1").status == 0
    left = assert_finished(world, "next", "nginx:1.9.1", 2)["metadata"].get("annotations") or {}
    assert not [key for key in left if key.startswith("rolling-update/")]


def test_a_namespace_that_is_deleted_in_the_middle(world: World) -> None:
    """It says so; neither that something runs on, nor how to resume."""
    world.have(my_nginx(replicas=2))
    running = world.start("my-nginx", "--image=nginx:never-ready", "--timeout=40s")
    running.until("up to 1")
    path = f"/api/v1/namespaces/{world.namespace}"
    world.api.client.delete(path)
    ended = running.end(60)
    if "Forbidden" not in ended.stderr:  # else this user has lost its rights before there was anything to see
        assert "To resume" not in ended.stderr, ended
        assert f'error: namespace "{world.namespace}" ' in ended.stderr
        assert ended.status == 1
    world.api.wait(lambda: _is_gone(world, path), "the namespace is gone", 60)
    world.api.make()  # what is to be cleaned up


def _is_gone(world: World, path: str) -> bool:
    try:
        world.api.call("GET", path)
    except ApiError as error:
        return error.code == 404
    return False


def test_a_namespace_that_does_not_exist(world: World) -> None:
    """The line of kubectl, and where it was looked for."""
    ended = world.run("my-nginx", "--image=nginx:1.9.1", "--namespace=nowhere-at-all")
    assert ended.status == 1
    assert 'replicationcontrollers "my-nginx" not found' in ended.stderr or "Forbidden" in ended.stderr
    assert "nowhere-at-all" in ended.stderr
