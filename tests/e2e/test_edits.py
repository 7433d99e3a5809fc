"""Another client edits a template in the middle of an update: on the sandbox and on the real control
plane."""

from __future__ import annotations

from rollupdate.core.model import record
from testing.namespace import wait
from tests.e2e.test_scenarios import assert_finished, image_of
from tests.e2e.world import World
from tests.support.manifests import my_nginx

UPDATE = ("my-nginx", "--image=nginx:1.9.1")


def test_kubectl_set_image_while_it_is_paused(world: World) -> None:
    """They paused half way, and somebody set a third image on the old controller. The same command stops
    with status 3 and names it; the rollback that it prints restores what ran; then the update works."""
    before = world.have(my_nginx(replicas=2))
    assert world.run(*UPDATE, "--pause-at=50%").status == 0
    (container,) = world.api.controller("my-nginx")["spec"]["template"]["spec"]["containers"]
    edited = {"spec": {"containers": [{**container, "image": "nginx:1.8"}]}}
    world.api.merge("my-nginx", {"spec": {"template": edited}})
    ended = world.run(*UPDATE)
    assert ended.status == 3
    assert 'the pod template of replicationcontroller "my-nginx" was edited by another client' in ended.stderr
    assert f"kubectl rolling-update {' '.join(UPDATE)} --rollback" in ended.stderr
    assert "To resume" not in ended.stderr
    ended = world.run("my-nginx", "--rollback")
    assert ended.status == 0, ended.stderr
    assert "Restoring the template of my-nginx, which another client edited" in ended.stderr
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"] == before["spec"]
    assert world.run(*UPDATE).status == 0
    assert_finished(world, "my-nginx", "nginx:1.9.1", 2)


def test_kubectl_replace_while_it_is_paused(world: World) -> None:
    """A whole file, of another image: it sets the size as well, so the old controller makes pods of it. The
    rollback restores the template, does not say that all is well, and has the command that replaces them."""
    world.have(my_nginx(replicas=3))
    assert world.run(*UPDATE, "--pause-at=67%").status == 0
    replace_edited(world)
    assert world.run(*UPDATE).status == 3
    ended = world.run("my-nginx", "--rollback")
    assert ended.status == 1
    said = "error: rolled back, but 3 of 3 pods of my-nginx do not run its pod template"
    assert said in ended.stderr
    assert ended.stderr.endswith("to replace them: kubectl rolling-update my-nginx --restart\n")
    assert image_of(world.api.controller("my-nginx")) == "nginx:1.7.9"
    assert world.run("my-nginx", "--restart").status == 0
    assert_finished(world, "my-nginx", "nginx:1.7.9", 3)


def replace_edited(world: World) -> None:
    """`kubectl replace` of the controller as it was, with another image, until that has pods."""
    world.api.call("PUT", world.api.path(name="my-nginx"), my_nginx(replicas=3, image="nginx:1.8"))

    def made() -> bool:
        images = [pod["spec"]["containers"][0]["image"] for pod in world.api.pods()]
        return "nginx:1.8" in images and world.api.controller("my-nginx")["status"].get("readyReplicas") == 3

    wait(made, "the old controller has a pod of it")


def test_scripts_find_the_update_in_progress(world: World) -> None:
    """`kubectl get rc -o jsonpath` of the annotation of kubectl 1.17, in the second update of a controller,
    whose new pods never become ready."""
    world.have(my_nginx(replicas=1))
    assert world.run(*UPDATE).status == 0
    assert world.run("my-nginx", "--image=nginx:missing", "--timeout=2s").status == 3
    (new,) = [name for name in world.api.controllers() if name != "my-nginx"]
    annotations = world.api.controller("my-nginx")["metadata"]["annotations"]
    assert annotations[record.NEXT_CONTROLLER] == new
    assert world.api.controller("my-nginx")["spec"]["replicas"] == 1
