"""The two controllers of one update: whether they belong together, and which way it goes.

All of it from what stands on them, so that any client, at any time, comes to the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rollupdate.core import record
from rollupdate.core.controller import Controller
from rollupdate.core.revision import is_temporary_name

Json = dict[str, Any]


def find_successors(original: Controller, controllers: Iterable[Controller]) -> list[Controller]:
    """The new controllers of updates of ``original``, by the record: first the one in progress, then those
    that it has superseded. Names and uids are compared whole."""
    linked = [each for each in controllers if each.uid != original.uid and belongs(original, each)]

    def rank(each: Controller) -> tuple[bool, bool, str]:
        return each.record.superseded_by is not None, each.name != original.record.next_name, each.name

    return sorted(linked, key=rank)


def belongs(original: Controller, successor: Controller) -> bool:
    """Whether the record says that ``successor`` is the new controller of an update of ``original``."""
    if successor.record.source_id == original.identity:
        return True
    if original.record.next_uid is not None:
        return original.record.next_uid == successor.uid
    handover = successor.record.handover
    if handover is not None and successor.record.source_id is None:
        # Handed over to a controller that was created for it, after this one had lost its source.
        return handover.selector == original.selector and is_temporary_name(successor.name, original.name)
    return _left_by_the_old_command(original, successor)


def rolling_back(original: Controller, successor: Controller) -> bool:
    """The direction that was written last (see ``turning``). The mark of a rollback is that the old
    controller is itself to grow out of the new one; it goes first when the rollback is finished."""
    if taken_over(original, successor):
        return successor.record.handing_back is not None
    return original.record.source_id == successor.identity or original.record.turn < successor.record.turn


def taken_over(original: Controller, successor: Controller) -> bool:
    """The old controller has the pods of the new one, which only waits to be deleted."""
    handover = successor.record.handover
    return handover is not None and original.selector == handover.selector


def _left_by_the_old_command(original: Controller, successor: Controller) -> bool:
    """The command of kubectl 1.17 strips the new controller before it deletes the old one, which then
    names it but cannot prove it. It is taken for the one where nothing else fits either: the old one is
    at 0 by that record, the new one is clean, and the two select by the same keys."""
    return (
        original.record.next_name == successor.name
        and original.record.original is not None
        and original.replicas == 0
        and successor.record.empty
        and original.selector.keys() == successor.selector.keys()
        and original.selector != successor.selector
    )


def source_template(original: Controller, successor: Controller) -> Json | None:
    """The old controller's template before it took over the new one's pods; None where it is lost."""
    if not taken_over(original, successor):
        return original.template
    handover = successor.record.handover
    return (handover.previous or {}).get("template") if handover else None


def undo_in_progress(original: Controller, partner: Controller | None) -> record.Undo | None:
    """Whether what is in progress between the two is an undo (or was to become one), and which."""
    if partner is None:
        return original.record.undo
    return partner.record.undo if partner.record.superseded_by is None else None


def was_successor_of(name: str, controller: Controller) -> bool:
    source_id = controller.record.source_id
    return source_id is not None and source_id.rpartition(":")[0] == name
