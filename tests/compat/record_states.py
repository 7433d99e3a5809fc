"""Records what the client of commit 47c7612 leaves on the cluster at each write: ``states/*.json``.

It was run once, on that commit and against the sandbox of that commit, and is kept to show where the files
come from. Its imports are those of that commit: it is not run, and not checked by mypy, on any other.

    git worktree add ../old 47c7612
    cp -r tests/compat ../old/tests/
    cd ../old && python -m tests.compat.record_states tests/compat/states

The clock of the sandbox is a fake one, its random numbers have a fixed seed, and pods are labelled by one
thread: the files are the same each time. A file is one story: the command that was running (``forward``), the
command that rolls it back (``back``), how both end with the old client (``ends``), and the states. A state
names the objects that it consists of; ``objects`` has each version of an object once, under
``kind/name@resourceVersion``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rollupdate.core import history, record
from rollupdate.core.budget import Amount
from rollupdate.core.edits import MergePatch, SetImage
from rollupdate.core.request import FileChange, Request, TemplateChange
from rollupdate.engine import update as engine
from sandbox import Change
from tests.engine import world as worlds
from tests.engine.inprocess import Killed
from tests.engine.world import NAME, World
from tests.support.manifests import my_nginx, my_nginx_v4

Json = dict[str, Any]
COMMIT = "47c7612"
OLD, NEW, THIRD = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.11"
KINDS = {
    "replicationcontrollers": ("v1", "ReplicationController"),
    "pods": ("v1", "Pod"),
    "controllerrevisions": ("apps/v1", "ControllerRevision"),
}
BACK = {"rollback": True}
WIDTH = 120
WALL = 1_700_000_000.0
"""The time of day, for the history."""


def request_of(command: Json) -> Request:
    """The request that a description of a command line stands for."""
    change: Any = None
    edits: list[Any] = []
    if "image" in command:
        edits.append(SetImage(command["image"], None, None))
    if "patch" in command:
        edits.append(MergePatch({"spec": {"containers": [{"name": "nginx", **command["patch"]}]}}))
    if edits or command.get("restart"):
        change = TemplateChange(tuple(edits), command.get("restart", False))
    if "file" in command:
        change = FileChange(command["file"], "rc.yaml")
    return Request(
        name=NAME,
        new_name=command.get("new_name"),
        change=change,
        rollback=command.get("rollback", False),
        to_revision=command.get("to_revision"),
        keep_name=command.get("keep_name", False),
        supersede=command.get("supersede", False),
        min_ready_seconds=command.get("min_ready_seconds"),
        pause_at=tuple(Amount.parse(point) for point in command.get("pause_at", ())),
        history_limit=10,
        started_by="user@host",
    )


def objects_of(world: World) -> list[Json]:
    return [
        {"apiVersion": version, "kind": kind, **obj}
        for plural, (version, kind) in KINDS.items()
        for obj in world.sandbox.objects(plural, "default")
    ]


def marked(controller: Json, key: str) -> bool:
    return key in (controller["metadata"].get("annotations") or {})


def has(world: World, key: str) -> bool:
    """Whether some controller has that annotation."""
    return any(marked(found, key) for found in world.controllers().values())


def new_controller(world: World) -> Json | None:
    return next((found for name, found in world.controllers().items() if name != NAME), None)


class Recorder:
    """What is in the namespace, at the beginning and after each write of a client, from now on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.objects: dict[str, Json] = {}
        self.states: list[Json] = []
        self.added = 0
        """Pods that others have added so far."""
        self._see("", "in progress" if any(has(world, key) for key in record.KEYS) else "old")
        world.sandbox.on_write(self._written)

    def _written(self, change: Change) -> None:
        if change.actor == "client":
            self._see(f"{change.verb} {change.resource.plural}/{change.name}", "in progress")

    def _see(self, write: str, stage: str) -> None:
        names = []
        for obj in objects_of(self.world):
            meta = obj["metadata"]
            names.append(f"{obj['kind']}/{meta['name']}@{meta['resourceVersion']}")
            self.objects[names[-1]] = obj
        at = math.ceil(self.world.sandbox.now() * 1000) / 1000
        state = {"write": write, "at": at, "stage": stage, "added": self.added, "objects": names}
        if not self.states or self.states[-1]["objects"] != names:
            self.states.append(state)

    # --- what a story consists of ---

    def run(self, command: Json, *, ends: str = "in progress") -> None:
        """To its end, or to its pause. ``ends``: what there is then."""
        self.world.update(request_of(command))
        assert self.world.paused == (ends == "in progress")
        self.states[-1]["stage"] = ends

    def run_until(self, command: Json, happened: Callable[[World], bool]) -> None:
        """Killed after the write with which that has happened."""
        run_until(self.world, command, happened)

    def scaled_during(self, command: Json, name: str, to: int, adds: int, *, ends: str) -> None:
        """Another client scales the controller ``name`` (``new``: the new one) once there is a new pod."""
        done = False

        def scale(number: int) -> None:
            nonlocal done
            new = new_controller(self.world)
            if done or new is None or new["spec"]["replicas"] == 0:
                return
            done = True
            self.added += adds
            self.world.sandbox.scale("default", new["metadata"]["name"] if name == "new" else name, to)

        self.world.update(request_of(command), after=scale)
        assert done
        self.states[-1]["stage"] = ends


def run_until(world: World, command: Json, happened: Callable[[World], bool]) -> None:
    def look(number: int) -> None:
        if happened(world):
            raise Killed

    try:
        world.update(request_of(command), after=look)
    except Killed:
        return
    raise AssertionError("it has come to its end")


def labelled(world: World) -> bool:
    return has(world, record.LABELLED)


def scaled(world: World) -> bool:
    """The new controller has its first pod."""
    new = new_controller(world)
    return new is not None and new["spec"]["replicas"] > 0


def half(world: World) -> bool:
    """The old controller has given a pod."""
    return world.controller(NAME)["spec"]["replicas"] == 1


def empty(world: World) -> bool:
    return world.controller(NAME)["spec"]["replicas"] == 0


def released(world: World) -> bool:
    return has(world, record.HANDOVER)


def adopted(world: World) -> bool:
    return released(world) and not empty(world)


def stripped(world: World) -> bool:
    """The record of the new controller is off."""
    new = new_controller(world)
    return new is not None and empty(world) and not marked(new, record.SOURCE_ID)


def fenced(world: World) -> bool:
    """A rollback has marked both controllers."""
    return all(marked(found, record.TURN) for found in world.controllers().values())


def three(world: World) -> bool:
    """A newer update has a pod of its own."""
    return len(world.controllers()) == 3 and all(
        found["spec"]["replicas"] for name, found in world.controllers().items() if name != NAME
    )


# --- the stories ---


@dataclass
class Story:
    title: str
    manifest: Json
    forward: Json
    course: Callable[[Recorder], None]
    back: Json = field(default_factory=dict)
    """Of itself: the forward command with --rollback."""
    finished: tuple[Json, ...] = ()
    """Updates that are finished before it begins."""
    begun: Callable[[World], None] = lambda world: None
    """What there is in progress before what is recorded."""

    def origin(self) -> World:
        """Before anything of it is in progress."""
        world = World(self.manifest)
        for command in self.finished:
            world.update(request_of(command))
            world.settled_anew()
        return world


BARE = my_nginx(replicas=2)
LABELLED = my_nginx(replicas=2, labels={"deployment": "v1"}, selector=True)
IMAGE: Json = {"image": NEW}
NEXT: Json = {"image": NEW, "new_name": "next"}
ANOTHER: Json = {"image": THIRD, "supersede": True}
FILE: Json = {"file": my_nginx_v4(3)}
KEEPING: Json = {**FILE, "keep_name": True}
PAUSING: Json = {"patch": {"image": NEW, "env": [{"name": "A", "value": "1"}]}, "pause_at": ["1"]}
RESTART: Json = {"restart": True, "min_ready_seconds": 5}
UNDO: Json = {"rollback": True, "to_revision": 1}
UNDO_BACK: Json = {"rollback": True, "to_revision": 2}


def forwards(command: Json) -> Callable[[Recorder], None]:
    return lambda recorder: recorder.run(command, ends="new")


def back_from(command: Json, back: Json | None = None) -> Callable[[Recorder], None]:
    return lambda recorder: recorder.run(back or {**command, **BACK}, ends="old")


def begun(command: Json, happened: Callable[[World], bool]) -> Callable[[World], None]:
    return lambda world: run_until(world, command, happened)


def both(*steps: Callable[[World], None]) -> Callable[[World], None]:
    def all_of_them(world: World) -> None:
        for step in steps:
            step(world)

    return all_of_them


def turned_twice(recorder: Recorder) -> None:
    recorder.run_until({**IMAGE, **BACK}, fenced)
    recorder.run(IMAGE, ends="new")


def paused(recorder: Recorder) -> None:
    recorder.run(PAUSING)
    recorder.run(PAUSING, ends="new")


STORIES = {
    "image": Story("an image, keeping the name", BARE, IMAGE, forwards(IMAGE)),
    "image-to-another-name": Story("an image, to another name", BARE, NEXT, forwards(NEXT)),
    "file": Story("a file, with a pod more", LABELLED, FILE, forwards(FILE)),
    "file-keeping-the-name": Story("a file, keeping the name", LABELLED, KEEPING, forwards(KEEPING)),
    "patch-paused": Story("a patch, with --pause-at", LABELLED, PAUSING, paused),
    "restart-min-ready": Story("a restart, with --min-ready-seconds", LABELLED, RESTART, forwards(RESTART)),
    "scaled-old": Story(
        "another client scales the old controller",
        LABELLED,
        IMAGE,
        lambda recorder: recorder.scaled_during(IMAGE, NAME, 3, 1, ends="new"),
    ),
    "scaled-new": Story(
        "another client scales the new controller",
        LABELLED,
        IMAGE,
        lambda recorder: recorder.scaled_during(IMAGE, "new", 4, 2, ends="new"),
    ),
    "rollback-while-labelling": Story(
        "a rollback, begun when the label was written",
        BARE,
        IMAGE,
        back_from(IMAGE),
        begun=begun(IMAGE, labelled),
    ),
    "rollback-after-the-first-pod": Story(
        "a rollback, begun when there was one new pod",
        BARE,
        IMAGE,
        back_from(IMAGE),
        begun=begun(IMAGE, scaled),
    ),
    "rollback-in-the-handover": Story(
        "a rollback, begun when the new controller had released its pods",
        LABELLED,
        IMAGE,
        back_from(IMAGE),
        begun=begun(IMAGE, released),
    ),
    "rollback-after-the-handover": Story(
        "a rollback, begun when the old controller had adopted the pods",
        BARE,
        IMAGE,
        back_from(IMAGE),
        begun=begun(IMAGE, adopted),
    ),
    "rollback-from-another-name": Story(
        "a rollback of an update to another name, begun half way",
        BARE,
        NEXT,
        back_from(NEXT),
        begun=begun(NEXT, half),
    ),
    "rollback-from-another-name-in-the-finish": Story(
        "a rollback of an update to another name, begun when the new record was off",
        LABELLED,
        NEXT,
        back_from(NEXT),
        begun=begun(NEXT, stripped),
    ),
    "turned-twice": Story(
        "rolled back, and forwards again", LABELLED, IMAGE, turned_twice, begun=begun(IMAGE, half)
    ),
    "supersede": Story(
        "an update that supersedes another", BARE, ANOTHER, forwards(ANOTHER), begun=begun(IMAGE, half)
    ),
    "supersede-rollback": Story(
        "a rollback of an update that supersedes another",
        LABELLED,
        ANOTHER,
        back_from(ANOTHER),
        begun=both(begun(IMAGE, half), begun(ANOTHER, three)),
    ),
    "undo": Story("to a revision", BARE, UNDO, forwards(UNDO), back=UNDO_BACK, finished=(IMAGE,)),
    "undo-rollback": Story(
        "a rollback of an undo",
        BARE,
        UNDO,
        back_from(UNDO, UNDO_BACK),
        back=UNDO_BACK,
        finished=(IMAGE,),
        begun=begun(UNDO, half),
    ),
}


def end_of(world: World) -> Json:
    """The one controller that there is, its specification and its history."""
    world.sandbox.settle()
    (found,) = world.controllers().values()
    revisions = history.revisions(world.sandbox.objects("controllerrevisions", "default"))
    return {
        "name": found["metadata"]["name"],
        "spec": found["spec"],
        "history": [[revision.number, revision.images[0]] for revision in revisions],
    }


def recorded(story: Story) -> Json:
    world = story.origin()
    ends = {"back": end_of(world)}
    story.begun(world)
    world.sandbox.settle()
    recorder = Recorder(world)
    story.course(recorder)
    world = story.origin()
    story.begun(world)
    world.update(request_of(story.forward))
    if world.paused:
        world.update(request_of(story.forward))
    ends["forward"] = end_of(world)
    return {
        "title": story.title,
        "commit": COMMIT,
        "forward": story.forward,
        "back": story.back or {**story.forward, **BACK},
        "ends": ends,
        "states": recorder.states,
        "objects": recorder.objects,
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
    engine.LABELLING_THREADS = 1
    worlds.Update = partial(engine.Update, wall=lambda: WALL)
    for name, story in STORIES.items():
        (folder / f"{name}.json").write_text(text_of(recorded(story)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
