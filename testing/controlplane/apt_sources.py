"""Derives a private source list with deb-src from the machine's own apt sources. Text in, text out.

apt knows two formats: deb822 stanzas (``*.sources``) and one line per source (``sources.list``,
``*.list``). Hosts, suites, components, keys and options stay what they are; the machine's own files are
only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_TYPES = re.compile(r"^Types:.*$", re.MULTILINE | re.IGNORECASE)
_DISABLED = re.compile(r"^Enabled:\s*(no|false|without|off|disable|0)\s*$", re.MULTILINE | re.IGNORECASE)
_ONE_LINE = re.compile(r"^\s*deb(?:-src)?\s+(?P<rest>.+?)\s*$")


def with_source_deb822(text: str) -> str:
    """Every enabled stanza with ``Types: deb deb-src``; empty where there is none."""
    stanzas = re.split(r"\n[ \t]*\n", _without_comments(text))
    wanted = [s.strip("\n") for s in stanzas if _TYPES.search(s) and not _DISABLED.search(s)]
    return "\n\n".join(_TYPES.sub("Types: deb deb-src", stanza) for stanza in wanted) + (
        "\n" if wanted else ""
    )


def with_source_one_line(text: str) -> str:
    """Every source once as ``deb`` and once as ``deb-src``, options in brackets kept."""
    rests: dict[str, None] = {}
    for line in _without_comments(text).splitlines():
        if match := _ONE_LINE.match(line.partition("#")[0]):
            rests[match["rest"]] = None
    return "".join(f"deb {rest}\ndeb-src {rest}\n" for rest in rests)


def derive(main_list: Path, parts: Path) -> dict[str, str]:
    """File name -> content for a private ``sources.list.d``, from the main list and the parts folder.

    A file name is unique; files that apt itself ignores (by their ending) are ignored here too.
    """
    derived: dict[str, str] = {}
    for number, path in enumerate(_existing(main_list, parts)):
        text = path.read_text(errors="replace")
        deb822 = path.suffix == ".sources"
        content = with_source_deb822(text) if deb822 else with_source_one_line(text)
        if content:
            derived[f"{number:02d}-{path.stem}{'.sources' if deb822 else '.list'}"] = content
    return derived


def _existing(main_list: Path, parts: Path) -> Iterable[Path]:
    if main_list.is_file():
        yield main_list
    if parts.is_dir():
        yield from sorted(p for p in parts.iterdir() if p.is_file() and p.suffix in (".list", ".sources"))


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))
