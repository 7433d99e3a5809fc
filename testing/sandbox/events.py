"""Core Events, written as controllers write them: the same one is counted up rather than repeated."""

from __future__ import annotations

import random

from testing.sandbox.objects import Json, name_of, namespace_of, uid_of
from testing.sandbox.resources import EVENTS
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Store
from testing.sandbox.verbs import Verbs


class Recorder:
    """``component`` is the source of the events, such as ``kubelet``."""

    def __init__(
        self, store: Store, verbs: Verbs, rng: random.Random, component: str, host: str = ""
    ) -> None:
        self._store = store
        self._verbs = verbs
        self._rng = rng
        self._source = {"component": component, **({"host": host} if host else {})}
        self._names: dict[tuple[str, str, str], str] = {}

    def record(self, about: Json, kind: str, reason: str, message: str, container: str = "") -> None:
        """``kind`` is Normal or Warning. What can't be written is let go: it is never worth a failure."""
        namespace, now = namespace_of(about), self._verbs.now()
        key = (uid_of(about), reason, message)
        name = self._names.get(key)
        known = self._store.get(EVENTS, namespace, name) if name else None
        try:
            if known is not None:
                again = {**known, "count": known["count"] + 1, "lastTimestamp": now}
                self._verbs.write(EVENTS, known, again, self._source["component"])
                return
            name = f"{name_of(about)}.{self._rng.getrandbits(64):016x}"
            body = self._event(about, kind, reason, message, container, name, now)
            self._verbs.create(EVENTS, namespace, body, actor=self._source["component"])
            self._names[key] = name
        except ApiError:
            return

    def _event(
        self, about: Json, kind: str, reason: str, message: str, container: str, name: str, now: str
    ) -> Json:
        reference = {
            "kind": about["kind"],
            "namespace": namespace_of(about),
            "name": name_of(about),
            "uid": uid_of(about),
            "apiVersion": "v1",
            "resourceVersion": about["metadata"]["resourceVersion"],
        }
        if container:
            reference["fieldPath"] = f"spec.containers{{{container}}}"
        return {
            "metadata": {"name": name},
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": kind,
            "eventTime": None,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
        }
