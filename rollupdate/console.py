"""Standard error, where all that is said to people goes: it may be closed, or its reader gone."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from rollupdate.errors import ClusterError, RollingUpdateError
from rollupdate.report.text import printable


def complain(error: RollingUpdateError) -> None:
    """``error: ...`` as kubectl writes it; the server's own words need no such mark."""
    mark = "" if isinstance(error, ClusterError) else "error: "
    note(mark + error.message)
    if error.hint:
        note(error.hint)


def note(line: str) -> None:
    try:
        sys.stderr.write(printable(line) + "\n")
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)  # nobody listens; the exit status still tells


def silence(stream: TextIO) -> None:
    """Keep the interpreter from failing once more when it flushes at exit: its status would be 120."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
