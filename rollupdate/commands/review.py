"""What changes, shown before anything is done (``--diff``), and the question after it (``--confirm``)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TextIO

from rollupdate.console import print_note
from rollupdate.errors import RefusedError


def refuse_without_terminal(*, taken: bool) -> None:
    """A question needs a terminal. ``taken``: standard input is read for what changes."""
    if taken or sys.stdin is None or not sys.stdin.isatty():
        what = ", which the file is read from" if taken else ""
        raise RefusedError(
            f"--confirm needs a terminal on standard input{what}; nothing was changed",
            hint="to see the change first, use --diff with --dry-run; then run it without --confirm",
        )


def lines_for(*, as_objects: bool, progress: str) -> TextIO:
    """Standard output is for sentences, or for objects alone."""
    return sys.stderr if as_objects or progress == "json" else sys.stdout


def show(diff: Callable[[bool], str], lines: TextIO, *, asks: bool, resuming: bool) -> None:
    """``diff``: with colours or without. Raises RefusedError if it is not confirmed."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    lines.write(diff(lines.isatty() and not plain))
    lines.flush()
    if not asks:
        return
    sys.stderr.write("Proceed? [y/N] ")
    sys.stderr.flush()
    reply = sys.stdin.readline()
    if not reply.endswith("\n"):
        print_note("")  # the end of the input, not of the line
    if reply.strip().lower() not in ("y", "yes"):
        more = "nothing more was changed" if resuming else "nothing was changed"
        raise RefusedError(f"not confirmed; {more}")
