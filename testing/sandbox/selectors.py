"""Label and field selectors: parsing and matching. Which fields a kind supports is in ``resources``."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from testing.objects import Json
from testing.sandbox import formats, statuses
from testing.sandbox.objects import Predicate, labels_of
from testing.sandbox.resources import Resource

_TOKEN = re.compile(r"\s*(!=|==|=|!|\(|\)|,|>|<|[^\s!=,()<>]+)")
_SYMBOLS = frozenset("!=,()<>") | {"!=", "=="}
_Requirement = Callable[[dict[str, str]], bool]


class _Tokens:
    def __init__(self, text: str) -> None:
        self._found = _TOKEN.findall(text)
        self._at = 0

    def peek(self) -> str:
        return self._found[self._at] if self._at < len(self._found) else ""

    def take(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def word(self) -> str:
        token = self.take()
        if not token or token in _SYMBOLS:
            raise statuses.bad_request(f"unable to parse requirement: found '{token}', expected: identifier")
        return token

    def expect(self, symbol: str) -> None:
        token = self.take()
        if token != symbol:
            raise statuses.bad_request(f"unable to parse requirement: found '{token}' expected: '{symbol}'")


@functools.lru_cache(maxsize=1024)
def _requirements(text: str) -> tuple[_Requirement, ...]:
    tokens = _Tokens(text)
    found: list[_Requirement] = []
    while tokens.peek():
        found.append(_requirement(tokens))
        token = tokens.take()
        if token:
            if token != ",":
                raise statuses.bad_request(f"found '{token}', expected: ',' or 'end of string'")
            if not tokens.peek():
                raise statuses.bad_request("found '', expected: identifier after ','")
    return tuple(found)


def _requirement(tokens: _Tokens) -> _Requirement:
    if tokens.peek() == "!":
        tokens.take()
        absent = _key(tokens)
        return lambda labels: absent not in labels
    if tokens.peek() in _SYMBOLS:
        raise statuses.bad_request(f"found '{tokens.peek()}', expected: !, identifier, or 'end of string'")
    key = _key(tokens)
    operator = tokens.peek()
    if operator in ("", ","):
        return lambda labels: key in labels
    tokens.take()
    if operator in ("=", "=="):
        value = _value(tokens, key)
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        value = _value(tokens, key)
        return lambda labels: labels.get(key) != value
    if operator in ("in", "notin"):
        values = _values(tokens)
        if operator == "in":
            return lambda labels: key in labels and labels[key] in values
        return lambda labels: labels.get(key) not in values
    if operator in (">", "<"):
        limit = _limit(tokens.word())
        sign = 1 if operator == ">" else -1
        return lambda labels: labels.get(key, "").isdigit() and sign * int(labels[key]) > sign * limit
    raise statuses.bad_request(
        f"unable to parse requirement: found '{operator}', expected: '=', '!=', '==', 'in', notin'"
    )


def _key(tokens: _Tokens) -> str:
    key = tokens.word()
    if problems := formats.label_key_problems(key):
        raise statuses.bad_request(
            f'unable to parse requirement: invalid label key "{key}": {"; ".join(problems)}'
        )
    return key


def _value(tokens: _Tokens, key: str) -> str:
    value = "" if tokens.peek() in ("", ",") else tokens.word()
    if problems := formats.label_value_problems(value):
        raise statuses.bad_request(
            f'unable to parse requirement: invalid label value: "{value}": at key: "{key}": '
            + "; ".join(problems)
        )
    return value


def _limit(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(
            "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"
        ) from error


def _values(tokens: _Tokens) -> frozenset[str]:
    tokens.expect("(")
    values = []
    while True:
        if not tokens.peek():
            raise statuses.bad_request(
                "unable to parse requirement: found '', expected: ',', ')' or identifier"
            )
        values.append("" if tokens.peek() in (",", ")") else tokens.word())
        token = tokens.take()
        if token == ")":
            return frozenset(values)
        if token != ",":
            raise statuses.bad_request(f"unable to parse requirement: found '{token}', expected: ',' or ')'")


def label_predicate(text: str) -> Predicate | None:
    """None where everything matches. Raises 400 for what does not parse."""
    requirements = _requirements(text)
    if not requirements:
        return None
    return lambda obj: all(requirement(labels_of(obj)) for requirement in requirements)


def _field(obj: Json, path: str) -> str:
    if path == "source":
        path = "source.component"
    value: object = obj
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return "" if value is None else str(value)


def field_predicate(resource: Resource, text: str) -> Predicate | None:
    """None where everything matches. Raises 400 for a field the kind can't be selected by."""
    requirements: list[tuple[str, bool, str]] = []
    for term in filter(None, text.split(",")):
        path, operator, value = re.fullmatch(r"([^=!]*)(!=|==|=)?(.*)", term, re.DOTALL).groups()  # type: ignore[union-attr]
        if not operator:
            raise statuses.bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        if path not in ("metadata.name", "metadata.namespace", *resource.fields):
            raise statuses.bad_request(
                f"field label not supported: {path}"
                if resource.fields
                else f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            )
        requirements.append((path, operator != "!=", value))
    if not requirements:
        return None
    return lambda obj: all((_field(obj, path) == value) == equal for path, equal, value in requirements)


def both(first: Predicate | None, second: Predicate | None) -> Predicate | None:
    """What matches both; None where everything does."""
    if first is None or second is None:
        return first or second
    return lambda obj: first(obj) and second(obj)
