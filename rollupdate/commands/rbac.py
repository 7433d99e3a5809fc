"""``--print-rbac``: the Role for the command that was given. No cluster is asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollupdate import rights
from rollupdate.commands.result import Result
from rollupdate.objects import CONFIGS
from rollupdate.report.rbac import role

if TYPE_CHECKING:
    from rollupdate.commands.given import Given
    from rollupdate.rights import Rule

ROLE, READS = "rolling-update", "rolling-update-dry-run"
_UNNAMED = (
    "No rule can name the controllers: the name of the new one is not known in advance, and create, list "
    "and watch cannot be restricted by name."
)


def run(given: Given) -> Result:
    return Result(output=[printed(given)])


def printed(given: Given) -> str:
    name, about, rules = _of(given)
    return role(name, given.text("namespace"), f"Printed by: {given.shown()}\n{about}", rules)


def _of(given: Given) -> tuple[str, str, tuple[Rule, ...]]:
    """The name of the Role, what it is for, and its rules."""
    if given.on("history"):
        return ROLE, "The smallest Role for a look at the history, in one namespace.", rights.HISTORY
    if given.on("status"):
        rules = rights.FOLLOWED if given.on("watch") else rights.STATUS
        return ROLE, "The smallest Role for a look at an update, in one namespace.", rules
    reads = given.value("dry-run") == "client"
    if given.on("to"):
        config = bool(given.names and given.is_config) or given.text("to") in CONFIGS
        if reads:
            reading = rights.CONFIG_DRY_RUN if config else rights.MIGRATION_DRY_RUN
            return READS, "Enough for this dry run, which only reads.", reading
        about = "The smallest Role for a migration there and back, in one namespace."
        deletes = given.has("keep-old") and not given.on("keep-old")
        moving = rights.migration_of_config(deletes=deletes) if config else rights.MIGRATION
        return ROLE, f"{about} {_UNNAMED}", moving
    if reads:
        about = "Enough for --dry-run=client and --history, which only read."
        return READS, f"{about} --dry-run=server needs the Role of the update.", rights.DRY_RUN
    about, run = _of_a_run(given)
    return ROLE, about, rights.evicting(run) if given.on("evict") else run


def _of_a_run(given: Given) -> tuple[str, tuple[Rule, ...]]:
    if given.on("to-revision"):
        return f"The smallest Role for an undo, in one namespace. {_UNNAMED}", rights.UNDO
    if given.on("rollback"):
        return "The smallest Role to roll an update back, in one namespace.", rights.ROLLBACK
    return f"The smallest Role for an update and its rollback, in one namespace. {_UNNAMED}", rights.UPDATE
