"""Pod templates: their containers, their hash, names and labels made of it, and how two of them differ."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from rollupdate.advice import Setting
from rollupdate.errors import RefusedError
from rollupdate.objects import Json


def containers(template: Json) -> list[Json]:
    return list((template.get("spec") or {}).get("containers") or [])


def init_containers(template: Json) -> list[Json]:
    return list((template.get("spec") or {}).get("initContainers") or [])


def find_container(template: Json, name: str | None) -> Json:
    """The container of that name, an init container as well; without a name the only one there is.

    Raises RefusedError in the documented words.
    """
    candidates = containers(template)
    if name is None:
        if len(candidates) != 1:
            names = ", ".join(str(container.get("name")) for container in candidates)
            raise RefusedError(
                "must specify container to update when updating a multi-container pod",
                hint=f"choose one with {Setting.CONTAINER}: {names}",
            )
        return candidates[0]
    candidates += init_containers(template)
    for container in candidates:
        if container.get("name") == name:
            return container
    names = ", ".join(str(container.get("name")) for container in candidates)
    raise RefusedError(f"container {name} not found in pod", hint=f"the pod has: {names}")


def template_hash(template: Json, label_key: str, *, salt: str = "") -> str:
    """32 lowercase hex digits over the canonical JSON of the template without the deployment label.

    The same template gives the same digits whatever the order of its keys; a null or empty ``labels``,
    ``annotations`` or ``creationTimestamp`` is the same as none, as it is for the API server.
    """
    body = without_label(template, label_key)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((salt + text).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def without_label(template: Json, key: str) -> Json:
    """The template without that label, and without metadata that is empty."""
    meta = dict(template.get("metadata") or {})
    meta["labels"] = {name: value for name, value in (meta.get("labels") or {}).items() if name != key}
    return {**template, "metadata": {name: value for name, value in meta.items() if value}}


def is_hash(value: str | None) -> bool:
    """Whether this command, or that of kubectl 1.17, has made that value of the identifying label."""
    return value is not None and re.fullmatch(r"[0-9a-f]{32}(-orig)?", value) is not None


def names_of_update(old: str, new: str) -> tuple[str, ...]:
    """What is known of the command that began an update: a temporary name was not on its line."""
    return (old, "...") if is_temporary_name(new, old) else (old, new, "...")


def is_temporary_name(name: str, of: str) -> bool:
    """Whether ``name`` is one that an update of ``of`` gives its new controller until the finish."""
    digits = name.rpartition("-")[2]
    return bool(re.fullmatch(r"[0-9a-f]{32}", digits)) and name == temporary_name(of, digits)


def temporary_name(of: str, digits: str) -> str:
    """An object's name has at most 253 characters; 33 of them are the hash and its hyphen.

    A name cut short does not end in a character that could not stand before the hyphen (RFC 1123).
    """
    return f"{of[:220].rstrip('.-')}-{digits}"


def with_label(template: Json, key: str, value: str) -> Json:
    labels = (template.get("metadata") or {}).get("labels") or {}
    return with_labels(template, {**labels, key: value})


def with_labels(template: Json, labels: Mapping[str, str]) -> Json:
    """Those labels and no others."""
    return {**template, "metadata": {**(template.get("metadata") or {}), "labels": dict(labels)}}


def differences(one: object, other: object, path: str = "") -> list[str]:
    """Paths of what is not the same; in lists of named things the names: ``spec.containers[web].env``."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            found
            for key in sorted({**one, **other})
            for found in differences(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(one, list) and isinstance(other, list):
        left, right = _by_name(one), _by_name(other)
        if left is not None and right is not None:
            return [
                found
                for name in {**left, **right}
                for found in differences(left.get(name), right.get(name), f"{path}[{name}]")
            ]
    return [] if one == other else [path]


def _by_name(values: list[Any]) -> Json | None:
    """None where they are not all of different names."""
    named = {
        value["name"]: value
        for value in values
        if isinstance(value, dict) and isinstance(value.get("name"), str)
    }
    return named if len(named) == len(values) else None
