"""What makes one JSON value of another: small enough to be kept in an annotation if little differs.

A difference is a list of changes. A change is a path (keys of objects, indexes of lists) and the value that
stands there in the other one; without a value it is absent there. Lists of different length are replaced as a
whole. RFC 6902 would say the same, but the core needs no package for it.
"""

from __future__ import annotations

import copy
import json
from typing import Any


def difference(one: Any, other: Any) -> str:
    """JSON text of the changes that make ``other`` of ``one``."""
    return json.dumps(list(_changes(one, other, [])), separators=(",", ":"), ensure_ascii=False)


def applied(one: Any, text: str) -> Any:
    """``other`` again. Raises ValueError if ``text`` is no difference, or one from another value."""
    changes = json.loads(text)
    if not isinstance(changes, list):
        raise ValueError("not a list of changes")
    result = {"": copy.deepcopy(one)}
    for change in changes:
        try:
            path, *values = change
            *way, last = "", *path
            place: Any = result
            for key in way:
                place = place[key]
            if values:
                (place[last],) = values
            else:
                del place[last]
        except (TypeError, KeyError, IndexError) as error:
            raise ValueError(f"a change that does not fit: {str(change)[:80]}") from error
    return result[""]


def _changes(one: Any, other: Any, path: list[str | int]) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({**one, **other}):
            if key not in other:
                yield [[*path, key]]
            elif key not in one:
                yield [[*path, key], other[key]]
            else:
                yield from _changes(one[key], other[key], [*path, key])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from _changes(*pair, [*path, index])
    elif type(one) is not type(other) or one != other:
        yield [path, other]
