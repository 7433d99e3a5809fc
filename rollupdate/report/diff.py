"""The change of a pod template, or of a manifest, as a unified diff of its YAML."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from rollupdate.core.plan.preview import Preview
from rollupdate.objects import Json
from rollupdate.report.text import printable

_COLOURS = {"---": "1", "+++": "1", "@@": "36", "-": "31", "+": "32"}


def template_diff(preview: Preview, *, colour: bool = False) -> str:
    """Lines that end in a newline; one that says so where nothing changes."""
    names = f"{preview.name} (pod template before)", f"{preview.name} (pod template after)"
    found = _diff(preview.before, preview.after, names, colour=colour)
    return found or f"The pod template of {preview.name} stays as it is.\n"


def manifest_diff(before: Json, after: Json, *, colour: bool = False) -> str:
    """The same of two whole manifests, of two kinds."""
    return _diff(before, after, (_name(before), _name(after)), colour=colour)


def _name(manifest: Json) -> str:
    return f"{str(manifest['kind']).lower()}/{manifest['metadata']['name']}"


def _diff(before: Json, after: Json, names: tuple[str, str], *, colour: bool) -> str:
    found = list(difflib.unified_diff(_lines(before), _lines(after), *names, lineterm=""))
    return "".join(f"{line}\n" for line in (_coloured(found) if colour else found))


def _lines(template: Json) -> list[str]:
    from rollupdate.report.yaml_text import dumped

    text = dumped(template, allow_unicode=True, width=10_000)
    return [printable(line) for line in text.split("\n")[:-1]]


def _coloured(lines: list[str]) -> Iterator[str]:
    for line in lines:
        code = next((code for start, code in _COLOURS.items() if line.startswith(start)), None)
        yield f"\x1b[{code}m{line}\x1b[0m" if code else line
