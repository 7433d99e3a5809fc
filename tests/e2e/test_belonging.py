"""Who owns a controller, and what its deletion waits for: kept by every update, on every kind of cluster."""

from __future__ import annotations

from testing.objects import Json
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx

FINALIZER = "shop.example/cleanup"


def owner(world: World, name: str) -> Json:
    path = world.api.path("configmaps")
    made = world.api.call("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made["metadata"]["uid"]}


def belongings(world: World, name: str) -> tuple[list[str], list[str]]:
    meta = world.api.controller(name)["metadata"]
    return [one["name"] for one in meta.get("ownerReferences") or ()], meta.get("finalizers") or []


def let_go(world: World, name: str) -> None:
    world.api.merge(name, {"metadata": {"finalizers": None}})


def test_to_a_new_name(world: World) -> None:
    """It had an owner and a finalizer; the new controller has both, and 'rolling updated' comes when the old
    one is gone."""
    manifest = my_nginx(replicas=2)
    manifest["metadata"].update(finalizers=[FINALIZER], ownerReferences=[owner(world, "shop")])
    world.have(manifest)
    running = world.start("my-nginx", "next", "--image=nginx:1.9.1")
    running.until("Deleting my-nginx")
    world.api.wait(
        lambda: world.api.controller("my-nginx")["metadata"].get("deletionTimestamp"), "it is being deleted"
    )
    status = world.run("my-nginx", "--status")
    assert f"my-nginx is being deleted, held by its finalizers: {FINALIZER}" in status.stdout
    let_go(world, "my-nginx")
    ended = running.end()
    assert ended.status == 0, ended.stderr
    assert ended.stdout.endswith('replicationcontroller "my-nginx" rolling updated to "next"\n')
    assert_finished(world, "next", "nginx:1.9.1", 2)
    assert belongings(world, "next") == (["shop"], [FINALIZER])
    let_go(world, "next")


def test_a_finalizer_that_stays(world: World) -> None:
    """The command says what it waits for and stops; the same command ends once the finalizer is off."""
    manifest = my_nginx(replicas=1)
    manifest["metadata"]["finalizers"] = [FINALIZER]
    world.have(manifest)
    update = ("my-nginx", "next", "--image=nginx:1.9.1", "--timeout=3s")
    stopped = world.run(*update)
    assert stopped.status == 3
    assert "rolling updated" not in stopped.stdout
    assert f"my-nginx is being deleted, held by its finalizers: {FINALIZER}" in stopped.stderr
    undo = "kubectl rolling-update next --rollback --to-revision=0\n"
    assert stopped.stderr.endswith(f"To undo it:   {undo}")
    assert world.run("my-nginx", "--status").stdout.endswith(f"  {undo}")
    refused = world.run("my-nginx", "--rollback")
    assert refused.status == 1
    assert "its update cannot be rolled back" in refused.stderr
    let_go(world, "my-nginx")
    assert_finished(world, "next", "nginx:1.9.1", 1)
    assert belongings(world, "next") == ([], [FINALIZER])
    let_go(world, "next")


def test_an_exported_file_that_keeps_the_name(world: World) -> None:
    """Finalizers, owners, labels and annotations of the file are on the controller that was there; the
    temporary one had none of them, and is gone. The same after a rollback in the middle."""
    before = world.have(my_nginx(replicas=2))
    manifest = my_nginx(image="nginx:1.9.1", replicas=2)
    manifest["metadata"].update(
        labels={"team": "web"},
        annotations={"from": "file"},
        finalizers=[FINALIZER],
        ownerReferences=[owner(world, "shop")],
    )
    update = ("my-nginx", "--keep-name", "-f", world.file(manifest))
    running = world.start(*update, "--update-period=600s")
    running.until("up to 1")
    for name, obj in world.api.controllers().items():
        assert not {"finalizers", "ownerReferences"} & obj["metadata"].keys(), name
    running.send(9)
    running.end()
    assert world.run("my-nginx", "--rollback").status == 0
    after = assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["metadata"]
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        assert after.get(field) == before["metadata"].get(field), field

    ended = world.run(*update)
    assert (ended.status, ended.stderr) == (0, "")
    after = assert_finished(world, "my-nginx", "nginx:1.9.1", 2)["metadata"]
    assert after["uid"] == before["metadata"]["uid"]
    assert belongings(world, "my-nginx") == (["shop"], [FINALIZER])
    assert after["labels"]["team"] == "web"
    assert after["annotations"] == {"from": "file"}
    let_go(world, "my-nginx")
