"""Objects as ``-o`` asks for them: ``json``, ``yaml`` or ``name``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_DRIVING = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What JSON leaves as it is and a terminal acts on: control characters, line ends, writing directions."""


def printed(objects: Sequence[dict[str, Any]], output: str) -> str:
    """One object as it is, several as a ``List``, as kubectl prints them; the manager's bookkeeping
    (``managedFields``) is left out as kubectl leaves it out."""
    if output == "name" or len(objects) != 1:
        return listed(objects, output)
    return _text(_shown(objects[0]), output)


def listed(objects: Sequence[dict[str, Any]], output: str) -> str:
    """A ``List``, however many there are."""
    if output == "name":
        return "".join(f"{_kind(obj)}/{obj['metadata']['name']}\n" for obj in objects)
    return _text({"apiVersion": "v1", "items": [_shown(obj) for obj in objects], "kind": "List"}, output)


def _kind(obj: dict[str, Any]) -> str:
    """As kubectl names it: with the group, where it has one."""
    group = obj.get("apiVersion", "v1").rpartition("/")[0]
    kind = obj.get("kind", "ReplicationController").lower()
    return f"{kind}.{group}" if group else kind


def _shown(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {"apiVersion": "v1", "kind": "ReplicationController", **obj, "metadata": meta}


def _text(body: dict[str, Any], output: str) -> str:
    plain = json.dumps(body, indent=4, ensure_ascii=False)
    if output == "json":
        return _DRIVING.sub(lambda found: f"\\u{ord(found[0]):04x}", plain) + "\n"
    import yaml

    # PyYAML takes the characters for printable, and loses U+0085 altogether.
    text: str = yaml.safe_dump(body, default_flow_style=False, allow_unicode=not _DRIVING.search(plain))
    return text
