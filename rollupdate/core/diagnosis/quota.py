"""ResourceQuotas: which one a pod was refused for, and whether it has room for that pod by now. Pure.

The controller manager tries again later each time, up to 16 minutes later, and is not told when room comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rollupdate.core.model.quantity import parse
from rollupdate.objects import Json

_EXCEEDED = re.compile(r"exceeded quota: (?P<quota>[^,\s]+), requested: (?P<requested>.*?), used: ")


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
    hard = parse(_entry(quota, "spec", "hard", resource))
    told = parse(_entry(quota, "status", "hard", resource))
    if hard is None and told is None:
        return True
    limits = [limit for limit in (hard, told) if limit is not None]  # the status follows the specification
    used, more = parse(_entry(quota, "status", "used", resource)), parse(requested)
    return used is not None and more is not None and used + more <= min(limits)


def _entry(obj: Json, *path: str) -> object:
    value: object = obj
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
