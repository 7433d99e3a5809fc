"""Who observes an update: how ``--progress`` is shown on these streams. Everybody is told every event.

Events get their subject here, as whatever is told to the reports comes through ``Observers.about``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from rollupdate.events import Event, Finished, Migrated, Subject, UpToDate, Waiting
from rollupdate.report.lines_json import JsonLines
from rollupdate.report.plain import PlainReport

Observer = Callable[[Event], None]
SUFFIXES = {"none": "", "client": " (dry run)", "server": " (server dry run)"}
LIVE, PLAIN, JSON, NONE = "live", "plain", "json", "none"


class Observers:
    """All of them as one. ``plain``: the one that writes the documented lines, or None."""

    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers
        self.plain = next((observer for observer in observers if isinstance(observer, PlainReport)), None)

    def about(self, subject: Subject) -> Observer:
        """Tells the observers of that update. They can be told in no other way, so no event lacks its
        subject."""

        def tell(event: Event) -> None:
            told = replace(event, subject=subject)
            for observer in self._observers:
                observer(told)

        return tell


@dataclass(frozen=True)
class Wanted:
    """What was asked for. ``to_stderr``: standard output is for objects alone (``-o``)."""

    progress: str = "auto"
    to_stderr: bool = False
    verbosity: int = 0
    dry_run: str = "none"
    """none, client or server."""
    new_name: str = ""
    """NEW_NAME of an update that is not by a file."""
    timeline: str | None = None
    """Where a picture is to be written."""

    @property
    def suffix(self) -> str:
        """Of the last line, which says that it was a dry run; empty if it was none."""
        return SUFFIXES[self.dry_run]


def kind(
    progress: str, *, terminal: bool, environ: Mapping[str, str], posix: bool = os.name == "posix"
) -> str:
    """``auto`` and ``live`` are live where standard error is a terminal that can be drawn on, else plain."""
    if progress not in ("auto", LIVE):
        return progress
    drawable = terminal and posix and environ.get("TERM", "") not in ("", "dumb", "unknown")
    return LIVE if drawable else PLAIN


@contextmanager
def observers(wanted: Wanted) -> Iterator[Observers]:
    """The observers, writing to the standard streams."""
    how = kind(wanted.progress, terminal=sys.stderr.isatty(), environ=os.environ)
    with ExitStack() as stack:
        first: list[Observer] = []
        live: list[Observer] = []
        if wanted.timeline is not None:
            from rollupdate.report.timeline import Timeline

            first.append(stack.enter_context(Timeline(wanted.timeline)))
        if how == LIVE:
            live = [] if wanted.suffix else _live(stack)
            how = PLAIN
        out = sys.stderr if wanted.to_stderr else sys.stdout
        if how == JSON:
            main: Observer = JsonLines(out)
        else:
            main = PlainReport(
                out,
                sys.stderr,
                suffix=wanted.suffix,
                verbosity=wanted.verbosity,
                new_name=wanted.new_name,
                hold=bool(wanted.suffix),
                # The view says why it waits; and there it goes when it is true no more.
                quiet=(Waiting,) if live else (),
                only=(Finished, Migrated, UpToDate) if how == NONE else None,
            )
        yield Observers([*first, *live, main])


def _live(stack: ExitStack) -> list[Observer]:
    """The view, on the screen until ``stack`` is left; none where its library is missing."""
    from rollupdate.report.screen import Screen

    try:
        from rollupdate.report.live import LiveView, shown
    except ImportError:
        return []
    screen = Screen(sys.stderr)
    live = LiveView(screen, sys.stderr.encoding)
    stack.enter_context(shown(live, screen))
    return [live]
