"""What the review of a change would ask for again and again, as a test: names, sizes and words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rollupdate
from tests.support.words import avoided

MODULES = sorted(Path(rollupdate.__file__).parent.rglob("*.py"))
LONGEST = 400
"""Lines. A module that needs more has a concept in it that wants a module of its own."""


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
