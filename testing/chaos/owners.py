"""Who owned the pods of a namespace, at every instant: told from a watch, as a bystander sees it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from testing.kubelet.pod_status import is_ready
from testing.namespace import Namespace
from testing.objects import Json


@dataclass
class Owners:
    """What was seen of pods until now."""

    made: set[str] = field(default_factory=set)
    """uids of pods that came into being since the look began."""
    gone: set[str] = field(default_factory=set)
    """uids of those that were asked to go, or had gone."""
    unowned: set[str] = field(default_factory=set)
    """Names of pods that were without a controller for an instant."""
    moved: set[str] = field(default_factory=set)
    """uids of pods that had more than one controller in turn."""
    most: int = 0
    """Pods at a time, those being deleted left out."""
    least: int = 10**9
    fewest_ready: int = 10**9
    """Of those."""
    course: list[tuple[str, bool]] = field(default_factory=list)
    """Each pod that came (True) or was asked to go (False), by the image of its first container."""
    _owner: dict[str, str] = field(default_factory=dict)
    _ready: set[str] = field(default_factory=set)

    def see(self, kind: str, pod: Json) -> None:
        meta = pod["metadata"]
        uid = meta["uid"]
        image = pod["spec"]["containers"][0]["image"]
        self._ready.discard(uid)
        if kind == "DELETED" or meta.get("deletionTimestamp"):
            if self._owner.pop(uid, None) is not None:
                self.course.append((image, False))
            self.gone.add(uid)
        else:
            controlling = [
                owner["uid"] for owner in meta.get("ownerReferences") or () if owner.get("controller")
            ]
            owner = controlling[0] if controlling else ""
            if uid not in self._owner and kind == "ADDED":
                self.made.add(uid)
                self.course.append((image, True))
            if self._owner.get(uid, owner) != owner and uid in self._owner:
                self.moved.add(uid)
            if not owner:
                self.unowned.add(meta["name"])
            self._owner[uid] = owner
            if is_ready(pod):
                self._ready.add(uid)
        self.fewest_ready = min(self.fewest_ready, len(self._ready))
        self.most, self.least = max(self.most, len(self._owner)), min(self.least, len(self._owner))


@contextlib.contextmanager
def watched(namespace: Namespace) -> Iterator[Owners]:
    """From now on. What has happened by the end is all in it."""
    path = namespace.path("pods")
    listed = namespace.call("GET", path)
    owners = Owners()
    for pod in listed["items"]:
        owners.see("MODIFIED", pod)
    owners.most = owners.least = len(listed["items"])
    owners.fewest_ready = len(owners._ready)
    version, ended = listed["metadata"]["resourceVersion"], threading.Event()

    def follow() -> None:
        nonlocal version
        while not ended.is_set():
            for event in namespace.client.watch(path, version, 1):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    owners.see(event["type"], event["object"])

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield owners
    finally:
        ended.set()
        thread.join(timeout=10)
