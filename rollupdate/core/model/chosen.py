"""Which pods of a held controller may be evicted, as an annotation on it says."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rollupdate.core.model.packing import compact


@dataclass(frozen=True)
class Evictions:
    """Chosen pods of a held controller: name and resourceVersion. Nobody may evict another one, or one of
    these in another version."""

    pods: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.pods)

    def encode(self) -> str:
        return compact(dict(self.pods))

    @classmethod
    def decode(cls, text: str) -> Evictions:
        """Raises ValueError if another client has made something else of it."""
        body = json.loads(text)
        if not isinstance(body, dict) or not all(isinstance(version, str) for version in body.values()):
            raise ValueError("not names and versions")
        return cls(tuple(body.items()))
