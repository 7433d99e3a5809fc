"""The garbage collector, and the controller that empties namespaces: what goes because something else went.

Dependants are told by the uid in their owner references, never by name alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from testing.objects import Json
from testing.sandbox.clock import Clock
from testing.sandbox.objects import (
    is_being_deleted,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
    with_metadata,
)
from testing.sandbox.options import DeleteOptions
from testing.sandbox.resources import NAMESPACES, Resource
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change, Store
from testing.sandbox.verbs import Verbs
from testing.sandbox.workqueue import Finish, Latency, WorkQueue

ACTOR = "generic-garbage-collector"
_NAMESPACE_ACTOR = "namespace-controller"
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


class GarbageCollector:
    """Background: dependants go once their last owner is gone. Orphan and foreground: by their finalizers."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, latency: Latency
    ) -> None:
        self._store = store
        self._verbs = verbs
        self._queue = WorkQueue(clock, rng, latency, self._process)
        self._kinds = {resource.kind: resource for resource in verbs.served.values()}
        self._owned: dict[str, set[str]] = {}
        store.listeners.append(self._see)

    def pause(self) -> None:
        self._queue.pause()

    def resume(self) -> None:
        self._queue.resume()

    def _see(self, change: Change) -> None:
        if change.resource.kind == "Event":
            return
        old, new = change.old, change.new
        obj = new if new is not None else change.final
        key = _key(change.resource, obj)
        before = set() if old is None else {ref["uid"] for ref in owner_references(old)}
        after = set() if new is None else {ref["uid"] for ref in owner_references(new)}
        for uid in before - after:
            self._owned.get(uid, set()).discard(key)
        for uid in after - before:
            self._owned.setdefault(uid, set()).add(key)
        if new is None:
            for dependant in sorted(self._owned.get(uid_of(obj), ())):
                self._queue.add(dependant)
        elif after - before or _finalizer(new):
            self._queue.add(key)
        if old is not None and (new is None or is_being_deleted(new) or before - after):
            # An owner in foreground deletion may have waited for this.
            for owner in self._owners(old):
                if _finalizer(owner) == _FOREGROUND:
                    self._queue.add(_key(self._kinds[owner["kind"]], owner))

    def _process(self, key: str, finish: Finish) -> None:
        plural, namespace, name = key.split("/")
        resource = self._verbs.served[plural]
        obj = self._store.get(resource, namespace, name)
        try:
            if obj is not None:
                self._collect(resource, obj)
            finish(True)
        except ApiError as error:
            finish(error.code == 404)

    def _collect(self, resource: Resource, obj: Json) -> None:
        match _finalizer(obj):
            case "orphan":
                self._orphan(resource, obj)
                return
            case "foregroundDeletion":
                self._delete_in_foreground(resource, obj)
                return
        references = owner_references(obj)
        if not references or is_being_deleted(obj):
            return
        if not all(self._knows(reference) for reference in references):
            return  # whether such an owner is there nobody can tell
        owners = list(self._owners(obj))
        # One that waits for its dependants to go is no owner to stay for.
        staying = {uid_of(owner) for owner in owners if _finalizer(owner) != _FOREGROUND}
        kept = [ref for ref in references if ref["uid"] in staying]
        if not kept:
            policy = "Foreground" if owners and self._owned.get(uid_of(obj)) else "Background"
            options = DeleteOptions(uid=uid_of(obj), policy=policy)
            self._verbs.delete(resource, namespace_of(obj), name_of(obj), options, actor=ACTOR)
        elif len(kept) < len(references):
            self._verbs.write(resource, obj, with_metadata(obj, ownerReferences=kept), ACTOR)

    def _owners(self, obj: Json) -> Iterator[Json]:
        """The owners that are there, of the uid that the reference says."""
        for reference in owner_references(obj):
            resource = self._kinds.get(reference["kind"])
            if resource is None:
                continue
            namespace = namespace_of(obj) if resource.namespaced else ""
            owner = self._store.get(resource, namespace, reference["name"])
            if owner is not None and uid_of(owner) == reference["uid"]:
                yield owner

    def _knows(self, reference: Json) -> bool:
        resource = self._kinds.get(reference["kind"])
        return resource is not None and resource.group == reference["apiVersion"].rpartition("/")[0]

    def _dependants(self, owner: Json) -> Iterator[tuple[Resource, Json]]:
        for key in sorted(self._owned.get(uid_of(owner), ())):
            plural, namespace, name = key.split("/")
            resource = self._verbs.served[plural]
            found = self._store.get(resource, namespace, name)
            if found is not None:
                yield resource, found

    def _orphan(self, resource: Resource, owner: Json) -> None:
        for kind, dependant in self._dependants(owner):
            kept = [ref for ref in owner_references(dependant) if ref["uid"] != uid_of(owner)]
            self._verbs.write(kind, dependant, with_metadata(dependant, ownerReferences=kept or None), ACTOR)
        self._remove_finalizer(resource, owner, _ORPHAN)

    def _delete_in_foreground(self, resource: Resource, owner: Json) -> None:
        blocking = False
        for kind, dependant in self._dependants(owner):
            references = owner_references(dependant)
            blocking |= any(
                ref["uid"] == uid_of(owner) and ref.get("blockOwnerDeletion") for ref in references
            )
            self._queue.add(_key(kind, dependant))
        if not blocking:
            self._remove_finalizer(resource, owner, _FOREGROUND)

    def _remove_finalizer(self, resource: Resource, owner: Json, finalizer: str) -> None:
        kept = [entry for entry in owner["metadata"]["finalizers"] if entry != finalizer]
        self._verbs.write(resource, owner, with_metadata(owner, finalizers=kept or None), ACTOR)


class NamespaceController:
    """Deletes what is in a namespace that is being deleted, and then the namespace."""

    def __init__(
        self, store: Store, verbs: Verbs, clock: Clock, rng: random.Random, latency: Latency
    ) -> None:
        self._store = store
        self._verbs = verbs
        self._queue = WorkQueue(clock, rng, latency, self._process)
        self._ending: set[str] = set()
        store.listeners.append(self._see)

    def _see(self, change: Change) -> None:
        if change.resource is NAMESPACES and change.new is not None and is_being_deleted(change.new):
            self._ending.add(change.name)
            self._queue.add(change.name)
        elif change.new is None and change.namespace in self._ending:
            self._queue.add(change.namespace)

    def _process(self, name: str, finish: Finish) -> None:
        namespace = self._store.get(NAMESPACES, "", name)
        if namespace is not None:
            left = 0
            for resource in self._verbs.served.values():
                for obj in self._store.objects(resource, name) if resource.namespaced else ():
                    left += 1
                    if not is_being_deleted(obj):
                        options = DeleteOptions(policy="Background")
                        actor = _NAMESPACE_ACTOR
                        self._verbs.delete(resource, name, name_of(obj), options, actor=actor)
            if not left:
                self._ending.discard(name)
                self._store.remove(NAMESPACES, namespace, _NAMESPACE_ACTOR)
        finish(True)


def _key(resource: Resource, obj: Json) -> str:
    return f"{resource.plural}/{namespace_of(obj)}/{name_of(obj)}"


def _finalizer(obj: Json) -> str:
    """The finalizer of an object being deleted that is the collector's to deal with."""
    if not is_being_deleted(obj):
        return ""
    finalizers = obj["metadata"].get("finalizers") or ()
    return next((name for name in (_ORPHAN, _FOREGROUND) if name in finalizers), "")
