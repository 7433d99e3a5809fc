"""A held controller: its template names a priority class that nobody can create, so it makes no pods.

Admission refuses each pod that such a controller asks for (403), and a controller with at least as many
replicas as it has pods deletes none. So the pods of a held controller can be moved to another held one, each
by one write, and are never without an owner. While it is held nothing replaces a pod that dies.

The hold is a state of ours and no edit: an annotation (``record.HOLD``) says in the same write which class
the template had, and everything that reads a template reads it with that one.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollupdate.objects import Json

CLASS = "system-rolling-update-is-moving-these-pods"
"""The API server refuses to create a class whose name begins with ``system-``."""
PROOF_SECONDS = 5.0
"""So long, from when the manager has observed a hold, may the refusal that proves it take."""


def is_held(template: Json) -> bool:
    return bool((template.get("spec") or {}).get("priorityClassName") == CLASS)


def class_of(template: Json) -> str:
    """The name of its priority class; empty where it names none."""
    return str((template.get("spec") or {}).get("priorityClassName") or "")


def with_class(template: Json, name: str) -> Json:
    """``name``: empty for none, which leaves no key."""
    pod = {key: value for key, value in (template.get("spec") or {}).items() if key != "priorityClassName"}
    return {**template, "spec": {**pod, "priorityClassName": name} if name else pod}


def creation_failure(status: Mapping[str, object]) -> str:
    """What the condition ReplicaFailure says; empty where no creation or deletion of pods fails."""
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        known = isinstance(condition, dict) and condition.get("type") == "ReplicaFailure"
        if known and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "")
    return ""
