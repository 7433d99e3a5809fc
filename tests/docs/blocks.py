"""What the fenced blocks of a page are.

``sh``: run by a test, in order, page by page. ``sh not-run: REASON``: shown, not run. ``text``, ``yaml``,
``json``: to look at. In front of a block, unseen by readers: ``<!-- run: COMMANDS -->`` is run once,
``<!-- each: COMMANDS -->`` before every paragraph of the block, on an empty namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
)
_PART = re.compile(
    r"^<!-- (?P<when>run|each): (?P<setup>.+) -->$"
    r"|^(?P<indent> *)```(?P<kind>.*)\n(?P<content>(?:.*\n)*?)(?P=indent)```$",
    re.MULTILINE,
)


def kinds(page: Path) -> list[str]:
    """What is written behind the fences of a page."""
    return [found["kind"] for found in _PART.finditer(page.read_text()) if found["kind"] is not None]


def script(page: Path) -> str:
    """All that is to be run of a page; empty if nothing is."""
    return "\n".join(_commands(page.read_text()))


def _commands(text: str) -> Iterator[str]:
    each = ""
    for found in _PART.finditer(text):
        if found["when"] == "run":
            yield found["setup"]
        elif found["when"] == "each":
            each = found["setup"]
        elif found["kind"] == "sh":
            content = dedent(found["content"])
            if each:
                yield from (f"empty\n{each}\n{part}" for part in content.split("\n\n"))
            else:
                yield content
            each = ""
