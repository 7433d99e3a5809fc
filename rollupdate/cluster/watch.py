"""Following one controller: list, then watch, again and again, in a thread of its own.

What arrives is handed to the mirror, which decides what is newer. However a watch ends - by the server, cut,
garbled, silent, too old - it is taken up again; where watching is not possible the object is looked at every
``poll_interval`` seconds. Only what is refused for good (401, 403 on the look itself) ends it.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rollupdate.cluster.connection import Connection, Stream
from rollupdate.errors import ApiError, ClusterError, ConfigError, RollingUpdateError, UnreachableError
from rollupdate.objects import Json
from rollupdate.pauses import pause

SILENCE = 65.0
"""Seconds without a word, not even a bookmark (one a minute), after which a watch is taken up anew."""
_SHORT = 1.0
"""Seconds: a watch that ends sooner and without news counts as a failure, or it would be a busy loop."""
_CONFIG_ERRORS = 3
"""So many failures of a credential plugin in a row are for good."""


@dataclass(frozen=True)
class Listing:
    """All controllers at one resourceVersion, by name."""

    objects: Mapping[str, Json]
    version: str


class Source(Protocol):
    """Where looks come from."""

    def find_controller(self, name: str) -> tuple[Json | None, str]: ...

    def get_controller(self, name: str) -> Json | None: ...

    def watch_path(self) -> str: ...

    def completed(self, obj: Json) -> Json:
        """What a watch delivers, with apiVersion and kind."""
        ...


class Sink(Protocol):
    """Where news goes (see WatchedMirror)."""

    def took(self, name: str, obj: Json) -> bool: ...

    def took_deletion(self, name: str, obj: Json) -> None: ...

    def took_absence(self, name: str, version: str) -> bool: ...

    def delivered(self, name: str) -> None: ...

    def fail(self, error: RollingUpdateError) -> None: ...


class _TooOldError(Exception):
    """The resourceVersion is no longer known to the server (410)."""


class _SilentError(Exception):
    """Nothing came for longer than there can be nothing."""


class Watch:
    """One name. ``first_look`` in the caller's thread, then ``start``, at the end ``stop``."""

    def __init__(
        self, source: Source, connection: Connection, name: str, sink: Sink, *, poll_interval: float
    ) -> None:
        self._source, self._connection, self._sink = source, connection, sink
        self.name = name
        self._poll_interval = max(poll_interval, 0.05)
        self._polling = False
        self._version = ""
        self._failures = 0
        self._stopped = threading.Event()
        self._stream_lock = threading.Lock()
        self._stream: Stream | None = None
        # A daemon: whatever it is in the middle of, it never keeps the program from ending.
        self._thread = threading.Thread(target=self._run, name=f"watch {name}", daemon=True)

    def first_look(self, listing: Listing | None = None) -> None:
        """Raises ClusterError."""
        if listing is not None:
            self._version = listing.version
            if self.name in listing.objects:
                self._sink.took(self.name, listing.objects[self.name])
            return
        try:
            self._list()
        except ApiError as error:
            if not _refused(error):
                raise
            self._polling = True
            self._get()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        with self._stream_lock:
            if self._stream is not None:
                self._stream.shutdown()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    @property
    def is_polling(self) -> bool:
        """Watching is not possible; the object is read instead."""
        return self._polling

    # --- in the thread ---

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._turn()
            except Exception as error:  # the update would go blind: a bug here must not pass in silence
                if not self._stopped.is_set():
                    problem = ClusterError(f"watching {self.name} failed: {type(error).__name__}: {error}")
                    problem.__cause__ = error
                    self._sink.fail(problem)
                return

    def _turn(self) -> None:
        """One look or one watch, and what follows from how it ended."""
        started = time.monotonic()
        try:
            if self._polling:
                self._stopped.wait(self._poll_interval)
                if not self._stopped.is_set():
                    self._get()
            else:
                if not self._version:
                    self._list()
                news = self._follow()
                if not news and time.monotonic() - started < _SHORT:
                    self._pause(None)
                    return
            self._failures = 0
        except _TooOldError:
            self._version = ""
            if self._failures:
                self._pause(None)
            self._failures += 1
        except _SilentError:
            self._version = ""
        except (ClusterError, ConfigError) as error:
            self._after(error)

    def _after(self, error: RollingUpdateError) -> None:
        if self._stopped.is_set():
            return
        if isinstance(error, ApiError) and _refused(error):
            if self._polling:
                self._sink.fail(error)
                self._stopped.set()
            self._polling = True
            return
        if isinstance(error, ConfigError) and self._failures + 1 >= _CONFIG_ERRORS:
            self._sink.fail(error)
            self._stopped.set()
            return
        if not isinstance(error, UnreachableError):
            self._version = ""
        self._pause(error.retry_after if isinstance(error, ApiError) else None)

    def _pause(self, retry_after: float | None) -> None:
        self._failures += 1
        self._stopped.wait(pause(self._failures, random.random(), retry_after))

    def _get(self) -> bool:
        obj = self._source.get_controller(self.name)
        if obj is None:
            return self._sink.took_absence(self.name, "")
        return self._sink.took(self.name, obj)

    def _list(self) -> bool:
        """Sets the resourceVersion to watch from. True if there was news."""
        obj, self._version = self._source.find_controller(self.name)
        if obj is None:
            return self._sink.took_absence(self.name, self._version)
        return self._sink.took(self.name, obj)

    def _follow(self) -> bool:
        """Watch until the stream ends. True if anything came."""
        silence = SILENCE * random.uniform(1.0, 1.3)
        query = [
            ("watch", "true"),
            ("fieldSelector", f"metadata.name={self.name}"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", self._version),
            ("timeoutSeconds", str(random.randint(300, 600))),
        ]
        try:
            stream = self._connection.stream(self._source.watch_path(), query, read_timeout=silence)
        except ApiError as error:
            if error.is_gone:
                raise _TooOldError from error
            raise
        with self._stream_lock:
            self._stream = stream
        if self._stopped.is_set():
            stream.shutdown()
        news = False
        heard = time.monotonic()
        try:
            for line in stream.lines():
                heard = time.monotonic()
                self._sink.delivered(self.name)
                self._event(line)
                news = True
        except UnreachableError as error:
            if time.monotonic() - heard >= silence * 0.9:
                raise _SilentError from error
            raise
        finally:
            with self._stream_lock:
                self._stream = None
        return news

    def _event(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            kind, obj = event["type"], event["object"]
            if kind == "ERROR":
                raise _error(obj)
            metadata = obj["metadata"]
            version = metadata["resourceVersion"]
            if kind != "BOOKMARK" and (not isinstance(metadata["uid"], str) or not metadata["name"]):
                raise ValueError("an object without a name or uid")
            if not isinstance(version, str):
                raise ValueError("a resourceVersion that is no string")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self._version = ""
            raise UnreachableError(
                f"the watch of {self.name} delivered something that is no event"
            ) from error
        if kind == "DELETED" and metadata["name"] == self.name:
            self._sink.took_deletion(self.name, obj)
        elif kind in ("ADDED", "MODIFIED") and metadata["name"] == self.name:
            self._sink.took(self.name, self._source.completed(obj))
        self._version = version


def _refused(error: ApiError) -> bool:
    """Not allowed, or not possible: it will not be otherwise the next time."""
    return error.status in (401, 403, 405, 501)


def _error(status: Any) -> Exception:
    """From the Status of an ERROR event."""
    status = status if isinstance(status, dict) else {}
    code, text = status.get("code"), status.get("message")
    if code == 410 or status.get("reason") in ("Expired", "Gone"):
        return _TooOldError()
    return ClusterError(f"the watch ended with an error: {text if isinstance(text, str) else 'unknown'}")
