"""Words for the stories of DeploymentConfigs: manifests, and looks at what became of their rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from testing.namespace import CONFIGS, CONTROLLERS
from testing.objects import Json
from testing.openshift import names
from tests.contract.apps import template
from tests.contract.story import observed
from tests.contract.wire import Wire
from tests.support.openshift import Held


@dataclass(frozen=True)
class World:
    """An empty namespace of a cluster that knows the kind. ``controller`` can be held."""

    cluster: Wire
    controller: Held

    @contextmanager
    def held(self) -> Iterator[None]:
        self.controller.pause()
        try:
            yield
        finally:
            self.controller.resume()


def rolled_out(cluster: Wire, version: int = 1, name: str = "web") -> Json:
    """Wait until that rollout is complete, the pods are available, and the config says so."""
    made = names.controller_name(name, version)

    def is_complete() -> bool:
        found = get(cluster, name)
        status = found.get("status") or {}
        wanted, latest = found["spec"]["replicas"], status.get("latestVersion")
        if (latest, phases(cluster).get(made)) != (version, names.COMPLETE):
            return False
        counts = {status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")}
        return counts == {wanted} and observed(cluster, name, CONFIGS)

    cluster.wait(is_complete, f"{made} is rolled out")
    return cluster.controller(made)


def get(cluster: Wire, name: str = "web") -> Json:
    return cluster.controller(name, CONFIGS)


def status(cluster: Wire, name: str = "web") -> Json:
    found: Json = get(cluster, name).get("status") or {}
    return found


def change(cluster: Wire, name: str = "web", **spec: Any) -> None:
    """Merge into its spec."""
    cluster.merge(name, {"spec": spec}, CONFIGS)


def set_image(cluster: Wire, image: str, name: str = "web") -> None:
    change(cluster, name, template=template(image))


def seen(cluster: Wire, name: str = "web") -> None:
    """Wait until the controller has looked at all there is: a change that means nothing is observed."""
    before = get(cluster, name)["spec"].get("minReadySeconds", 0)
    for seconds in (before + 1, before):
        change(cluster, name, minReadySeconds=seconds)
    cluster.wait(lambda: observed(cluster, name, CONFIGS), f"{name} is observed")


def sizes(cluster: Wire) -> dict[str, int]:
    """Of all ReplicationControllers."""
    return {name: found["spec"]["replicas"] for name, found in cluster.controllers().items()}


def phases(cluster: Wire) -> dict[str, str]:
    return {
        name: found["metadata"]["annotations"].get(names.PHASE, "")
        for name, found in cluster.controllers().items()
    }


def set_phase(cluster: Wire, controller: str, phase: str) -> None:
    """As the deployer's pod would have it."""
    annotate(cluster, controller, names.PHASE, phase)


def annotate(cluster: Wire, name: str, annotation: str, value: str | None, plural: str = CONTROLLERS) -> None:
    cluster.merge(name, {"metadata": {"annotations": {annotation: value}}}, plural)


def owner(cluster: Wire, controller: str) -> str:
    """Who controls it: kind and name; empty for nobody."""
    found = cluster.controller(controller)["metadata"].get("ownerReferences", [])
    return next((f"{each['kind']}/{each['name']}" for each in found if each.get("controller")), "")
