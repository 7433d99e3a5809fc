"""README.zh-CN.md says what README.md says: the same headings, blocks, links and tables."""

from __future__ import annotations

import pytest

from tests.docs.blocks import ROOT, blocks, headings, links, prose, script

ORIGINAL, TRANSLATION = ROOT / "README.md", ROOT / "README.zh-CN.md"


def test_the_same_headings() -> None:
    """In number, order and level; the words are another language's."""
    assert [level for level, _ in headings(TRANSLATION)] == [level for level, _ in headings(ORIGINAL)]


def test_the_same_blocks() -> None:
    """Commands, outputs and the reason why one is not run; comments are translated."""
    assert blocks(TRANSLATION) == blocks(ORIGINAL)
    assert _without_comments(script(TRANSLATION)) == _without_comments(script(ORIGINAL))


def _without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_the_same_links() -> None:
    """But for the one to the other language."""
    between = {"README.md", "README.zh-CN.md"}
    assert [link for link in links(TRANSLATION) if link.rpartition("/")[2] not in between] == [
        link for link in links(ORIGINAL) if link.rpartition("/")[2] not in between
    ]


@pytest.mark.parametrize("mark", ["|", "* "])
def test_the_same_rows(mark: str) -> None:
    """Of tables and of lists."""

    def rows(text: str) -> int:
        return sum(line.startswith(mark) for line in text.splitlines())

    assert rows(prose(TRANSLATION)) == rows(prose(ORIGINAL))
