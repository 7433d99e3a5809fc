"""The stored objects, their versions and their history. No rules: who may write what is decided in ``verbs``.

One resourceVersion counts through all kinds. Stored objects are never changed; listeners hear of every change
at the moment it is made, and must not write from there.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from testing.objects import Json
from testing.sandbox.objects import name_of, namespace_of, with_metadata
from testing.sandbox.resources import Resource


@dataclass(frozen=True, slots=True)
class Change:
    """One write: ``verb`` is create, update or delete; ``actor`` is who did it, ``client`` for requests.

    ``new`` is None for a deletion; ``old`` then is the object as it was last, ``final`` with the version of
    its deletion.
    """

    version: int
    verb: str
    resource: Resource
    old: Json | None
    new: Json | None
    actor: str
    final: Json

    @property
    def namespace(self) -> str:
        return namespace_of(self.final)

    @property
    def name(self) -> str:
        return name_of(self.final)


Listener = Callable[[Change], None]


class Store:
    """``history_limit``: how many changes of each kind can be watched from; older versions are gone (410)."""

    def __init__(self, history_limit: int = 100_000) -> None:
        self.version = 1
        self.compacted = 0
        """Versions before this one can't be watched or listed any more."""
        self.listeners: list[Listener] = []
        self._history_limit = history_limit
        self._objects: dict[str, dict[str, dict[str, Json]]] = defaultdict(lambda: defaultdict(dict))
        self._history: dict[str, list[Change]] = defaultdict(list)

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        return self._objects[resource.plural][namespace].get(name)

    def objects(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        """In the order of their keys; None for all namespaces."""
        spaces = self._objects[resource.plural]
        if namespace is not None:
            found = spaces[namespace]
            return [found[name] for name in sorted(found)]
        return [spaces[space][name] for space in sorted(spaces) for name in sorted(spaces[space])]

    def each(self, resource: Resource, namespace: str) -> Iterable[Json]:
        """As :meth:`objects`, in any order, at no cost."""
        return self._objects[resource.plural][namespace].values()

    def list_at(self, resource: Resource, namespace: str | None, version: int) -> list[Json]:
        """As it was at a version: what came later, undone."""
        state = {(namespace_of(obj), name_of(obj)): obj for obj in self.objects(resource, namespace)}
        for change in reversed(self.since(resource, version)):
            if namespace is not None and change.namespace != namespace:
                continue
            key = (change.namespace, change.name)
            if change.old is None:
                state.pop(key, None)
            else:
                state[key] = change.old
        return [state[key] for key in sorted(state)]

    def since(self, resource: Resource, version: int) -> list[Change]:
        """The changes after a version, oldest first."""
        history = self._history[resource.plural]
        return history[bisect.bisect_right(history, version, key=lambda change: change.version) :]

    def create(self, resource: Resource, obj: Json, actor: str) -> Json:
        stored = self._versioned(obj)
        self._objects[resource.plural][namespace_of(obj)][name_of(obj)] = stored
        self._record(Change(self.version, "create", resource, None, stored, actor, stored))
        return stored

    def replace(self, resource: Resource, old: Json, new: Json, actor: str) -> Json:
        stored = self._versioned(new)
        self._objects[resource.plural][namespace_of(old)][name_of(old)] = stored
        self._record(Change(self.version, "update", resource, old, stored, actor, stored))
        return stored

    def remove(self, resource: Resource, old: Json, actor: str, last: Json | None = None) -> Json:
        """``last`` is what is said of the object in its deletion, where that differs from what was stored."""
        final = self._versioned(last or old)
        del self._objects[resource.plural][namespace_of(old)][name_of(old)]
        self._record(Change(self.version, "delete", resource, old, None, actor, final))
        return final

    def rewrite(self, resource: Resource, how: Callable[[Json], Json]) -> None:
        """Have all objects of a kind read otherwise from now on. Nothing was written: versions stay as they
        are, and nobody is told."""
        for found in self._objects[resource.plural].values():
            found.update({name: how(obj) for name, obj in found.items()})

    def compact(self, version: int | None = None) -> None:
        """Forget the history before ``version`` (now): who watches or pages from there gets 410."""
        self.compacted = self.version if version is None else version
        for plural, history in self._history.items():
            self._history[plural] = [change for change in history if change.version > self.compacted]

    def _versioned(self, obj: Json) -> Json:
        self.version += 1
        return with_metadata(obj, resourceVersion=str(self.version))

    def _record(self, change: Change) -> None:
        history = self._history[change.resource.plural]
        history.append(change)
        if len(history) > 2 * self._history_limit:
            self.compacted = max(self.compacted, history[self._history_limit - 1].version)
            del history[: self._history_limit]
        for listener in tuple(self.listeners):
            listener(change)
