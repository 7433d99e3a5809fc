"""Which pods a label selector of the API selects (metav1.LabelSelector): by labels and by expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollupdate.objects import Json


def selects(selector: Json, labels: Mapping[str, str]) -> bool:
    """An empty selector selects everything. Raises AttributeError, TypeError or ValueError for what the API
    would not store."""
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _meets(labels, **expression) for expression in expressions
    )


def _meets(labels: Mapping[str, str], key: str, operator: str, values: Any = None) -> bool:
    match operator:
        case "In":
            return labels.get(key) in (values or [])
        case "NotIn":
            return labels.get(key) not in (values or [])
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(operator)
