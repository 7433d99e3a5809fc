"""One watch: which changes it shows, as what. How it is sent is the server's business."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.clock import Clock, Scheduled
from testing.sandbox.objects import Predicate, copied
from testing.sandbox.resources import Resource
from testing.sandbox.store import Change, Store

BOOKMARK_INTERVAL = 60.0
"""Seconds between bookmarks of a watch that wants them. The real server sends about one a minute, too."""


BOOKMARK_BEFORE_END = 2.0
"""Seconds from the last bookmark to the end of a watch. One that is shorter than that gets none."""


class Watch:
    """The events of a watch, until it is closed: by its reader, by its timeout, or by the server.

    An object that starts to match is ADDED, one that stops to is DELETED, whatever happened to it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        resource: Resource,
        namespace: str | None,
        predicate: Predicate | None,
    ) -> None:
        self.on_event: list[Callable[[Json], None]] = []
        """Called with every event as it comes, by whoever made the change."""
        self.closed = False
        self._store = store
        self._clock = clock
        self._resource = resource
        self._namespace = namespace
        self._predicate = predicate
        self._events: deque[Json] = deque()
        self._arrived = threading.Condition(clock.lock)
        self._scheduled: list[Scheduled] = []

    def open(
        self,
        version: int | None,
        *,
        bookmarks: bool = False,
        timeout: float | None = None,
        tells_end: bool = False,
    ) -> Watch:
        """Start after ``version``, or (None) with what there is. Too old a version ends it with an ERROR.

        ``tells_end``: with a bookmark after what there is.
        """
        with self._clock.lock:
            if version is None:
                for obj in self._store.objects(self._resource, self._namespace):
                    if self._matches(obj):
                        self._put("ADDED", obj)
                if tells_end:
                    self._bookmark({"annotations": {"k8s.io/initial-events-end": "true"}})
            elif version < self._store.compacted:
                message = f"too old resource version: {version} ({self._store.compacted})"
                self._put("ERROR", statuses.expired(message).body)
                self.closed = True
                return self
            else:
                for change in self._store.since(self._resource, version):
                    self._see(change)
            self._store.listeners.append(self._see)
            if timeout is not None:
                self._schedule(timeout, self.close)
                if bookmarks and timeout > BOOKMARK_BEFORE_END:
                    self._schedule(timeout - BOOKMARK_BEFORE_END, self._bookmark)
            if bookmarks:
                self._schedule(BOOKMARK_INTERVAL, self._regular_bookmark)
        return self

    def pending(self) -> list[Json]:
        """The events that came since the last look, as copies; never waits."""
        with self._clock.lock:
            events = [copied(event) for event in self._events]
            self._events.clear()
        return events

    @property
    def has_pending(self) -> bool:
        return bool(self._events)

    def next(self, timeout: float | None = None) -> Json | None:
        """Wait for an event, in real time; None when there is none in time or the watch is closed.

        Not copied: for those who only write it out.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._events or self.closed, timeout)
            return self._events.popleft() if self._events else None

    def close(self) -> None:
        """No more events. What came before can still be read."""
        with self._arrived:
            if not self.closed:
                self.closed = True
                if self._see in self._store.listeners:
                    self._store.listeners.remove(self._see)
                for scheduled in self._scheduled:
                    scheduled.cancel()
            self._arrived.notify_all()

    def expire(self) -> None:
        """End it as the server does when the version it is at was compacted away."""
        with self._clock.lock:
            if not self.closed:
                message = f"too old resource version: {self._store.version} ({self._store.version})"
                self._put("ERROR", statuses.expired(message).body)
                self.close()

    def _matches(self, obj: Json | None) -> bool:
        return obj is not None and (self._predicate is None or self._predicate(obj))

    def _see(self, change: Change) -> None:
        if change.resource.plural != self._resource.plural or self._namespace not in (None, change.namespace):
            return
        before, after = self._matches(change.old), self._matches(change.new)
        if after:
            assert change.new is not None
            self._put("MODIFIED" if before else "ADDED", change.new)
        elif before:
            # The last state that matched, with the version at which it stopped to.
            assert change.old is not None
            gone = change.final
            if change.new is not None:
                metadata = {**change.old["metadata"], "resourceVersion": str(change.version)}
                gone = {**change.old, "metadata": metadata}
            self._put("DELETED", gone)

    def _put(self, kind: str, obj: Json) -> None:
        event = {"type": kind, "object": obj}
        with self._arrived:
            self._events.append(event)
            self._arrived.notify_all()
        for callback in self.on_event:
            callback(event)

    def _bookmark(self, more: Json | None = None) -> None:
        self._put(
            "BOOKMARK",
            {
                "kind": self._resource.kind,
                "apiVersion": self._resource.version,
                "metadata": {
                    "resourceVersion": str(self._store.version),
                    "creationTimestamp": None,
                    **(more or {}),
                },
            },
        )

    def _regular_bookmark(self) -> None:
        self._bookmark()
        self._schedule(BOOKMARK_INTERVAL, self._regular_bookmark)

    def _schedule(self, delay: float, action: Callable[[], object]) -> None:
        def act() -> None:
            if not self.closed:
                action()

        self._scheduled = [entry for entry in self._scheduled if not entry.cancelled][-3:]
        self._scheduled.append(self._clock.schedule(delay, act, background=True))
