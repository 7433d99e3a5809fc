"""Selectors as objects have them: the map of a ReplicationController, and the LabelSelector of the others.

Those of requests, in text, are in ``selectors``.
"""

from __future__ import annotations

from testing.objects import Json
from testing.sandbox.objects import selects


def is_selected(owner: Json, labels: dict[str, str]) -> bool:
    """Whether the owner's selector matches; an empty one matches nothing."""
    return matches(_selector(owner), labels)


def matches(selector: Json, labels: dict[str, str]) -> bool:
    """Whether a LabelSelector does. An empty one matches nothing: no controller may have one."""
    equal, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not equal and not expressions:
        return False
    if equal and not selects(equal, labels):
        return False
    return all(_holds(requirement, labels) for requirement in expressions)


def _holds(requirement: Json, labels: dict[str, str]) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def with_label(selector: Json, key: str, value: str) -> Json:
    """The same selector, of those alone that have this label, too."""
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), key: value}}


def formatted(owner: Json) -> str:
    """The owner's selector in the syntax of requests."""
    selector = _selector(owner)
    equal, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    told = [(key, f"{key}={value}") for key, value in equal.items()]
    told += [(requirement["key"], _formatted(requirement)) for requirement in expressions]
    return ",".join(text for _, text in sorted(told, key=lambda entry: entry[0]))


def _formatted(requirement: Json) -> str:
    key, values = requirement["key"], ",".join(sorted(requirement.get("values") or ()))
    match requirement["operator"]:
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
        case _:
            return f"!{key}"


def _selector(owner: Json) -> Json:
    """As a LabelSelector. What has texts for its values is a map: what is listed does not say its kind."""
    found: Json = owner["spec"].get("selector") or {}
    return {"matchLabels": found} if all(isinstance(value, str) for value in found.values()) else found
