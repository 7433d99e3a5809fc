"""Controllers as ``-o`` asks for them: ``json``, ``yaml`` or ``name``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def printed(objects: Sequence[dict[str, Any]], output: str) -> str:
    """One object as it is, several as a ``List``, as kubectl prints them; the manager's bookkeeping
    (``managedFields``) is left out as kubectl leaves it out."""
    if output == "name":
        return "".join(f"replicationcontroller/{obj['metadata']['name']}\n" for obj in objects)
    shown: list[dict[str, Any]] = []
    for obj in objects:
        meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
        shown.append({"apiVersion": "v1", "kind": "ReplicationController", **obj, "metadata": meta})
    body = shown[0] if len(shown) == 1 else {"apiVersion": "v1", "items": shown, "kind": "List"}
    if output == "json":
        return json.dumps(body, indent=4, ensure_ascii=False) + "\n"
    import yaml

    text: str = yaml.safe_dump(body, default_flow_style=False, allow_unicode=True)
    return text
