"""Core Events, written as controllers write them: the same one is counted up rather than repeated."""

from __future__ import annotations

import random

from testing.kubelet.events import Happening, again, event
from testing.objects import Json
from testing.sandbox.objects import name_of, namespace_of, uid_of
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
        self._component, self._host = component, host
        self._names: dict[tuple[str, Happening], str] = {}

    def record(self, about: Json, happening: Happening) -> None:
        """What can't be written is let go: it is never worth a failure."""
        namespace, now = namespace_of(about), self._verbs.now()
        key = (uid_of(about), happening)
        name = self._names.get(key)
        known = self._store.get(EVENTS, namespace, name) if name else None
        try:
            if known is not None:
                self._verbs.write(EVENTS, known, {**known, **again(known, now)}, self._component)
                return
            name = f"{name_of(about)}.{self._rng.getrandbits(64):016x}"
            body = event(about, happening, name, self._component, self._host, now)
            self._verbs.create(EVENTS, namespace, body, actor=self._component)
            self._names[key] = name
        except ApiError:
            return
