"""The exact commands that continue an update and that go back, made of the one that was given."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rollupdate.core.goal import Goal
from rollupdate.secrecy import without_secrets


def go_on_commands(argv: Sequence[str], goal: Goal) -> tuple[str, str]:
    """The same command, and the one of the other direction. Secrets are not repeated."""
    rest = [word for word in without_secrets(argv) if not _is_rollback(word)]
    # Behind a "--" it would be a name.
    end = rest.index("--") if "--" in rest else len(rest)
    same = shlex.join(["kubectl", "rolling-update", *rest])
    back = shlex.join(["kubectl", "rolling-update", *rest[:end], "--rollback", *rest[end:]])
    if not goal.rollback:
        return same, back
    if goal.request.change is None:
        return back, f"{same} (with the --image or --filename of the update)"
    return back, same


def _is_rollback(word: str) -> bool:
    return word == "--rollback" or word.startswith("--rollback=")
