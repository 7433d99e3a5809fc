"""Every way to say what changes, by the command itself: on the sandbox and on the real control plane."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rollupdate.core.changes.strategic import merged
from testing.objects import Json
from tests.e2e.test_scenarios import assert_finished, image_of
from tests.e2e.world import World, assert_says
from tests.support.manifests import my_nginx


def have_two(world: World) -> Json:
    """A pod of two containers and an init container."""
    manifest = my_nginx(replicas=2)
    spec = manifest["spec"]["template"]["spec"]
    spec["containers"].append({"name": "log", "image": "fluent:1"})
    spec["initContainers"] = [{"name": "init", "image": "busybox:1"}]
    return world.have(manifest)


def template_of(world: World) -> Json:
    found: Json = world.api.controller("my-nginx")["spec"]["template"]
    return found


def done(world: World, *arguments: str, stdin: str | None = None) -> Json:
    """The template after that update."""
    ended = world.run("my-nginx", *arguments, stdin=stdin)
    assert (ended.status, ended.stderr) == (0, ""), ended.stderr
    assert_finished(world, "my-nginx", image_of(world.api.controller("my-nginx")), 2)
    return template_of(world)


def test_images_environment_patches_and_restarts(world: World) -> None:
    """One after the other: each makes new pods, keeps the controller, and leaves the rest as it is."""
    before = have_two(world)
    after = done(world, "--image=nginx=nginx:1.9.1", "--image", "log=fluent:2", "--image=init=busybox:2")
    spec = after["spec"]
    images = [each["image"] for each in (*spec["containers"], *spec["initContainers"])]
    assert images == ["nginx:1.9.1", "fluent:2", "busybox:2"]

    done(world, "--set-env=A=1", "--set-env=B=")
    spec = done(world, "--set-env=A-", "--container=log")["spec"]
    names = [[one["name"] for one in each["env"]] for each in (*spec["containers"], *spec["initContainers"])]
    assert names == [["A", "B"], ["B"], ["A", "B"]]

    patch = {"spec": {"dnsPolicy": "Default", "containers": [{"name": "log", "$patch": "delete"}]}}
    spec = done(world, "-p", json.dumps(patch))["spec"]
    assert (spec["dnsPolicy"], len(spec["containers"])) == ("Default", 1)

    operations = [
        {"op": "test", "path": "/spec/containers/0/name", "value": "nginx"},
        {"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}},
    ]
    after = done(world, "--patch-file=-", stdin=json.dumps(operations))
    assert after["metadata"]["annotations"] == {"a": "b"}

    names_before = {pod["metadata"]["name"] for pod in world.api.pods()}
    again = done(world, "--restart")
    assert again["spec"] == after["spec"]
    assert set(again["metadata"]["annotations"]) == {"a", "rolling-update/restart"}
    assert not names_before & {pod["metadata"]["name"] for pod in world.api.pods()}
    assert world.api.controller("my-nginx")["metadata"]["uid"] == before["metadata"]["uid"]


def test_killed_and_continued_and_gone_back(world: World) -> None:
    """A patch is continued by the same command, and undone by --rollback appended to it."""
    before = world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    patch = ("my-nginx", "-p", '[{"op": "add", "path": "/spec/hostname", "value": "x"}]')
    running = world.start(*patch, "--update-period=600s")
    running.until("up to 1")
    running.send(9)
    refused = world.run("my-nginx", "--restart")
    assert refused.status == 1
    assert refused.stderr.endswith("it changes spec.hostname\n")
    back = world.run(*patch, "--rollback")
    assert back.status == 0, back.stderr
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"] == before["spec"]
    running = world.start(*patch, "--update-period=600s")
    running.until("up to 1")
    running.send(9)
    ended = world.run(*patch)
    assert ended.status == 0, ended.stderr
    assert ended.stdout.startswith("Found existing update in progress (my-nginx-")
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 2)["spec"]["template"]["spec"]["hostname"] == "x"


PATCHES: list[Json] = [
    {"metadata": {"annotations": {"a": "b"}, "labels": {"tier": "x"}}},
    {"spec": {"containers": [{"name": "side", "image": "s:1"}, {"name": "log", "image": "fluent:2"}]}},
    {"spec": {"containers": [{"name": "nginx", "$patch": "delete"}]}},
    {"spec": {"containers": [{"name": "only", "image": "o:1"}, {"$patch": "replace"}]}},
    {"spec": {"containers": [{"name": "nginx", "ports": [{"containerPort": 80, "name": "http"}]}]}},
    {"spec": {"containers": [{"name": "nginx", "ports": [{"containerPort": 443}], "command": ["x"]}]}},
    {"spec": {"containers": [{"name": "nginx", "env": [{"name": "B", "value": "1"}, {"name": "A"}]}]}},
    {"spec": {"containers": [{"name": "nginx", "resources": {"limits": {"cpu": "1000m"}}}]}},
    {"spec": {"containers": [{"name": "nginx", "imagePullPolicy": None, "livenessProbe": None}]}},
    {"spec": {"initContainers": [{"name": "init", "args": ["a"]}], "dnsPolicy": "Default"}},
    {"spec": {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "c"}}]}},
    {"spec": {"tolerations": [{"key": "a", "operator": "Exists"}], "nodeSelector": {"a": "b"}}},
    {"spec": {"imagePullSecrets": [{"name": "a"}], "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}]}},
    {"spec": {"securityContext": {"$patch": "replace", "runAsUser": 1}}},
]


def test_a_patch_does_what_the_server_does_with_it(world: World) -> None:
    """The server's own strategic merge, asked by dry runs, and ours come to the same template."""
    have_two(world)
    path = world.api.path("replicationcontrollers", "my-nginx") + "?dryRun=All"
    before = template_of(world)
    for patch in PATCHES:
        theirs = world.api.call(
            "PATCH",
            path,
            {"spec": {"template": patch}},
            content_type="application/strategic-merge-patch+json",
        )
        replace = [{"op": "replace", "path": "/spec/template", "value": merged(before, patch)}]
        ours = world.api.call("PATCH", path, replace, content_type="application/json-patch+json")
        assert ours["spec"]["template"] == theirs["spec"]["template"], patch


# --- looking first ---


def test_diff(world: World) -> None:
    """What the server would store against what runs, then the plan; nothing is written by a dry run."""
    world.have(my_nginx())
    before = world.versions()
    arguments = ("my-nginx", "my-nginx-v2", "--set-env=A=1", "--diff", "--dry-run=server")
    assert_says(world.run(*arguments), "diff.txt")
    assert world.versions() == before
    ended = world.run(*arguments, "-o", "name")
    assert ended.stdout == "replicationcontroller/my-nginx\nreplicationcontroller/my-nginx-v2\n"
    assert "+    - name: A\n" in ended.stderr
    file = world.file(my_nginx(image="nginx:1.9.1"))
    ended = world.run("my-nginx", "-f", file, "--keep-name", "--diff")
    assert ended.status == 0, ended.stderr
    assert ended.stdout.startswith("--- my-nginx (pod template before)\n+++ my-nginx (pod template after)\n")
    assert "\n-  - image: nginx:1.7.9\n" in ended.stdout


@contextmanager
def typed(text: bytes) -> Iterator[int]:
    """A terminal on which somebody has typed that."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, text)
        yield theirs
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("text", [b"n\n", b"\n", b"\x04"], ids=["no", "nothing", "end"])
def test_not_confirmed(world: World, text: bytes) -> None:
    """The change is shown, the question asked; without a yes nothing is written, and the status is 1."""
    world.have(my_nginx(replicas=1))
    before = world.versions()
    with typed(text) as terminal:
        ended = world.start("my-nginx", "--set-env=A=1", "--confirm", stdin=terminal).end()
    assert ended.status == 1
    assert ended.stdout.startswith("--- my-nginx (pod template before)\n")
    assert ended.stderr.startswith("Proceed? [y/N] ")
    assert ended.stderr.endswith("error: not confirmed; nothing was changed\n")
    assert world.versions() == before


def test_confirmed_and_gone_back_by_the_same(world: World) -> None:
    """A yes, and it goes on; the way back is shown and asked for as well."""
    before = world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    with typed(b"y\n") as terminal:
        running = world.start(
            "my-nginx", "--set-env=A=1", "--confirm", "--update-period=600s", stdin=terminal
        )
        running.until("up to 1")
        running.send(9)
    with typed(b"yes\n") as terminal:
        ended = world.start("my-nginx", "--rollback", "--confirm", stdin=terminal).end()
    assert (ended.status, ended.stderr) == (0, "Proceed? [y/N] ")
    assert "\n-    - name: A\n" in ended.stdout
    assert assert_finished(world, "my-nginx", "nginx:1.7.9", 1)["spec"] == before["spec"]


# The sandbox keeps every field it is sent: there is nothing to find there.
@pytest.mark.parametrize("world", [pytest.param("real", marks=pytest.mark.realplane)], indirect=True)
def test_fields_of_a_patch_that_the_server_does_not_know(world: World) -> None:
    """A typo is found before anything is written (servers drop such fields)."""
    world.have(my_nginx(replicas=1))
    before = world.versions()
    patch = ("-p", "{spec: {containers: [{name: nginx, imagePullPolcy: Always}]}}")
    ended = world.run("my-nginx", *patch)
    assert ended.status == 1
    field = "spec.template.spec.containers[0].imagePullPolcy"
    assert f'error validating the patch: unknown field "{field}"; nothing was changed' in ended.stderr
    ended = world.run("my-nginx", *patch, "--validate=false")
    assert "is already in use; nothing was changed" in ended.stderr
    assert world.versions() == before


def test_a_template_with_a_very_long_key_is_kept_in_the_history(world: World) -> None:
    """Keys of a volume's attributes may have any length, and YAML reads long ones only if they are marked."""
    attributes = {"k" * 1500: "v", "ü" * 1020: "w"}
    manifest = my_nginx(replicas=1)
    manifest["spec"]["template"]["spec"]["volumes"] = [
        {"name": "data", "csi": {"driver": "csi.test", "volumeAttributes": attributes}}
    ]
    world.have(manifest)
    updated = world.run("my-nginx", "--image=nginx:1.9.1")
    assert (updated.status, updated.stderr) == (0, "")
    for revision in world.api.revisions():
        (volume,) = revision["data"]["spec"]["template"]["spec"]["volumes"]
        assert volume["csi"]["volumeAttributes"] == attributes
    assert len(world.api.revisions()) == 2
