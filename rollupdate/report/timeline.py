"""``--timeline FILE.svg``: a picture of an update afterwards. Available old and new pods over the time, one
upon the other, floor and ceiling, every step, and where it stood still.

:class:`Timeline` observes and writes the file in the end, however that comes about; :func:`chart` is what is
drawn, as values. Drawn with drawsvg, which is imported only here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rollupdate.core.model.duration import format_duration
from rollupdate.errors import RollingUpdateError, UsageError
from rollupdate.events import Event, Evicted, Finished, Paused, Progress, Scaled, Stopped, UpToDate, Waiting
from rollupdate.report.text import one_line, printable

WIDTH, HEIGHT = 900, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 64, 64
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; } .small { font-size: 11px; fill: #59636e; }
.back { fill: #ffffff; } .axis { stroke: #818b98; } .grid { stroke: #d1d9e0; stroke-width: .5; }
.old { fill: #54aeff; } .new { fill: #2da44e; } .superseded { fill: #bf87ff; }
.floor { stroke: #cf222e; } .ceiling { stroke: #9a6700; } .bound { fill: none; stroke-dasharray: 6 4; }
.step { stroke: #59636e; } .stall { fill: #cf222e; fill-opacity: .12; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .small { fill: #9198a1; } .back { fill: #0d1117; } .axis { stroke: #656c76; }
  .grid { stroke: #3d444d; } .old { fill: #1f6feb; } .new { fill: #238636; } .superseded { fill: #8957e5; }
  .floor { stroke: #ff7b72; } .ceiling { stroke: #d29922; } .step { stroke: #9198a1; }
  .stall { fill: #ff7b72; fill-opacity: .2; }
}
"""


@dataclass(frozen=True)
class Point:
    """So many pods were available from that second on, by the role of their controller."""

    at: float
    available: dict[str, int]
    floor: int
    ceiling: int


@dataclass(frozen=True)
class Chart:
    """Seconds are since the first event."""

    title: str
    points: tuple[Point, ...]
    steps: tuple[tuple[float, str], ...]
    stalls: tuple[tuple[float, float, str], ...]
    """From, to, and why."""
    ending: str
    seconds: float


def chart(told: list[tuple[float, Event]]) -> Chart | None:
    """What there is to draw of the events, each with its clock seconds; None where no pods were counted."""
    if not any(isinstance(event, Progress) for _, event in told):
        return None
    began, ended = told[0][0], told[-1][0]
    points: list[Point] = []
    steps: list[tuple[float, str]] = []
    stalls: list[tuple[float, float, str]] = []
    since: tuple[float, str] | None = None
    names: dict[str, str] = {}
    ending = "still in progress"
    for clock, event in told:
        at = clock - began
        match event:
            case Progress():
                names |= {pods.role: pods.controller for pods in event.pods}
                available = {pods.role: pods.available for pods in event.pods}
                moved = not points or points[-1].available != available
                points.append(Point(at, available, event.floor, event.ceiling))
                if moved and since is not None:
                    stalls.append((since[0], at, since[1]))
                    since = None
            case Scaled():
                steps.append((at, f"{event.controller} {event.before} → {event.after}"))
            case Evicted():
                left = event.left
                steps.append((at, f"{event.controller} {left + len(event.pods)} → {left}"))
            case Waiting(available_in=None):
                since = (max(0.0, at - event.seconds) if since is None else since[0], event.reason)
            case Finished() | UpToDate():
                ending = "finished"
            case Paused():
                ending = f"paused at {event.available} of {event.target} new pods"
            case Stopped():
                ending = f"stopped: {event.reason}"
    if since is not None:
        stalls.append((since[0], ended - began, since[1]))
    title = names.get("old", "") + (f" → {names['new']}" if "new" in names else "")
    return Chart(title, tuple(points), tuple(steps), tuple(stalls), ending, max(ended - began, 0.1))


class Timeline:
    """An observer, and a context: the file is written when it is left, whatever has happened."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises RollingUpdateError where nothing can be written there, or the library is missing."""
        self._path = Path(path)
        self._clock = clock
        self._told: list[tuple[float, Event]] = []
        if self._path.suffix.lower() != ".svg":
            raise UsageError(f"--timeline={path}: the name of the picture must end in .svg")
        try:
            import drawsvg  # noqa: F401
        except ImportError:
            raise RollingUpdateError(
                "--timeline needs the Python package drawsvg; nothing was changed",
                hint="install it with: pip install 'kubectl-rolling-update[timeline]'",
            ) from None
        self._fresh = not self._path.exists()
        try:
            self._path.open("a").close()
        except OSError as error:
            raise RollingUpdateError(
                f"--timeline={path}: cannot write there: {error.strerror}; nothing was changed"
            ) from error

    def __call__(self, event: Event) -> None:
        self._told.append((self._clock(), event))

    def __enter__(self) -> Timeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        drawn = chart(self._told)
        try:
            if drawn is not None:
                self._path.write_text(svg(drawn), encoding="utf-8")
            elif self._fresh:
                self._path.unlink(missing_ok=True)
        except OSError as problem:
            if error is None:
                raise RollingUpdateError(
                    f"--timeline={self._path}: cannot be written: {problem.strerror}; the update itself "
                    "is not concerned"
                ) from problem


def svg(shown: Chart) -> str:
    """The picture, readable on a light and on a dark page."""
    import drawsvg as draw

    picture = draw.Drawing(WIDTH, HEIGHT, id_prefix="t")
    picture.append_css(STYLE)
    most = max(1, *(max(point.ceiling, sum(point.available.values())) for point in shown.points))

    def x(at: float) -> float:
        return round(LEFT + at / shown.seconds * (WIDTH - LEFT - RIGHT), 1)

    def y(pods: float) -> float:
        return round(HEIGHT - BOTTOM - pods / most * (HEIGHT - TOP - BOTTOM), 1)

    def write(text: str, left: float, top: float, **more: Any) -> None:
        picture.append(draw.Text(one_line(text), None, left, top, **more))

    picture.append(draw.Rectangle(0, 0, WIDTH, HEIGHT, class_="back"))
    write(shown.title[:90], LEFT, 26, class_="title")
    write(f"{shown.ending[:110]}, after {format_duration(round(shown.seconds, 1))}", LEFT, 46, class_="small")
    for tick in sorted({round(most * part / 4) for part in range(5)}):
        picture.append(draw.Line(LEFT, y(tick), WIDTH - RIGHT, y(tick), class_="grid"))
        write(str(tick), LEFT - 8, y(tick) + 4, class_="small", text_anchor="end")
    for part in range(5):
        at = shown.seconds * part / 4
        write(
            format_duration(round(at, 1)), x(at), HEIGHT - BOTTOM + 18, class_="small", text_anchor="middle"
        )
    for since, until, why in shown.stalls:
        band = draw.Rectangle(
            x(since), TOP, max(1, x(until) - x(since)), HEIGHT - TOP - BOTTOM, class_="stall"
        )
        band.append_title(printable(why))
        picture.append(band)
    _areas(picture, shown, x, y)
    for name in ("floor", "ceiling"):
        corners = _stairs([(point.at, getattr(point, name)) for point in shown.points], shown.seconds)
        flat = [number for at, pods in corners for number in (x(at), y(pods))]
        picture.append(draw.Lines(*flat, class_=f"bound {name}"))
    for at, what in shown.steps:
        mark = draw.Line(x(at), HEIGHT - BOTTOM, x(at), HEIGHT - BOTTOM + 6, class_="step")
        mark.append_title(printable(what))
        picture.append(mark)
    picture.append(draw.Line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, class_="axis"))
    _legend(picture, write)
    text = picture.as_svg(header="")
    assert isinstance(text, str)
    return text + "\n"


def _areas(picture: Any, shown: Chart, x: Callable[[float], float], y: Callable[[float], float]) -> None:
    """The new pods at the bottom, the others upon them."""
    import drawsvg as draw

    below = [0] * len(shown.points)
    for role in ("new", "superseded", "old"):
        above = [
            under + point.available.get(role, 0) for under, point in zip(below, shown.points, strict=True)
        ]
        if any(above[at] > below[at] for at in range(len(above))):
            times = [point.at for point in shown.points]
            outline = _stairs(list(zip(times, above, strict=True)), shown.seconds)
            outline += reversed(_stairs(list(zip(times, below, strict=True)), shown.seconds))
            flat = [number for at, pods in outline for number in (x(at), y(pods))]
            picture.append(draw.Lines(*flat, close=True, class_=role))
        below = above


def _stairs(values: list[tuple[float, int]], end: float) -> list[tuple[float, int]]:
    """Corners: a value holds until the next one."""
    corners: list[tuple[float, int]] = []
    for at, value in values:
        if corners:
            corners.append((at, corners[-1][1]))
        corners.append((at, value))
    corners.append((end, corners[-1][1]))
    return corners


def _legend(picture: Any, write: Callable[..., None]) -> None:
    import drawsvg as draw

    left, top = LEFT, HEIGHT - 22
    for name, words in (
        ("old", "old pods available"),
        ("new", "new pods available"),
        ("stall", "no progress"),
    ):
        picture.append(draw.Rectangle(left, top - 10, 12, 12, class_=name))
        write(words, left + 18, top, class_="small")
        left += 150
    for name in ("floor", "ceiling"):
        picture.append(draw.Line(left, top - 4, left + 24, top - 4, class_=f"bound {name}"))
        write(name, left + 30, top, class_="small")
        left += 100
    picture.append(draw.Line(left, top - 8, left, top - 1, class_="step"))
    write("a step", left + 8, top, class_="small")
