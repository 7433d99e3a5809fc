"""PriorityClasses: those of the system, what a pod gets of its class at admission, and what is refused.

What a PriorityClass may look like is in ``validation``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.objects import name_of, new_uid
from testing.sandbox.resources import PODS, PRIORITY_CLASSES, Resource
from testing.sandbox.store import Store
from testing.sandbox.validation import SYSTEM_PRIORITIES

_PREEMPTS = "PreemptLowerPriority"
_DESCRIPTIONS = {
    "system-cluster-critical": "Used for system critical pods that must run in the cluster, but can be moved "
    "to another node if necessary.",
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
}


def system_classes(now: str) -> Iterator[Json]:
    """Every cluster has these. Their uids take nothing from the sandbox's own random numbers, so that a seed
    gives the same cluster with them and without."""
    for name, value in SYSTEM_PRIORITIES.items():
        metadata = {"name": name, "uid": new_uid(random.Random(value)), "generation": 1}
        yield {
            "apiVersion": PRIORITY_CLASSES.version,
            "kind": PRIORITY_CLASSES.kind,
            "metadata": {**metadata, "creationTimestamp": now},
            "value": value,
            "description": _DESCRIPTIONS[name],
            "preemptionPolicy": _PREEMPTS,
        }


def admit_pod(store: Store, resource: Resource, obj: Json) -> None:
    """Write into a pod the priority of its class, or of the default class if it names none.

    Raises 403 for a class that does not exist, and for a pod that says something else than its class. As this
    comes before a name is generated, the message has only the beginning of it.
    """
    if resource is not PODS:
        return
    spec = obj["spec"] = obj.get("spec") or {}
    name = spec.get("priorityClassName") or ""
    found = store.get(PRIORITY_CLASSES, "", name) if name else _default_class(store)
    if name and found is None:
        raise _forbidden(obj, f"no PriorityClass with name {name} was found")
    computed = {"priority": 0, "preemptionPolicy": _PREEMPTS}
    if found is not None:
        spec["priorityClassName"] = name_of(found)
        computed = {"priority": found["value"], "preemptionPolicy": found["preemptionPolicy"]}
    for field, told in (
        ("priority", "integer value of priority"),
        ("preemptionPolicy", "string value of PreemptionPolicy"),
    ):
        given = spec.get(field)
        if given is not None and given != computed[field]:
            raise _forbidden(
                obj,
                f"the {told} ({given}) must not be provided in pod spec; priority admission controller "
                f"computed {computed[field]} from the given PriorityClass name",
            )
    spec.update(computed)


def keep(resource: Resource, new: Json, old: Json) -> None:
    """A pod keeps its priority if an update leaves it out, whatever has become of its class."""
    if resource is PODS:
        for field in ("priority", "preemptionPolicy"):
            if new["spec"].get(field) is None and field in old["spec"]:
                new["spec"][field] = old["spec"][field]


def admit_class(store: Store, resource: Resource, obj: Json) -> None:
    """Raise 403 for a second default class."""
    if resource is not PRIORITY_CLASSES or not obj.get("globalDefault"):
        return
    found = _default_class(store)
    if found is not None and name_of(found) != name_of(obj):
        detail = f"PriorityClass {name_of(found)} is already marked as default. Only one default can exist"
        raise statuses.forbidden(resource, name_of(obj), detail)


def check_deletion(resource: Resource, name: str) -> None:
    """Raise 403 for a class of the system."""
    if resource is PRIORITY_CLASSES and name in SYSTEM_PRIORITIES:
        raise statuses.forbidden(resource, name, "this is a system priority class and cannot be deleted")


def _default_class(store: Store) -> Json | None:
    return next((found for found in store.each(PRIORITY_CLASSES, "") if found.get("globalDefault")), None)


def _forbidden(pod: Json, detail: str) -> statuses.ApiError:
    metadata = pod["metadata"]
    return statuses.forbidden(PODS, metadata.get("name") or metadata.get("generateName") or "", detail)
