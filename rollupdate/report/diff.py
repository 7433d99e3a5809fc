"""The change of a pod template as a unified diff of its YAML."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from rollupdate.core.plan.preview import Preview
from rollupdate.report.text import printable

_COLOURS = {"---": "1", "+++": "1", "@@": "36", "-": "31", "+": "32"}


def template_diff(preview: Preview, *, colour: bool = False) -> str:
    """Lines that end in a newline; one that says so where nothing changes."""
    before, after = _lines(preview.before), _lines(preview.after)
    names = f"{preview.name} (pod template before)", f"{preview.name} (pod template after)"
    found = list(difflib.unified_diff(before, after, *names, lineterm=""))
    if not found:
        return f"The pod template of {preview.name} stays as it is.\n"
    return "".join(f"{line}\n" for line in (_coloured(found) if colour else found))


def _lines(template: dict[str, Any]) -> list[str]:
    from rollupdate.report.yaml_text import dumped

    text = dumped(template, allow_unicode=True, width=10_000)
    return [printable(line) for line in text.split("\n")[:-1]]


def _coloured(lines: list[str]) -> Iterator[str]:
    for line in lines:
        code = next((code for start, code in _COLOURS.items() if line.startswith(start)), None)
        yield f"\x1b[{code}m{line}\x1b[0m" if code else line
