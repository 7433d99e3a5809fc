"""A world whose pods go from a DeploymentConfig to a Deployment and back. Its controller is the stand-in of
``testing.openshift`` on the sandbox's clock."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from rollupdate.core.model import record
from rollupdate.core.model.migration import HASH_LABEL, REVISION
from rollupdate.engine.order import Order
from testing.objects import Json
from testing.openshift import names
from testing.sandbox.objects import controller_of
from tests.engine.migrations import NAME, SIZE, Migrations

DCS = "deploymentconfigs"
OURS = set(record.KEYS) - {record.DESIRED_REPLICAS, record.ORIGINAL_REPLICAS}
"""But for the two that the deployer has as well."""
MERGE = "application/merge-patch+json"


def config(size: int = SIZE, image: str = "web:1.0", *, comes_to: str = names.COMPLETE, **spec: Any) -> Json:
    labels = {"app": NAME}
    return {
        "apiVersion": names.VERSION,
        "kind": names.KIND,
        "metadata": {
            "name": NAME,
            "labels": {"app": NAME},
            "annotations": {"team": "shop", names.COMES_TO: comes_to},
        },
        "spec": {
            "replicas": size,
            "selector": dict(labels),
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            **spec,
        },
    }


def up(**more: Any) -> Order:
    return Order(**{"name": NAME, "new_name": NAME, "to_deployment": True, "config": True, **more})


def down(**more: Any) -> Order:
    return Order(**{"name": NAME, "new_name": NAME, "to_deployment": False, "config": True, **more})


class Configs(Migrations):
    """One namespace with the DeploymentConfig ``web``, rolled out as often as ``images`` says. ``stored`` and
    ``at``: see :class:`Migrations`."""

    def __init__(
        self,
        size: int = SIZE,
        images: tuple[str, ...] = ("web:1.0",),
        *,
        stored: Sequence[Json] = (),
        at: float = 0.0,
        seed: int = 0,
        **spec: Any,
    ) -> None:
        manifest = config(size, images[0], **spec)
        super().__init__(manifest, stored=stored, at=at, seed=seed, deployment_configs=True)
        for image in images[1:]:
            self.roll_out(image)
        self.sandbox.advance(600)
        self.watched_from_now()

    def watched_from_now(self) -> None:
        super().watched_from_now()
        self.given = copy.deepcopy(self.config()["spec"]) if self.configs() else None
        self.rolled = self.versions()
        self.spec_of_active = copy.deepcopy(self.active()["spec"]) if self.configs() else None

    # --- what there is ---

    def configs(self) -> dict[str, Json]:
        return self._objects(DCS)

    def config(self) -> Json:
        return self.configs()[NAME]

    def versions(self) -> int:
        return int(self.config()["status"]["latestVersion"]) if self.configs() else 0

    def active(self) -> Json:
        """The controller with the pods."""
        return next(
            one
            for one in sorted(self.controllers().values(), key=_version, reverse=True)
            if one["metadata"]["annotations"].get(names.PHASE) == names.COMPLETE
        )

    def numbers(self) -> list[str]:
        """What the Deployment can be rolled back to, and what it runs."""
        return sorted(one["metadata"]["annotations"][REVISION] for one in self.replica_sets().values())

    # --- what users do ---

    def patch(self, body: Json, name: str = NAME) -> None:
        path = f"/apis/{names.VERSION}/namespaces/default/{DCS}/{name}"
        answer = self.sandbox.request("PATCH", path, {}, body, content_type=MERGE)
        assert answer.status < 300, answer.body

    def roll_out(self, image: str, comes_to: str = names.COMPLETE) -> None:
        """As ``oc set image`` does."""
        self.patch({"metadata": {"annotations": {names.COMES_TO: comes_to}}})
        self.patch({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}})
        self.sandbox.settle()
        if comes_to == names.FAILED:
            self.patch({"metadata": {"annotations": {names.COMES_TO: names.COMPLETE}}})
            self.sandbox.settle()

    # --- the promises ---

    def assert_arrived(self, *, keep: bool = True) -> Json:
        """The Deployment has the pods; the DeploymentConfig is there without any, paused."""
        self.sandbox.settle()
        self.sandbox.advance(60)
        (deployment,) = self.deployments().values()
        self._assert_deployment(deployment)
        if not keep:
            assert not self.configs()
            assert not self.controllers()
            return deployment
        found = self.config()
        assert (found["spec"]["paused"], found["spec"]["replicas"]) == (True, 0)
        assert not set(found["metadata"]["annotations"]) & set(record.KEYS)
        for one in self.controllers().values():
            assert one["spec"]["replicas"] == one["status"]["replicas"] == 0
            assert not set(one["metadata"]["annotations"]) & OURS
        assert self.versions() == self.rolled
        return deployment

    def assert_arrived_at(self, size: int) -> Json:
        """The same with that many pods, where it may have none."""
        if size:
            return self.assert_arrived()
        self.sandbox.settle()
        (deployment,) = self.deployments().values()
        assert deployment["spec"]["replicas"] == 0
        return deployment

    def _assert_deployment(self, deployment: Json) -> None:
        size, status = deployment["spec"]["replicas"], deployment["status"]
        assert not deployment["spec"].get("paused")
        assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (size,) * 3
        assert record.MIGRATION not in (deployment["metadata"].get("labels") or {})
        sets = self.replica_sets()
        (active,) = (one for one in sets.values() if one["spec"]["replicas"])
        for one in sets.values():
            assert not set(one["metadata"].get("annotations") or {}) & set(record.KEYS)
            assert (controller_of(one) or {})["uid"] == deployment["metadata"]["uid"]
        self._assert_pods_of(active)

    def assert_home(self, *, same: bool = True) -> Json:
        """The DeploymentConfig has the pods and scales again, and nothing is left of the migration."""
        self.sandbox.settle()
        self.sandbox.advance(60)
        assert not self.replica_sets(), list(self.replica_sets())
        assert not self.deployments(), list(self.deployments())
        found = self.config()
        assert not set(found["metadata"]["annotations"]) & set(record.KEYS)
        active = self.active()
        assert not set(active["metadata"]["annotations"]) & OURS
        if same:
            assert found["spec"] == self.given
            assert active["spec"] == self.spec_of_active
        if not found["spec"].get("paused"):
            assert active["spec"]["replicas"] == found["spec"]["replicas"] == active["status"]["replicas"]
        self._assert_pods_of(active)
        assert not any(HASH_LABEL in pod["metadata"]["labels"] for pod in self.active_pods())
        assert self.versions() == self.rolled
        return active

    def assert_scales(self) -> None:
        size = len(self.active_pods())
        self.patch({"spec": {"replicas": size + 1}})
        self.sandbox.settle()
        self.sandbox.advance(30)
        assert len(self.active_pods()) == size + 1

    def delete_config(self, policy: str = "Background") -> None:
        path = f"/apis/{names.VERSION}/namespaces/default/{DCS}/{NAME}"
        answer = self.sandbox.request("DELETE", path, {}, {"propagationPolicy": policy})
        assert answer.status < 300, answer.body


def _version(controller: Json) -> int:
    return int(controller["metadata"]["annotations"][names.LATEST_VERSION])
