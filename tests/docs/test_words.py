"""The pages use the words of the field, and each term has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from release import reference
from tests.docs.blocks import PAGES, ROOT

AVOIDED = re.compile(
    r"\bsomebody\b|beyond hope|\blet go of\b|for each in |where there is|that there (is|are|were)|it was told"
    r"|under its eyes",
    re.IGNORECASE,
)
GENERATED = {ROOT / reference.MARKDOWN}
"""They repeat the help of the program, which has its own words; the man page is another."""
CHECKED = sorted({*PAGES, ROOT / "ARCHITECTURE.md"} - GENERATED)


@pytest.mark.parametrize("page", CHECKED, ids=lambda page: page.name)
def test_words_that_a_page_avoids(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert [f"{number}: {line}" for number, line in enumerate(lines, 1) if AVOIDED.search(line)] == []
