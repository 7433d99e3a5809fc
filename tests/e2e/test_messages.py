"""The messages for bad input: standard error to the letter, nothing on standard output, exit status, and
nothing changed on the cluster. On the sandbox and on the real control plane."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testing.objects import Json
from tests.e2e.world import World
from tests.support.manifests import my_nginx, my_nginx_v4

SEE = "See 'kubectl rolling-update -h' for help and examples.\n"


@dataclass(frozen=True)
class BadInput:
    """What is given, and what is said to it. ``{FILE}`` stands for the path of ``file``."""

    arguments: tuple[str, ...]
    says: str
    file: Json | str | None = None
    usage: bool = False
    stdin: str | None = None
    prepare: Callable[[World], None] | None = None
    """What there is besides one controller that is not being updated."""


def _two_containers(world: World) -> None:
    manifest = my_nginx("two", replicas=1)
    manifest["spec"]["template"]["spec"]["containers"].append({"name": "log", "image": "fluent:1"})
    world.have(manifest)


def _in_progress(world: World) -> None:
    assert world.run("my-nginx", "my-nginx-v2", "--image=nginx:missing", "--timeout=1s").status == 3


def _stranger(world: World) -> None:
    world.have(my_nginx("other", replicas=1, labels={"deployment": "v2"}))


def _secretive(world: World) -> None:
    manifest = my_nginx("secretive", replicas=1, labels={"deployment": "s1"})
    variable = {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = [variable]
    world.have(manifest)


def _v4(**metadata: str) -> Json:
    manifest = my_nginx_v4()
    manifest["metadata"] = {**manifest["metadata"], **metadata}
    return manifest


BAD_INPUTS = {
    "neither image nor file": BadInput(
        ("my-nginx",), "error: Must specify --filename or --image for new controller\n", usage=True
    ),
    "both": BadInput(
        ("my-nginx", "--image=a", "-f", "{FILE}"),
        "error: --filename and --image can not both be specified\n",
        file=_v4(),
        usage=True,
    ),
    "two files": BadInput(
        ("my-nginx", "-f", "{FILE}", "--filename", "{FILE}"),
        "error: May only specify a single filename for new controller\n",
        file=_v4(),
        usage=True,
    ),
    "no name": BadInput(("--image=a",), "error: Must specify the controller to update\n", usage=True),
    "empty label key": BadInput(
        ("my-nginx", "--image=a", "--deployment-label-key="),
        "error: --deployment-label-key can not be empty\n",
        usage=True,
    ),
    "the image already running": BadInput(
        ("my-nginx", "--image=nginx:1.7.9"),
        "error: --image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same as "
        "existing container image\n"
        "the pods run that image; use --restart, or --image-pull-policy=Always if its tag has moved\n",
    ),
    "several containers": BadInput(
        ("two", "--image=a"),
        "error: must specify container to update when updating a multi-container pod\n"
        "choose one with --container: nginx, log\n",
        prepare=_two_containers,
    ),
    "unknown container": BadInput(
        ("my-nginx", "--image=a", "--container=ngnix"),
        "error: container ngnix not found in pod\nthe pod has: nginx\n",
    ),
    "a file with the old name": BadInput(
        ("my-nginx", "-f", "{FILE}"),
        "error: {FILE} cannot have the same name as the existing ReplicationController my-nginx\n"
        "give it another name, or add --keep-name to end under the same name\n",
        file=my_nginx(image="nginx:1.9.1"),
    ),
    "no differing selector": BadInput(
        ("my-nginx", "-f", "{FILE}"),
        "error: {FILE} must specify a matching key with non-equal value in Selector for my-nginx\n"
        "change a label in its selector and template, or add --keep-name to have it added\n",
        file=my_nginx("next", labels={"deployment": "v1"}),
    ),
    "another kind": BadInput(
        ("my-nginx", "-f", "{FILE}"),
        "error: {FILE} contains a Pod not a ReplicationController\n",
        file={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},
    ),
    "several objects": BadInput(
        ("my-nginx", "-f", "{FILE}"),
        "error: {FILE} specifies multiple items\n",
        file={"apiVersion": "v1", "kind": "List", "items": [_v4(), _v4()]},
    ),
    "an empty file": BadInput(
        ("my-nginx", "-f", "{FILE}"),
        "error: please make sure {FILE} exists and is not empty\n",
        file="# nothing but a comment\n",
    ),
    "nothing on standard input": BadInput(
        ("my-nginx", "-f", "-"), "error: please make sure STDIN exists and is not empty\n", stdin=""
    ),
    "a missing file": BadInput(
        ("my-nginx", "-f", "no/such/file.yaml"), 'error: the path "no/such/file.yaml" does not exist\n'
    ),
    "another image while one is in progress": BadInput(
        ("my-nginx", "my-nginx-v2", "--image=nginx:1.9.2"),
        "error: Found existing in-progress update to image (nginx:missing).\n"
        "Either continue in-progress update with --image=nginx:missing or rollback with --rollback\n",
        prepare=_in_progress,
    ),
    "another change while one is in progress": BadInput(
        ("my-nginx", "my-nginx-v2", "--set-env=A=1"),
        "error: Found existing in-progress update of my-nginx to my-nginx-v2, which is not what this command "
        "asks for.\n"
        "Either continue in-progress update with the command that began it or rollback with --rollback\n"
        "it changes spec.containers[nginx].image\n",
        prepare=_in_progress,
    ),
    "a change that changes nothing": BadInput(
        ("my-nginx", "--set-env=A-"),
        "error: the pod template that this command asks for is already in use; nothing was "
        "changed\n"
        "to replace the pods all the same, add --restart\n",
    ),
    "a patch whose test does not hold": BadInput(
        ("my-nginx", "--patch-file=-"),
        "error: operation 1 of the patch (test /spec/containers/0/image) does not hold; nothing was "
        "changed\n",
        stdin='[{"op": "test", "path": "/spec/containers/0/image", "value": "x"}]',
    ),
    "a patch of a list that is none": BadInput(
        ("my-nginx", "-p", "{spec: {containers: {name: nginx}}}"),
        "error: the patch does not fit the pod template: spec.containers is a list in the template; nothing "
        "was changed\n",
    ),
    "a patch of a label that is needed": BadInput(
        ("my-nginx", "-p", "{metadata: {labels: {app: web}}}"),
        'error: ReplicationController "my-nginx" selects its pods by app=nginx, which the new pods would not '
        "have; nothing was changed\n"
        "leave that label as it is; with -f the new controller can have a selector of its own\n",
    ),
    "a patch and a file": BadInput(
        ("my-nginx", "-p", "{}", "-f", "{FILE}"),
        "error: --filename and --patch can not both be specified\n",
        file=_v4(),
        usage=True,
    ),
    "an unknown container among several": BadInput(
        ("two", "--image=nginx=a", "--image=lgo=b"),
        "error: container lgo not found in pod\nthe pod has: nginx, log\n",
        prepare=_two_containers,
    ),
    "nobody to ask": BadInput(
        ("my-nginx", "--restart", "--confirm"),
        "error: --confirm needs a terminal on standard input; nothing was changed\n"
        "to see the change first, use --diff with --dry-run; then run it without --confirm\n",
    ),
    "standard input is the file": BadInput(
        ("my-nginx", "-f", "-", "--confirm"),
        "error: --confirm needs a terminal on standard input, which the file is read from; "
        "nothing was changed\n"
        "to see the change first, use --diff with --dry-run; then run it without --confirm\n",
        stdin="{}",
    ),
    "another namespace in the file": BadInput(
        ("my-nginx", "-f", "{FILE}"),
        'error: the namespace from the provided object "elsewhere" does not match the namespace '
        "\"{NAMESPACE}\". You must pass '--namespace=elsewhere' to perform this operation.\n",
        file=_v4(namespace="elsewhere"),
    ),
    "a stranger under the new name": BadInput(
        ("my-nginx", "other", "--image=nginx:1.9.1"),
        'error: ReplicationController "other" already exists and is not the new controller of an update of '
        '"my-nginx"; nothing was changed\n'
        "choose another name for the new controller, or delete it with: kubectl delete rc other\n",
        prepare=_stranger,
    ),
    "NEW_NAME with a file": BadInput(
        ("my-nginx", "next", "-f", "{FILE}"),
        "error: NEW_NAME is next, but {FILE} names my-nginx-v4\nleave NEW_NAME out: the file has the name\n",
        file=_v4(),
        usage=True,
    ),
    "jsonpath": BadInput(
        ("my-nginx", "--image=a", "-o", "jsonpath={.metadata.name}"),
        'error: invalid argument "jsonpath={.metadata.name}" for "-o, --output" flag: '
        "must be json, yaml or name\n"
        "use -o json with jq, or kubectl get rc NAME -o ... afterwards\n",
        usage=True,
    ),
    "NEW_NAME equal to NAME": BadInput(
        ("my-nginx", "my-nginx", "--image=a"),
        "error: NEW_NAME can not be NAME: with my-nginx alone the controller keeps its name\n",
        usage=True,
    ),
    "nothing to roll back": BadInput(
        ("my-nginx", "--rollback"), "error: Could not find my-nginx to rollback.\n"
    ),
    "nothing to roll back, by both names": BadInput(
        ("my-nginx", "next", "--rollback"), "error: Could not find next to rollback.\n"
    ),
    "no such controller": BadInput(
        ("nobody", "--image=a"),
        'Error from server (NotFound): replicationcontrollers "nobody" not found\n'
        'it was looked for in namespace "{NAMESPACE}"; what there is: kubectl get rc\n',
    ),
    "an unknown flag": BadInput(("my-nginx", "--imgae=a"), "error: unknown flag: --imgae\n", usage=True),
    "a flag of kubectl 1.17": BadInput(
        ("my-nginx", "--image=a", "--template={{.metadata.name}}"),
        "error: unknown flag: --template\nuse -o json with jq, or kubectl get rc NAME afterwards\n",
        usage=True,
    ),
    "a short flag that is none": BadInput(
        ("my-nginx", "--image=a", "-x"), "error: unknown shorthand flag: 'x' in -x\n", usage=True
    ),
    "an attribute without a value": BadInput(
        ("my-nginx", "--image=a", "--as=me", "--as-user-extra=reason"),
        'error: invalid argument "reason" for "--as-user-extra" flag: must be KEY=VALUE\n',
        usage=True,
    ),
    "a dash from a page": BadInput(
        ("my-nginx", "\N{EM DASH}image=a"),
        "error: '\N{EM DASH}image=a' begins with a dash that is not a hyphen\ndid you mean --image=a\n",
        usage=True,
    ),
    "a single hyphen": BadInput(
        ("my-nginx", "-image=a"),
        "error: unknown shorthand flag: 'i' in -image=a\ndid you mean --image=a\n",
        usage=True,
    ),
    "a patch that sets a value beside valueFrom": BadInput(
        (
            "secretive",
            '--patch={"spec": {"containers": [{"name": "nginx", "env": [{"name": "A", "value": "b"}]}]}}',
        ),
        "error: spec.containers[nginx].env[A] has valueFrom and would get value as well, and only one of "
        "them can be set; nothing was changed\n"
        'add "valueFrom": null beside "value" in the patch, which takes it away (in a JSON Patch: an '
        'operation "remove")\n',
        prepare=_secretive,
    ),
    "a type and a name": BadInput(
        ("rc", "my-nginx", "--image=a"),
        'Error from server (NotFound): replicationcontrollers "rc" not found\n'
        "if this is TYPE and NAME, write rc/my-nginx or my-nginx\n",
    ),
    "a type, a name and a new name": BadInput(
        ("rc", "my-nginx", "next", "--image=a"),
        "error: expected NAME and NEW_NAME, got 3: rc my-nginx next\n"
        "if this is TYPE and NAME, write rc/my-nginx or my-nginx\n",
        usage=True,
    ),
    "a type and a name, and their status": BadInput(
        ("rc", "my-nginx", "--status"),
        "error: --status is of one controller: give its NAME alone\n"
        "if this is TYPE and NAME, write rc/my-nginx or my-nginx\n",
        usage=True,
    ),
    "another type and a name": BadInput(
        ("deployment", "my-nginx", "--image=a"),
        'Error from server (NotFound): replicationcontrollers "deployment" not found\n'
        "if this is TYPE and NAME: kubectl set image deployment/my-nginx CONTAINER=a\n",
    ),
    "a flag without its value": BadInput(
        ("my-nginx", "--image"), "error: flag needs an argument: --image\n", usage=True
    ),
    "a bad duration": BadInput(
        ("my-nginx", "--image=a", "--timeout=5"),
        'error: invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"\n'
        "write --timeout=5s\n",
        usage=True,
    ),
}


def _cases(*, prepared: bool) -> list[Any]:
    return [
        pytest.param(bad, id=name.replace(" ", "-"))
        for name, bad in BAD_INPUTS.items()
        if (bad.prepare is not None) == prepared
    ]


@pytest.fixture(scope="module")
def one_controller(unchanged: World) -> World:
    """One controller with one pod, which no refused command changes."""
    unchanged.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    return unchanged


@pytest.mark.parametrize("bad", _cases(prepared=False))
def test_says_what_is_wrong_and_changes_nothing(one_controller: World, bad: BadInput) -> None:
    """One case after the other of the documented table, and some more."""
    assert_refused(one_controller, bad)


@pytest.mark.parametrize("bad", _cases(prepared=True))
def test_says_what_is_wrong_where_there_is_more(world: World, bad: BadInput) -> None:
    """The same with another controller beside it, or in the middle of an update."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    assert bad.prepare is not None
    bad.prepare(world)
    assert_refused(world, bad)


def assert_refused(world: World, bad: BadInput) -> None:
    """Said to the letter on standard error, exit status 1, and nothing changed on the cluster."""
    path = "unused"
    if isinstance(bad.file, str):
        path = world.text(bad.file)
    elif bad.file is not None:
        path = world.file(bad.file)
    before = world.versions()
    ended = world.run(*(each.replace("{FILE}", path) for each in bad.arguments), stdin=bad.stdin)
    expected = bad.says.replace("{FILE}", path).replace("{NAMESPACE}", world.namespace)
    assert (ended.stdout, ended.stderr, ended.status) == ("", expected + (SEE if bad.usage else ""), 1)
    assert world.versions() == before


def test_template_labels_that_the_selector_does_not_match(one_controller: World) -> None:
    """The server's words, with the field, before anything is changed."""
    world = one_controller
    manifest = my_nginx_v4()
    manifest["spec"]["template"]["metadata"]["labels"]["deployment"] = "v5"
    before = world.versions()
    ended = world.run("my-nginx", "-f", world.file(manifest))
    assert (ended.stdout, ended.status) == ("", 1)
    assert ended.stderr.startswith(
        'Error from server (Invalid): ReplicationController "my-nginx-v4" is invalid: '
        "spec.template.metadata.labels: Invalid value: "
    )
    assert world.versions() == before


def test_no_progress(world: World) -> None:
    """The documented words, the reason, and both commands to go on."""
    world.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    ended = world.run("my-nginx", "next", "--image=nginx:missing", "--timeout=1s")
    assert ended.status == 3
    assert ended.stderr == (
        "error: timed out waiting for any update progress to be made\n"
        "0 of 1 pods of next are available\n"
        "To resume:    kubectl rolling-update my-nginx next --image=nginx:missing --timeout=1s\n"
        "To roll back: kubectl rolling-update my-nginx next --image=nginx:missing --timeout=1s --rollback\n"
    )


def test_resuming(world: World) -> None:
    """The documented lines, with the counts as they are."""
    world.have(my_nginx(replicas=3, labels={"deployment": "v1"}))
    running = world.start("my-nginx", "next", "--image=nginx:1.9.1", "--update-period=600s", "--max-surge=2")
    running.until("Scaling next up to 2")
    world.api.wait_available("next", 2)
    running.send(9)
    ended = world.run("my-nginx", "next", "--image=nginx:1.9.1", "--max-surge=2")
    assert ended.status == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[:3] == [
        "Found existing update in progress (next), resuming.",
        "Continuing update with existing controller next.",
        "Scaling up next from 2 to 3, scaling down my-nginx from 3 to 0 "
        "(keep 3 pods available, don't exceed 5 pods)",
    ]


def test_kubectl_finds_the_plugin(world: World, each_kubectl: str) -> None:
    """``kubectl plugin list`` shows it, and ``kubectl rolling-update`` runs it, flags behind the name."""
    world.have(my_nginx(replicas=1))
    listed = world.run(command=[each_kubectl, "plugin", "list"])
    assert re.search(r"/kubectl-rolling_update$", listed.stdout, re.MULTILINE)
    ended = world.run("rolling-update", "my-nginx", "--image", "nginx:1.9.1", command=[each_kubectl])
    assert ended.status == 0, ended.stderr
    assert ended.stdout.endswith('replicationcontroller "my-nginx" rolling updated\n')


def test_help_and_version(unchanged: World, tmp_path: Path) -> None:
    """Plain, grouped, with the documented examples, and without the Kubernetes client."""
    world = unchanged
    ended = world.run("-h")
    assert (ended.status, ended.stderr) == (0, "")
    assert "  kubectl rolling-update NAME ([NEW_NAME] --image=IMAGE | -f FILE) [flags]\n" in ended.stdout
    assert "\nWhat changes:\n" in ended.stdout
    assert world.run("my-nginx", "--help").stdout == ended.stdout
    assert re.fullmatch(r"kubectl rolling-update v\d+\.\d+\.\d+\n", world.run("--version").stdout)
