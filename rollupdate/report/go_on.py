"""The exact commands that continue an update and that go back, made of the one that was given."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rollupdate.core.plan.goal import Goal
from rollupdate.secrecy import without_secrets


def go_on_commands(argv: Sequence[str], goal: Goal) -> tuple[str, str]:
    """The same command, and the one of the other direction. Secrets are not repeated.

    For an undo each names its revision: ``--rollback`` alone only continues it, and is refused once it is
    finished.
    """
    rest = _without_rollback(without_secrets(argv))
    # Behind a "--" it would be a name.
    end = rest.index("--") if "--" in rest else len(rest)

    def command(*further: str) -> str:
        return shlex.join(["kubectl", "rolling-update", *rest[:end], *further, *rest[end:]])

    if goal.undo is not None:
        there = command("--rollback", f"--to-revision={goal.undo.revision}")
        back_again = command("--rollback", f"--to-revision={goal.undo.running}")
        return (back_again, there) if goal.rollback else (there, back_again)
    same, back = command(), command("--rollback")
    if not goal.rollback:
        return same, back
    if goal.change is None:
        return back, f"{same} (with the --image or --filename of the update)"
    return back, same


def _without_rollback(argv: Sequence[str]) -> list[str]:
    words: list[str] = []
    value = False
    for at, word in enumerate(argv):
        if word == "--":
            return [*words, *argv[at:]]
        name = word.partition("=")[0].replace("_", "-")
        if value or name in ("--rollback", "--to-revision"):
            value = not value and word.replace("_", "-") == "--to-revision"
            continue
        words.append(word)
    return words
