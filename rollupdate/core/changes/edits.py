"""Edits of a pod template: values that do one thing each. Here are those that need nothing but the template.

Where a patch comes from and what a flag looks like is not known here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Protocol

from rollupdate.core.changes.strategic import merged
from rollupdate.core.model.template import containers, find_container, init_containers
from rollupdate.errors import RefusedError
from rollupdate.objects import Json

PULL_POLICIES = ("Always", "Never", "IfNotPresent")


class Edit(Protocol):
    """One thing to be done with a pod template. A value: two that are equal do the same."""

    def apply(self, template: Json) -> Json:
        """The template that comes of ``template``, which stays as it is. Raises RefusedError."""
        ...


@dataclass(frozen=True)
class SetImage:
    """Another image in one container, and with it perhaps another pull policy."""

    image: str
    container: str | None = None
    pull_policy: str | None = None

    def apply(self, template: Json) -> Json:
        changed = copy.deepcopy(template)
        target = find_container(changed, self.container)
        target["image"] = self.image
        if self.pull_policy is not None:
            target["imagePullPolicy"] = self.pull_policy
        return changed


@dataclass(frozen=True)
class SetEnv:
    """An environment variable in one container, or (None) in all; init containers as well.

    ``value`` None takes it away; one that is set has no other source any more.
    """

    name: str
    value: str | None
    container: str | None = None

    def apply(self, template: Json) -> Json:
        result = copy.deepcopy(template)
        if self.container is not None:
            chosen = [find_container(result, self.container)]
        else:
            chosen = containers(result) + init_containers(result)
        for container in chosen:
            env = list(container.get("env") or [])
            at = [index for index, one in enumerate(env) if one.get("name") == self.name]
            kept = [one for one in env if one.get("name") != self.name]
            if self.value is None and not at:
                continue
            if self.value is not None:
                setting = {"name": self.name, **({"value": self.value} if self.value else {})}
                kept.insert(at[0] if at else len(kept), setting)
            container["env"] = kept
            if not kept:
                del container["env"]
        return result


@dataclass(frozen=True)
class MergePatch:
    """A strategic merge patch of the template."""

    patch: Json

    def apply(self, template: Json) -> Json:
        return merged(template, self.patch)


def has_image(template: Json, edit: SetImage) -> bool:
    """Whether the image is there already."""
    return bool(find_container(template, edit.container).get("image") == edit.image)


def checked_shape(template: Json) -> None:
    """Every part of it that an update reads has the type it is read as; the rest is the server's to judge."""
    meta = _part(template, "metadata", dict)
    for field in ("labels", "annotations"):
        for key, value in _part(meta, field, dict, "metadata.").items():
            if not isinstance(value, str):
                raise _unusable(f"metadata.{field}.{key} must be text; put it in quotes")
    spec = _part(template, "spec", dict)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(_part(spec, field, list, "spec.")):
            if not isinstance(container, dict):
                raise _unusable(f"spec.{field}[{index}] must be an object")
            for one in _part(container, "env", list, f"spec.{field}[{index}]."):
                if not isinstance(one, dict):
                    raise _unusable(f"spec.{field}[{index}].env must hold objects")


def _part(parent: Json, key: str, kind: type, where: str = "") -> Any:
    value = parent.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise _unusable(f"{where}{key} must be {'an object' if kind is dict else 'a list'}")
    return value


def _unusable(what: str) -> RefusedError:
    return RefusedError(f"the patch makes no pod template: {what}; nothing was changed")
