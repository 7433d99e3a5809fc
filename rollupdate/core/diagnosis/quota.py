"""ResourceQuotas: which one a pod was refused for, and whether it has room for that pod by now. Pure.

The controller manager tries again later each time, up to 16 minutes later, and is not told when room comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rollupdate.objects import Json

_EXCEEDED = re.compile(r"exceeded quota: (?P<quota>[^,\s]+), requested: (?P<requested>.*?), used: ")
_QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[a-zA-Z]*|[eE][+-]?\d+)")
_DECIMAL: dict[str, int] = dict(
    zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 21, 3), strict=True)
)
_LARGEST_EXPONENT = 30
"""Of what is taken for a quantity: the API server knows none that large."""
_BINARY: dict[str, int] = {
    suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
}


@dataclass(frozen=True)
class Exceeded:
    """What a quota has refused: its name, and how much a pod asked for, by resource."""

    quota: str
    requested: Mapping[str, str]


def exceeded(message: str) -> Exceeded | None:
    """Read from the server's words; None if they are not of a quota that is used up."""
    found = _EXCEEDED.search(message)
    if found is None:
        return None
    pairs = (pair.partition("=") for pair in found["requested"].split(","))
    return Exceeded(found["quota"], {name.strip(): amount.strip() for name, _, amount in pairs})


def has_room(quotas: Iterable[Json], refused: Exceeded) -> bool:
    """Whether one more such pod fits, by the status of the quota; also if the quota or its limit is gone."""
    for quota in quotas:
        meta = quota.get("metadata") if isinstance(quota, dict) else None
        if isinstance(meta, dict) and meta.get("name") == refused.quota:
            return all(_fits(quota, name, amount) for name, amount in refused.requested.items())
    return True


def _fits(quota: Json, resource: str, requested: str) -> bool:
    hard = _quantity(_entry(quota, "spec", "hard", resource))
    told = _quantity(_entry(quota, "status", "hard", resource))
    if hard is None and told is None:
        return True
    limits = [limit for limit in (hard, told) if limit is not None]  # the status follows the specification
    used, more = _quantity(_entry(quota, "status", "used", resource)), _quantity(requested)
    return used is not None and more is not None and used + more <= min(limits)


def _entry(obj: Json, *path: str) -> object:
    value: object = obj
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _quantity(text: object) -> Decimal | None:
    """A resource.Quantity as a number; None if it is none."""
    found = _QUANTITY.fullmatch(str(text)) if isinstance(text, (str, int, float)) else None
    if found is None:
        return None
    number, suffix = Decimal(found["number"]), found["suffix"]
    if suffix in _BINARY:
        return number * _BINARY[suffix]
    exponent = _DECIMAL.get(suffix)
    if exponent is None and suffix[:1] in ("e", "E") and suffix[1:].lstrip("+-").isdigit():
        exponent = int(suffix[1:])
    return None if exponent is None or abs(exponent) > _LARGEST_EXPONENT else number.scaleb(exponent)
