"""Records what the client of commit dc6ced3 leaves on the cluster at each write, where pods are evicted
(``states/evict*.json``) and where they go to a Deployment or come from one (``moves/*.json``).

As ``record_states`` it was run once, on that commit, and is kept to show where the files come from:

    git worktree add ../old dc6ced3
    cp -r tests/compat ../old/tests/
    cd ../old && python -m tests.compat.record_later tests/compat

The clock of the sandbox is a fake one, its random numbers have a fixed seed, and one thread writes to the
pods: the files are the same each time. Files of updates are as those of ``record_states``. A file of a move
is one story: the command that was running or was rolled back (``forward``), the one that rolls it back
(``back``), what the controller, or the DeploymentConfig, is before or in the end (``home``), and the states.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rollupdate.core.model import history
from rollupdate.engine import evicting, executor, migration, moving
from rollupdate.engine.order import Order
from testing.objects import Json
from testing.sandbox import Change, Sandbox
from tests.engine import world as worlds
from tests.engine.configs import Configs
from tests.engine.evictions import BACK_EVICT, EVICT, Evictions, budget
from tests.engine.inprocess import Killed
from tests.engine.migrations import NAME, Migrations, web
from tests.support.manifests import my_nginx

COMMIT = "dc6ced3"
SIZE = 2
KINDS = {
    "replicationcontrollers": ("v1", "ReplicationController"),
    "pods": ("v1", "Pod"),
    "controllerrevisions": ("apps/v1", "ControllerRevision"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "deployments": ("apps/v1", "Deployment"),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget"),
    "deploymentconfigs": ("apps.openshift.io/v1", "DeploymentConfig"),
}
WIDTH = 120
WALL = 1_700_000_000.0
"""The time of day, for the history."""


class Recorder:
    """What is in the namespace, at the beginning and after each write of a client, from now on."""

    def __init__(self, sandbox: Sandbox, stage: str) -> None:
        self.sandbox = sandbox
        self.objects: dict[str, Json] = {}
        self.states: list[Json] = []
        self._see("", stage)
        sandbox.on_write(self._written)

    def _written(self, change: Change) -> None:
        if change.actor == "client":
            self._see(f"{change.verb} {change.resource.plural}/{change.name}", "in progress")

    def _see(self, write: str, stage: str) -> None:
        names = []
        for plural, (version, kind) in KINDS.items():
            if plural == "deploymentconfigs" and self.sandbox.deployment_configs is None:
                continue
            for found in self.sandbox.objects(plural, "default"):
                obj = {**found, "apiVersion": version, "kind": kind}
                names.append(f"{kind}/{obj['metadata']['name']}@{obj['metadata']['resourceVersion']}")
                self.objects[names[-1]] = obj
        at = math.ceil(self.sandbox.now() * 1000) / 1000
        state = {"write": write, "at": at, "stage": stage, "added": 0, "objects": names}
        if not self.states or self.states[-1]["objects"] != names:
            self.states.append(state)


# --- updates ---


def update_story(title: str, *, back_from: int = 0) -> Json:
    """An update with evictions under a budget; ``back_from``: its rollback, begun after that write."""

    def begun() -> Evictions:
        guard = budget(minAvailable=SIZE)
        world = Evictions(guard, manifest=my_nginx(replicas=SIZE), size=SIZE)
        if back_from:
            _killed(world, back_from)
        return world

    world = begun()
    recorder = Recorder(world.sandbox, "in progress" if back_from else "old")
    world.update(BACK_EVICT if back_from else EVICT)
    recorder.states[-1]["stage"] = "old" if back_from else "new"
    ends = {"old" if back_from else "new": _end_of(world)}
    other = begun()
    if not back_from:
        _killed(other, 12)
    other.update(EVICT if back_from else BACK_EVICT)
    ends["new" if back_from else "old"] = _end_of(other)
    forward: Json = {"image": "nginx:1.9.1", "evict": True}
    return {
        "title": title,
        "commit": COMMIT,
        "forward": forward,
        "back": {**forward, "rollback": True},
        "ends": {"forward": ends["new"], "back": ends["old"]},
        "states": recorder.states,
        "objects": recorder.objects,
    }


def _killed(world: Evictions, write: int) -> None:
    def dies(number: int) -> None:
        if number == write:
            raise Killed(number)

    try:
        world.update(EVICT, after=dies)
    except Killed:
        world.sandbox.settle()
        return
    raise AssertionError("it has come to its end")


def _end_of(world: Evictions) -> Json:
    """The one controller that there is, its specification and its history."""
    world.sandbox.settle()
    (found,) = world.controllers().values()
    revisions = history.revisions(world.sandbox.objects("controllerrevisions", "default"))
    return {
        "name": found["metadata"]["name"],
        "spec": found["spec"],
        "history": [[revision.number, revision.images[0]] for revision in revisions],
    }


# --- moves ---


@dataclass(frozen=True)
class Story:
    """``arrived``: it was moved before, and comes back; ``undone``: its rollback, begun after that write."""

    title: str
    config: bool
    arrived: bool = False
    undone: int = 0

    def order(self, *, rollback: bool = False, to_deployment: bool | None = None) -> Order:
        upwards = not self.arrived if to_deployment is None else to_deployment
        return Order(name=NAME, new_name=NAME, to_deployment=upwards, config=self.config, rollback=rollback)

    def world(self) -> Migrations:
        return Configs(SIZE, ("web:1.0", "web:2.0")) if self.config else Migrations(web(SIZE))

    def recorded(self) -> Json:
        world = self.world()
        home = _home(world)
        if self.arrived:
            world.run(self.order(to_deployment=True))
        if self.undone:
            assert world.killed_at(self.order(), self.undone, before=False)
        world.sandbox.settle()
        world.watched_from_now()
        recorder = Recorder(world.sandbox, "in progress" if self.undone else "begin")
        world.run(self.order(rollback=bool(self.undone)))
        recorder.states[-1]["stage"] = "begin" if self.undone else "end"
        world.assert_kept()
        return {
            "title": self.title,
            "commit": COMMIT,
            "forward": self._words(),
            "back": {**self._words(), "rollback": True},
            "home": home,
            "states": recorder.states,
            "objects": recorder.objects,
        }

    def _words(self) -> Json:
        return {"to_deployment": not self.arrived, "config": self.config}


def _home(world: Migrations) -> Json:
    """What has the pods before the first move, and what is said of them there."""
    if isinstance(world, Configs):
        return {"config": world.given, "controller": world.spec_of_active}
    return {"controller": world.spec}


STORIES = {
    "to-deployment": Story("from a controller to a Deployment", config=False),
    "to-deployment-undone": Story("the same, rolled back with its pods moved", config=False, undone=8),
    "to-controller": Story("from a Deployment to a controller", config=False, arrived=True),
    "config-to-deployment": Story("from a DeploymentConfig to a Deployment", config=True),
    "config-to-deployment-undone": Story("the same, rolled back", config=True, undone=12),
    "to-config": Story("back to the DeploymentConfig", config=True, arrived=True),
    "to-config-undone": Story("the same, rolled back", config=True, arrived=True, undone=9),
}
UPDATES: dict[str, Callable[[], Json]] = {
    "evict": partial(update_story, "an image, old pods evicted under a budget"),
    "evict-rollback": partial(update_story, "its rollback, begun with an old pod evicted", back_from=12),
}


def text_of(value: Any, depth: int = 0, label: str = "") -> str:
    """JSON with sorted keys, in as many lines as it takes to read it."""
    short = label + json.dumps(value, sort_keys=True)
    if depth + len(short) < WIDTH or not isinstance(value, (dict, list)):
        return " " * depth + short
    if isinstance(value, dict):
        parts = [text_of(value[key], depth + 1, f"{json.dumps(key)}: ") for key in sorted(value)]
    else:
        parts = [text_of(item, depth + 1) for item in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return f"{' ' * depth}{label}{opened}\n" + ",\n".join(parts) + f"\n{' ' * depth}{closed}"


def main(folder: Path) -> None:
    executor.LABELLING_THREADS = moving.THREADS = evicting.THREADS = 1
    migration.THREADS = 1
    worlds.Update = partial(worlds.Update, wall=lambda: WALL)
    (folder / "moves").mkdir(exist_ok=True)
    made = {
        **{f"states/{name}": story for name, story in UPDATES.items()},
        **{f"moves/{name}": story.recorded for name, story in STORIES.items()},
    }
    for name, recorded in made.items():
        (folder / f"{name}.json").write_text(text_of(recorded()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
