"""Strategic merge patches of a pod template: a merge that knows which lists hold named things.

The rules are those of the API server for ``v1.PodTemplateSpec`` (``x-kubernetes-patch-strategy`` and
``x-kubernetes-patch-merge-key`` in its OpenAPI document), the order of lists included, so that a patch does
here what it does with ``kubectl patch``. It has to be done here, as an update that is continued starts from
a template that the server may have no more.
"""

from __future__ import annotations

from typing import Any

from rollupdate.errors import RefusedError
from rollupdate.objects import Json

MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "ports": "containerPort",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Of a list that is merged: by which key its members are told apart. Any other list is replaced."""
SETS = frozenset({"finalizers"})
"""Lists of plain values that are united."""
_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _REMOVE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def merged(target: Json, patch: Json, path: str = "") -> Json:
    """``target`` with ``patch`` merged into it; neither is changed.

    Raises RefusedError naming the path in the patch that cannot be merged.
    """
    directive = patch.get(_PATCH)
    if directive == "delete":
        return {}
    if directive == "replace":
        target = {}
    elif directive not in (None, "merge"):
        raise _bad(_join(path, _PATCH), f"must be replace, merge or delete, not {directive!r}")
    result = dict(target)
    for key, value in patch.items():
        here = _join(path, key)
        if key.startswith(_REMOVE):
            field = key.removeprefix(_REMOVE)
            gone = _expect(value, list, here)
            present = _expect(result.get(field) or [], list, here, found=True)
            result[field] = [item for item in present if item not in gone]
        elif key.startswith("$"):
            if key not in (_PATCH, _RETAIN) and not key.startswith(_ORDER):
                raise _bad(here, "is no directive of a strategic merge patch")
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _value(key, result.get(key), value, here)
    if _RETAIN in patch:
        kept = _expect(patch[_RETAIN], list, _join(path, _RETAIN))
        result = {key: value for key, value in result.items() if key in kept}
    return result


def _value(field: str, target: Any, patch: Any, path: str) -> Any:
    if isinstance(patch, dict):
        return merged(_expect({} if target is None else target, dict, path, found=True), patch, path)
    if isinstance(target, dict):
        raise _bad(path, f"must be an object, not {_kind(patch)}")
    if field in MERGE_KEYS or field in SETS:
        present = _expect([] if target is None else target, list, path, found=True)
        wanted = _expect(patch, list, path)
        if field in SETS:
            return [*(item for item in wanted if item not in present), *present]
        return _members(MERGE_KEYS[field], present, wanted, path)
    if isinstance(target, list) and not isinstance(patch, list):
        raise _bad(path, f"must be a list, not {_kind(patch)}")
    return _plain(patch, path)


def _plain(value: Any, path: str) -> Any:
    """A value that replaces another one: no directive may be left in it."""
    if isinstance(value, list):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    return merged({}, value, path) if isinstance(value, dict) else value


def _members(key: str, target: list[Any], patch: list[Any], path: str) -> list[Any]:
    """A list whose members are told apart by ``key``."""
    for index, item in enumerate(target):
        _expect(item, dict, f"{path}[{index}]", found=True)
    items = list(target)
    rest = [item for item in patch if not (isinstance(item, dict) and item.get(_PATCH) == "replace")]
    if len(rest) < len(patch):
        items, patch = [], rest
    named: list[Any] = []
    for index, item in enumerate(patch):
        here = f"{path}[{index}]"
        member = _expect(item, dict, here)
        name = member.get(key)
        if name is None:
            raise _bad(here, f"has no {key}, by which these are told apart")
        if member.get(_PATCH) == "delete":
            items = [one for one in items if one.get(key) != name]
            continue
        at = next((at for at, one in enumerate(items) if one.get(key) == name), len(items))
        items[at : at + 1] = [merged(items[at] if at < len(items) else {}, member, f"{path}[{name}]")]
        if name not in named:
            named.append(name)
    return _in_order(key, [item.get(key) for item in target], named, items)


def _in_order(key: str, before: list[Any], named: list[Any], items: list[Json]) -> list[Any]:
    """What the patch names, in its order; the rest between, where it was. New ones come early."""
    rest = [item for item in items if item.get(key) not in named]
    ordered: list[Any] = []
    for name in named:
        while rest and name in before and before.index(rest[0].get(key)) < before.index(name):
            ordered.append(rest.pop(0))
        ordered += [item for item in items if item.get(key) == name]
    return ordered + rest


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _expect(value: Any, kind: type, path: str, *, found: bool = False) -> Any:
    """``found``: it is not the patch that holds it but the template."""
    if isinstance(value, kind):
        return value
    if found:
        raise _bad(path, f"is {_kind(value)} in the template")
    raise _bad(path, f"must be {'an object' if kind is dict else 'a list'}, not {_kind(value)}")


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return kinds.get(type(value), "a number")


def _bad(path: str, what: str) -> RefusedError:
    return RefusedError(f"the patch does not fit the pod template: {path} {what}; nothing was changed")
