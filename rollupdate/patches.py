"""``--patch`` and ``--patch-file``: from a text, a file or a URL to what is to be done with a pod template.

A list is a JSON Patch (RFC 6902), an object a strategic merge patch. Reading only, no cluster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rollupdate.core.changes.edits import Edit, MergePatch
from rollupdate.errors import ManifestError, RefusedError
from rollupdate.manifest import parse, read
from rollupdate.objects import Json

_OPERATIONS = {
    "add": "value",
    "remove": "",
    "replace": "value",
    "move": "from",
    "copy": "from",
    "test": "value",
}
"""Each with the member that it needs besides ``path``."""


@dataclass(frozen=True)
class JsonPatch:
    """Operations of RFC 6902 on the pod template, each checked for what it is made of."""

    operations: tuple[Json, ...]

    def apply(self, template: Json) -> Json:
        from jsonpatch import (
            JsonPatchException,
            JsonPatchTestFailed,
            JsonPointerException,
            apply_patch,
        )

        result: Any = template
        for number, operation in enumerate(self.operations, 1):
            which = f"operation {number} of the patch ({operation['op']} {operation['path']})"
            try:
                result = apply_patch(result, [operation])
            except JsonPatchTestFailed:
                raise RefusedError(f"{which} does not hold; nothing was changed") from None
            except (JsonPatchException, JsonPointerException, TypeError, KeyError, ValueError) as error:
                reason = re.split(" in [{[]", str(error))[0] or type(error).__name__
                raise RefusedError(
                    f"{which} cannot be applied to the pod template: {reason}; nothing was changed",
                    hint=_elsewhere(operation["path"]),
                ) from None
        if not isinstance(result, dict):
            raise RefusedError("the patch leaves no pod template; nothing was changed")
        return result


def inline(text: str) -> Edit:
    """What ``--patch`` holds. Raises ManifestError."""
    return _edit(text.encode("utf-8", "surrogateescape"), "the patch")


def from_file(filename: str) -> Edit:
    """What ``--patch-file`` names: a path, ``-`` or a URL. Raises ManifestError."""
    source, data = read(filename)
    return _edit(data, source)


def _edit(data: bytes, source: str) -> Edit:
    documents = [document for document in parse(data, source) if document is not None]
    if len(documents) != 1:
        raise ManifestError(f"{source} holds {'several patches' if documents else 'no patch'}; expected one")
    patch = documents[0]
    if isinstance(patch, list):
        return JsonPatch(
            tuple(_operation(operation, source, number) for number, operation in enumerate(patch, 1))
        )
    if not isinstance(patch, dict):
        raise ManifestError(
            f"{source} is neither an object (a strategic merge patch) nor a list (a JSON Patch)",
            hint='for example: --patch=\'{"spec": {"terminationGracePeriodSeconds": 60}}\'',
        )
    spec = patch.get("spec")
    if isinstance(spec, dict) and "template" in spec:
        raise ManifestError(f"{source} is for a whole controller: spec.template", hint=_OF_THE_TEMPLATE)
    return MergePatch(patch)


_OF_THE_TEMPLATE = "here a patch is for the pod template: write only what is in spec.template"


def _operation(operation: object, source: str, number: int) -> Json:
    which = f"{source}: operation {number}"
    if not isinstance(operation, dict):
        raise ManifestError(f"{which} is not an object")
    name = operation.get("op")
    if not isinstance(name, str) or name not in _OPERATIONS:
        raise ManifestError(f"{which}: op must be one of {', '.join(_OPERATIONS)}")
    for field in ("path", *(["from"] if _OPERATIONS[name] == "from" else [])):
        value = operation.get(field)
        if not isinstance(value, str) or (value and not value.startswith("/")):
            raise ManifestError(f"{which} ({name}): {field} must be a path that begins with /")
    if _OPERATIONS[name] == "value" and "value" not in operation:
        raise ManifestError(f"{which} ({name} {operation['path']}) has no value")
    return operation


def _elsewhere(path: str) -> str | None:
    return _OF_THE_TEMPLATE if path.startswith("/spec/template") else None
