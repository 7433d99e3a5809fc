"""How a Deployment rolls out: which ReplicaSet is its new one, and how large each is to be. Pure.

The rules are those of kube-controller-manager, in its order: scale up if there is room, then scale down what
is not needed. When they are asked is in ``deployments``.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from testing.objects import Json
from testing.sandbox.label_selectors import with_label
from testing.sandbox.objects import is_being_deleted, name_of, namespace_of, owner_reference

REVISION = "deployment.kubernetes.io/revision"
_FORMER_REVISIONS = "deployment.kubernetes.io/revision-history"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MOST = "deployment.kubernetes.io/max-replicas"
_HASH = "pod-template-hash"
_OF_THE_DEPLOYMENT = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    _FORMER_REVISIONS,
    _DESIRED,
    _MOST,
    "deprecated.deployment.rollback.to",
)
"""Annotations that its ReplicaSets do not take over."""
_HASH_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_UNLIMITED = 2**31 - 1
_BY_REVISION = 21
"""The release from which on revisions are forgotten by their numbers, not by their age (kubernetes#97407)."""

Sizes = list[tuple[Json, int]]
"""ReplicaSets, and how large they are to be."""


def size(controller: Json) -> int:
    """As it is wanted, not as it is."""
    return int(controller["spec"]["replicas"])


def count(found: Iterable[Json], field: str = "replicas") -> int:
    """Of the statuses of all."""
    return sum(replica_set["status"].get(field, 0) for replica_set in found)


def active(found: Iterable[Json]) -> list[Json]:
    return [replica_set for replica_set in found if size(replica_set) > 0]


def by_age(found: Iterable[Json]) -> list[Json]:
    """The oldest first; of those of one second, by name."""
    return sorted(found, key=_age)


def _age(replica_set: Json) -> tuple[str, str]:
    return replica_set["metadata"]["creationTimestamp"], name_of(replica_set)


# Which is which


def split(deployment: Json, found: Iterable[Json]) -> tuple[Json | None, list[Json]]:
    """The new one and the old ones. New is the oldest whose template is that of the Deployment."""
    wanted, ordered = _unhashed(deployment), by_age(found)
    new = next((replica_set for replica_set in ordered if _unhashed(replica_set) == wanted), None)
    return new, [replica_set for replica_set in ordered if replica_set is not new]


def _unhashed(controller: Json) -> Json:
    """The template, as it is compared: the hash does not count."""
    template = controller["spec"]["template"]
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != _HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def has_its_template(deployment: Json, replica_set: Json) -> bool:
    return _unhashed(deployment) == _unhashed(replica_set)


def new_replica_set(deployment: Json, old: Sequence[Json]) -> Json:
    """To be created. The name follows from the template: who tries again does not make another one."""
    hashed = _hash(deployment)
    spec, template = deployment["spec"], deployment["spec"]["template"]
    labels = {**(template["metadata"].get("labels") or {}), _HASH: hashed}
    made: Json = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{hashed}",
            "namespace": namespace_of(deployment),
            "labels": labels,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": with_label(spec["selector"], _HASH, hashed),
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        },
    }
    made["spec"]["replicas"] = _room(deployment, made, [*old, made])
    return with_sizes(deployment, with_revision(deployment, made, old))


def _hash(deployment: Json) -> str:
    """Of the template, and of how often the name that it gives was another's. The real hash is of a structure
    of Go; nothing but this name depends on it."""
    collisions = deployment["status"].get("collisionCount", 0)
    hashed = json.dumps([deployment["spec"]["template"], collisions], sort_keys=True)
    number = zlib.crc32(hashed.encode())
    return "".join(_HASH_ALPHABET[ord(digit) % len(_HASH_ALPHABET)] for digit in str(number))


# Annotations


def revision(obj: Json) -> int:
    """0 for none, or nonsense."""
    return _number(obj, REVISION) or 0


def with_revision(deployment: Json, new: Json, old: Iterable[Json]) -> Json:
    """The new ReplicaSet with the Deployment's annotations, and a revision above those of the old ones."""
    wanted, found = max(map(revision, old), default=0) + 1, revision(new)
    annotations = dict(new["metadata"].get("annotations") or {})
    for key, value in (deployment["metadata"].get("annotations") or {}).items():
        if key not in _OF_THE_DEPLOYMENT:
            annotations[key] = value
    if found < wanted:
        if REVISION in annotations:
            former = [text for text in annotations.get(_FORMER_REVISIONS, "").split(",") if text]
            annotations[_FORMER_REVISIONS] = ",".join([*former, annotations[REVISION]])
        annotations[REVISION] = str(wanted)
    return _annotated(new, annotations)


def with_sizes(deployment: Json, replica_set: Json) -> Json:
    """With the annotations that tell of which size of the Deployment this one's size is a share."""
    annotations = dict(replica_set["metadata"].get("annotations") or {})
    annotations[_DESIRED] = str(size(deployment))
    annotations[_MOST] = str(size(deployment) + max_surge(deployment))
    return _annotated(replica_set, annotations)


def was_scaled(deployment: Json, found: Iterable[Json]) -> bool:
    """Whether the size of the Deployment is another one than an active ReplicaSet knows."""
    known = [_number(replica_set, _DESIRED) for replica_set in active(found)]
    return any(number is not None and number != size(deployment) for number in known)


def _annotated(obj: Json, annotations: dict[str, str]) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def _number(obj: Json, annotation: str) -> int | None:
    """None where the manager could not read it either."""
    text = (obj["metadata"].get("annotations") or {}).get(annotation, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


# Limits


def is_rolling(deployment: Json) -> bool:
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def max_surge(deployment: Json) -> int:
    return _limits(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Json) -> int:
    if not is_rolling(deployment):
        return 0
    return min(_limits(deployment)[1], size(deployment))


def _limits(deployment: Json) -> tuple[int, int]:
    """Surge and unavailable. Not both are 0, or nothing could be done."""
    rolling, wanted = deployment["spec"]["strategy"]["rollingUpdate"], size(deployment)
    surge = math.ceil(_share(rolling["maxSurge"], wanted))
    unavailable = math.floor(_share(rolling["maxUnavailable"], wanted))
    return surge, unavailable if surge or unavailable else 1


def _share(amount: Any, whole: int) -> float:
    return int(amount.removesuffix("%")) * whole / 100 if isinstance(amount, str) else amount


# Sizes in a rollout


def scale_up(deployment: Json, new: Json, old: Sequence[Json]) -> Sizes:
    """The new one: as large as the Deployment, or as there is room for."""
    if size(new) > size(deployment):
        return [(new, size(deployment))]
    wanted = _room(deployment, new, [*old, new])
    return [(new, wanted)] if wanted != size(new) else []


def _room(deployment: Json, new: Json, found: Sequence[Json]) -> int:
    if not is_rolling(deployment):
        return size(deployment)
    room = size(deployment) + max_surge(deployment) - sum(map(size, found))
    return size(new) + max(0, min(room, size(deployment) - size(new)))


def scale_down(deployment: Json, new: Json, old: Sequence[Json]) -> Sizes:
    """The old ones: first what is not available anyhow, then as much as can be spared; the oldest first."""
    least = size(deployment) - max_unavailable(deployment)
    missing = size(new) - count([new], "availableReplicas")
    spare = sum(map(size, old)) + size(new) - least - missing
    if spare <= 0:
        return []
    sizes = {name_of(replica_set): size(replica_set) for replica_set in old}
    for replica_set in old:
        broken = size(replica_set) - count([replica_set], "availableReplicas")
        taken = max(0, min(spare, broken))
        sizes[name_of(replica_set)] -= taken
        spare -= taken
    spare = count([*old, new], "availableReplicas") - least
    for replica_set in old:
        taken = max(0, min(spare, sizes[name_of(replica_set)]))
        sizes[name_of(replica_set)] -= taken
        spare -= taken
    wanted = [(replica_set, sizes[name_of(replica_set)]) for replica_set in old]
    return [(replica_set, number) for replica_set, number in wanted if number != size(replica_set)]


# Sizes when the Deployment is scaled, or paused


def rescaled(deployment: Json, new: Json | None, old: Sequence[Json]) -> Sizes:
    """The only active one, or if none is the newest, has the size of the Deployment; several have shares."""
    found = [*old, new] if new is not None else list(old)
    running = active(found)
    if len(running) < 2:
        only = next(iter(running), new or (old[-1] if old else None))
        return [(only, size(deployment))] if only is not None and size(only) != size(deployment) else []
    if new is not None and _is_saturated(deployment, new):
        return [(replica_set, 0) for replica_set in active(old)]
    return _proportional(deployment, running) if is_rolling(deployment) else []


def _is_saturated(deployment: Json, new: Json) -> bool:
    numbers = (size(new), _number(new, _DESIRED), count([new], "availableReplicas"))
    return all(number == size(deployment) for number in numbers)


def _proportional(deployment: Json, running: Sequence[Json]) -> Sizes:
    """To all, also those whose size stays: their annotations tell of the new size of the Deployment."""
    allowed = size(deployment) + max_surge(deployment) if size(deployment) else 0
    left = total = allowed - sum(map(size, running))
    # The largest first; of the same size the newest is scaled up, the oldest down, first.
    ordered = sorted(by_age(running), key=_age, reverse=total > 0)
    ordered.sort(key=size, reverse=True)
    sizes: Sizes = []
    for replica_set in ordered:
        share = _fraction(deployment, replica_set) if left else 0
        share = min(share, left) if total > 0 else max(share, left)
        left -= share
        sizes.append((replica_set, size(replica_set) + share))
    largest, number = sizes[0]
    return [(largest, max(0, number + left)), *sizes[1:]]


def _fraction(deployment: Json, replica_set: Json) -> int:
    if not size(deployment):
        return -size(replica_set)
    known = _number(replica_set, _MOST) or deployment["status"].get("replicas") or 1
    whole = size(deployment) + max_surge(deployment)
    return math.floor(size(replica_set) * whole / known + 0.5) - size(replica_set)


# History


def forgotten(deployment: Json, old: Sequence[Json], minor: int) -> list[Json]:
    """The ReplicaSets to delete: of those beyond the limit, the ones that are empty and known to be.

    ``minor``: of which release of Kubernetes, 1.minor, the order is in which they go.
    """
    limit = deployment["spec"]["revisionHistoryLimit"]
    standing = by_age(replica_set for replica_set in old if not is_being_deleted(replica_set))
    if minor >= _BY_REVISION:
        standing.sort(key=revision)
    if limit == _UNLIMITED or len(standing) <= limit:
        return []
    return [
        replica_set
        for replica_set in standing[: len(standing) - limit]
        if not size(replica_set)
        and not count([replica_set])
        and replica_set["metadata"]["generation"] <= replica_set["status"].get("observedGeneration", 0)
    ]
