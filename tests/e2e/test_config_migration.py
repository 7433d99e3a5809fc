"""From a DeploymentConfig to a Deployment and back, as a user does it, with kubectl before and after."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from testing.namespace import wait
from testing.openshift import names
from tests.e2e.test_migration import all_ready, kubectl, owners, uids
from tests.e2e.world import World
from tests.support.openshift import config_of

SIZE = 4


def path(world: World) -> str:
    return f"/apis/{names.VERSION}/namespaces/{world.namespace}/{names.PLURAL}"


def config(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.api.client.get(f"{path(world)}/web")
    return found


def change(world: World, body: dict[str, Any]) -> None:
    world.api.client.patch(f"{path(world)}/web", body)


def have(
    world: World, size: int = SIZE, images: tuple[str, ...] = ("web:1.0", "web:2.0"), **spec: Any
) -> None:
    """A DeploymentConfig that was rolled out with each of ``images``, and settled."""
    manifest = config_of("web", size, images[0], **spec)
    manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 0
    manifest["spec"]["template"]["spec"]["containers"][0]["name"] = "web"
    world.api.client.create(path(world), manifest)
    complete(world, 1, size)
    for version, image in enumerate(images[1:], 2):
        roll_out(world, version, image)


def roll_out(world: World, version: int, image: str, comes_to: str = names.COMPLETE) -> None:
    """As ``oc set image`` does."""
    spec = config(world)["spec"]
    container = {**spec["template"]["spec"]["containers"][0], "image": image}
    annotations = {names.COMES_TO: comes_to}
    template = {"spec": {"containers": [container]}}
    change(world, {"metadata": {"annotations": annotations}, "spec": {"template": template}})
    complete(world, version, spec["replicas"], phase=comes_to)


def complete(world: World, version: int, size: int, *, phase: str = names.COMPLETE) -> None:
    """Wait for it; one that has failed has no pods."""

    def is_complete() -> bool:
        found = world.api.controllers()
        one = found.get(f"web-{version}")
        return (
            one is not None
            and one["metadata"]["annotations"].get(names.PHASE) == phase
            and one["status"].get("availableReplicas", 0) == (size if phase == names.COMPLETE else 0)
            and sum(other["status"].get("availableReplicas", 0) for other in found.values()) == size
            and len(world.api.pods()) == size
        )

    wait(is_complete, f"rollout {version} is {phase}")


@pytest.mark.parametrize("size", [1, 20])
def test_there_and_back(openshift: World, size: int) -> None:
    """The same pods all the way. `kubectl rollout undo` works in between, and afterwards it scales again."""
    world = openshift
    have(world, size)
    before = uids(world)
    with all_ready(world, size):
        ended = world.run("dc/web", "--to=deployment")
    assert ended.status == 0, ended.stderr
    last = f"deployment.apps/web created from deploymentconfig.apps.openshift.io/web; {size} pods kept"
    assert ended.stdout.splitlines()[-1] == last.replace("1 pods", "1 pod")
    assert "kubectl delete deploymentconfig.apps.openshift.io/web" in ended.stderr
    assert "To go back: kubectl rolling-update deployment/web --to=deploymentconfig" in ended.stderr
    assert (uids(world), owners(world)) == (before, {"ReplicaSet"})
    found = config(world)["spec"]
    assert (found["paused"], found["replicas"]) == (True, 0)
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=30s")
    history = kubectl(world, "rollout", "history", "deployment/web").splitlines()
    assert [line.split()[0] for line in history[2:4]] == ["1", "2"]
    again = world.run("web-2", "--to=deployment")
    assert (again.status, uids(world)) == (0, before)
    assert "kubectl delete deploymentconfig.apps.openshift.io/web" in again.stderr

    with all_ready(world, size):
        back = world.run("deployment/web", "--to=deploymentconfig")
    assert back.status == 0, back.stderr
    assert (uids(world), owners(world)) == (before, {"ReplicationController"})
    assert not config(world)["spec"].get("paused")
    change(world, {"spec": {"replicas": size + 1}})
    wait(lambda: len(world.api.pods()) == size + 1, "it scales again")
    assert before < uids(world)
    assert config(world)["status"]["latestVersion"] == 2


def test_undone_as_a_deployment_and_given_back(openshift: World) -> None:
    """What runs is not what was rolled out last: the DeploymentConfig gets that, and begins no rollout."""
    world = openshift
    have(world)
    assert world.run("deploymentconfig/web", "--to=deployment").status == 0
    kubectl(world, "rollout", "undo", "deployment/web")
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=60s")
    wait(lambda: len(world.api.pods()) == SIZE, "the other pods are gone")
    before = uids(world)
    ended = world.run("deployment/web", "--to=dc")
    assert ended.status == 0, ended.stderr
    change(world, {"spec": {"replicas": SIZE + 1}})
    wait(lambda: len(world.api.pods()) == SIZE + 1, "it scales again")
    assert before < uids(world)
    found = config(world)
    assert found["status"]["latestVersion"] == 2
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1.0"


def test_the_printed_manifest_is_what_is_there(openshift: World) -> None:
    """`kubectl diff` and `apply` change nothing and restart nothing."""
    world = openshift
    have(world)
    printed = world.run("dc/web", "--to=deployment", "--dry-run=client", "-o", "yaml").stdout
    assert yaml.safe_load(printed)["kind"] == "Deployment"
    ended = world.run("dc/web", "--to=deployment", "--keep-old=false")
    assert ended.status == 0
    assert ended.stderr == "To go back: kubectl rolling-update deployment/web --to=replicationcontroller\n"
    before = uids(world)
    file = world.text(printed)
    assert kubectl(world, "diff", "-f", file) == ""
    kubectl(world, "apply", "-f", file)
    if world.is_real:  # the sandbox has no server-side apply
        kubectl(world, "apply", "--server-side", "-f", file)
    kubectl(world, "rollout", "status", "deployment/web", "--timeout=30s")
    assert uids(world) == before
    wait(lambda: not world.api.controllers(), "its controllers went with it")
    ended = world.run("deployment/web", "--to=dc")
    assert (ended.status, ended.stdout) == (1, "")
    assert 'deploymentconfig "web" is gone' in ended.stderr
    kept = world.run("deployment/web", "--to=dc", "--dry-run=client", "-o", "yaml").stdout
    assert yaml.safe_load(kept)["spec"]["paused"] is True
    assert uids(world) == before


def test_all_that_goes_along(openshift: World) -> None:
    """Of one that is paused and recreates its pods, with an image trigger and an autoscaler, whose second
    rollout has failed: all of it is there, on the way back as well."""
    world = openshift
    have(world, strategy={"type": "Recreate", "recreateParams": {"timeoutSeconds": 120}})
    image = {"kind": "ImageStreamTag", "name": "web:latest"}
    trigger = {"automatic": True, "containerNames": ["web"], "from": image, "lastTriggeredImage": "web:3.0"}
    roll_out(world, 3, "web:broken", comes_to=names.FAILED)
    roll_out(world, 4, "web:3.0")
    change(world, {"spec": {"triggers": [{"type": "ImageChange", "imageChangeParams": trigger}]}})
    change(world, {"spec": {"paused": True}})
    autoscaler = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "minReplicas": 2,
            "maxReplicas": 9,
            "scaleTargetRef": {"apiVersion": names.VERSION, "kind": names.KIND, "name": "web"},
        },
    }
    scalers = f"/apis/autoscaling/v1/namespaces/{world.namespace}/horizontalpodautoscalers"
    world.api.client.create(scalers, autoscaler)
    before, spec = uids(world), config(world)["spec"]

    ended = world.run("dc/web", "--to=deployment")
    assert ended.status == 0, ended.stderr
    assert "it is paused, and the Deployment will not be" in ended.stderr
    assert "it has no ConfigChange trigger" in ended.stderr
    (found,) = json.loads(kubectl(world, "get", "deployments", "-o", "json"))["items"]
    assert found["spec"]["strategy"] == {"type": "Recreate"}
    assert found["spec"]["progressDeadlineSeconds"] == 120
    field = 'spec.template.spec.containers[?(@.name=="web")].image'
    triggers = json.loads(found["metadata"]["annotations"]["image.openshift.io/triggers"])
    assert triggers == [{"from": image, "fieldPath": field}]
    history = kubectl(world, "rollout", "history", "deployment/web").splitlines()
    assert [line.split()[0] for line in history[2:5]] == ["1", "2", "4"]
    scaled = world.api.client.get(f"{scalers}/web")["spec"]["scaleTargetRef"]["kind"]
    assert (scaled, uids(world)) == ("Deployment", before)

    ended = world.run("deployment/web", "--to=dc")
    assert ended.status == 0, ended.stderr
    scaled = world.api.client.get(f"{scalers}/web")["spec"]["scaleTargetRef"]["kind"]
    assert (scaled, uids(world), config(world)["spec"]) == (names.KIND, before, spec)


def test_refused_before_anything_is_written(openshift: World) -> None:
    """Each with a command that works when pasted."""
    world = openshift
    have(world, 2, ("web:1.0",))
    hook = {"pre": {"failurePolicy": "Abort"}}
    change(world, {"spec": {"strategy": {"rollingParams": hook}}})
    ended = world.run("dc/web", "--to=deployment")
    assert (ended.status, ended.stdout) == (1, "")
    assert 'deploymentconfig "web" has a pre hook' in ended.stderr
    patch = json.loads(ended.stderr.split("-p '")[1].split("'")[0])
    change(world, patch)
    assert world.run("dc/web", "--to=deployment", "--dry-run=server").status == 0
    ended = world.run("web-1", "--image=web:2.0")
    assert ended.status == 1
    assert "kubectl rolling-update deploymentconfig/web --to=deployment" in ended.stderr
    ended = world.run("deployment/none", "--to=dc")
    assert (ended.status, ended.stdout) == (1, "")
    assert 'deployments.apps "none" not found' in ended.stderr
    assert not config(world)["spec"].get("paused")


def test_a_cluster_that_is_no_openshift(migrating: World) -> None:
    ended = migrating.run("dc/web", "--to=deployment")
    assert ended.status == 1
    missing = "rights are missing" in ended.stderr  # on the real one, as they are not in the Role of others
    assert missing or "the cluster knows no DeploymentConfigs, so it is no OpenShift" in ended.stderr
