"""Pod templates: their hash, and the changes that ``--image`` makes to one."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from rollupdate.core.record import RESTART
from rollupdate.errors import RefusedError

Json = dict[str, Any]


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
    meta["labels"] = {each: value for each, value in (meta.get("labels") or {}).items() if each != key}
    return {**template, "metadata": {each: value for each, value in meta.items() if value}}


def is_temporary_name(name: str, of: str) -> bool:
    """Whether ``name`` is one that an update of ``of`` gives its new controller until the finish."""
    digits = name.rpartition("-")[2]
    return bool(re.fullmatch(r"[0-9a-f]{32}", digits)) and name == temporary_name(of, digits)


def temporary_name(of: str, digits: str) -> str:
    """An object's name has at most 253 characters; 33 of them are the hash and its hyphen.

    A name cut short does not end in a character that could not stand before the hyphen (RFC 1123).
    """
    return f"{of[:220].rstrip('.-')}-{digits}"


def containers(template: Json) -> list[Json]:
    return list((template.get("spec") or {}).get("containers") or [])


def find_container(template: Json, name: str | None) -> Json:
    """The container that ``--image`` is about. Raises RefusedError in the documented words."""
    candidates = containers(template)
    if name is None:
        if len(candidates) != 1:
            names = ", ".join(str(each.get("name")) for each in candidates)
            raise RefusedError(
                "must specify container to update when updating a multi-container pod",
                hint=f"choose one with --container: {names}",
            )
        return candidates[0]
    for each in candidates:
        if each.get("name") == name:
            return each
    names = ", ".join(str(each.get("name")) for each in candidates)
    raise RefusedError(f"container {name} not found in pod", hint=f"the pod has: {names}")


def with_image(
    template: Json, image: str, container: str | None, pull_policy: str | None, label_key: str
) -> Json:
    """The template with another image in one container.

    Where the image is the one already there, a pull policy must be given (the documented message says
    so). Where the result would be the same template all the same, an annotation makes it differ, so
    that there are new pods; its value is the old template's hash, so the same command gives the same.
    """
    present = find_container(template, container)
    if present.get("image") == image and pull_policy is None:
        raise RefusedError(
            "--image-pull-policy (Always|Never|IfNotPresent) must be provided when --image is the same as "
            "existing container image",
            hint="it is what runs already: there is nothing to continue",
        )
    changed = copy.deepcopy(template)
    target = find_container(changed, container)
    target["image"] = image
    if pull_policy is not None:
        target["imagePullPolicy"] = pull_policy
    if changed == template:
        meta = changed.setdefault("metadata", {})
        annotations = meta.get("annotations") or {}
        meta["annotations"] = {**annotations, RESTART: template_hash(template, label_key)}
    return changed


def with_label(template: Json, key: str, value: str) -> Json:
    labels = (template.get("metadata") or {}).get("labels") or {}
    return with_labels(template, {**labels, key: value})


def with_labels(template: Json, labels: Mapping[str, str]) -> Json:
    """Those labels and no others."""
    return {**template, "metadata": {**(template.get("metadata") or {}), "labels": dict(labels)}}
