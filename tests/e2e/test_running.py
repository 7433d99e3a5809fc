"""``kubectl set image`` on a controller restarts no pod: the next update does what was meant, on every kind
of cluster."""

from __future__ import annotations

import json

import pytest

from tests.e2e.test_scenarios import assert_finished
from tests.e2e.test_undo import revisions
from tests.e2e.world import World
from tests.support.manifests import my_nginx

pytestmark = pytest.mark.retold

ONE, TWO, THREE = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.9.2"
SAYS = "3 of 3 pods of my-nginx do not run its pod template"


def set_image(world: World, image: str) -> None:
    containers = [{"name": "nginx", "image": image}]
    path = world.api.path(name="my-nginx")
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    world.api.call("PATCH", path, patch, content_type="application/strategic-merge-patch+json")


def images(world: World) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in world.api.pods()}


@pytest.mark.parametrize("how", ["image", "patch", "file"])
def test_the_pods_are_updated(world: World, how: str) -> None:
    """The template said 1.9.1 and the pods ran 1.7.9: they are replaced, 1.7.9 is the revision before, and
    --to-revision=0 returns to it."""
    world.have(my_nginx())
    set_image(world, TWO)
    assert images(world) == {ONE}
    status = world.run("my-nginx", "--status")
    assert (status.status, SAYS in status.stdout) == (0, True)
    found = json.loads(world.run("my-nginx", "--status", "-o", "json").stdout)["otherPods"]
    assert found == {"pods": 3, "looked": 3, "differs": ["spec.containers[nginx].image"], "revision": None}
    assert SAYS in world.run("my-nginx", "--history").stderr

    arguments = {
        "image": (f"--image={TWO}",),
        "patch": ("-p", json.dumps({"spec": {"containers": [{"name": "nginx", "image": TWO}]}})),
        "file": ("-f", world.file(my_nginx(image=TWO)), "--keep-name"),
    }[how]
    planned = world.run("my-nginx", *arguments, "--dry-run=server")
    assert planned.status == 0, planned.stderr
    assert images(world) == {ONE}
    ended = world.run("my-nginx", *arguments)
    assert ended.status == 0, ended.stderr
    assert ended.stderr == f"{SAYS} (spec.containers[nginx].image); all are replaced\n"
    assert_finished(world, "my-nginx", TWO, 3)
    assert revisions(world) == [(1, ONE), (2, TWO)]
    again = world.run("my-nginx", *arguments)
    assert again.status == (0 if how == "file" else 1)
    assert "rolling updated" not in again.stdout

    assert world.run("my-nginx", "--rollback", "--to-revision=0").status == 0
    assert_finished(world, "my-nginx", ONE, 3)


def test_what_really_ran_is_gone_back_to(world: World) -> None:
    """An update to a third version stops half way: the rollback makes pods of the version that ran, not of
    the one that the template named."""
    world.have(my_nginx())
    assert world.run("my-nginx", f"--image={TWO}").status == 0
    set_image(world, "nginx:never-ran")
    listed = world.run("my-nginx", "--history")
    assert f"{SAYS} but revision 2" in listed.stderr
    assert "2 *" in listed.stdout
    paused = world.run("my-nginx", f"--image={THREE}", "--pause-at=2")
    assert paused.status == 0, paused.stderr
    assert images(world) == {TWO, THREE}
    back = world.run("my-nginx", "--rollback")
    assert back.status == 0, back.stderr
    assert_finished(world, "my-nginx", TWO, 3)

    set_image(world, "nginx:never-ran")
    assert world.run("my-nginx", "--restart").status == 0
    assert_finished(world, "my-nginx", "nginx:never-ran", 3)
    assert revisions(world) == [(1, ONE), (2, TWO), (3, "nginx:never-ran")]


def test_pods_as_the_server_makes_them_are_no_difference(world: World) -> None:
    """What the server has added to them is not taken for another template."""
    world.have(my_nginx())
    status = world.run("my-nginx", "--status")
    assert status.stdout == "my-nginx: no update in progress; 3 of 3 pods are available\n"
    same = world.run("my-nginx", "-f", world.file(my_nginx()), "--keep-name")
    assert (same.status, same.stdout) == (0, 'replicationcontroller "my-nginx" is up to date\n')
