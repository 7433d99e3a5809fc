"""Events on their way to the reports: all of them arrive, and each has its subject."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollupdate.events import Event, Subject
from rollupdate.report.observers import Observers
from tests.cli.test_lines_json import example, kinds

SUBJECT = Subject("staging", "shop", "web")


@pytest.mark.parametrize("kind", kinds())
def test_every_event_gets_its_subject(kind: type[Event]) -> None:
    """Whatever it is, and for every observer; else it is what was told."""
    first: list[Event] = []
    second: list[Event] = []
    told = example(kind)
    Observers([first.append, second.append]).about(SUBJECT)(told)
    assert first == second
    assert first[0].subject == SUBJECT
    assert replace(first[0], subject=told.subject) == told


def test_nobody_is_told_without_a_subject() -> None:
    """The observers are no observer themselves, so a new place that tells something has to name one."""
    assert not callable(Observers([]))
