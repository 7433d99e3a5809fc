"""``--timeline``: the picture of an update, as values and as SVG, and the file it goes into."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rollupdate.errors import RollingUpdateError, UsageError
from rollupdate.events import Event, Finished, Pods, Progress, Scaled, Stopped, Waiting
from rollupdate.report.timeline import Point, Timeline, chart, svg

SVG = "{http://www.w3.org/2000/svg}"


def at(old: int, new: int) -> Progress:
    pods = (Pods("foo", "old", old, old, old, old), Pods("foo-<2>", "new", new, new, new, new))
    return Progress(pods, 3, 3, 3, 4, False, "scaling")


TOLD: list[tuple[float, Event]] = [
    (100.0, at(3, 0)),
    (101.0, Scaled("foo-<2>", 0, 1)),
    (112.0, Waiting("no such image", 10.0)),
    (115.0, Waiting("no such image again", 13.0)),
    (120.0, at(3, 1)),
    (121.0, Scaled("foo", 3, 2)),
    (122.0, at(2, 1)),
    (130.0, Finished("foo", {})),
]


def test_what_is_drawn() -> None:
    """Pods over seconds, the steps, one stall from its beginning to the next pod, how it ended."""
    drawn = chart(TOLD)
    assert drawn is not None
    assert drawn.title == "foo → foo-<2>"
    assert drawn.points == (
        Point(0.0, {"old": 3, "new": 0}, 3, 4),
        Point(20.0, {"old": 3, "new": 1}, 3, 4),
        Point(22.0, {"old": 2, "new": 1}, 3, 4),
    )
    assert drawn.steps == ((1.0, "foo-<2> 0 → 1"), (21.0, "foo 3 → 2"))
    assert drawn.stalls == ((2.0, 20.0, "no such image again"),)
    assert (drawn.ending, drawn.seconds) == ("finished", 30.0)


def test_a_stall_that_nothing_ended() -> None:
    """It lasts to the end, which says why it stopped."""
    drawn = chart([*TOLD[:3], (118.0, Stopped("timed out", "", 3))])
    assert drawn is not None
    assert drawn.stalls == ((2.0, 18.0, "no such image"),)
    assert drawn.ending == "stopped: timed out"


def test_nothing_to_draw() -> None:
    """Refused before any pod was counted."""
    assert chart([]) is None
    assert chart([(1.0, Stopped("no", "", 1))]) is None


def test_the_picture() -> None:
    """Both kinds of pods, both bounds, the stall and its reason, the steps; for light and dark pages."""
    drawn = chart(TOLD)
    assert drawn is not None
    text = svg(drawn)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    classes = [each.get("class") for each in root.iter() if each.get("class")]
    for name in ("old", "new", "stall", "bound floor", "bound ceiling"):
        assert name in classes
    assert classes.count("step") == 2 + 1, "each step, and the legend"
    assert "prefers-color-scheme: dark" in text
    assert "no such image again" in [each.text for each in root.iter(f"{SVG}title")]
    assert "http" not in text.replace("http://www.w3.org/", ""), "nothing is fetched to show it"


def test_the_file_is_written_however_it_ends(tmp_path: Path) -> None:
    """Also when an interruption goes through."""
    path = tmp_path / "a.svg"
    with pytest.raises(KeyboardInterrupt), Timeline(str(path), clock=iter(range(100)).__next__) as timeline:
        for _, event in TOLD[:3]:
            timeline(event)
        raise KeyboardInterrupt
    assert ElementTree.fromstring(path.read_text()).tag == f"{SVG}svg"


def test_what_was_there_stays_where_there_is_nothing_to_draw(tmp_path: Path) -> None:
    """And no empty file is left where there was none."""
    old, new = tmp_path / "old.svg", tmp_path / "new.svg"
    old.write_text("before")
    for path in (old, new):
        with Timeline(str(path)):
            pass
    assert old.read_text() == "before"
    assert not new.exists()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Said before anything is done."""
    with pytest.raises(
        RollingUpdateError, match=r"cannot write there: No such file or directory; nothing was"
    ):
        Timeline(str(tmp_path / "no" / "a.svg"))
    with pytest.raises(UsageError, match=r"must end in \.svg"):
        Timeline(str(tmp_path / "a.png"))


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install."""
    monkeypatch.setitem(sys.modules, "drawsvg", None)
    with pytest.raises(RollingUpdateError, match="needs the Python package drawsvg") as refused:
        Timeline(str(tmp_path / "a.svg"))
    assert refused.value.hint == "install it with: pip install 'kubectl-rolling-update[timeline]'"
    assert not list(tmp_path.iterdir())
