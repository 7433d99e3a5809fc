"""What turns one pod template into another, small enough for an annotation: values set and fields removed, by
their paths. It holds for any template that has the same places; what it does not find there it passes over.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rollupdate.objects import Json

Path = tuple[str | int, ...]
_MISSING = object()


@dataclass(frozen=True)
class Change:
    """One value that becomes another."""

    at: Path
    value: Any = field(default=_MISSING, repr=False)
    """Left out for a field that goes."""

    @property
    def removes(self) -> bool:
        return self.value is _MISSING


@dataclass(frozen=True)
class Difference:
    changes: tuple[Change, ...] = ()

    @classmethod
    def between(cls, before: Json, after: Json) -> Difference:
        return cls(tuple(_changes(before, after, ())))

    def __bool__(self) -> bool:
        return bool(self.changes)

    def applied(self, template: Json) -> Json:
        """The other template; ``template`` stays as it is. Applied again it changes nothing more."""
        result = copy.deepcopy(template)
        for change in self.changes:
            _apply(result, change)
        return result

    def encode(self) -> str:
        body = [
            {"at": list(change.at)} if change.removes else {"at": list(change.at), "is": change.value}
            for change in self.changes
        ]
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def decode(cls, text: str) -> Difference:
        """Raises ValueError if another client has made something else of it."""
        body = json.loads(text)
        if not isinstance(body, list) or not all(_is_change(item) for item in body):
            raise ValueError("no list of changes")
        return cls(tuple(Change(tuple(item["at"]), item.get("is", _MISSING)) for item in body))


def _changes(before: Any, after: Any, at: Path) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key not in after:
                yield Change((*at, key))
            elif key not in before:
                yield Change((*at, key), after[key])
            else:
                yield from _changes(before[key], after[key], (*at, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _changes(*pair, (*at, index))
    elif before != after:
        yield Change(at, after)


def _apply(template: Json, change: Change) -> None:
    parent: Any = template
    for step in change.at[:-1]:
        if not _has(parent, step):
            return
        parent = parent[step]
    last = change.at[-1]
    if change.removes:
        if isinstance(parent, dict):
            parent.pop(last, None)
    elif _has(parent, last) or (isinstance(parent, dict) and isinstance(last, str)):
        parent[last] = copy.deepcopy(change.value)


def _has(parent: Any, step: str | int) -> bool:
    if isinstance(parent, list):
        return isinstance(step, int) and 0 <= step < len(parent)
    return isinstance(parent, dict) and step in parent


def _is_change(item: Any) -> bool:
    if not isinstance(item, dict) or not item.keys() <= {"at", "is"} or not isinstance(item.get("at"), list):
        return False
    steps = item["at"]
    return bool(steps) and all(
        isinstance(step, str) or (isinstance(step, int) and not isinstance(step, bool)) for step in steps
    )
