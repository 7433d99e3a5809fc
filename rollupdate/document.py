"""JSON and YAML from outside to values of JSON's types, bounded: how many there are, and how deep.

Files of controllers and of connections are read by this. What a value means is not known here. YAML is built
event by event, so that neither an alias that stands for millions of values nor a nesting that would exhaust
the stack of libyaml's composer ever gets built.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MOST_VALUES = 200_000
"""Values in a text, keys included, aliases counted as often as they are used."""
DEEPEST = 100
"""Objects and lists, one inside the other."""


class DocumentError(Exception):
    """A text that is none. ``whole``: the sentence is about all of it, and goes on after its name."""

    def __init__(self, problem: str, *, line: int | None = None, whole: bool = False) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.whole = whole


_TOO_DEEP = "is nested too deeply"
_TOO_MANY = f"holds more than {MOST_VALUES} values"


def documents(text: str, *, unique: bool) -> Iterator[Any]:
    """The documents of a text, read one by one: a JSON text is one. ``unique``: a key that is set twice in
    one object is an error; else the last one counts. Raises DocumentError."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield _json(text, unique=unique)
        except ValueError:  # YAML's flow style begins alike
            pass
        else:
            return
    yield from _yaml(text, unique=unique)


# --- JSON ---


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def _json(text: str, *, unique: bool) -> Any:
    """Raises DocumentError for what it may not hold, ValueError where it is no JSON."""
    if _punctuation(text) > MOST_VALUES and _punctuation(_STRING.sub("", text)) > MOST_VALUES:
        raise DocumentError(_TOO_MANY, whole=True)
    try:
        document = json.loads(text, object_pairs_hook=_unique if unique else dict)
    except RecursionError:
        raise DocumentError(_TOO_DEEP, whole=True) from None
    _bound(document, 0)
    return document


def _punctuation(text: str) -> int:
    """Before each value but the first there is one of these."""
    return sum(text.count(sign) for sign in ",:[{")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    obj = dict(pairs)
    if len(obj) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise DocumentError(f'key "{twice}" is set twice in one object')
    return obj


def _bound(value: Any, depth: int) -> None:
    if isinstance(value, (dict, list)) and depth == DEEPEST:
        raise DocumentError(_TOO_DEEP, whole=True)
    if isinstance(value, float) and not math.isfinite(value):
        raise DocumentError("holds a number that JSON cannot write", whole=True)
    if isinstance(value, str):
        _bound_text(value)
    if isinstance(value, dict):
        for key in value:
            _bound_text(key)
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        _bound(child, depth + 1)


def _bound_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DocumentError("holds half a character (an unpaired surrogate)", whole=True) from None


# --- YAML, read as the YAML library of Kubernetes reads it: a date is text, keys are text ---


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_resolver: Any = yaml.SafeLoader("")
_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(
    f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp", "value", "merge")
)


@dataclass(frozen=True)
class _Anchored:
    """What an alias stands for."""

    value: Any
    text: str | None
    """Of a scalar, as it is written: it may be a key."""
    count: int
    """Values, itself included; 0 while it is still being read."""
    levels: int


def _yaml(text: str, *, unique: bool) -> Iterator[Any]:
    events: Any = yaml.parse(text, Loader=_Loader)
    try:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                builder = _Builder(events, unique=unique)
                yield builder.value(next(events), 0).value
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).split("\n", maxsplit=1)[0]
        if "nesting depth" in problem:  # newer versions of libyaml have a limit of their own
            raise DocumentError(_TOO_DEEP, whole=True) from None
        raise DocumentError(problem, line=None if mark is None else mark.line + 1) from None
    finally:
        events.close()


class _Builder:
    """One document, from its events."""

    def __init__(self, events: Iterator[Any], *, unique: bool) -> None:
        self._events = events
        self._must_be_unique = unique
        self._anchors: dict[str, _Anchored] = {}
        self._count = 0

    def value(self, event: Any, depth: int) -> _Anchored:
        """The value that begins with ``event``, inside of ``depth`` others."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        began = self._count
        self._add(1, _TOO_MANY)
        if isinstance(event, yaml.ScalarEvent):
            found = _Anchored(_scalar(event), str(event.value), 1, 0)
        else:
            if depth == DEEPEST:
                raise DocumentError(_TOO_DEEP, whole=True)
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(None, None, 0, 0)
            build = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
            value, levels = build(depth + 1)
            found = _Anchored(value, None, self._count - began, levels + 1)
        if event.anchor:
            self._anchors[event.anchor] = found
        return found

    def _add(self, count: int, too_many: str) -> None:
        self._count += count
        if self._count > MOST_VALUES:
            raise DocumentError(too_many, whole=True)

    def _alias(self, event: Any, depth: int) -> _Anchored:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise DocumentError("found undefined alias", line=_line(event))
        if found.count == 0:
            raise DocumentError("has an alias that contains itself", whole=True)
        self._add(found.count, "is too large once its aliases are written out")
        if depth + found.levels > DEEPEST:
            raise DocumentError(_TOO_DEEP, whole=True)
        return _Anchored(_copied(found.value), found.text, found.count, found.levels)

    def _sequence(self, depth: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        levels = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found = self.value(event, depth)
            values.append(found.value)
            levels = max(levels, found.levels)
        return values, levels

    def _mapping(self, depth: int) -> tuple[dict[str, Any], int]:
        obj: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        levels = 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            is_merge = isinstance(event, yaml.ScalarEvent) and _tag(event) == f"{_TAG}merge"
            key = self._key(event, depth)
            found = self.value(next(self._events), depth)
            levels = max(levels, found.levels)
            if is_merge:
                for base in found.value if isinstance(found.value, list) else [found.value]:
                    if not isinstance(base, dict):
                        raise DocumentError("<< needs an object", line=_line(event))
                    for name, inherited in base.items():
                        merged.setdefault(name, inherited)
                continue
            if key in obj and self._must_be_unique:
                raise DocumentError(f'key "{key}" is set twice in one object', line=_line(event))
            obj[key] = found.value
        return {**merged, **obj}, levels

    def _key(self, event: Any, depth: int) -> str:
        if isinstance(event, yaml.ScalarEvent):  # as it is written: 1 is "1"
            self._add(1, _TOO_MANY)
            text = str(event.value)
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(_scalar(event), text, 1, 0)
            return text
        key = self._alias(event, depth).text if isinstance(event, yaml.AliasEvent) else None
        if key is None:
            raise DocumentError("a key must be text", line=_line(event))
        return key


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _tag(event: Any) -> str:
    if event.tag and event.tag != "!":
        return str(event.tag)
    return str(_resolver.resolve(yaml.ScalarNode, event.value, event.implicit))


def _scalar(event: Any) -> Any:
    tag, text = _tag(event), str(event.value)
    kind = tag.rpartition(":")[2]
    if tag not in _SCALARS:
        raise DocumentError(f"the tag {tag} is not JSON", line=_line(event))
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in _BOOLEANS:
            raise DocumentError(f"{text} is neither true nor false", line=_line(event))
        return _BOOLEANS[text.lower()]
    if kind in ("int", "float") and ":" not in text:
        try:
            return _number(kind, text.replace("_", ""))
        except ValueError:
            raise DocumentError(f"{text[:40]} is not a number of JSON", line=_line(event)) from None
    return text


def _number(kind: str, text: str) -> int | float:
    """Raises ValueError for what is none, has thousands of digits or is not finite."""
    if kind == "float":
        number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise ValueError("not finite")
        return number
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if digits[:2].lower() in ("0x", "0b", "0o"):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)
