"""``--progress=json``: its keys are those of docs/events.md and do not change unnoticed."""

from __future__ import annotations

import io
import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from rollupdate import events
from rollupdate.events import Event, Finished, NoRoom, Pods, Progress, Scaled, Shortage, Subject, Waiting
from rollupdate.report.lines_json import NAMES, SCHEMA, JsonLines, body

ROOT = Path(__file__).parents[2]
NOW = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
KEYS = json.loads((ROOT / "tests" / "golden" / "events.json").read_text())
"""Of each event, and of what is in it, the keys: a schema that programs rely on. A new event or key is added
here and to docs/events.md; taking one away, or giving it another meaning, is a new ``SCHEMA``."""


PARTS: dict[tuple[type[Event], str], type[Any]] = {(NoRoom, "shortages"): Shortage, (Progress, "pods"): Pods}
"""What is in an event."""
OF_EVERY_LINE = ["schema", "time", "event", "context", "namespace", "name"]


def kinds() -> list[type[Event]]:
    found = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)]
    return [each for each in found if each is not Event]


def example(kind: type[Any]) -> Any:
    """Some value of that kind."""
    plain: dict[Any, Any] = {str: "x", int: 1, float: 1.5, bool: True, dict[str, Any]: {}}
    hints = get_type_hints(kind)
    values = {each.name: plain.get(hints[each.name]) for each in fields(kind) if each.name != "subject"}
    values |= {key: (example(part),) for (whole, key), part in PARTS.items() if whole is kind}
    return kind(**values)


def keys() -> dict[str, list[str]]:
    told = {str(line["event"]): list(line) for line in (body(example(kind), NOW) for kind in kinds())}
    parts = {f"{NAMES[kind]}.{key}": list(body(example(kind), NOW)[key][0]) for kind, key in PARTS}
    return {**told, **parts}


def test_the_keys_are_frozen() -> None:
    assert (SCHEMA, keys()) == (KEYS["schema"], KEYS["events"])


def test_every_line_says_what_it_is_about() -> None:
    """The same keys first, and no event has one of them for something else."""
    for name, all_keys in keys().items():
        if "." not in name:
            assert all_keys[: len(OF_EVERY_LINE)] == OF_EVERY_LINE, name
            assert len(set(all_keys)) == len(all_keys), name
    for kind in kinds():
        own = {field.name for field in fields(kind)}
        assert own.isdisjoint(OF_EVERY_LINE), kind
    told = body(Scaled("my-nginx-v2", 0, 1, subject=Subject("staging", "shop", "my-nginx")), NOW)
    assert [told[key] for key in OF_EVERY_LINE[3:]] == ["staging", "shop", "my-nginx"]


def test_every_event_has_a_name_of_its_own() -> None:
    """A new class of events needs an entry in the table."""
    assert list(NAMES) == kinds()
    assert len(set(NAMES.values())) == len(NAMES)


def test_a_class_can_be_renamed() -> None:
    """What is on the wire stays."""
    before, names = keys(), {kind: kind.__name__ for kind in kinds()}
    try:
        for kind in names:
            kind.__name__ = "Renamed"
        assert keys() == before
    finally:
        for kind, name in names.items():
            kind.__name__ = name


def test_the_page_names_every_event_and_key() -> None:
    """Each in a table row of its own, below the heading of its event."""
    page = (ROOT / "docs" / "events.md").read_text()
    rows = {
        found[1]: found[2] for found in re.finditer(r"^\| `(\w+(?:\.\w+)?)` \| (.*) \|$", page, re.MULTILINE)
    }
    for name, all_keys in KEYS["events"].items():
        own = all_keys if "." in name else all_keys[len(OF_EVERY_LINE) :]
        assert re.findall(r"`(\w+)`", rows[name].split(" | ")[-1]) == own, name


def test_one_event_one_line() -> None:
    """Compact, in the order of the page, flushed."""
    out = io.StringIO()
    JsonLines(out, now=lambda: NOW)(Scaled("my-nginx", 3, 2, subject=Subject("staging", "shop", "my-nginx")))
    assert out.getvalue() == (
        '{"schema": 2, "time": "2031-05-06T07:08:09.123Z", "event": "Scaled", "context": "staging", '
        '"namespace": "shop", "name": "my-nginx", "controller": "my-nginx", "before": 3, "after": 2}\n'
    )


def test_no_object_of_the_cluster_is_in_it() -> None:
    """-o is for that."""
    assert "obj" not in body(Finished("a", {"spec": {}}), NOW)


@pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", "\u202e", "\x85", "ü", "\udcff"])
def test_whatever_a_message_holds_it_is_one_line_of_ascii(text: str) -> None:
    """And reads back as what it was."""
    out = io.StringIO()
    JsonLines(out, now=lambda: NOW)(Waiting(text, 1.23456))
    written = out.getvalue()
    assert written.isascii()
    assert written.count("\n") == 1
    assert written[:-1].isprintable()
    read = json.loads(written)
    assert (read["reason"], read["seconds"]) == (text, 1.235)
