"""Objects as ``kubectl get`` shows them, by the API server's own tables."""

from __future__ import annotations

import json

from testing.namespace import Namespace

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def table(namespace: Namespace, plural: str, label: str | None = None) -> list[list[str]]:
    """Rows of cells, header first; ``label`` adds a column (``-L``)."""
    answer = namespace.client.send("GET", namespace.path(plural), headers={"Accept": _TABLE})
    found = json.loads(answer.data)
    shown = [index for index, each in enumerate(found["columnDefinitions"]) if each["priority"] == 0]
    rows = [[found["columnDefinitions"][index]["name"].upper() for index in shown]]
    rows += [[str(row["cells"][index]) for index in shown] for row in found["rows"]]
    if label is not None:
        rows[0].append(label.upper())
        for cells, row in zip(rows[1:], found["rows"], strict=True):
            cells.append((row["object"]["metadata"].get("labels") or {}).get(label, ""))
    return rows
