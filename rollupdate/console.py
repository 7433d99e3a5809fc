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
    """Also from a thread that outlives its run: the stream may be another by then, or closed."""
    with suppress(OSError, ValueError):  # nobody listens; the exit status still tells
        stream = sys.stderr
        stream.write(printable(line) + "\n")
        stream.flush()


def redirect_to_devnull(stream: TextIO) -> None:
    """What is still to be written, now and when the interpreter flushes at exit, is no failure."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
