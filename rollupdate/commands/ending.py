"""What is said of a run that has not come to its end: the same words for an update and for a migration."""

from __future__ import annotations

import sys

from rollupdate.console import error_lines, redirect_to_devnull
from rollupdate.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_STOPPED, InterruptedBySignal, StoppedError
from rollupdate.events import Stopped


def last_words(error: BaseException | None, standing: str) -> tuple[str, ...]:
    """Why, for standard error; nothing if ``error`` is none. ``standing``: how it has left the cluster."""
    match error:
        case StoppedError():
            return error_lines(error)
        case InterruptedBySignal() | KeyboardInterrupt():
            return (f"Interrupted by {signal_name(error)}; {standing}.",)
        case OSError():
            redirect_to_devnull(sys.stdout)
            return (f"error: cannot write the progress: {error.strerror or error}; {standing}.",)
    return ()


def stopped(error: BaseException | None, *, dry_run: bool = False) -> Stopped | None:
    """The same as an event. The interruption of a dry run has stopped nothing."""
    match error:
        case StoppedError():
            return Stopped(error.message, error.hint or "", EXIT_ERROR if dry_run else EXIT_STOPPED)
        case InterruptedBySignal() | KeyboardInterrupt() if not dry_run:
            return Stopped(f"interrupted by {signal_name(error)}", "", EXIT_INTERRUPTED)
    return None


def signal_name(interruption: BaseException) -> str:
    return interruption.name if isinstance(interruption, InterruptedBySignal) else "SIGINT"
