"""What stands in the metadata of a controller for others: who owns it, and what its deletion waits for.

An owner takes a controller along when it goes, and a finalizer keeps one that is deleted. So a controller
that may have to be deleted at any moment has neither: the new controller of an update gets them in the write
that makes it the one that stays. Until then an annotation on it holds those of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rollupdate.objects import Json

OWNERS, FINALIZERS = "ownerReferences", "finalizers"


@dataclass(frozen=True)
class Belongings:
    """Owners (each an OwnerReference) and finalizers of one object, in its order."""

    owners: tuple[Json, ...] = ()
    finalizers: tuple[str, ...] = ()

    @classmethod
    def of(cls, metadata: Json) -> Belongings:
        """Those in ``metadata``; what has not their shape is passed over."""
        owners, finalizers = metadata.get(OWNERS), metadata.get(FINALIZERS)
        return cls(
            tuple(owner for owner in _items(owners) if isinstance(owner, dict)),
            tuple(finalizer for finalizer in _items(finalizers) if isinstance(finalizer, str)),
        )

    def __bool__(self) -> bool:
        return bool(self.owners or self.finalizers)

    @property
    def holding(self) -> str:
        """To be said of an object that is being deleted: its finalizers, if there are any."""
        return f", held by its finalizers: {', '.join(self.finalizers)}" if self.finalizers else ""

    def encode(self) -> str:
        body = {OWNERS: list(self.owners), FINALIZERS: list(self.finalizers)}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def decode(cls, text: str) -> Belongings:
        """Raises ValueError if another client has made something else of it."""
        body = json.loads(text)
        if not isinstance(body, dict):
            raise ValueError("not an object")
        found = cls.of(body)
        if json.loads(found.encode()) != body:
            raise ValueError("no owners or no finalizers")
        return found

    def and_also(self, more: Belongings) -> Belongings:
        """All of both. An object has one controlling owner: that of ``self`` if both have one."""
        controlled = any(owner.get("controller") for owner in self.owners)
        owners = list(self.owners)
        known = {_identity(owner) for owner in owners}
        for owner in more.owners:
            if _identity(owner) not in known:
                known.add(_identity(owner))
                both = controlled and owner.get("controller")
                owners.append({**owner, "controller": False} if both else owner)
        return Belongings(tuple(owners), tuple(dict.fromkeys((*self.finalizers, *more.finalizers))))

    def without(self, others: Belongings) -> Belongings:
        """Those that ``others`` has not."""
        known = {_identity(owner) for owner in others.owners}
        return Belongings(
            tuple(owner for owner in self.owners if _identity(owner) not in known),
            tuple(finalizer for finalizer in self.finalizers if finalizer not in others.finalizers),
        )

    def written(self, metadata: Json) -> None:
        """Make ``metadata`` say these and no others."""
        for field, values in ((OWNERS, list(self.owners)), (FINALIZERS, list(self.finalizers))):
            if values:
                metadata[field] = values
            else:
                metadata.pop(field, None)


NONE = Belongings()


@dataclass(frozen=True)
class Former:
    """What a controller had before it got the metadata of another one: a rollback returns to it."""

    labels: Mapping[str, str | None]
    """Those that became others: their values; None for a label that it did not have."""
    annotations: Mapping[str, str | None]
    gained: Belongings
    """Owners and finalizers that it did not have."""

    @classmethod
    def of(cls, metadata: Json, given: Json, gained: Belongings) -> Former | None:
        """``given``: the labels and annotations to come. None if nothing becomes another."""
        labels, annotations = (
            {
                key: (metadata.get(field) or {}).get(key)
                for key, text in (given.get(field) or {}).items()
                if (metadata.get(field) or {}).get(key) != text
            }
            for field in ("labels", "annotations")
        )
        gained = gained.without(Belongings.of(metadata))
        return cls(labels, annotations, gained) if labels or annotations or gained else None

    def body(self) -> Json:
        """For JSON."""
        gained: Json = {}
        self.gained.written(gained)
        return {"labels": dict(self.labels), "annotations": dict(self.annotations), **gained}

    @classmethod
    def parse(cls, body: object) -> Former:
        """Raises ValueError."""
        if not isinstance(body, dict) or not all(_former(body.get(key)) for key in ("labels", "annotations")):
            raise ValueError("no former metadata")
        return cls(body["labels"], body["annotations"], Belongings.of(body))

    def restored(self, metadata: Json, given: Json) -> None:
        """Take back what ``given`` has made of ``metadata``; what another client has set since stays."""
        for field, before in (("labels", self.labels), ("annotations", self.annotations)):
            now = dict(metadata.get(field) or {})
            for key, text in before.items():
                if now.get(key) != (given.get(field) or {}).get(key):
                    continue
                if text is None:
                    now.pop(key, None)
                else:
                    now[key] = text
            if now:
                metadata[field] = now
            else:
                metadata.pop(field, None)
        Belongings.of(metadata).without(self.gained).written(metadata)


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _identity(owner: Json) -> str:
    return str(owner.get("uid") or json.dumps(owner, sort_keys=True))


def _former(value: object) -> bool:
    return isinstance(value, dict) and all(text is None or isinstance(text, str) for text in value.values())
