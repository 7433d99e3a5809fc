"""Objects as ``-o`` asks for them: ``json``, ``yaml`` or ``name``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rollupdate.report.text import ascii_json, printable


def printed(objects: Sequence[dict[str, Any]], output: str) -> str:
    """One object as it is, several as a ``List``, as kubectl prints them; the manager's bookkeeping
    (``managedFields``) is left out as kubectl leaves it out."""
    if output == "name" or len(objects) != 1:
        return listed(objects, output)
    return _text(_shown(objects[0]), output)


def listed(objects: Sequence[dict[str, Any]], output: str) -> str:
    """A ``List``, however many there are."""
    if output == "name":
        return printable("".join(f"{_kind(obj)}/{obj['metadata']['name']}\n" for obj in objects))
    return _text({"apiVersion": "v1", "items": [_shown(obj) for obj in objects], "kind": "List"}, output)


def _kind(obj: dict[str, Any]) -> str:
    """As kubectl names it: with the group, where it has one."""
    group = str(obj.get("apiVersion") or "v1").rpartition("/")[0]
    kind = str(obj.get("kind") or "ReplicationController").lower()
    return f"{kind}.{group}" if group else kind


def _shown(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {"apiVersion": "v1", "kind": "ReplicationController", **obj, "metadata": meta}


def _text(body: dict[str, Any], output: str) -> str:
    plain = json.dumps(body, indent=4, ensure_ascii=False)
    harmless = printable(plain) == plain
    if output == "json":
        return (plain if harmless else ascii_json(body, indent=4)) + "\n"
    import yaml

    # PyYAML takes the characters for printable, and loses U+0085 altogether.
    text: str = yaml.safe_dump(body, default_flow_style=False, allow_unicode=harmless)
    return text
