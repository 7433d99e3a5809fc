"""The exact commands that continue an update and that go back, made of the one that was given."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rollupdate.core.goal import Goal


def go_on_commands(argv: Sequence[str], goal: Goal) -> tuple[str, str]:
    """The same command, and the one of the other direction. Secrets are not repeated."""
    rest = [word for word in _without_secrets(argv) if not _is_rollback(word)]
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


def _without_secrets(argv: Sequence[str]) -> list[str]:
    words: list[str] = []
    hide = False
    for word in argv:
        if hide or word.startswith("--token="):
            words.append("REDACTED" if hide else "--token=REDACTED")
        else:
            words.append(word)
        hide = word == "--token"
    return words
