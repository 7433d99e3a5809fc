"""Which pods a label selector of the API selects (metav1.LabelSelector): by labels and by expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rollupdate.objects import Json


class Requirement(NamedTuple):
    """One of the requirements of a selector."""

    key: str
    operator: str
    values: tuple[str, ...]
    is_expression: bool

    def __str__(self) -> str:
        if not self.is_expression:
            return f"{self.key}={self.values[0]}"
        return f"{self.key} {self.operator} {', '.join(self.values)}".rstrip()


def selects(selector: Json, labels: Mapping[str, str]) -> bool:
    """An empty selector selects everything. Raises AttributeError, TypeError or ValueError for what the API
    would not store."""
    return not unmet(selector, labels)


def unmet(selector: Json, labels: Mapping[str, str]) -> list[Requirement]:
    """The requirements that ``labels`` do not meet. Raises as :func:`selects`."""
    return [requirement for requirement in _requirements(selector) if not _meets(labels, requirement)]


def _requirements(selector: Json) -> Iterator[Requirement]:
    for key, value in (selector.get("matchLabels") or {}).items():
        yield Requirement(key, "In", (value,), is_expression=False)
    for expression in selector.get("matchExpressions") or []:
        yield _expression(**expression)


def _expression(key: str, operator: str, values: Any = None) -> Requirement:
    return Requirement(key, operator, tuple(values or ()), is_expression=True)


def _meets(labels: Mapping[str, str], requirement: Requirement) -> bool:
    key = requirement.key
    match requirement.operator:
        case "In":
            return labels.get(key) in requirement.values
        case "NotIn":
            return labels.get(key) not in requirement.values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(requirement.operator)
