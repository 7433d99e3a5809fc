"""What selects the pods of a controller, or names it, as users have it: the update is refused with a command
that helps when it is pasted, and nothing was changed. On the sandbox and on the real control plane."""

from __future__ import annotations

import json
import shlex
from typing import Any

from testing.command import Ended
from testing.objects import Json
from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx

ROOTS = {"services": "/api/v1", "horizontalpodautoscalers": "/apis/autoscaling/v1"}


def path(world: World, resource: str, name: str = "") -> str:
    found = f"{ROOTS[resource]}/namespaces/{world.namespace}/{resource}"
    return f"{found}/{name}" if name else found


def have_service(world: World, **selector: str) -> None:
    spec = {"selector": selector, "ports": [{"port": 80, "targetPort": 8080}]}
    world.api.client.create(path(world, "services"), {"metadata": {"name": "web"}, "spec": spec})


def served(world: World) -> list[str]:
    """The images of the pods that the Service selects."""
    selector = world.api.client.get(path(world, "services", "web"))["spec"]["selector"]
    return [
        pod["spec"]["containers"][0]["image"]
        for pod in world.api.pods()
        if selector.items() <= pod["metadata"]["labels"].items()
    ]


def refused(world: World, *arguments: str) -> tuple[str, list[list[str]]]:
    """Exit status 1, and nothing was changed. What is said, and the words of the commands in it."""
    before = world.versions()
    ended = world.run(*arguments)
    assert (ended.status, ended.stdout) == (1, ""), ended
    assert "; nothing was changed\n" in ended.stderr
    assert world.versions() == before
    commands = [line[line.index("kubectl ") :] for line in ended.stderr.splitlines() if "kubectl " in line]
    return ended.stderr, [shlex.split(command) for command in commands]


def paste(world: World, words: list[str], resource: str = "") -> Ended | None:
    """Run one of those commands. Other kinds are patched by whoever may."""
    if words[1] == "rolling-update":
        return world.run(*words[2:])
    assert words[1] == "patch"
    patch = json.loads(words[words.index("-p") + 1])
    world.api.client.patch(path(world, resource, words[3]), patch)
    return None


def updated(ended: Ended | None) -> None:
    assert ended is not None
    assert (ended.status, ended.stderr) == (0, ""), ended


def test_a_service_selects_by_a_label_of_the_users_own(world: World) -> None:
    """They had ``deployment: blue`` on the pods and in the Service, and updated the image. The printed
    command keeps the label, and the Service its pods."""
    world.have(my_nginx(labels={"deployment": "blue"}, selector=True))
    have_service(world, app="nginx", deployment="blue")
    said, commands = refused(world, "my-nginx", "--image=nginx:1.9.1")
    assert 'Service "web" selects the pods of my-nginx by deployment=blue' in said
    assert len(served(world)) == 3
    (command,) = commands
    updated(paste(world, command))
    assert_finished(world, "my-nginx", "nginx:1.9.1", 3)
    assert served(world) == ["nginx:1.9.1"] * 3


def test_a_service_that_expose_has_made_after_an_update(world: World) -> None:
    """It selects by the hash of that update. The printed command takes it out; then the update runs."""
    world.have(my_nginx(replicas=2))
    assert world.run("my-nginx", "--image=nginx:1.9.1").status == 0
    have_service(world, **world.api.controller("my-nginx")["spec"]["selector"])
    said, commands = refused(world, "my-nginx", "--image=nginx:1.9.2")
    assert 'Service "web" selects the pods of my-nginx by deployment=' in said
    (command,) = commands
    assert "--namespace" not in command  # it is that of the kubeconfig
    paste(world, command, "services")
    updated(world.run("my-nginx", "--image=nginx:1.9.2"))
    assert_finished(world, "my-nginx", "nginx:1.9.2", 2)
    assert served(world) == ["nginx:1.9.2"] * 2


def have_autoscaler(world: World) -> None:
    target: dict[str, Any] = {"apiVersion": "v1", "kind": "ReplicationController", "name": "my-nginx"}
    spec: Json = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5}
    world.api.client.create(
        path(world, "horizontalpodautoscalers"), {"metadata": {"name": "web"}, "spec": spec}
    )


def test_an_autoscaler_and_a_new_name(world: World) -> None:
    """It scales the old name, which will be gone. The printed patch points it to the new one first."""
    world.have(my_nginx(replicas=1))
    have_autoscaler(world)
    update = ("my-nginx", "my-nginx-v2", "--image=nginx:1.9.1")
    said, commands = refused(world, *update)
    assert 'HorizontalPodAutoscaler "web" scales my-nginx' in said
    keeping, patching = commands
    assert keeping == ["kubectl", "rolling-update", "my-nginx", "--image=nginx:1.9.1"]
    paste(world, patching, "horizontalpodautoscalers")
    updated(world.run(*update))
    assert_finished(world, "my-nginx-v2", "nginx:1.9.1", 1)


def test_an_autoscaler_and_a_file(world: World) -> None:
    """The first of the printed commands ends under the old name, which the autoscaler goes on scaling."""
    world.have(my_nginx(replicas=1, labels={"v": "1"}, selector=True))
    have_autoscaler(world)
    file = world.file(my_nginx("next", image="nginx:1.9.1", replicas=1, labels={"v": "2"}, selector=True))
    _, commands = refused(world, "my-nginx", "-f", file)
    updated(paste(world, commands[0]))
    assert_finished(world, "my-nginx", "nginx:1.9.1", 1)


def test_what_no_update_can_harm(world: World) -> None:
    """A Service, and an autoscaler of the name that is kept: not a word."""
    world.have(my_nginx(replicas=2))
    have_service(world, app="nginx")
    have_autoscaler(world)
    updated(world.run("my-nginx", "--image=nginx:1.9.1"))
    assert served(world) == ["nginx:1.9.1"] * 2
