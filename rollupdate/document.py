"""JSON and YAML from outside to values of JSON's types, bounded: how many there are, and how deep.

Files of controllers and of connections, and what credential plugins print, are read by this. What a value
means is not known here, and what a scalar is in ``scalars``. YAML is built event by event, so that neither an
alias that stands for millions of values nor a nesting that would exhaust the stack of libyaml's composer ever
gets built.
"""

from __future__ import annotations

import base64
import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from rollupdate import scalars

MOST_VALUES = 200_000
"""Values in a text, keys included, aliases counted as often as they are used."""
_MOST_DIGITS = 400
"""Of a number: the largest float has 309."""
DEEPEST = 100
"""Objects and lists, one inside the other."""


class DocumentError(Exception):
    """A text that is none. ``whole``: the sentence is about all of it, and goes on after its name."""

    def __init__(self, problem: str, *, line: int | None = None, whole: bool = False) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.whole = whole


_TOO_DEEP = "is nested too deeply"
_TOO_MANY = f"holds more than {MOST_VALUES} values"


def text_of(data: bytes) -> str:
    """UTF-8, or UTF-16 that says so by its byte order mark, as editors and shells of Windows write it. Raises
    UnicodeDecodeError."""
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf_16 else "utf-8-sig")


def documents(text: str, *, unique: bool) -> Iterator[Any]:
    """The documents of a text, read one by one: of YAML, or objects of JSON one after the other, behind which
    YAML may follow. ``unique``: a key that is set twice in one object is an error; else the last one counts.
    Raises DocumentError."""
    end = 0
    while found := _JSON_BEGINS.match(text, end):
        if end == 0:
            _bound_size(text)
        try:
            document, end = _json(text, found.end(), unique=unique)
        except ValueError:  # YAML's flow style begins alike
            break
        yield document
    if text[end:].strip():
        lines = "\n" * text.count("\n", 0, end)  # for the number of the line in a message
        yield from _yaml(lines + text[end:], unique=unique)


# --- JSON ---


_JSON_BEGINS = re.compile(r"\s*(?=[{\[])")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def _bound_size(text: str) -> None:
    """Of all values of the text together."""
    if _punctuation(text) > MOST_VALUES and _punctuation(_STRING.sub("", text)) > MOST_VALUES:
        raise DocumentError(_TOO_MANY, whole=True)


def _json(text: str, start: int, *, unique: bool) -> tuple[Any, int]:
    """The value that begins at ``start``, and where it ends. Raises DocumentError for what it may not hold,
    ValueError where it is no JSON."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique if unique else None, parse_float=_float, parse_int=_int
    )
    try:
        document, end = decoder.raw_decode(text, start)
    except RecursionError:
        raise DocumentError(_TOO_DEEP, whole=True) from None
    _bound(document, 0)
    return document, end


def _int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise DocumentError("holds a number that JSON cannot write", whole=True)
    return int(text)


def _float(text: str) -> int | float:
    number = float(text)
    return scalars.as_json(number) if math.isfinite(number) else number


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
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class _Anchored:
    """What an alias stands for."""

    value: Any
    key: str | None
    """Of a scalar: the text that it is as a key."""
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
            found = _anchored(event)
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
        return _Anchored(_copied(found.value), found.key, found.count, found.levels)

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
            is_merge = isinstance(event, yaml.ScalarEvent) and _is_merge(event)
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
        key = None
        if isinstance(event, yaml.ScalarEvent):
            self._add(1, _TOO_MANY)
            found = _anchored(event)
            if event.anchor:
                self._anchors[event.anchor] = found
            key = found.key
        elif isinstance(event, yaml.AliasEvent):
            key = self._alias(event, depth).key
        if key is None:
            raise DocumentError("a key must be text", line=_line(event))
        return key


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _anchored(event: Any) -> _Anchored:
    """A scalar."""
    value = _scalar(event)
    return _Anchored(value, scalars.key(value), 1, 0)


def _is_merge(event: Any) -> bool:
    return event.tag == f"{_TAG}merge" or (event.tag is None and event.implicit[0] and event.value == "<<")


def _scalar(event: Any) -> scalars.Scalar:
    """As its tag says, or without one as it looks. A tag that is not of YAML itself makes it text."""
    tag, text = event.tag, str(event.value)
    if not tag:
        return text if not event.implicit[0] else _plain(event)
    kind = tag.removeprefix(_TAG) if tag.startswith(_TAG) else ""
    if kind == "binary":
        try:
            return base64.b64decode(text, validate=True).decode()
        except ValueError:
            raise DocumentError("a value that is tagged !!binary is no text", line=_line(event)) from None
    if kind not in ("null", "bool", "int", "float"):
        return text
    value = scalars.integer(text.replace("_", "")) if kind == "int" else _plain(event)
    types = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (int, float)}
    if type(value) in types[kind]:
        return value
    raise DocumentError(f"{text[:40]} cannot be read as !!{kind}", line=_line(event))


def _plain(event: Any) -> scalars.Scalar:
    try:
        return scalars.plain(str(event.value))
    except ValueError:
        raise DocumentError(f"{event.value[:40]} is not a number of JSON", line=_line(event)) from None
