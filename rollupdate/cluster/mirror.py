"""The latest known state of a few ReplicationControllers, by name. What is newer is decided here, and waiting
happens here; how news gets here is in ``watch`` and ``direct``.

A lost, doubled, late or reordered event changes nothing: an older resourceVersion never replaces a newer one,
and a uid that is known to be deleted never comes back.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rollupdate.cluster.connection import Connection
from rollupdate.cluster.direct import DirectLooks
from rollupdate.cluster.watch import Listing, Source, Watch
from rollupdate.errors import RollingUpdateError
from rollupdate.objects import Json


@dataclass
class _Entry:
    """What is known of one name. ``changes`` counts; ``seen`` is the count that was last looked at."""

    obj: Json | None = None
    changes: int = 0
    seen: int = 0
    gone: dict[str, float] = field(default_factory=dict)
    """uid of what was deleted -> resourceVersion up to which news of it is old; infinity where it is certain
    that it is gone. (A finalizer may keep an object after we have deleted it.)"""


class WatchedMirror:
    """``rollupdate.engine.ports.Mirror``, fed by one watch per name. Thread safe."""

    def __init__(
        self,
        source: Source,
        connection: Connection,
        names: Sequence[str],
        *,
        poll_interval: float,
        listing: Listing | None = None,
    ) -> None:
        """Looks once at each name before it returns, unless ``listing`` has them. Raises ClusterError."""
        self._source = source
        self._changed = threading.Condition()
        self._error: RollingUpdateError | None = None
        self._entries: dict[str, _Entry] = {}
        self._watches: list[Watch] = []
        self._direct = DirectLooks(self, self._watched, poll_interval)
        for name in dict.fromkeys(names):
            self._entries[name] = _Entry()
            watch = Watch(source, connection, name, self, poll_interval=poll_interval)
            watch.first_look(listing)
            self._watches.append(watch)
        for entry in self._entries.values():
            entry.seen = entry.changes
        for watch in self._watches:
            watch.start()
        self._direct.start()

    # --- for the engine ---

    def get(self, name: str) -> Json | None:
        with self._changed:
            entry = self._entry(name)
            entry.seen = entry.changes
            return entry.obj

    def put(self, obj: Json) -> None:
        name = obj["metadata"]["name"]
        with self._changed:
            self._take(name, obj)
            entry = self._entry(name)
            entry.seen = entry.changes

    def forget(self, name: str, uid: str) -> None:
        with self._changed:
            entry = self._entry(name)
            if entry.obj is not None and _uid(entry.obj) == uid:
                known = _number(_version(entry.obj))
                entry.gone.setdefault(uid, math.inf if known is None else known)
                self._set(entry, None)
                entry.seen = entry.changes

    def refresh(self, name: str) -> Json | None:
        with self._changed:
            before = self._entry(name).obj
        obj = self._source.get_controller(name)
        with self._changed:
            entry = self._entry(name)
            self._take_read(entry, name, obj, before)
            entry.seen = entry.changes
            return entry.obj

    def wait(self, seconds: float) -> bool:
        self._direct.awaited(now=True)
        try:
            return self._wait(seconds)
        finally:
            self._direct.awaited(now=False)

    def _wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                if self._error is not None:
                    raise self._error
                if any(entry.seen != entry.changes for entry in self._entries.values()):
                    for entry in self._entries.values():
                        entry.seen = entry.changes
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 1.0))  # in slices: Ctrl-C does not get through everywhere

    def close(self) -> None:
        self._direct.close()
        for watch in self._watches:
            watch.stop()
        for watch in self._watches:
            watch.join(0.2)

    # --- for direct looks ---

    def look(self, name: str) -> bool:
        with self._changed:
            before = self._entry(name).obj
        obj = self._source.get_controller(name)
        with self._changed:
            return self._take_read(self._entry(name), name, obj, before)

    def _watched(self) -> list[str]:
        return [watch.name for watch in self._watches if not watch.is_polling]

    # --- for the watches ---

    def delivered(self, name: str) -> None:
        """Something came of the watch, be it news or not."""
        self._direct.delivered(name)

    def took(self, name: str, obj: Json) -> bool:
        """News of an object. True if it was any."""
        with self._changed:
            return self._take(name, obj)

    def took_deletion(self, name: str, obj: Json) -> None:
        """The object was deleted for good; one of another uid under the name stays."""
        with self._changed:
            self._gone(self._entry(name), _uid(obj))

    def took_absence(self, name: str, version: str) -> bool:
        """There was no object of the name in a list of that resourceVersion. True if that is news."""
        with self._changed:
            entry = self._entry(name)
            if entry.obj is None or _older(version, _version(entry.obj)):
                return False
            self._gone(entry, _uid(entry.obj))
            return True

    def fail(self, error: RollingUpdateError) -> None:
        """Nothing more can be learned: ``wait`` says so from now on."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    # --- with the lock held ---

    def _entry(self, name: str) -> _Entry:
        return self._entries.setdefault(name, _Entry())

    def _set(self, entry: _Entry, obj: Json | None) -> None:
        entry.obj = obj
        entry.changes += 1
        self._direct.news()
        self._changed.notify_all()

    def _gone(self, entry: _Entry, uid: str) -> None:
        entry.gone[uid] = math.inf
        if entry.obj is not None and _uid(entry.obj) == uid:
            self._set(entry, None)

    def _take_read(self, entry: _Entry, name: str, obj: Json | None, before: Json | None) -> bool:
        """What a read has found, if ``before`` was known when it began. True if it is news."""
        if obj is not None:
            return self._take(name, obj)
        # One that was made since the read began is not gone.
        if entry.obj is None or before is None or _uid(entry.obj) != _uid(before):
            return False
        self._gone(entry, _uid(before))
        return True

    def _take(self, name: str, obj: Json) -> bool:
        entry = self._entry(name)
        version = _version(obj)
        limit = entry.gone.get(_uid(obj))
        if limit is not None and (_number(version) or 0) <= limit:
            return False
        known = entry.obj
        if known is not None:
            same = _uid(known) == _uid(obj) and version == _version(known)
            if same or _older(version, _version(known)):
                return False
        self._set(entry, obj)
        return True


def _uid(obj: Json) -> str:
    return str(obj["metadata"].get("uid"))


def _version(obj: Json) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _number(version: str) -> int | None:
    return int(version) if version.isascii() and version.isdigit() and len(version) < 30 else None


def _older(version: str, known: str) -> bool:
    """Where both are numbers, as they always are in practice; else the server's order is what counts."""
    one, other = _number(version), _number(known)
    return one is not None and other is not None and one < other
