"""The three kinds of patches, applied to plain JSON. What may be patched is decided in ``verbs``."""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer

from sandbox import statuses
from sandbox.objects import Json, copied

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

# The fields whose lists a strategic patch merges, and by which of their keys. All other lists are replaced.
_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "conditions": "type",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "addresses": "type",
}
_MERGED_SETS = frozenset({"finalizers"})


def apply(content_type: str, obj: Json, patch: Any) -> Json:
    """A patched copy. Raises 415 for a kind of patch there is not, 400 and 422 as the server does."""
    match content_type:
        case "application/json-patch+json":
            return _json_patch(obj, patch)
        case "application/merge-patch+json":
            return _object(merge(obj, _patch_object(patch)))
        case "application/strategic-merge-patch+json":
            return _object(strategic(obj, _patch_object(patch)))
        case _:
            raise statuses.unknown_patch_type()


def _patch_object(patch: Any) -> Json:
    if not isinstance(patch, dict):
        raise statuses.internal("Invalid JSON Patch")
    return patch


def _object(result: Any) -> Json:
    return copied(result) if isinstance(result, dict) else {}


def _json_patch(obj: Json, patch: Any) -> Json:
    if not isinstance(patch, list):
        raise statuses.bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result = copied(obj)
    for operation in patch:
        if _tests_for_absence(operation, result):
            continue
        try:
            result = jsonpatch.apply_patch(result, [operation], in_place=True)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
            raise statuses.unprocessable_patch() from error
    if not isinstance(result, dict):
        raise statuses.unprocessable_patch()
    found: Json = copied(result)
    return found


def _tests_for_absence(operation: Any, obj: Json) -> bool:
    """The server's library takes null for absent in a ``test``."""
    if (
        not isinstance(operation, dict)
        or operation.get("op") != "test"
        or operation.get("value", 0) is not None
    ):
        return False
    try:
        return jsonpointer.resolve_pointer(obj, str(operation.get("path")), None) is None
    except jsonpointer.JsonPointerException:
        return False


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386. The result shares what was not changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(target: Any, patch: Any) -> Any:
    """A merge that knows the lists of the core types by their merge keys, with ``$patch`` directives."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            result[field] = [entry for entry in result.get(field) or () if entry not in value]
        elif key.startswith("$"):
            continue  # $setElementOrder, $retainKeys: order does not matter to us
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, list):
            result[key] = _merged_list(key, result.get(key) or [], value)
        else:
            result[key] = strategic(result.get(key), value)
    return result


def _merged_list(field: str, target: list[Any], patch: list[Any]) -> list[Any]:
    if field in _MERGED_SETS:
        return [*target, *(entry for entry in patch if entry not in target)]
    merge_key = _MERGE_KEYS.get(field)
    if merge_key is None or not all(isinstance(entry, dict) for entry in (*target, *patch)):
        return patch
    if any(entry.get("$patch") == "replace" for entry in patch):
        return [entry for entry in patch if "$patch" not in entry]
    result = list(target)
    for entry in patch:
        value = entry.get(merge_key)
        at = next((n for n, old in enumerate(result) if old.get(merge_key) == value), None)
        if entry.get("$patch") == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(strategic({}, entry))
        else:
            result[at] = strategic(result[at], entry)
    return result
