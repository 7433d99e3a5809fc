"""Parts of an object of the API in the shape that they are read with. Each raises ClusterError for another
one.

``what``: the object, as messages name it.
"""

from __future__ import annotations

from rollupdate.errors import ClusterError
from rollupdate.objects import Json


def mapping(parent: Json, key: str, what: str) -> Json:
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ClusterError(f"{what}: {key} is not an object; the answer of the API server cannot be used")
    return value


def number(parent: Json, key: str, what: str, default: int = 0) -> int:
    value = parent.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise ClusterError(f"{what}: {key} is not a number; the answer of the API server cannot be used")
    return value


def strings(parent: Json, key: str, what: str) -> dict[str, str]:
    value = mapping(parent, key, what)
    if not all(isinstance(text, str) for text in value.values()):
        raise ClusterError(f"{what}: {key} holds more than text; the answer of the API server cannot be used")
    return value
