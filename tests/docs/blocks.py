"""What the fenced blocks of a page are.

``sh``: run by a test, in order, page by page. ``console``: lines that begin with ``$`` are run as well, and
print the lines below them. ``sh not-run: REASON``: shown, not run. ``text``, ``yaml``, ``json``: shown only.
In front of a block, unseen by readers: ``<!-- run: COMMANDS -->`` is run once, ``<!-- each: COMMANDS -->``
before every paragraph of the block, on an empty namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
REPOSITORY = "https://github.com/kubectl-rolling-update/kubectl-rolling-update"
RAW = "https://raw.githubusercontent.com/kubectl-rolling-update/kubectl-rolling-update"
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


def blocks(page: Path) -> list[str]:
    """The fenced blocks of a page, without the comments in them."""
    found = (part for part in _PART.finditer(page.read_text()) if part["kind"] is not None)
    return [
        "\n".join([part["kind"], *(line for line in part["content"].splitlines() if line[:1] != "#")])
        for part in found
    ]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _PART.sub("", page.read_text())


def headings(page: Path) -> list[tuple[int, str]]:
    """Level and words of each heading."""
    return [(len(marks), words) for marks, words in re.findall(r"^(#+) (.*)$", prose(page), re.MULTILINE)]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may have behind ``#``."""
    return {re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-") for _, words in headings(page)}


def links(page: Path) -> list[str]:
    """The targets of all links and pictures of a page, in order."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


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
        elif found["kind"] in ("sh", "console"):
            content = dedent(found["content"])
            parts = content.split("\n\n") if each else [content]
            for part in parts:
                if each:
                    yield f"empty\n{each}"
                yield part if found["kind"] == "sh" else "\n".join(_compared(part))
            each = ""


def _compared(content: str) -> Iterator[str]:
    """Each command with what it is to print; ``prints`` is a function of the script."""
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield f"{{ {command}\n}} >printed 2>&1\nprints <<'END_OF_OUTPUT'\n{output.rstrip()}\nEND_OF_OUTPUT"
