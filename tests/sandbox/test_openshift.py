"""A sandbox that is an OpenShift: DeploymentConfigs on its clock, and only where they are asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from testing.objects import Json
from testing.openshift import names
from testing.sandbox import ApiError, Change, Sandbox
from testing.sandbox.server import Server
from tests.sandbox.worlds import pod, reasons
from tests.support.openshift import config_of

_LOOK = 16.0
"""Seconds, in which each autoscaler is looked at once."""


def _rolled_out(world: Sandbox, **more: Any) -> Json:
    world.create(config_of(**more))
    assert world.settle()
    return world.get("dc", "default", "web")


def _sizes(world: Sandbox) -> dict[str, int]:
    return {found["metadata"]["name"]: found["spec"]["replicas"] for found in world.objects("rc", "default")}


def test_a_cluster_of_kubernetes_does_not_know_them() -> None:
    world = Sandbox()
    assert world.deployment_configs is None
    with pytest.raises(KeyError):
        world.create(config_of())
    path = f"/apis/{names.VERSION}/namespaces/default/{names.PLURAL}"
    answer = world.request("POST", path, body=config_of())
    assert (answer.status, answer.reason) == (404, "NotFound")
    groups = world.request("GET", "/apis").body["groups"]
    assert names.GROUP not in {group["name"] for group in groups}
    assert world.request("GET", f"/apis/{names.VERSION}").status == 404


def test_the_kind_is_found_by_discovery() -> None:
    world = Sandbox(deployment_configs=True)
    groups = world.request("GET", "/apis").body["groups"]
    assert names.GROUP in {group["name"] for group in groups}
    listed = world.request("GET", f"/apis/{names.VERSION}").body["resources"]
    assert [found["name"] for found in listed] == [
        names.PLURAL,
        f"{names.PLURAL}/scale",
        f"{names.PLURAL}/status",
    ]
    assert (listed[0]["shortNames"], listed[0]["categories"]) == (["dc"], ["all"])


def test_rollouts_on_a_clock_that_stands_still() -> None:
    """All of it is done when the world is settled, in the same way for the same seed."""
    world = Sandbox(deployment_configs=True)
    found = _rolled_out(world, replicas=3)
    assert (_sizes(world), found["status"]["availableReplicas"]) == ({"web-1": 3}, 3)
    template = config_of(image="nginx:2")["spec"]["template"]
    world.patch("dc", "default", "web", {"spec": {"template": template}})
    assert world.settle()
    assert _sizes(world) == {"web-1": 0, "web-2": 3}

    again = Sandbox(deployment_configs=True)
    assert _rolled_out(again, replicas=3) == found


def test_its_controller_is_no_client() -> None:
    """Whoever forbids, counts or disturbs requests means those of clients."""
    world = Sandbox(deployment_configs=True)
    world.forbid("*", "*")
    world.fail_next(None, times=100)
    changes: list[Change] = []
    world.store.listeners.append(changes.append)
    with world.clock.lock:
        resource = world.verbs.served[names.PLURAL]
        world.verbs.create(resource, "default", config_of(), actor="a test")
    assert world.settle()
    assert "client" not in {change.actor for change in changes}
    assert "deploymentconfig-controller" in {change.actor for change in changes}
    assert [found["metadata"]["name"] for found in world.store.objects(resource)] == ["web"]


def test_it_can_be_held() -> None:
    world = Sandbox(deployment_configs=True)
    _rolled_out(world)
    assert world.deployment_configs is not None
    world.deployment_configs.pause()
    world.patch("dc", "default", "web", {"spec": {"replicas": 5}})
    assert world.settle()
    assert _sizes(world) == {"web-1": 2}
    world.deployment_configs.resume()
    assert world.settle()
    assert _sizes(world) == {"web-1": 5}


def test_a_write_that_comes_too_late_is_made_again() -> None:
    """Somebody else's came first: 409, and the next look sees both."""
    world = Sandbox(deployment_configs=True)
    _rolled_out(world)
    world.patch("dc", "default", "web", {"spec": {"replicas": 4}})
    for number in range(20):
        world.patch("rc", "default", "web-1", {"metadata": {"annotations": {"n": str(number)}}})
        world.run_next()
    assert world.settle()
    assert _sizes(world) == {"web-1": 4}


@pytest.mark.parametrize("version", [names.VERSION, "v1"])
def test_an_autoscaler_scales_one(version: str) -> None:
    """Also by the version that it had before it had a group."""
    world = Sandbox(deployment_configs=True, autoscaler=True)
    _rolled_out(world)
    target = {"apiVersion": version, "kind": names.KIND, "name": "web"}
    spec = {"minReplicas": 3, "maxReplicas": 5, "scaleTargetRef": target}
    world.create({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "scaler"}, "spec": spec})
    world.advance(_LOOK)
    assert world.settle()
    assert reasons(world, "scaler") == {"SuccessfulRescale"}
    assert (world.get("dc", "default", "web")["spec"]["replicas"], _sizes(world)) == (3, {"web-1": 3})


def test_an_autoscaler_of_one_where_there_is_no_such_kind() -> None:
    world = Sandbox(autoscaler=True)
    spec = {"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "v1", "kind": names.KIND, "name": "web"}}
    world.create({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "scaler"}, "spec": spec})
    world.advance(_LOOK)
    assert reasons(world, "scaler") == {"FailedGetScale"}


@pytest.mark.parametrize("known", [False, True])
def test_what_belongs_to_an_owner_of_an_unknown_kind_stays(known: bool) -> None:
    """Whether such an owner is there nobody can tell. Of a known kind it is not, and the pod goes."""
    world = Sandbox(deployment_configs=known)
    lone = pod()
    reference = {"apiVersion": names.VERSION, "kind": names.KIND, "name": "web", "uid": "nobody"}
    lone["metadata"]["ownerReferences"] = [reference]
    world.create(lone)
    assert world.settle()
    assert (world.find("pods", "default", "lone") is None) is known


def test_a_namespace_takes_them_along() -> None:
    world = Sandbox(deployment_configs=True, namespaces=("team",))
    world.create(config_of(), namespace="team")
    world.settle()
    world.delete("ns", "", "team")
    assert world.settle()
    assert world.find("ns", "", "team") is None
    assert world.objects("dc", "team") == []


def test_an_upgraded_server_has_them_as_they_were() -> None:
    world = Sandbox(deployment_configs=True, minor=20)
    before = _rolled_out(world)
    world.upgrade(36)
    assert world.get("dc", "default", "web") == before


def test_a_null_is_what_was_left_out_and_a_wrong_type_is_refused() -> None:
    world = Sandbox(deployment_configs=True)
    found = world.create(config_of(triggers=None, strategy=None, paused=None))["spec"]
    assert (found["triggers"], found["strategy"]["type"]) == ([{"type": "ConfigChange"}], "Rolling")
    assert "paused" not in found
    with pytest.raises(ApiError, match=r"spec\.triggers in body must be of type array"):
        world.create(config_of("other", triggers={}))


def test_kubectl_is_served(tmp_path: Path, each_kubectl: str) -> None:
    """By the short name, too."""
    with Sandbox(real_time=True, deployment_configs=True) as world, Server(world) as server:
        config = server.write_kubeconfig(tmp_path / "config")
        manifest = tmp_path / "web.yaml"
        manifest.write_text(yaml.safe_dump(config_of()))

        def kubectl(*arguments: str) -> str:
            environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(tmp_path)}
            command = [each_kubectl, *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return done.stdout

        kubectl("create", "-f", str(manifest))
        kubectl("scale", "dc/web", "--replicas=3")
        assert kubectl("get", "dc", "-o", "name") == "deploymentconfig.apps.openshift.io/web\n"
        kubectl("patch", "dc", "web", "--type=merge", "-p", '{"spec":{"paused":true}}')
        told = kubectl("get", "dc/web", "-o", "jsonpath={.spec.replicas} {.spec.paused}")
        assert told == "3 true"
        assert "deploymentconfig.apps.openshift.io/web" in kubectl("get", "all", "-o", "name")
        kubectl("delete", "dc/web")
        assert world.find("dc", "default", "web") is None
