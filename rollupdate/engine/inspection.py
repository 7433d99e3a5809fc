"""Looking for the reason of a stall: which pods, events and logs are read. What they mean is in
``core.diagnosis``.

It only ever reads, and does without whatever cannot be read: a right that is missing, a server or a node that
does not answer. Each look is bounded, in pods, events, bytes and time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rollupdate.core.diagnosis.problems import LogOf
from rollupdate.core.diagnosis.quota import Exceeded, has_room
from rollupdate.core.diagnosis.summary import LOG_LINES, MOST_PODS, Diagnosis, diagnose
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.plan.room import QUOTA
from rollupdate.engine.ports import Cluster
from rollupdate.errors import ApiError, ClusterError
from rollupdate.events import Event, LookLeftOut
from rollupdate.objects import Json

_T = TypeVar("_T")
_WARNINGS = "type=Warning,involvedObject."
_MOST_EVENTS = 500
_PODS_ASKED_ONE_BY_ONE = 5


class Inspector:
    """Remembers what it may not read, and the log that it read last."""

    def __init__(self, cluster: Cluster, tell: Callable[[Event], None] = lambda _: None) -> None:
        """``tell``: gets a LookLeftOut for what else could be looked at."""
        self._cluster, self._tell = cluster, tell
        self._refused: set[str] = set()
        self._log: tuple[LogOf | None, str] = (None, "")

    def look(self, controller: Controller, since: str | None = None) -> Diagnosis:
        """Why its pods are not available, as far as can be seen. Never raises ClusterError.

        ``since``: when one of these commands last changed something (RFC 3339), if that is known.
        """
        selector = label_selector(controller.selector)
        nothing: list[Json] = []
        found = self._read("pods", lambda: self._cluster.list_pods(selector, limit=MOST_PODS), nothing)
        pods = [pod for pod in found if owner_uid(pod) == controller.uid]
        events: list[Json] = []
        if pods:
            events += self._events("kind=Pod")
            if len(events) >= _MOST_EVENTS:  # others have so many that ours need not be among them
                for pod in pods[:_PODS_ASKED_ONE_BY_ONE]:
                    events += self._events(f"uid={pod['metadata']['uid']}")
        if controller.current < controller.replicas:
            events += self._events(f"uid={controller.uid}")
        diagnosis = diagnose(controller, pods, events, since=since)
        if diagnosis.refused is not None:
            diagnosis = diagnosis.with_room(self._room(diagnosis.refused))
        return diagnosis if diagnosis.log is None else diagnosis.with_log(self._last_lines(diagnosis.log))

    def _room(self, refused: Exceeded) -> bool | None:
        """Whether the quota has room for the pod by now; None if that can't be seen."""
        unknown: list[Json] | None = None
        quotas = self._read("resourcequotas", lambda: self._cluster.list_referring(QUOTA), unknown)
        return None if quotas is None else has_room(quotas, refused)

    def _events(self, about: str) -> list[Json]:
        nothing: list[Json] = []
        selector = _WARNINGS + about
        return self._read("events", lambda: self._cluster.list_events(selector, limit=_MOST_EVENTS), nothing)

    def _last_lines(self, log: LogOf) -> str:
        """Asked for once for each end of the container."""
        if self._log[0] != log:
            read = self._read(
                "logs",
                lambda: self._cluster.read_log(
                    log.pod, log.container, previous=log.previous, lines=LOG_LINES
                ),
                "",
            )
            self._log = log, read
        return self._log[1]

    def _read(self, what: str, read: Callable[[], _T], otherwise: _T) -> _T:
        if what in self._refused:
            return otherwise
        try:
            return read()
        except ClusterError as error:
            if isinstance(error, ApiError) and error.is_forbidden:
                self._refused.add(what)
                self._tell(LookLeftOut(what, error.message))
            return otherwise
