"""Links and pictures lead to files of the repository, from wherever a page is read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, RAW, REPOSITORY, ROOT, anchors, links

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
LINKING = [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md"]
INDEX = ROOT / "docs" / "README.md"
PREFIXES = (f"{REPOSITORY}/blob/main/", f"{REPOSITORY}/tree/main/", f"{RAW}/main/")


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        start = page.parent
        for prefix in PREFIXES:
            if path.startswith(prefix):
                path, start = path.removeprefix(prefix), ROOT
        if path.startswith(("https:", "http:")):
            continue
        linked = start / path if path else page
        assert linked.exists(), link
        if anchor:
            assert anchor in anchors(linked), link


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_a_readme_has_whole_addresses(page: Path) -> None:
    """A package index shows README.md where no relative link leads anywhere."""
    assert [link for link in links(page) if not link.startswith("https://")] == []


def test_the_addresses_are_those_of_the_package() -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    assert urls["Source"] == REPOSITORY
    assert RAW.rpartition(".com/")[2] == REPOSITORY.rpartition(".com/")[2]


def test_the_index_names_every_page_and_what_it_answers() -> None:
    rows = [line for line in INDEX.read_text().splitlines() if line.startswith("| [")]
    listed = [line.partition("](")[2].partition(")")[0] for line in rows]
    pages = {page.name for page in INDEX.parent.glob("*.md")} - {INDEX.name}
    assert set(listed) == pages
    assert len(listed) == len(pages), "each page once"
    assert all(line.rstrip(" |").endswith((".", "?")) for line in rows), "each line is a sentence"
