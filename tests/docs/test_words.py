"""The pages use the words of the field, and each term has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import reference
from tests.docs.blocks import PAGES, ROOT
from tests.support.words import avoided

CHECKED = sorted({*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", ROOT / reference.MAN})


@pytest.mark.parametrize("page", CHECKED, ids=lambda page: page.name)
def test_words_that_a_page_avoids(page: Path) -> None:
    assert avoided(page.read_text(encoding="utf-8")) == []
