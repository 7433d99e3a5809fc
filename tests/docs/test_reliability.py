"""docs/reliability.md can be read without the code: each row says what happens to whom."""

from __future__ import annotations

import re

from testing.chaos.__main__ import TESTS, docstrings
from testing.chaos.rows import TABLES
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()


def test_each_test_has_a_row() -> None:
    """A new test gets one in testing/chaos/rows.py, and a test that is gone has none."""
    assert {path.stem: set(docstrings(path)) for path in TESTS} == {
        module: set(table.rows) for module, table in TABLES.items()
    }


def test_a_row_is_one_sentence_of_its_own() -> None:
    texts = [text for table in TABLES.values() for text in table.rows.values()]
    assert [text for text in texts if re.match(r"(It|And|With|Nothing|Such) ", text) or text[-1] != "."] == []


def test_the_page_has_the_rows_of_the_table() -> None:
    for table in TABLES.values():
        _, _, after = PAGE.partition(f"## {table.title}\n\n{table.about}\n\n")
        rows = re.findall(r"^\| ([^|]+) \| \d+ \|", after.partition("\n## ")[0], re.MULTILINE)
        assert rows
        assert set(rows) - {"what was tried"} <= set(table.rows.values())
