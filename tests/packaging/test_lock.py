"""constraints.txt: the exact versions that ``make setup`` installs, written by ``make lock``."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES = [
    line.partition(" # ")[0].strip()
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]
LISTS = {
    "project": PROJECT["project"]["dependencies"],
    **PROJECT["project"]["optional-dependencies"],
    **PROJECT["dependency-groups"],
}


@pytest.mark.parametrize("name", LISTS)
def test_each_requirement_has_a_version_that_it_accepts(name: str) -> None:
    """A change of pyproject.toml without ``make lock`` is told here."""
    locked = [Requirement(line) for line in LINES]
    for text in LISTS[name]:
        if isinstance(text, dict):
            continue  # include-group
        wanted = Requirement(text)
        versions = [
            next(iter(each.specifier)).version
            for each in locked
            if canonicalize_name(each.name) == canonicalize_name(wanted.name)
        ]
        assert versions, f"{wanted.name} is not in constraints.txt: make lock"
        for version in versions:
            assert wanted.specifier.contains(version), f"{wanted} does not accept {version}: make lock"


def test_a_line_is_a_name_and_a_version_and_says_not_where_from() -> None:
    """Each site has its own package index, or mirror of one."""
    for line in LINES:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( ; .+)?", line), line
