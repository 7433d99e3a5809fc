"""Kinds that a CustomResourceDefinition adds: how they are served, and what of their schema counts here.

Of the schema it is the defaults, types and smallest numbers; fields that it does not name are kept. The
server knows less of such a kind than of its own: there is no strategic patch and no unconditional PUT, and a
write of the status changes nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from testing.objects import Json
from testing.sandbox.objects import copied
from testing.sandbox.resources import Resource
from testing.sandbox.statuses import Cause, go_value


class CustomKinds:
    """Of the definitions, in one version each."""

    def __init__(self, definitions: Sequence[Json] = ()) -> None:
        self.resources = tuple(_resource(definition["spec"]) for definition in definitions)
        self._schemas: dict[str, Json] = {
            definition["spec"]["names"]["plural"]: definition["spec"]["versions"][0]["schema"][
                "openAPIV3Schema"
            ]
            for definition in definitions
        }

    def complete(self, resource: Resource, obj: Json) -> None:
        """Fill in what the schema has defaults for; null is what was left out. Changes the object."""
        if resource.custom:
            _complete(obj, self._schemas[resource.plural])

    def causes(self, resource: Resource, obj: Json) -> list[Cause]:
        """What the schema forbids, and a scale that is none."""
        if not resource.custom:
            return []
        causes = list(_causes(obj, self._schemas[resource.plural], ""))
        size = (obj.get("spec") or {}).get("replicas")
        at = ".spec.replicas"
        if "scale" in resource.subresources and isinstance(size, str):
            told = f"Invalid value: 0: {at} accessor error: {size} is of the type string, expected int64"
            causes.append(Cause("FieldValueInvalid", told, at))
        elif "scale" in resource.subresources and isinstance(size, int) and size < 0:
            told = f"Invalid value: {size}: should be a non-negative integer"
            causes.append(Cause("FieldValueInvalid", told, at))
        return causes


def _resource(spec: Json) -> Resource:
    names, version = spec["names"], spec["versions"][0]
    return Resource(
        names["plural"],
        names["kind"],
        tuple(names.get("shortNames", ())),
        namespaced=spec["scope"] == "Namespaced",
        categories=tuple(names.get("categories", ())),
        subresources=tuple(sorted(version.get("subresources", {}))),
        generation=True,
        version=f"{spec['group']}/{version['name']}",
        conditional=True,
        custom=True,
    )


def _complete(obj: Json, schema: Json) -> None:
    for field, inner in (schema.get("properties") or {}).items():
        if "default" in inner and obj.get(field) is None:
            obj[field] = copied(inner["default"])
        elif field in obj and obj[field] is None:
            del obj[field]
        if isinstance(obj.get(field), dict):
            _complete(obj[field], inner)


_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def _causes(obj: Json, schema: Json, at: str) -> Iterator[Cause]:
    for field, inner in sorted((schema.get("properties") or {}).items()):
        value, path = obj.get(field), f"{at}{field}"
        if value is None:
            continue
        expected, found = inner.get("type"), _NAMES[type(value)]
        if expected is not None and found != expected:
            told = f'{path} in body must be of type {expected}: "{found}"'
            yield Cause("FieldValueInvalid", f'Invalid value: "{found}": {told}', path)
        elif "minimum" in inner and value < inner["minimum"]:
            told = f"{path} in body should be greater than or equal to {inner['minimum']}"
            yield Cause("FieldValueInvalid", f"Invalid value: {go_value(value)}: {told}", path)
        elif isinstance(value, dict):
            yield from _causes(value, inner, f"{path}.")
