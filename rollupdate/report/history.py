"""The history of a controller as text: a table of its revisions, or the template of one."""

from __future__ import annotations

from collections.abc import Sequence

from rollupdate.core.model.history import Revision

_HEADS = ("REVISION", "FINISHED", "IMAGES", "CHANGE-CAUSE")
_NONE = "<none>"


def table(name: str, history: Sequence[Revision], running: Revision | None) -> str:
    """The oldest first; a star marks what runs."""
    if not history:
        return f'No history of replicationcontroller "{name}" found.\n'
    rows = [_HEADS]
    for revision in history:
        number = f"{revision.number} *" if revision is running else str(revision.number)
        rows.append((number, revision.finished_at or _NONE, ",".join(revision.images), _cause(revision)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def one(name: str, revision: Revision) -> str:
    """What is known of one, and its pod template as YAML."""
    from rollupdate.report.yaml_text import dumped

    known = {
        "Controller": name,
        "Revision": str(revision.number),
        "Finished": revision.finished_at or _NONE,
        "Change-cause": _cause(revision),
    }
    if revision.former:
        known["Formerly"] = ", ".join(map(str, revision.former))
    lines = [f"{head + ':':<14}{text}" for head, text in known.items()]
    template = dumped(revision.template, allow_unicode=True)
    lines += ["Template:", *(f"  {line}" for line in template.splitlines())]
    return "".join(f"{line}\n" for line in lines)


def _cause(revision: Revision) -> str:
    """On one line, whatever the cause holds."""
    return " ".join((revision.cause or _NONE).split())
