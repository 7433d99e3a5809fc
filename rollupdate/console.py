"""Standard error, where all that is said to people goes: it may be closed, or its reader gone."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from rollupdate.errors import ClusterError, RollingUpdateError
from rollupdate.report.text import printable


def error_lines(error: RollingUpdateError) -> tuple[str, ...]:
    """``error: ...`` as kubectl writes it; the server's own words need no such mark."""
    mark = "" if isinstance(error, ClusterError) else "error: "
    return (mark + error.message, error.hint) if error.hint else (mark + error.message,)


def print_error(error: RollingUpdateError) -> None:
    for line in error_lines(error):
        print_note(line)


def print_note(line: str) -> None:
    try:
        sys.stderr.write(printable(line) + "\n")
        sys.stderr.flush()
    except OSError:
        redirect_to_devnull(sys.stderr)  # nobody listens; the exit status still tells


def redirect_to_devnull(stream: TextIO) -> None:
    """Keeps the interpreter from failing again when it flushes at exit: its status would be 120."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
