"""How controllers claim what they own, and whom a change of it wakes: the same for pods and ReplicaSets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testing.objects import Json
from testing.sandbox import patches
from testing.sandbox.label_selectors import is_selected
from testing.sandbox.objects import (
    controller_of,
    is_being_deleted,
    labels_of,
    namespace_of,
    owner_reference,
    owner_references,
    uid_of,
    with_metadata,
)
from testing.sandbox.resources import Resource
from testing.sandbox.store import Store
from testing.sandbox.verbs import Verbs


class Owners:
    """The controllers of one kind, seen from what they own or could adopt."""

    def __init__(self, store: Store, resource: Resource) -> None:
        self._store = store
        self._resource = resource

    def to_wake(self, old: Json | None, new: Json | None) -> Iterator[Json]:
        """Whoever owns it or owned it; if nobody does any more, whoever may want it."""
        for dependant in (old, new):
            owner = None if dependant is None else self.of(dependant)
            if owner is not None:
                yield owner
        if new is None or controller_of(new) is not None:
            return
        if old is not None and labels_of(old) == labels_of(new) and controller_of(old) is None:
            return
        for owner in self._store.each(self._resource, namespace_of(new)):
            if is_selected(owner, labels_of(new)):
                yield owner

    def of(self, dependant: Json) -> Json | None:
        """The one that controls it, if it is of this kind and there."""
        reference = controller_of(dependant)
        if reference is None or reference["kind"] != self._resource.kind:
            return None
        owner = self._store.get(self._resource, namespace_of(dependant), reference["name"])
        return owner if owner is not None and uid_of(owner) == reference["uid"] else None


def claim(verbs: Verbs, owner: Json, found: Iterable[Json], resource: Resource, actor: str) -> list[Json]:
    """What of the found objects is the owner's, after adopting and releasing by their labels.

    Raises ApiError for the first write that is refused.
    """
    uid, stands = uid_of(owner), not is_being_deleted(owner)
    claimed: list[Json] = []
    for obj in found:
        reference, fits = controller_of(obj), is_selected(owner, labels_of(obj))
        if reference is None:
            if fits and stands and not is_being_deleted(obj):
                # A merge: beside other owners, and in the place of a plain reference to this one.
                patch = {"metadata": {"ownerReferences": [owner_reference(owner)]}}
                adopted = patches.strategic(obj, patch, verbs.minor)
                claimed.append(verbs.write(resource, obj, adopted, actor))
        elif reference["uid"] == uid:
            if fits:
                claimed.append(obj)
            elif stands:
                others = [ref for ref in owner_references(obj) if ref["uid"] != uid]
                verbs.write(resource, obj, with_metadata(obj, ownerReferences=others or None), actor)
    return claimed
