"""The writes that one run of a move has made, by what they change: one that is made again and again is undone
by another client each time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from rollupdate.core.model.history import Write
from rollupdate.core.phases.holding import MOST_HOLDS
from rollupdate.engine.executor import conditional

MOST = MOST_HOLDS


class Changes:
    """In one direction."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def made(self, writes: Iterable[Write]) -> None:
        self._made.update(map(_change, writes))

    def contested(self, writes: Iterable[Write]) -> str:
        """KIND/NAME of the first that was made too often by now; empty if none was."""
        return next((_named(write) for write in writes if self._made[_change(write)] >= MOST), "")


def _change(write: Write) -> str:
    """The same text for the same change of the same object."""
    if write.before is None or write.after is None:
        return f"{'created' if write.before is None else 'deleted'} {_named(write)}"
    _, *operations = conditional(write.before, write.after)  # the first one is of that version alone
    return f"{_named(write)} {json.dumps(operations, sort_keys=True)}"


def _named(write: Write) -> str:
    obj = write.after if write.before is None else write.before
    assert obj is not None, "it is created, changed or deleted"
    return f"{obj['kind'].lower()}/{obj['metadata']['name']}"
