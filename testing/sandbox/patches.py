"""The three kinds of patches, applied to plain JSON. What may be patched is decided in ``verbs``."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch
import jsonpointer

from testing.objects import Json
from testing.sandbox import decoding, statuses
from testing.sandbox.objects import copied

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
_READS_DIRECTIVES = 28
"""The release from which on the directives in a list count if the object has no such list yet. Before, an
entry to be deleted was taken for one to be added. Seen on 1.20; the number is that of kubernetes#117568."""


def apply(content_type: str, obj: Json, patch: Any, minor: int) -> Json:
    """A patched copy, as a server 1.``minor`` makes it.

    Raises 415 for an unknown kind of patch, 400 and 422 as the server does.
    """
    match content_type:
        case "application/json-patch+json":
            return _json_patch(obj, patch)
        case "application/merge-patch+json":
            if isinstance(patch, list):
                detail = "couldn't get version/kind; json parse error: " + decoding.no_object(patch)
                raise statuses.undecodable_patch(patch, detail)
            if not isinstance(patch, dict):
                raise statuses.internal("Invalid JSON Patch")
            return _object(merge(obj, patch))
        case "application/strategic-merge-patch+json":
            if not isinstance(patch, dict):
                message = "json: cannot unmarshal array into Go value of type map[string]interface {}"
                raise statuses.bad_request(message)
            return _object(strategic(obj, patch, minor))
        case _:
            raise statuses.unknown_patch_type()


def _object(result: Any) -> Json:
    return result if isinstance(result, dict) else {}


def _json_patch(obj: Json, patch: Any) -> Json:
    if patch is None:
        raise statuses.bad_request("unexpected end of JSON input")
    if not isinstance(patch, list):
        raise statuses.bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result = copied(obj)
    for operation in patch:
        if not isinstance(operation, dict):
            found = "string" if isinstance(operation, str) else "value"
            raise statuses.bad_request(
                f"json: cannot unmarshal {found} into Go value of type jsonpatch.Operation"
            )
    for operation in patch:
        try:
            if operation.get("op") == "test":
                _test(operation, result)
            else:
                if operation.get("op") in ("add", "replace"):
                    operation = {"value": None, **operation}
                if operation.get("op") == "replace" and _is_missing_key(result, operation["path"]):
                    operation["op"] = "add"
                result = jsonpatch.apply_patch(result, [operation], in_place=True)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
            raise statuses.unprocessable_patch() from error
    if not isinstance(result, dict) or not result:
        raise statuses.unprocessable_patch()
    return result


def _is_missing_key(obj: Json, path: str) -> bool:
    """Of an object that is there: the server's patches then add where they should replace."""
    parent, key = jsonpointer.JsonPointer(path).to_last(obj)
    return isinstance(parent, dict) and key is not None and key not in parent


def _test(operation: Json, obj: Json) -> None:
    """Compares texts, so that 0, 0.0 and false differ; a missing key of an object that is there is null."""
    parent, key = jsonpointer.JsonPointer(operation["path"]).to_last(obj)
    found = obj if key is None else parent.get(key) if isinstance(parent, dict) else parent[int(key)]
    if json.dumps(found, sort_keys=True) != json.dumps(operation.get("value"), sort_keys=True):
        raise jsonpatch.JsonPatchTestFailed


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


def strategic(target: Any, patch: Any, minor: int) -> Any:
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
            continue  # $setElementOrder is read with its list, $retainKeys at the end
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, list):
            order = patch.get(f"$setElementOrder/{key}")
            result[key] = _merged_list(key, result.get(key), value, order, minor)
        else:
            result[key] = strategic(result.get(key), value, minor)
    if "$retainKeys" in patch:
        result = {key: value for key, value in result.items() if key in patch["$retainKeys"]}
    return result


def _merged_list(
    field: str, found: list[Any] | None, patch: list[Any], order: list[Any] | None, minor: int
) -> list[Any]:
    target = found or []
    if field in _MERGED_SETS:
        return [*(entry for entry in patch if entry not in target), *target]
    merge_key = _MERGE_KEYS.get(field)
    if merge_key is None:
        return patch
    if found is None and minor < _READS_DIRECTIVES:
        return [{key: value for key, value in entry.items() if key != "$patch"} for entry in patch]
    for entry in patch:
        directive = entry.get("$patch")
        told = " ".join(f"{key}:{entry[key]}" for key in sorted(entry))
        if directive not in (None, "delete", "replace"):
            raise statuses.internal(f"unknown patch type: {directive} in map: map[{told}]")
        if merge_key not in entry and directive != "replace":
            raise statuses.internal(f"map: map[{told}] does not contain declared merge key: {merge_key}")
    if any(entry.get("$patch") == "replace" for entry in patch):
        return [entry for entry in patch if "$patch" not in entry]
    merged = {entry.get(merge_key): entry for entry in target}
    for entry in patch:
        key = entry.get(merge_key)
        if entry.get("$patch") == "delete":
            merged.pop(key, None)
        else:
            merged[key] = strategic(merged.get(key, {}), entry, minor)
    wanted = [entry.get(merge_key) for entry in (patch if order is None else order)]
    return [
        merged[key] for key in _ordered([k for k in wanted if k in merged], list(merged), target, merge_key)
    ]


def _ordered(wanted: list[Any], present: list[Any], target: list[Any], merge_key: str) -> list[Any]:
    """What the patch names, in its order; the rest between, where it was. New ones come early."""
    before = [entry.get(merge_key) for entry in target]
    rest = [key for key in present if key not in wanted]
    result: list[Any] = []
    for key in wanted:
        while rest and key in before and rest[0] in before and before.index(rest[0]) < before.index(key):
            result.append(rest.pop(0))
        result.append(key)
    return result + rest
