"""The live view: a bar for the old pods and one for the new ones, the bounds, the times, and why it waits.

Drawn beneath the lines, on standard error, again only when there is something else to see. ``view`` says what
is shown, here is how; ``screen`` knows the terminal. The only module that imports rich.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as Flag
from threading import Thread

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rollupdate.events import Event, Finished, Paused, Progress, Stopped, UpToDate
from rollupdate.report.screen import Screen, lines_above
from rollupdate.report.text import one_line
from rollupdate.report.view import Bar, Seen, View, follow, view

REDRAW_EVERY = 0.25
"""Seconds after which the view is drawn anew: times pass, and the terminal may have another size."""
LEAST_COLUMNS, LEAST_ROWS = 24, 10
"""In a smaller terminal there is no view."""
LONGEST_BAR, SHORTEST_BAR = 40, 5
MOST_WAITING = 3
"""Lines."""
_CELLS = {"available": "█", "starting": "▒", "failing": "×", "leaving": "░", "": "·"}
_ASCII = {"available": "#", "starting": "+", "failing": "x", "leaving": "-", "": "."}
_STYLES = {"starting": "yellow", "failing": "bold red", "leaving": "dim", "": "dim"}
_ROLES = {"old": "blue", "new": "green", "superseded": "magenta"}


class LiveView:
    """An observer. ``screen`` is drawn on by whoever calls, and once in a while by :func:`shown`."""

    def __init__(self, screen: Screen, encoding: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._clock = clock
        self._seen = Seen()
        self._over = False
        self._drawn: tuple[View | None, tuple[int, int]] = (None, (0, 0))
        self._ascii = not _can_show("".join(_CELLS.values()) + "…", encoding)

    def __call__(self, event: Event) -> None:
        self._seen = follow(self._seen, event, self._clock())
        self._over = isinstance(event, (Finished, Paused, UpToDate, Stopped)) or (
            self._over and not isinstance(event, Progress)
        )
        self.draw()

    def draw(self) -> None:
        columns, rows = size = self._screen.size()
        shown = None if self._over else view(self._seen, self._clock())
        if (shown, size) == self._drawn:
            return
        self._drawn = (shown, size)
        if shown is None or columns < LEAST_COLUMNS or rows < LEAST_ROWS:
            self._screen.show(())
        else:
            self._screen.show(drawn(shown, columns - 1, plain_ascii=self._ascii))


@contextmanager
def shown(live: LiveView, screen: Screen) -> Iterator[None]:
    """The view is on the screen; times and a new size are taken care of."""
    over = Flag()

    def keep() -> None:
        while not over.wait(REDRAW_EVERY):
            live.draw()

    keeper = Thread(target=keep, daemon=True)
    with lines_above(screen):
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join(2)


def drawn(shown: View, width: int, *, plain_ascii: bool = False) -> list[str]:
    """The view in so many columns, in the colours that the terminal has (and NO_COLOR allows)."""
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        legacy_windows=False,
        highlight=False,
        emoji=False,
    )
    if plain_ascii:
        shown = _in_ascii(shown)
    lines = [_line_of(bar, shown, width, _ASCII if plain_ascii else _CELLS) for bar in shown.bars]
    lines += [*_folded(shown.bounds, width), *_folded(shown.times, width, "dim")]
    if shown.waiting:
        words = Text("Waiting: " + one_line(shown.waiting))
        folded = list(words.wrap(console, width - 2))
        if len(folded) > MOST_WAITING:
            folded[MOST_WAITING - 1].append(" …")
        lines += [Text("  ") + line for line in folded[:MOST_WAITING]]
    text = []
    for line in lines:
        line.truncate(width, overflow="crop" if plain_ascii else "ellipsis")
        line.rstrip()
        with console.capture() as captured:
            console.print(line, end="", no_wrap=True)
        written = captured.get()
        text.append(written.encode("ascii", "replace").decode() if plain_ascii else written)
    return text


def _in_ascii(shown: View) -> View:
    """Before it is made to fit: what takes no cell, or two, takes one as a question mark."""

    def plain(text: str) -> str:
        return text.encode("ascii", "replace").decode()

    bars = tuple(replace(bar, controller=plain(bar.controller), says=plain(bar.says)) for bar in shown.bars)
    return replace(shown, bars=bars, waiting=plain(shown.waiting))


def _line_of(bar: Bar, shown: View, width: int, cells: dict[str, str]) -> Text:
    """Role, name, bar, words; where it gets narrow the name goes first, then the bar."""
    words = max(cell_len(bar.says) for bar in shown.bars)
    # Room for what may yet be said, so that the bars keep their length.
    words = min(max(words, len("10 of 10 available, 10 starting")), max(words, width // 3))
    names = max(cell_len(one_line(bar.controller)) for bar in shown.bars)
    room = width - len("  old  ") - words - 2
    name = min(names, room - LONGEST_BAR - 2)
    if name < names:
        name = min(names, max(0, room - 2 - 16))
    name = name if name >= 8 else 0
    length = min(LONGEST_BAR, room - (name + 2 if name else 0))
    line = Text("  ")
    line.append(f"{bar.role[:3]:3}  ", style="bold")
    if name:
        line.append(_shortened(one_line(bar.controller), name).ljust(name) + "  ")
    if length >= SHORTEST_BAR:
        line.append_text(_drawn_bar(bar, shown.scale, length, cells)).append("  ")
    return line.append(bar.says)


def _drawn_bar(bar: Bar, scale: int, length: int, cells: dict[str, str]) -> Text:
    line = Text()
    parts = (
        ("available", bar.available),
        ("starting", bar.starting),
        ("failing", bar.failing),
        ("leaving", bar.leaving),
    )
    pods = filled = 0
    for kind, count in parts:
        pods += count
        # Whatever there is gets a cell, as long as there is room for one.
        until = min(length, max(filled + bool(count), round(pods * length / scale)))
        line.append(cells[kind] * (until - filled), style=_STYLES.get(kind, _ROLES.get(bar.role, "green")))
        filled = until
    return line.append(cells[""] * (length - filled), style=_STYLES[""])


def _folded(parts: tuple[str, ...], width: int, style: str = "") -> list[Text]:
    one = "  " + ", ".join(parts)
    lines = [one] if cell_len(one) <= width else [f"  {part}" for part in parts]
    return [Text(line, style=style) for line in lines]


def _shortened(name: str, width: int) -> str:
    """Its beginning and its end: what controllers differ in may be either."""
    if cell_len(name) <= width:
        return name
    tail = (width - 1) // 2
    return name[: width - 1 - tail] + "…" + name[len(name) - tail :]


def _can_show(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
