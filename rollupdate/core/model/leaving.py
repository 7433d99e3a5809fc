"""A controller that is being deleted while a migration of its pods is in progress: as a rule by the last
write of that, and held by finalizers. Nothing goes back to it."""

from __future__ import annotations

from rollupdate.advice import PatchObject
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.migration import Migration
from rollupdate.core.model.packing import compact

_OF_DELETIONS = ("orphan", "foregroundDeletion")
"""What the API server sets by the way of a deletion."""


def has_arrived(migration: Migration, controller: Controller) -> bool:
    """It has no pods any more: they are where they were to go."""
    return migration.upwards and controller.deleting and controller.selector != migration.selector


def deleted(controller: Controller) -> str:
    """What is said of it: a sentence without its end."""
    return f"{controller.name} is being deleted{controller.belongings.holding}"


def let_go(controller: Controller) -> PatchObject | None:
    """The command that takes off it the finalizers that others have set; None if it has none of these. Those
    of a deletion are the garbage collector's: without them what it owns might go, or stay."""
    found = controller.belongings.finalizers
    kept = [finalizer for finalizer in found if finalizer in _OF_DELETIONS]
    if len(kept) == len(found):
        return None
    return PatchObject(
        controller.kind.word, controller.name, compact({"metadata": {"finalizers": kept or None}})
    )
