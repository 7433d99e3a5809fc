"""What the server, the controller's owner or the size of an object would stop half way is found before
anything is written. On the sandbox and on the real control plane."""

from __future__ import annotations

import shlex
from threading import Event, Thread

from testing.objects import Json
from tests.e2e.test_references import refused
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx

# --- rules that look at the size ---


def test_a_disk_that_only_one_pod_can_have(world: World) -> None:
    """Three pods had no such disk, the file gives them one that is not read-only: the server lets a
    controller of one pod through, and refuses the second pod. No pod of it is made."""
    world.have(my_nginx(labels={"v": "1"}, selector=True))
    manifest = my_nginx("next", image="nginx:1.9.1", labels={"v": "2"}, selector=True)
    disk = {"name": "d", "gcePersistentDisk": {"pdName": "disk", "fsType": "ext4"}}
    manifest["spec"]["template"]["spec"]["volumes"] = [disk]
    before = world.versions()
    for further in ((), ("--on-failure=rollback",), ("--keep-name",)):
        ended = world.run("my-nginx", "-f", world.file(manifest), *further)
        assert (ended.status, ended.stdout) == (1, ""), ended
        assert "must be true for replicated pods > 1" in ended.stderr
        assert world.versions() == before


# --- what has to be kept until the end ---


def test_a_large_template_full_of_quotes(world: World) -> None:
    """240 kB, which as text in an annotation would be twice that."""
    manifest = my_nginx(replicas=1)
    manifest["spec"]["template"]["spec"]["containers"][0]["args"] = ['{"a": "b"}' * 24_000]
    before = world.have(manifest)
    ended = world.run("my-nginx", "--image=nginx:1.9.1")
    assert (ended.status, ended.stderr) == (0, ""), ended.stderr
    assert_finished(world, "my-nginx", "nginx:1.9.1", 1)
    ended = world.run("my-nginx", "--rollback", "--to-revision=0")
    assert ended.status == 0, ended.stderr
    after = assert_finished(world, "my-nginx", "nginx:1.7.9", 1)
    assert after["spec"]["template"]["spec"] == before["spec"]["template"]["spec"]


# --- owners and autoscalers ---


def have_owned(world: World) -> Json:
    """A controller that another object controls, as a DeploymentConfig does: here one that every server
    has."""
    place = f"/api/v1/namespaces/{world.namespace}/configmaps"
    owner = world.api.client.create(place, {"metadata": {"name": "web"}})
    manifest = my_nginx(replicas=2)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "web", "uid": owner["metadata"]["uid"]}
    manifest["metadata"]["ownerReferences"] = [{**reference, "controller": True}]
    return world.have(manifest)


def test_a_controller_that_something_controls(world: World) -> None:
    """Its owner would undo the update. What it may be asked of all the same: its status, and a rollback."""
    have_owned(world)
    said, commands = refused(world, "my-nginx", "--image=nginx:1.9.1")
    assert 'ReplicationController "my-nginx" is controlled by ConfigMap "web"' in said
    (command,) = commands
    assert command[:4] == shlex.split("kubectl edit configmap web")
    assert world.run("my-nginx", "--status").status == 0
    back = world.run("my-nginx", "--rollback")
    assert "is controlled by" not in back.stderr


def test_a_size_that_is_put_back_again_and_again(world: World) -> None:
    """Somebody sets the old size at once, each time. The update says so once and waits longer each time;
    when the other one lets go it is completed."""
    world.have(my_nginx())
    stop, turns = Event(), 0

    def put_back() -> None:
        nonlocal turns
        while not stop.wait(0.02):
            found = world.api.controllers().get("my-nginx")
            if found is not None and found["spec"]["replicas"] < 3:
                turns += 1
                world.api.scale("my-nginx", 3)

    rival = Thread(target=put_back, daemon=True)
    rival.start()
    try:
        running = world.start("my-nginx", "--image=nginx:1.9.1")
        running.until("another client scales my-nginx to 3 again")
    finally:
        stop.set()
        rival.join()
    ended = running.end()
    assert ended.status == 0, ended
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)
    assert 3 <= turns <= 5
    assert ended.stderr.count("scales my-nginx to 3 again") == 1
    assert ended.stderr.count("\n") <= 4, ended.stderr
