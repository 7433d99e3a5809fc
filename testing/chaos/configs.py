"""Pods that go from a DeploymentConfig to a Deployment, or back to it, and are disturbed: what there is, and
how it ends. For clusters that know the kind, with its controller."""

from __future__ import annotations

from dataclasses import dataclass

from testing.chaos.arena import Arena
from testing.chaos.migrating import MARK, Move, assert_owned, assert_unmarked
from testing.namespace import CONFIGS, CONTROLLERS, DEPLOYMENTS, REPLICA_SETS
from testing.objects import Json
from testing.openshift import names

NAME = "my-nginx"
IMAGES = ("nginx:1.7.9", "nginx:1.9.1")
UP = (f"dc/{NAME}", "--to=deployment")
DOWN = (f"deployment/{NAME}", "--to=deploymentconfig")


@dataclass(frozen=True)
class ConfigMove(Move):
    """As a Move; ``history``: there is an older version."""

    history: bool = True

    @property
    def there(self) -> tuple[str, ...]:
        return UP

    @property
    def back(self) -> tuple[str, ...]:
        return DOWN

    @property
    def images(self) -> tuple[str, ...]:
        """Of its rollouts, all of them complete."""
        return IMAGES if self.history else IMAGES[:1]

    def have(self, arena: Arena) -> None:
        for version, image in enumerate(self.images, 1):
            if version == 1:
                arena.create(_manifest(image, self.size))
            else:
                arena.merge(NAME, {"spec": {"template": _template(image)}}, CONFIGS)
            _complete(arena, version, self.size)
        arena.before = arena.controller(NAME, CONFIGS)

    def is_over(self, arena: Arena) -> bool:
        """Whether the last write of all was made: it takes the record off the controller."""
        marked = any(MARK in one["metadata"]["annotations"] for one in arena.controllers().values())
        return not marked and bool(arena.objects(DEPLOYMENTS)) != self.arrived

    def assert_ended(self, arena: Arena, *, turned: bool = False) -> None:
        """As asked for, or (``turned``) as asked for by the other direction: the same pods, all ready."""
        config = arena.controller(NAME, CONFIGS)
        if self.arrived != turned:
            arena.wait(
                lambda: not arena.objects(REPLICA_SETS) and not arena.objects(DEPLOYMENTS), "nothing is left"
            )
            assert config["spec"] == arena.before["spec"], "the spec is not the one before"
            plural, owners = CONTROLLERS, arena.controllers()
        else:
            assert (config["spec"]["paused"], config["spec"]["replicas"]) == (True, 0)
            assert not any(one["spec"]["replicas"] for one in arena.controllers().values())
            deployment = arena.objects(DEPLOYMENTS)[NAME]
            assert not deployment["spec"].get("paused"), "it is paused"
            assert_unmarked(deployment)
            plural, owners = REPLICA_SETS, arena.objects(REPLICA_SETS)
        assert len(arena.controllers()) == len(owners) == len(self.images), list(owners)
        assert config["status"]["latestVersion"] == len(self.images), "it was rolled out again"
        assert_unmarked(config, *owners.values(), *arena.controllers().values(), but=_DEPLOYERS)
        (owner,) = (one for one in owners.values() if one["spec"]["replicas"])
        assert_owned(arena, plural, owner, self.size)


_DEPLOYERS = ("kubectl.kubernetes.io/desired-replicas", "kubectl.kubernetes.io/original-replicas")
"""OpenShift has two of these annotations as well."""


def _template(image: str) -> Json:
    container = {"name": "nginx", "image": image}
    return {
        "metadata": {"labels": {"app": "nginx"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }


def _manifest(image: str, size: int) -> Json:
    return {
        "apiVersion": names.VERSION,
        "kind": names.KIND,
        "metadata": {"name": NAME},
        "spec": {"replicas": size, "selector": {"app": "nginx"}, "template": _template(image)},
    }


def _complete(arena: Arena, version: int, size: int) -> None:
    """Wait until that rollout is complete, and all that there is."""

    def is_complete() -> bool:
        found = arena.controllers().get(names.controller_name(NAME, version))
        return (
            found is not None
            and found["metadata"]["annotations"].get(names.PHASE) == names.COMPLETE
            and found["status"].get("availableReplicas") == size
            and arena.controller(NAME, CONFIGS)["status"].get("availableReplicas") == size
            and len(arena.pods()) == size
        )

    arena.wait(is_complete, f"rollout {version} is complete")


CONFIG_MOVES = (
    ConfigMove("from a DeploymentConfig to a Deployment", UP),
    ConfigMove("back to the DeploymentConfig", DOWN, arrived=True),
)
