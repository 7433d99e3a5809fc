"""Files as people have them, given with -f: what kubectl and the server make of them is what happens here."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from testing.objects import Json
from tests.e2e.world import World
from tests.support.manifests import my_nginx


@pytest.fixture(scope="module")
def running(unchanged: World) -> World:
    """One controller with one pod, which no refused command changes."""
    unchanged.have(my_nginx(replicas=1, labels={"deployment": "v1"}))
    return unchanged


# --- a file is sent as it is, and not completed into something else ---


def _without(*fields: str) -> Json:
    """The file of another version, without some of what it needs."""
    manifest = my_nginx(image="nginx:1.9.1", selector=True)
    spec = manifest["spec"]
    if "labels" in fields:
        del spec["template"]["metadata"]["labels"]
    if "selector" in fields:
        del spec["selector"]
    if "template" in fields:
        del spec["template"]
    return manifest


NO_SELECTOR = "spec.selector: Required value"
NO_TEMPLATE = "spec.template: Required value"
INCOMPLETE: dict[str, tuple[Json, list[str]]] = {
    "neither labels nor selector": (_without("labels", "selector"), [NO_SELECTOR]),
    "an empty selector, and no labels": (
        {**_without("labels"), "spec": {**_without("labels")["spec"], "selector": {}}},
        [NO_SELECTOR],
    ),
    "a selector that no label of the pods matches": (
        _without("labels"),
        ["spec.template.metadata.labels: Invalid value: ", "`selector` does not match template `labels`"],
    ),
    "no template": (_without("template"), [NO_TEMPLATE]),
    "neither template nor selector": (_without("template", "selector"), [NO_SELECTOR, NO_TEMPLATE]),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_an_incomplete_file_is_refused_by_the_server(running: World, case: str) -> None:
    """With --keep-name a label is added to a file that is complete without it; one that is not gets none, so
    that its pods do not come to be nobody's. The server's own words, and nothing is written."""
    manifest, said = INCOMPLETE[case]
    file, before = running.file(manifest), running.versions()
    for further in ((), ("--dry-run=server",), ("--validate=false",)):
        ended = running.run("my-nginx", "-f", file, "--keep-name", *further)
        assert (ended.stdout, ended.status) == ("", 1)
        start = 'Error from server (Invalid): ReplicationController "my-nginx-'
        assert ended.stderr.startswith(start), ended.stderr
        assert all(words in ended.stderr for words in said), ended.stderr
    assert running.versions() == before


@pytest.mark.parametrize("case", ["neither labels nor selector", "neither template nor selector"])
def test_no_plan_is_shown_for_an_incomplete_file(running: World, case: str) -> None:
    """--dry-run=client does not ask the server, and says the same of what selects nothing."""
    manifest, said = INCOMPLETE[case]
    ended = running.run("my-nginx", "-f", running.file(manifest), "--keep-name", "--dry-run=client")
    assert (ended.stdout, ended.status) == ("", 1)
    assert all(words in ended.stderr for words in said), ended.stderr


def test_without_keep_name_the_way_out_is_another_one(running: World) -> None:
    """The words of kubectl 1.17; --keep-name is not offered, as the server would refuse the file then."""
    manifest = _without("labels", "selector")
    manifest["metadata"]["name"] = "next"
    file, before = running.file(manifest), running.versions()
    ended = running.run("my-nginx", "-f", file)
    assert (ended.stdout, ended.status) == ("", 1)
    assert ended.stderr == (
        f"error: {file} must specify a matching key with non-equal value in Selector for my-nginx\n"
        "give its pods labels (spec.template.metadata.labels) that select them\n"
    )
    assert running.versions() == before


def test_a_file_with_labels_and_no_selector_is_still_completed(world: World) -> None:
    """The server takes the labels for the selector, and so does the update that keeps the name."""
    world.have(my_nginx(replicas=1))
    file = world.file(my_nginx(image="nginx:1.9.1", replicas=1, labels={"track": "stable"}))
    ended = world.run("my-nginx", "-f", file, "--keep-name")
    assert ended.status == 0, ended.stderr
    labels: dict[str, Any] = world.api.pods()[0]["metadata"]["labels"]
    assert labels.items() >= {"app": "nginx", "track": "stable"}.items()


# --- written by other programs ---


def test_a_kubeconfig_and_a_file_from_windows(world: World, tmp_path: Path) -> None:
    """PowerShell's redirection made both (UTF-16), a plugin prints its credential as YAML, the bundle of
    authorities has a broken block, and the file has an octal mode and replicas that are written 2.0."""
    world.have(my_nginx(replicas=1))
    config = yaml.safe_load(world.kubeconfig.read_text())
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    if "certificate-authority-data" in cluster:
        good = base64.b64decode(cluster["certificate-authority-data"])
        broken = b"-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n"
        cluster["certificate-authority-data"] = base64.b64encode(broken + good).decode()
        user["exec"] = _printing_yaml(user, tmp_path / "credential")
    world.kubeconfig.write_bytes(yaml.safe_dump(config).encode("utf-16"))
    manifest = my_nginx(image="nginx:1.9.1", replicas=7)
    manifest["spec"]["template"]["spec"]["volumes"] = [
        {"name": "v", "secret": {"secretName": "s", "defaultMode": 9, "optional": True}}
    ]
    text = (
        yaml.safe_dump(manifest)
        .replace("replicas: 7", "replicas: 2.0")
        .replace("defaultMode: 9", "defaultMode: 0o644")
    )
    file = tmp_path / "rc.yaml"
    file.write_bytes(text.encode("utf-16"))
    planned = world.run("my-nginx", "-f", str(file), "--keep-name", "--dry-run=server", "-o", "json")
    assert planned.status == 0, planned
    new = [json.loads(part) for part in planned.stdout.replace("}\n{", "}\0{").split("\0")][-1]
    new = new["items"][-1] if "items" in new else new
    assert new["spec"]["template"]["spec"]["volumes"][0]["secret"]["defaultMode"] == 0o644
    ended = world.run("my-nginx", "-f", str(file), "--keep-name")
    assert ended.status == 0, ended
    assert world.api.controller("my-nginx")["spec"]["replicas"] == 2


def _printing_yaml(user: Json, path: Path) -> Json:
    """A credential plugin with the credentials of ``user``, which are taken from there."""
    names = {
        "token": "token",
        "client-certificate-data": "clientCertificateData",
        "client-key-data": "clientKeyData",
    }
    status = {
        names[key]: value if key == "token" else base64.b64decode(value).decode()
        for key, value in [(key, user.pop(key)) for key in names if key in user]
    }
    version = "client.authentication.k8s.io/v1"
    path.write_text(yaml.safe_dump({"apiVersion": version, "kind": "ExecCredential", "status": status}))
    return {"apiVersion": version, "command": "cat", "args": [str(path)], "interactiveMode": "Never"}


# --- OLD NEW -f FILE, as scripts write it ---


def test_the_new_name_may_be_given_beside_the_file_that_has_it(world: World) -> None:
    """A wrapper passes OLD, NEW and FILE. The names are the same, so the update is the one of ``OLD -f``; and
    the same words resume it, roll it back, and look at it first."""
    world.have(my_nginx("web-1", replicas=1, labels={"track": "1"}))
    manifest = my_nginx("web-2", image="nginx:1.9.1", replicas=1, labels={"track": "2"}, selector=True)
    words = ("web-1", "web-2", "-f", world.file(manifest))
    planned = world.run(*words, "--dry-run=server")
    assert (planned.status, planned.stderr) == (0, "")
    stopped = world.run(*words[:3], "-", "--timeout=1s", stdin=_failing(manifest))
    assert stopped.status == 3, stopped
    back = world.run(*words[:3], "-", "--rollback", stdin="")
    assert back.status == 0, back
    ended = world.run(*words)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.endswith('replicationcontroller "web-2" rolling updated\n')
    assert set(world.api.controllers()) == {"web-2"}


def _failing(manifest: Json) -> str:
    text = json.dumps(manifest)
    return text.replace("nginx:1.9.1", "nginx:missing")


@pytest.mark.parametrize("metadata", [{"generateName": "next-"}, {}], ids=["generated", "none"])
def test_a_new_name_beside_a_file_without_one_is_refused(running: World, metadata: Json) -> None:
    """The file has the last word on the name, so the way out is in the file."""
    manifest = {**my_nginx(labels={"deployment": "v2"}), "metadata": metadata}
    file, before = running.file(manifest), running.versions()
    ended = running.run("my-nginx", "next", "-f", file)
    assert (ended.stdout, ended.status) == ("", 1)
    assert ended.stderr.startswith(
        f"error: NEW_NAME is next, but {file} gives no name\nset metadata.name to next in the file\n"
    )
    assert running.versions() == before
