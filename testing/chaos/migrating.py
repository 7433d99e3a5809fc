"""Pods that go to a Deployment, or come from one, and are disturbed: what there is, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass

from testing.chaos.arena import OURS, Arena
from testing.namespace import CONTROLLERS, DEPLOYMENTS, REPLICA_SETS
from testing.objects import Json

NAME = "my-nginx"
UP = (NAME, "--to=deployment")
DOWN = (f"deployment/{NAME}", "--to=replicationcontroller")
MARK = "rolling-update/migration"
_STAY = ("rolling-update/migrated-from", "rolling-update/migrated-to", "rolling-update/deploymentconfig")


@dataclass(frozen=True)
class Move:
    """``arguments`` is the command. ``history``: the controller was updated before; ``arrived``: it was moved
    before, so that it comes back."""

    name: str
    arguments: tuple[str, ...]
    history: bool = False
    arrived: bool = False
    size: int = 3
    goes_back: bool = False
    varies: bool = False

    @property
    def there(self) -> tuple[str, ...]:
        """The way to the Deployment."""
        return UP

    @property
    def back(self) -> tuple[str, ...]:
        """The way back from the Deployment."""
        return DOWN

    def command(self, arena: Arena) -> list[str]:  # noqa: ARG002 - as any story
        """The words, with a --timeout that turns a hang into a failure."""
        return [*self.arguments, "--timeout=120s"]

    def turned(self, arena: Arena) -> list[str]:
        """The other direction."""
        return [*self.command(arena), "--rollback"]

    def prepare(self, arena: Arena) -> None:
        self.have(arena)
        if self.arrived:
            ended = arena.run(*self.there)
            assert ended.status == 0, f"the move before: {ended}"
        arena.served = {pod["metadata"]["uid"] for pod in arena.pods()}
        assert len(arena.served) == self.size

    def have(self, arena: Arena) -> None:
        """What has the pods before any move."""
        container = {"name": "nginx", "image": "nginx:1.7.9"}
        template = {
            "metadata": {"labels": {"app": "nginx"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }
        manifest: Json = {
            "apiVersion": "v1",
            "kind": "ReplicationController",
            "metadata": {"name": NAME},
            "spec": {"replicas": self.size, "selector": {"app": "nginx"}, "template": template},
        }
        arena.have(manifest)
        if self.history:
            ended = arena.run(NAME, "--image=nginx:1.9.1", "--max-surge=3")
            assert ended.status == 0, f"the update before: {ended}"

    def is_over(self, arena: Arena) -> bool:
        """Whether the last write of all was made."""
        found = arena.controllers().get(NAME)
        if not self.arrived:
            return found is None
        marked = found is not None and MARK in (found["metadata"].get("annotations") or {})
        return found is not None and not marked and not arena.objects(DEPLOYMENTS)

    def assert_ended(self, arena: Arena, *, turned: bool = False) -> None:
        """As asked for, or (``turned``) as asked for by the other direction: the same pods, all ready."""
        if self.arrived != turned:
            arena.wait(
                lambda: not arena.objects(REPLICA_SETS) and not arena.objects(DEPLOYMENTS), "nothing is left"
            )
            plural, owner = CONTROLLERS, arena.controller(NAME)
        else:
            arena.wait(lambda: not arena.controllers(), "the controller is gone")
            deployment, sets = arena.objects(DEPLOYMENTS)[NAME], arena.objects(REPLICA_SETS)
            assert not deployment["spec"].get("paused"), "it is paused"
            assert len(sets) == 1 + self.history, list(sets)
            (owner,) = (one for one in sets.values() if one["spec"]["replicas"])
            plural = REPLICA_SETS
            assert_unmarked(deployment, *sets.values())
        assert_unmarked(owner)
        assert_owned(arena, plural, owner, self.size)


def assert_owned(arena: Arena, plural: str, owner: Json, size: int) -> None:
    """The pods are those that there were; that one alone owns them, and counts all of them available."""
    assert owner["spec"]["replicas"] == size

    def available() -> bool:
        found = arena.controller(owner["metadata"]["name"], plural)
        return int(found["status"].get("availableReplicas") or 0) == size

    arena.wait(available, "all pods are available")
    pods = arena.pods()
    assert {pod["metadata"]["uid"] for pod in pods} == arena.served, "other pods"
    for pod in pods:
        assert [one["uid"] for one in pod["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]


def assert_unmarked(*objects: Json, but: tuple[str, ...] = ()) -> None:
    """Nothing of ours is on them but what stays, and the marks that others have as well."""
    for obj in objects:
        meta = obj["metadata"]
        marks = [*(meta.get("annotations") or {}), *(meta.get("labels") or {})]
        left = [mark for mark in marks if mark.startswith(OURS) and mark not in (*_STAY, *but)]
        assert not left, f"left on {meta['name']}: {left}"


MOVES = (
    Move("to a Deployment", UP),
    Move("to a Deployment, with a history", UP, history=True),
    Move("back from a Deployment", DOWN, arrived=True),
    Move("back from a Deployment, with a history", DOWN, history=True, arrived=True),
)
