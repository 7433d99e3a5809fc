"""docs/reliability.md can be read without the code: each row says what happens to whom."""

from __future__ import annotations

import re

from testing.chaos.__main__ import LONG, PARTS, TESTS, docstrings
from testing.chaos.kills import Result
from testing.chaos.report import Section, markdown
from testing.chaos.rows import TABLES
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()


def test_each_test_has_a_row() -> None:
    """A new test gets one in testing/chaos/rows.py, and a test that is gone has none."""
    assert {path.stem: set(docstrings(path)) for path in TESTS} == {
        module: set(table.rows) for module, table in TABLES.items()
    }


def test_what_the_gate_tries_a_part_of_is_tried_whole() -> None:
    """Each module with a sample in it is one of those that ``make chaos`` runs."""
    modules = sorted((ROOT / "tests" / "engine").glob("test_*.py"))
    samples = [path for path in modules if "tests.support.effort import" in path.read_text()]
    assert samples
    assert set(samples) <= {*TESTS, *LONG}


def test_a_row_is_one_sentence_of_its_own() -> None:
    texts = [text for table in TABLES.values() for text in table.rows.values()]
    assert [text for text in texts if re.match(r"(It|And|With|Nothing|Such) ", text) or text[-1] != "."] == []


def test_the_page_has_the_rows_of_the_table() -> None:
    for table in TABLES.values():
        _, _, after = PAGE.partition(f"## {table.title}\n\n{table.about}\n\n")
        rows = re.findall(r"^\| ([^|]+) \| \d+ \|", after.partition("\n## ")[0], re.MULTILINE)
        assert rows
        assert set(rows) - {"what was tried"} <= set(table.rows.values())


def test_a_part_that_is_made_anew_leaves_the_others() -> None:
    """`--only`: its tables are replaced, all others stay to the letter, and the total is that of the page."""
    first = [Section(part, f"Of {part}", "Said.", [Result("a", "row")] * 2) for part in PARTS]
    page = markdown(first, "1111111")
    assert "**8 of 8 ended as they must.**" in page
    anew = Section("real", "Other", "Said.", [Result("a", "row"), Result("b", "row", "lost")])
    after = markdown([anew], "2222222", page)
    assert "**7 of 8 ended as they must.**" in after
    assert "Of real" not in after
    assert "1 of 2 ended as they must, at 2222222." in after
    lines = [line for line in page.splitlines() if "real" not in line and "**" not in line]
    assert [line for line in lines if line not in after.splitlines()] == []


def test_the_page_is_what_its_parts_say() -> None:
    made = re.findall(r"^<!-- part: (\w+) -->$", PAGE, re.MULTILINE)
    assert tuple(made) == PARTS
    counts = re.findall(r"^(\d+) of (\d+) ended as they must, at ", PAGE, re.MULTILINE)
    ended, total = (sum(map(int, column)) for column in zip(*counts, strict=True))
    assert f"**{ended} of {total} ended as they must.**" in PAGE
