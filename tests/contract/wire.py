"""Requests as they go over the wire, to either cluster, and answers as they come: nothing raises.

How answers are made comparable is in ``normal``; which requests are sent in the tables.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from testing.client import JSON, MERGE_PATCH
from testing.namespace import CONFIGS, CONTROLLERS, DEPLOYMENTS, REPLICA_SETS, Namespace
from testing.objects import Json

_SILENCE = 0.5
"""Seconds, as are those that follow."""
_PATIENCE, _PAUSE = 60.0, 0.02


@dataclass(frozen=True)
class Answer:
    """``body`` is JSON data, a list of events for a watch, or text."""

    status: int
    body: Any


Query = dict[str, str]


@dataclass(frozen=True)
class Ask:
    """One request. ``path`` is below the namespace, or absolute with a leading slash.

    A callable ``body`` is given the object at the path as it is now, and those at the paths ``also``; a
    callable ``query`` all answers before. ``bytes`` are sent as they are. What is ``unordered`` is compared
    in the order of names. It is asked again until the body of the answer is as ``until`` says.
    """

    method: str
    path: str
    body: Any = None
    query: Query | Callable[[Sequence[Answer]], Query] | None = None
    content_type: str = JSON
    accept: str = JSON
    unordered: bool = False
    also: tuple[str, ...] = ()
    until: Callable[[Any], object] | None = None


class Wire(Namespace):
    """One namespace of one cluster."""

    def send(self, ask: Ask, before: Sequence[Answer] = ()) -> Answer:
        answer = self._send(ask, before)
        limit = time.monotonic() + _PATIENCE
        while ask.until is not None and not ask.until(answer.body):
            assert time.monotonic() < limit, f"{ask.method} {ask.path} is still {answer}"
            time.sleep(_PAUSE)
            answer = self._send(ask, before)
        return answer

    def _send(self, ask: Ask, before: Sequence[Answer]) -> Answer:
        query = ask.query(before) if callable(ask.query) else ask.query or {}
        body = ask.body
        if callable(body):
            body = body(*(self._current(path) for path in (ask.path, *ask.also)))
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Accept": ask.accept, **({"Content-Type": ask.content_type} if ask.content_type else {})}
        answer = self.client.send(ask.method, self._absolute(ask.path) + _encoded(query), body, headers)
        is_stream = answer.status < 400 and "watch" in query
        return Answer(answer.status, _decoded(answer.data.decode(), is_stream))

    def past_events(self, path: str, version: str) -> list[Json]:
        """What a watch has to tell already: all of that comes at once, so silence is the end of it."""
        target = self._absolute(path) + _encoded({"watch": "1", "resourceVersion": version})
        found: list[Json] = []
        with (
            contextlib.suppress(urllib3.exceptions.ReadTimeoutError),
            self.client.stream(target, urllib3.Timeout(connect=30, read=_SILENCE)) as lines,
        ):
            found.extend(json.loads(line) for line in lines)
        return found

    def settled(self) -> bool:
        """Whether the controllers have nothing left to do for the sizes, nor to say."""

        def is_settled(controller: Json) -> bool:
            metadata, status = controller["metadata"], controller.get("status") or {}
            is_right = status.get("replicas") == controller["spec"]["replicas"]
            is_seen = status.get("observedGeneration") == metadata["generation"]
            return is_seen and (is_right or "deletionTimestamp" in metadata)

        def is_seen(deployment: Json) -> bool:
            """How far its pods are is no matter here."""
            observed = (deployment.get("status") or {}).get("observedGeneration")
            return bool(observed == deployment["metadata"]["generation"])

        sized = (found for plural in (CONTROLLERS, REPLICA_SETS) for found in self.objects(plural).values())
        return all(map(is_settled, sized)) and all(map(is_seen, self.objects(DEPLOYMENTS).values()))

    def settle(self) -> None:
        self.wait(self.settled, f"the controllers of {self.name} are seen")

    def remove_controllers(self) -> None:
        """Whatever holds them; some may be going already."""
        for path in [
            f"{plural}/{name}"
            for plural in (CONFIGS, DEPLOYMENTS, REPLICA_SETS, CONTROLLERS)
            for name in self._names(plural)
        ]:
            for ask in (
                Ask("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE_PATCH),
                Ask("DELETE", path, {"propagationPolicy": "Background"}),
            ):
                answer = self.send(ask)
                assert answer.status in (200, 404), answer

    def _names(self, plural: str) -> list[str]:
        """Of all objects of a kind; none where the kind is not known."""
        answer = self.send(Ask("GET", plural))
        return [item["metadata"]["name"] for item in answer.body["items"]] if answer.status == 200 else []

    def _absolute(self, path: str) -> str:
        if path.startswith("/"):
            return path
        plural, _, rest = path.partition("/")
        return self.path(plural, rest)

    def _current(self, path: str) -> Json:
        plural, name = path.split("/")[:2]
        return self.call("GET", self.path(plural, name))


def _encoded(query: Query) -> str:
    return "?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items()) if query else ""


def _decoded(text: str, is_stream: bool) -> Any:
    if is_stream:  # one event a line
        return [json.loads(line) for line in text.splitlines()]
    try:
        return json.loads(text)
    except ValueError:
        return text
