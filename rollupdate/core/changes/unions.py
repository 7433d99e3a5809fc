"""Parts of a pod template of which only one may be set, after a patch that adds a second one. Pure.

A merge keeps what it does not name, and the server refuses the result without a word on how to write the
patch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rollupdate.errors import RefusedError
from rollupdate.objects import Json

_HANDLERS = ("exec", "grpc", "httpGet", "sleep", "tcpSocket")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def refuse_second(before: Json, after: Json) -> None:
    """``before``: the template that was patched, which the server has taken. Raises RefusedError."""
    earlier = dict(_unions(before))
    for path, present in _unions(after):
        kept = [name for name in present if name in earlier.get(path, {})]
        added = [name for name in present if name not in earlier.get(path, {})]
        if kept and added:
            raise RefusedError(
                f"{path} has {kept[0]} and would get {added[0]} as well, and only one of them can be set; "
                "nothing was changed",
                hint=f'add "{kept[0]}": null beside "{added[0]}" in the patch, which takes it away '
                '(in a JSON Patch: an operation "remove")',
            )


def _unions(template: Json) -> Iterator[tuple[str, Json]]:
    """Each with its path, and what is set of it."""
    spec = template.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    for field in ("containers", "initContainers"):
        for container, path in _members(spec, field, f"spec.{field}"):
            yield from _of_container(container, path)
    for volume, path in _members(spec, "volumes", "spec.volumes"):
        yield path, _set(volume, [key for key in volume if key != "name"])


def _of_container(container: Json, path: str) -> Iterator[tuple[str, Json]]:
    for variable, where in _members(container, "env", f"{path}.env"):
        yield where, _set(variable, ["value", "valueFrom"])
        source = variable.get("valueFrom")
        if isinstance(source, dict):
            yield f"{where}.valueFrom", _set(source, list(source))
    for probe in _PROBES:
        found = container.get(probe)
        if isinstance(found, dict):
            yield f"{path}.{probe}", _set(found, _HANDLERS)
    lifecycle = container.get("lifecycle")
    for hook in ("postStart", "preStop"):
        found = lifecycle.get(hook) if isinstance(lifecycle, dict) else None
        if isinstance(found, dict):
            yield f"{path}.lifecycle.{hook}", _set(found, _HANDLERS)


def _members(parent: Json, field: str, path: str) -> Iterator[tuple[Json, str]]:
    value: Any = parent.get(field)
    for member in value if isinstance(value, list) else []:
        if isinstance(member, dict):
            yield member, f"{path}[{member.get('name')}]"


def _set(parent: Json, names: Any) -> Json:
    """What counts as set: an empty text does not."""
    return {name: parent[name] for name in names if parent.get(name) not in (None, "")}
