"""Answers made comparable: what differs between two clusters gets a symbol, the rest stays.

The symbols of uids and versions are counted in the order in which a case shows them: which object it is, and
whether the version is the same, still is compared. The account and its token that most clusters give to every
pod are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_AGE = re.compile(r"\d+m?s")
_GENERATED = re.compile(r"\b(generated|web)-[bcdfghjklmnpqrstvwxz2456789]{5}\b")
_OF_THE_ACCOUNT = {"serviceAccount", "serviceAccountName"}
_TOKEN = "kube-api-access-"
_SOURCE = re.compile(r'(?<=in scheme ")[^"]*')
"""A file of the server's source, as it was named where the server was built."""
_VERSION_IN_TEXT = re.compile(r"(?<=\()\d+(?=\))|(?<=version: )\d+|(?<=current: )\d+")


class Normal:
    """Makes the answers of one cluster, in one case, comparable with those of another."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.of(entry) for entry in value]
        return self._text(value) if isinstance(value, str) else value

    def _object(self, obj: dict[str, Any]) -> dict[str, Any]:
        is_list = str(obj.get("kind", "")).endswith("List") or obj.get("kind") == "Table"
        result: dict[str, Any] = {}
        for key in sorted(obj):  # so that symbols are counted in the same order
            value = obj[key]
            if key == "managedFields" or key in _OF_THE_ACCOUNT:
                continue
            if key in ("volumes", "volumeMounts"):
                value = [each for each in value if not each["name"].startswith(_TOKEN)]
                if not value:
                    continue
            if key == "resourceVersion" and value:
                value = self._symbol("version", value)
            elif key == "continue" and value:
                value = "<token>"
            elif key == "metadata" and is_list:
                # The version of a list is that of the whole cluster.
                value = self.of({**value, "resourceVersion": ""})
            else:
                value = self.of(value)
            result[key] = value
        return result

    def _symbol(self, kind: str, value: str) -> str:
        key = f"{kind} {value}"
        count = sum(known.startswith(f"{kind} ") for known in self._symbols)
        return self._symbols.setdefault(key, f"<{kind} {count + 1}>")

    def _text(self, text: str) -> str:
        if _TIME.fullmatch(text):
            return "<time>"
        if _AGE.fullmatch(text):
            return "<age>"
        text = _UID.sub(lambda found: self._symbol("uid", found.group()), text)
        text = _TIME.sub("<time>", _GENERATED.sub(r"\1-#####", text))
        return _VERSION_IN_TEXT.sub("<version>", _SOURCE.sub("<file>", text))


def differences(real: Any, sandbox: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two normalised answers differ: the path, what is there on the one, what on the other."""
    if isinstance(real, dict) and isinstance(sandbox, dict):
        for key in sorted(real.keys() | sandbox.keys()):
            yield from differences(real.get(key, "<nothing>"), sandbox.get(key, "<nothing>"), f"{path}.{key}")
    elif isinstance(real, list) and isinstance(sandbox, list):
        for index, (one, other) in enumerate(zip_longest(real, sandbox, fillvalue="<nothing>")):
            yield from differences(one, other, f"{path}[{index}]")
    elif real != sandbox or type(real) is not type(sandbox):
        yield path.lstrip("."), real, sandbox


def by_name(body: Any) -> Any:
    """The items of a list, or the events of a watch, in the order of their names."""
    if isinstance(body, list):
        return sorted(body, key=lambda event: str(event["object"]["metadata"].get("name")))
    return {**body, "items": sorted(body["items"], key=lambda item: str(item["metadata"]["name"]))}
