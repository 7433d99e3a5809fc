"""The updates and rollbacks that are disturbed: what there is, what is asked for, how it ends."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from testing.chaos.arena import Arena
from testing.objects import Json

NAME = "my-nginx"
OLD, NEW, THIRD = "nginx:1.7.9", "nginx:1.9.1", "nginx:1.11"
UPDATE = (NAME, f"--image={NEW}")
OLD_COMMAND = "23 of 30 kills recovered; after 2 of the other 7 there was no controller at all"


def controller(
    name: str, image: str, replicas: int, labels: dict[str, str] | None = None, *, args: bool = False
) -> Json:
    """A controller of nginx pods; the labels are also its selector."""
    all_labels = {"app": "nginx", **(labels or {})}
    container: Json = {"name": "nginx", "image": image, "ports": [{"containerPort": 80}]}
    if args:
        container["args"] = ["nginx", "-T"]
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": dict(all_labels),
            "template": {
                "metadata": {"labels": dict(all_labels)},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


BARE = controller(NAME, OLD, 2)
LABELLED = controller(NAME, OLD, 2, {"deployment": "v1"})
V4 = controller("my-nginx-v4", NEW, 3, {"deployment": "v4"}, args=True)


@dataclass(frozen=True)
class Story:
    """``arguments`` is the command; ``file`` is what its ``-f`` names; ``begun``: the update before it
    (``former``) was killed after that write; ``paused``: it was paused with so many new pods; ``undo``: it
    was finished, and is undone."""

    name: str
    arguments: tuple[str, ...]
    manifest: Json = field(repr=False)
    file: Json | None = field(default=None, repr=False)
    ends_as: str = NAME
    image: str = NEW
    size: int = 2
    begun: int = 0
    paused: int | None = None
    undo: bool = False
    former: tuple[str, ...] = UPDATE
    varies: bool = False

    @property
    def goes_back(self) -> bool:
        return "--rollback" in self.arguments and not self.undo

    def command(self, arena: Arena) -> list[str]:
        """The words, with a --timeout that turns a hang into a failure."""
        file = [] if self.file is None else ["-f", arena.file(self.file)]
        return [*self.arguments, *file, "--timeout=120s"]

    def turned(self, arena: Arena) -> list[str]:
        """The other direction: the rollback of an update, the update instead of a rollback."""
        words = self.command(arena)
        if self.undo:
            return [each.replace("--to-revision=1", "--to-revision=2") for each in words]
        return [each for each in words if each != "--rollback"] if self.goes_back else [*words, "--rollback"]

    def prepare(self, arena: Arena) -> None:
        arena.have(copy.deepcopy(self.manifest))
        if self.begun:
            arena.run(*self.former, trap=(self.begun, False))
            assert arena.proxy.sprung, "the update before was not killed"
        if self.paused is not None:
            ended = arena.run(*UPDATE, f"--pause-at={self.paused}")
            assert "\nPaused: " in f"\n{ended.stderr}", f"the update before has not paused: {ended}"
        if self.undo:
            ended = arena.run(*UPDATE)
            assert ended.status == 0, f"the update before the undo: {ended}"
            arena.before = arena.controller(NAME)

    def is_over(self, arena: Arena) -> bool:
        """Whether the write that was seen last was the last one of all: each ends with a deletion."""
        return arena.proxy.log[-1].startswith("DELETE")

    def assert_ended(self, arena: Arena, *, turned: bool = False) -> None:
        """As asked for, or (``turned``) as asked for by the other direction."""
        if self.undo:
            arena.assert_clean(NAME, NEW if turned else OLD, self.size, as_before=turned)
            arena.assert_history(NAME, NEW if turned else OLD, at_least=2)
        elif turned != self.goes_back:
            arena.assert_history(NAME, OLD, at_least=0)
            arena.assert_clean(NAME, OLD, self.manifest["spec"]["replicas"], as_before=True)
        else:
            arena.assert_clean(self.ends_as, self.image, self.size)
            arena.assert_history(self.ends_as, self.image, at_least=2)


BACK = (*UPDATE, "--rollback")
SUPERSEDE = (NAME, f"--image={THIRD}", "--supersede")
FIRST = Story("image, keeping the name, first update (pods are labelled)", UPDATE, BARE)
SECOND = Story("image, keeping the name, second update", UPDATE, LABELLED)
STORIES = (
    FIRST,
    SECOND,
    Story("image, to a new name", (NAME, "next", f"--image={NEW}"), BARE, ends_as="next"),
    Story("file", (NAME,), LABELLED, V4, ends_as="my-nginx-v4", size=3),
    Story("file, keeping the name", (NAME, "--keep-name"), LABELLED, V4, size=3),
    # The update has 14 writes: 6 the first scale-up, 7 the first scale-down, 10 release, 11 adopt, two
    # for its history, and the last one deletes.
    Story("rollback early", BACK, BARE, begun=6),
    Story("rollback in the middle", BACK, BARE, begun=7),
    Story("rollback in the finish, pods released", BACK, BARE, begun=10),
    Story("rollback in the finish, ownership transferred", BACK, BARE, begun=11),
    Story("resumed after a pause", UPDATE, BARE, paused=1),
    Story("rollback of a paused update", BACK, BARE, paused=1),
    Story("superseded by another version, early", SUPERSEDE, BARE, image=THIRD, begun=5),
    Story("superseded by another version, in the middle", SUPERSEDE, BARE, image=THIRD, begun=7),
    Story("undo of a finished update", (NAME, "--rollback", "--to-revision=1"), BARE, undo=True),
)
