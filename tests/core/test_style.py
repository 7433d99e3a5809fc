"""What the review of a change would ask for again and again, as a test: names, sizes and words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rollupdate
from tests.support.words import avoided

MODULES = sorted(Path(rollupdate.__file__).parent.rglob("*.py"))
LONGEST = 400
"""Lines. A module that needs more has a concept in it that wants a module of its own."""


_PLURAL = re.compile(r" (?:(?:new|old|available) )?(?:pods|replicas|warnings)\b")
_OF_KUBECTL = {"report/plain.py": 2}
"""Counts in a line of kubectl 1.17, which says "1 pods"."""


def counts_in_words(text: str) -> list[str]:
    """Numbers put before a plural, which is wrong of one: not "of 3 pods", and not what ``counted`` makes."""
    found = []
    for node in ast.walk(ast.parse(text)):
        values = node.values if isinstance(node, ast.JoinedStr) else []
        for before, number, after in zip([None, *values], values, values[1:], strict=False):
            said = after.value if isinstance(after, ast.Constant) else ""
            share = isinstance(before, ast.Constant) and str(before.value).endswith(" of ")
            if isinstance(number, ast.FormattedValue) and _PLURAL.match(str(said)) and not share:
                found.append(ast.unparse(number.value) + str(said))
    return found


def test_what_a_count_in_words_is() -> None:
    """The check itself."""
    assert counts_in_words('f"{one} pods of {other} new pods"') == ["one pods of "]
    assert counts_in_words("f'{name} has {counted(n, \"pod\")}, no pods; {one} and more pods'") == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_module_of_the_product(path: Path) -> None:
    """A loop variable says what it holds, and an hour is enough to read the house."""
    text = path.read_text(encoding="utf-8")
    loops = (ast.For, ast.AsyncFor, ast.comprehension)
    targets = (node.target for node in ast.walk(ast.parse(text)) if isinstance(node, loops))
    names = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    assert "each" not in names
    assert text.count("\n") <= LONGEST
    assert avoided(text) == []
    assert len(counts_in_words(text)) == _OF_KUBECTL.get(f"{path.parent.name}/{path.name}", 0)
