"""Reads ``states/*.json``: what an older client left on the cluster, and the commands that left it there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model.budget import Amount
from testing.kubelet.lifecycle import NODE
from testing.objects import Json
from tests.engine.world import World, patched, to_file, to_image
from tests.support.asking import Asking

FOLDER = Path(__file__).with_name("states")


@dataclass(frozen=True)
class End:
    """The controller that is left when the older client has finished."""

    name: str
    spec: Json
    history: list[list[Any]]
    """Of each revision: its number and its image."""

    @property
    def image(self) -> str:
        return str(self.spec["template"]["spec"]["containers"][0]["image"])

    @property
    def size(self) -> int:
        return int(self.spec["replicas"])


@dataclass(frozen=True)
class State:
    """What was on the cluster after one write."""

    id: str
    commit: str
    """Of the older client."""
    forward: Asking
    """The update, also if the older client was rolling it back."""
    back: Asking
    updated: End
    rolled_back: End
    stage: str
    """``old`` (no update, or rolled back), ``in progress`` or ``new`` (updated)."""
    added: int
    """Pods that other clients have added by scaling."""
    forwards: bool
    """Whether the older client finished the update; else it finished the rollback."""
    remaining: int
    """Writes that it had left to make."""
    at: float
    """Seconds since the start of its clock."""
    objects: list[Json]

    def world(self) -> World:
        """The cluster in that state, settled, without the older client."""
        return World(stored=self.objects, at=self.at, seed=1)  # the older one's uids were of seed 0


def request_of(command: Json) -> Asking:
    """The request that the description of a command line stands for."""
    more: Json = {
        key: command[key]
        for key in ("new_name", "rollback", "to_revision", "keep_name", "supersede", "min_ready_seconds")
        if key in command
    }
    more["pause_at"] = tuple(Amount.parse(point) for point in command.get("pause_at", ()))
    more["history_limit"] = 10
    more["evicts"] = command.get("evict", False)
    match command:
        case {"image": image}:
            return to_image(image, **more)
        case {"patch": patch}:
            return patched(patch, **more)
        case {"file": manifest}:
            return to_file(manifest, **more)
        case {"restart": True}:
            return to_image(**more).but(change=TemplateChange((), restart=True))
    return to_image(**more).but(change=None)


def states() -> list[State]:
    """All states of all stories."""
    return [state for path in sorted(FOLDER.glob("*.json")) for state in _states_of(path)]


def _states_of(path: Path) -> list[State]:
    story = json.loads(path.read_text(encoding="utf-8"))
    found = story["states"]
    return [
        State(
            id=f"{path.stem}-{number:02}",
            commit=story["commit"],
            forward=request_of(story["forward"]),
            back=request_of(story["back"]),
            updated=End(**story["ends"]["forward"]),
            rolled_back=End(**story["ends"]["back"]),
            stage=state["stage"],
            added=state["added"],
            forwards=found[-1]["stage"] == "new",
            remaining=len(found) - 1 - number,
            at=state["at"],
            objects=[here(story["objects"][key]) for key in state["objects"]],
        )
        for number, state in enumerate(found)
    ]


def here(obj: Json) -> Json:
    """The node of today's sandbox has another name, and its kubelet ignores the pods of other nodes."""
    if obj["kind"] == "Pod" and obj["spec"].get("nodeName"):
        return {**obj, "spec": {**obj["spec"], "nodeName": NODE}}
    return obj
