"""Plain API objects: reading and building them. No state, no clock, no rules of any kind in here.

Objects that are stored are never changed again. Whoever wants another one builds it, sharing what stays the
same; :func:`copied` is for the edge, where others may do with an object what they like.
"""

from __future__ import annotations

import datetime
import marshal
import random
import uuid
from collections.abc import Callable
from typing import Any

from testing.objects import Json

# The letters and digits of names that the API server generates: no vowels, so no words.
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def copied(value: Any) -> Any:
    """A deep copy of JSON data. Version 2 of the format, as later ones keep shared parts shared."""
    return marshal.loads(marshal.dumps(value, 2))


def new_uid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def name_suffix(rng: random.Random) -> str:
    """Five characters, as behind ``generateName``."""
    return "".join(rng.choices(_SUFFIX_ALPHABET, k=5))


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as the API writes times: RFC 3339, whole seconds."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str | None) -> float | None:
    """The inverse of :func:`timestamp`; None for what is not a time."""
    try:
        return datetime.datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return None


def name_of(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def namespace_of(obj: Json) -> str:
    return str(obj["metadata"].get("namespace", ""))


def uid_of(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def labels_of(obj: Json) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def is_being_deleted(obj: Json) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def owner_references(obj: Json) -> list[Json]:
    return obj["metadata"].get("ownerReferences") or []


def controller_of(obj: Json) -> Json | None:
    """The owner reference with ``controller: true``."""
    return next((ref for ref in owner_references(obj) if ref.get("controller")), None)


def owner_reference(owner: Json) -> Json:
    """The reference a controller puts into what it controls."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def with_metadata(obj: Json, **changes: Any) -> Json:
    """The object with other metadata fields; None removes one."""
    metadata = {**obj["metadata"], **changes}
    return {**obj, "metadata": {key: value for key, value in metadata.items() if value is not None}}


def condition(obj: Json, kind: str) -> Json | None:
    conditions = obj.get("status", {}).get("conditions") or ()
    return next((entry for entry in conditions if entry.get("type") == kind), None)


def condition_status(obj: Json, kind: str) -> str:
    """``True``, ``False`` or ``Unknown`` as the API writes them; empty where there is no such condition."""
    found = condition(obj, kind)
    return "" if found is None else str(found.get("status", ""))


def is_active(pod: Json) -> bool:
    """Whether a controller counts the pod."""
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not is_being_deleted(pod)


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Equality selectors, as ReplicationControllers have them. An empty one selects nothing."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


Predicate = Callable[[Json], bool]
