"""From a ReplicationController to a Deployment and back, as a user does it, with kubectl before and after."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from testing.namespace import wait
from tests.e2e.world import World

SIZE = 4


def web(size: int = SIZE, image: str = "web:1.0") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"team": "shop"}},
        "spec": {
            "replicas": size,
            "selector": {"app": "web"},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "web", "image": image}],
                },
            },
        },
    }


def kubectl(world: World, *words: str) -> str:
    ended = world.kubectl(*words)
    assert ended.status == 0, ended.stderr
    return ended.stdout


def uids(world: World) -> set[str]:
    return {pod["metadata"]["uid"] for pod in world.api.pods()}


def owners(world: World) -> set[str]:
    return {owner["kind"] for pod in world.api.pods() for owner in pod["metadata"]["ownerReferences"]}


@contextmanager
def all_ready(world: World, size: int) -> Iterator[None]:
    """Looked at all the time from another thread: no pod leaves, and all of them are ready."""
    before, short, ended = uids(world), [], threading.Event()

    def look() -> None:
        while not ended.is_set():
            pods = world.api.pods()
            ready = [
                pod
                for pod in pods
                if any(
                    (one["type"], one["status"]) == ("Ready", "True")
                    for one in pod["status"].get("conditions") or ()
                )
            ]
            if len(ready) < size or {pod["metadata"]["uid"] for pod in pods} != before:
                short.append(len(ready))
            time.sleep(0.01)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert not short


def test_there_with_history_and_back(migrating: World) -> None:
    """The same pods all the way; what kubectl has for Deployments works, and reaches what ran before."""
    world = migrating
    world.have(web())
    assert world.run("web", "--image=web:2.0", "--max-surge=2").status == 0
    before = uids(world)
    with all_ready(world, SIZE):
        ended = world.run("web", "--to=deployment")
    assert ended.status == 0, ended.stderr
    last = f"deployment.apps/web created from replicationcontroller/web; {SIZE} pods kept"
    assert ended.stdout.splitlines()[-1] == last
    assert "kubectl rolling-update deployment/web --to=replicationcontroller" in ended.stderr
    assert (uids(world), owners(world)) == (before, {"ReplicaSet"})
    assert world.api.controllers() == {}
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=30s")
    assert [
        line.split()[0] for line in kubectl(world, "rollout", "history", "deployment/web").splitlines()[2:4]
    ] == ["1", "2"]

    again = world.run("web", "--to=deployment")
    assert (again.status, uids(world)) == (0, before)

    with all_ready(world, SIZE):
        back = world.run("deployment/web", "--to=rc")
    assert back.status == 0, back.stderr
    assert (uids(world), owners(world)) == (before, {"ReplicationController"})
    listed = world.run("web", "--history").stdout
    assert "web:1.0" in listed
    assert "web:2.0" in listed

    assert world.run("web", "--to=deployment").status == 0
    kubectl(world, "rollout", "undo", "deployment/web")
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=60s")
    images = {pod["spec"]["containers"][0]["image"] for pod in world.api.pods()}
    assert images == {"web:1.0"}
    assert not uids(world) & before


def test_the_printed_manifest_is_what_is_there(migrating: World) -> None:
    """`kubectl diff` and `apply`, from the client and from the server, change nothing and restart nothing."""
    world = migrating
    world.have(web())
    printed = world.run("web", "--to=deployment", "--dry-run=client", "-o", "yaml").stdout
    manifest = yaml.safe_load(printed)
    assert manifest["kind"] == "Deployment"
    assert not {"uid", "resourceVersion", "creationTimestamp"} & set(manifest["metadata"])
    assert set(manifest["metadata"]["annotations"]) == {"team"}
    assert world.run("web", "--to=deployment").status == 0
    before = uids(world)
    path = world.text(printed)
    assert kubectl(world, "diff", "-f", path) == ""
    kubectl(world, "apply", "-f", path)
    if world.is_real:  # the sandbox has no server-side apply
        kubectl(world, "apply", "--server-side", "-f", path)
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=30s")
    assert uids(world) == before
    kubectl(world, "set", "image", "deployment/web", "web=web:3.0")
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=60s")
    assert not uids(world) & before


@pytest.mark.interrupted
def test_rolled_back_in_the_middle(migrating: World) -> None:
    """Interrupted (its pods are never ready, so it waits for them at the end), looked at, rolled back: it is
    what it was."""
    world = migrating
    world.have(web(image="web:never-ready"), available=0)
    wait(lambda: len(world.api.pods()) == SIZE, "its pods are there")
    before, spec = uids(world), world.api.controller("web")["spec"]
    running = world.start("web", "--to=deployment")
    running.until("Unpaused deployment/web")
    for _ in range(2):  # as ``timeout`` does
        running.send(signal.SIGINT)
    ended = running.end()
    assert ended.status == 130
    assert "Traceback" not in ended.stderr
    assert "To roll back: kubectl rolling-update web --to=deployment --rollback" in ended.stderr
    status = world.run("web", "--status")
    assert status.status == 3
    assert "its pods are on their way to deployment/web" in status.stdout
    refused = world.run("web", "--image=web:2.0")
    assert refused.status == 1
    assert "on their way to deployment/web" in refused.stderr
    assert world.run("web", "--to=deployment", "--rollback").status == 0
    found = world.api.controller("web")
    assert (uids(world), found["spec"]) == (before, spec)
    assert not [
        key for key in found["metadata"].get("annotations") or {} if key.startswith("rolling-update/")
    ]


def test_an_autoscaler_goes_along(migrating: World) -> None:
    world = migrating
    world.have(web())
    autoscaler = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "minReplicas": 2,
            "maxReplicas": 9,
            "scaleTargetRef": {"apiVersion": "v1", "kind": "ReplicationController", "name": "web"},
        },
    }
    kubectl(world, "apply", "-f", world.file(autoscaler))
    before = uids(world)
    for words, kind in (
        (("web", "--to=deployment"), "Deployment"),
        (("deployment/web", "--to=rc"), "ReplicationController"),
    ):
        assert world.run(*words).status == 0
        found = json.loads(kubectl(world, "get", "hpa", "web", "-o", "json"))
        assert found["spec"]["scaleTargetRef"]["kind"] == kind
        assert uids(world) == before


def test_refused_before_anything_is_written(migrating: World) -> None:
    """Each with its reason; the controller is as it was."""
    world = migrating
    world.have(web())
    versions = world.versions()
    overlapping = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "other"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": web()["spec"]["template"],
        },
    }
    kubectl(world, "apply", "-f", world.file(overlapping))
    ended = world.run("web", "--to=deployment")
    assert (ended.status, ended.stdout) == (1, "")
    assert 'ReplicaSet "other" selects these pods as well' in ended.stderr
    kubectl(world, "delete", "rs", "other")
    for labels, says in (
        ({"app": "web"}, 'Deployment "web" selects these pods as well'),
        ({"app": "another"}, 'deployment "web" exists already, and is none of this; nothing was changed'),
    ):
        template = {**web()["spec"]["template"], "metadata": {"labels": labels}}
        named_so = {**overlapping, "kind": "Deployment", "metadata": {"name": "web"}}
        named_so["spec"] = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        kubectl(world, "apply", "-f", world.file(named_so))
        ended = world.run("web", "--to=deployment")
        assert (ended.status, ended.stdout) == (1, "")
        assert says in ended.stderr
        kubectl(world, "delete", "deployment", "web")
    assert "under another name: kubectl rolling-update web web-2 --to=deployment" in ended.stderr
    assert world.run("web", "web-2", "--to=deployment", "--dry-run=server").status == 0
    ended = world.run("web", "Web", "--to=deployment")
    assert (ended.status, ended.stdout) == (1, "")
    assert 'error: "Web" can not be the name of a Deployment: ' in ended.stderr
    assert "nothing was changed" in ended.stderr
    for words, there in (
        (["none", "--to=deployment"], "kubectl get rc"),
        (["deployment/none", "--to=rc"], "kubectl get deployments"),
    ):
        ended = world.run(*words)
        assert (ended.status, ended.stdout) == (1, "")
        assert 'apps "none" not found' in ended.stderr or 'controllers "none" not found' in ended.stderr
        assert f"what there is: {there}" in ended.stderr
    kubectl(world, "label", "rc", "web", "app.kubernetes.io/managed-by=Helm")
    versions = world.versions()
    ended = world.run("web", "--to=deployment")
    assert (ended.status, ended.stdout) == (1, "")
    assert "managed by Helm" in ended.stderr
    assert "kubectl label rc/web app.kubernetes.io/managed-by-" in ended.stderr
    ended = world.run("web", "--to=deployment", "--rollback")
    assert (ended.status, ended.stdout) == (1, "")
    assert world.versions() == versions


def test_pods_that_are_not_available_come_along(migrating: World) -> None:
    """The last line says so, and how to wait for them."""
    world = migrating
    world.have(web(2, "web:never-ready"), available=0)
    before = uids(world)
    ended = world.run("web", "--to=deployment", "--timeout=20s")
    assert ended.status == 0, ended.stderr
    last = ended.stderr.splitlines()[-1]
    words = "0 of 2 pods of deployment/web are available, as before the move; to wait for them: kubectl "
    assert last.startswith(words)
    assert "rollout status deployment/web" in last
    assert (uids(world), owners(world)) == (before, {"ReplicaSet"})
    assert world.api.controllers() == {}
