"""The one printer for ``-o``: ``json``, ``yaml`` or ``name``. It makes text of values and writes nothing."""

from __future__ import annotations

import json
from typing import NamedTuple

from rollupdate.objects import Json
from rollupdate.report.text import ascii_json, printable


class Objects(NamedTuple):
    """Kubernetes objects, printed as kubectl does: one as it is, several as a ``List``, keys sorted in YAML.

    ``listed``: a ``List`` however many there are.
    """

    items: tuple[Json, ...]
    listed: bool = False


class Document(NamedTuple):
    """A value with keys of our own, in their order. ``more``: others follow, so it is a line (JSON) or a
    document (YAML) of its own."""

    body: Json
    more: bool = False


def printed(shown: Objects | Document, output: str) -> str:
    if isinstance(shown, Document):
        return _document(shown, output)
    if output == "name":
        return printable("".join(f"{_kind(item)}/{item['metadata']['name']}\n" for item in shown.items))
    items = [_visible(item) for item in shown.items]
    if shown.listed or len(items) != 1:
        return _kubernetes({"apiVersion": "v1", "items": items, "kind": "List"}, output)
    return _kubernetes(items[0], output)


def _document(shown: Document, output: str) -> str:
    if output == "json":
        return ascii_json(shown.body, indent=None if shown.more else 4) + "\n"
    return ("---\n" if shown.more else "") + _yaml(shown.body, sort_keys=False)


def _kubernetes(body: Json, output: str) -> str:
    plain = json.dumps(body, indent=4, ensure_ascii=False)
    harmless = printable(plain) == plain
    if output == "json":
        return (plain if harmless else ascii_json(body, indent=4)) + "\n"
    # PyYAML takes the characters for printable, and loses U+0085 altogether.
    return _yaml(body, allow_unicode=harmless)


def _yaml(body: Json, *, sort_keys: bool = True, allow_unicode: bool = False) -> str:
    from rollupdate.report.yaml_text import dumped

    return dumped(body, sort_keys=sort_keys, allow_unicode=allow_unicode)


def _kind(item: Json) -> str:
    """As kubectl names it: with the group, if it has one."""
    group = str(item.get("apiVersion") or "v1").rpartition("/")[0]
    kind = str(item.get("kind") or "ReplicationController").lower()
    return f"{kind}.{group}" if group else kind


def _visible(item: Json) -> Json:
    """Without the manager's bookkeeping (``managedFields``), which kubectl leaves out as well."""
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {"apiVersion": "v1", "kind": "ReplicationController", **item, "metadata": meta}
