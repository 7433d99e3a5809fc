"""--diff: the change of a pod template, as lines to read."""

from __future__ import annotations

import copy
from typing import Any

from rollupdate.core.plan.preview import Preview
from rollupdate.report.diff import template_diff
from tests.core.worlds import template


def preview(**changes: Any) -> Preview:
    before = template()
    after = copy.deepcopy(before)
    after["spec"].update(changes)
    return Preview("foo", before, after, resuming=False)


def test_what_changes() -> None:
    """A unified diff of the YAML, with the name of the controller."""
    assert template_diff(preview(nodeName="x")) == (
        "--- foo (pod template before)\n"
        "+++ foo (pod template after)\n"
        "@@ -6,3 +6,4 @@\n"
        "   - image: nginx:1.7.9\n"
        "     imagePullPolicy: IfNotPresent\n"
        "     name: nginx\n"
        "+  nodeName: x\n"
    )


def test_nothing_changes() -> None:
    """Is said, as no line would look like something that went wrong."""
    assert template_diff(preview()) == "The pod template of foo stays as it is.\n"


def test_in_colour() -> None:
    """Each line by itself, so that a pager may cut it."""
    lines = template_diff(preview(nodeName="x"), colour=True).splitlines()
    assert lines[-1] == "\x1b[32m+  nodeName: x\x1b[0m"
    assert lines[0] == "\x1b[1m--- foo (pod template before)\x1b[0m"
    assert lines[3] == "   - image: nginx:1.7.9"


def test_nothing_in_it_drives_the_terminal() -> None:
    """Control characters and writing directions are escaped; long lines are not folded."""
    text = template_diff(preview(nodeName="a\x1b[2J\u202e" + "x " * 300))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.splitlines()) == 7
