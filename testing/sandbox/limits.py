"""LimitRange: what a container is given if it does not say, and the most and the least that it may be given.

Of type Container only. A range says all of its values itself: none is taken from another one of it.
"""

from __future__ import annotations

from fractions import Fraction

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.objects import name_of, namespace_of
from testing.sandbox.resources import LIMIT_RANGES, PODS, Resource
from testing.sandbox.store import Store

_UNITS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000) ** power for power, unit in enumerate("kMGT", 1)},
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate("KMGT", 1)},
}


def admit(store: Store, resource: Resource, obj: Json) -> None:
    """Fill in the defaults, and raise 403 for a pod whose containers may not be as large, or as small, as
    they want to be."""
    if resource is not PODS:
        return
    for container in (*obj["spec"]["containers"], *(obj["spec"].get("initContainers") or ())):
        for limits in store.objects(LIMIT_RANGES, namespace_of(obj)):
            for item in limits["spec"].get("limits") or ():
                _fill_in(item, container)
    told: list[str] = []
    for limits in store.objects(LIMIT_RANGES, namespace_of(obj)):
        for item in limits["spec"].get("limits") or ():
            if item["type"] == "Container":
                for container in obj["spec"]["containers"]:
                    told += _excess(item, container.get("resources") or {})
    if told:
        raise statuses.forbidden(PODS, name_of(obj), told[0] if len(told) == 1 else f"[{', '.join(told)}]")


def _fill_in(item: Json, container: Json) -> None:
    given = container.setdefault("resources", {})
    for field, default in (("limits", item.get("default")), ("requests", item.get("defaultRequest"))):
        if item["type"] == "Container" and default:
            given[field] = {**default, **(given.get(field) or {})}


def _excess(item: Json, resources: Json) -> list[str]:
    given = {kind: resources.get(f"{kind}s") or {} for kind in ("limit", "request")}
    told = []
    for resource, least in sorted((item.get("min") or {}).items()):
        has = given["request"].get(resource) or given["limit"].get(resource)
        if has is None:
            told.append(f"minimum {resource} usage per Container is {least}.  No request is specified")
        elif quantity(has) < quantity(least):
            told.append(f"minimum {resource} usage per Container is {least}, but request is {has}")
    for resource, most in sorted((item.get("max") or {}).items()):
        has = given["limit"].get(resource)
        if has is not None and quantity(has) > quantity(most):
            told.append(f"maximum {resource} usage per Container is {most}, but limit is {has}")
    return told


def quantity(text: str | int) -> Fraction:
    """An amount such as ``100m`` or ``2Gi``."""
    number = str(text).rstrip("mkKMGTi")
    return Fraction(number) * _UNITS[str(text)[len(number) :]]
