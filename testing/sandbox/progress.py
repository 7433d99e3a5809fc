"""The status of a Deployment: its counts, and the conditions that say how it gets on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testing.objects import Json
from testing.sandbox import rollouts
from testing.sandbox.objects import condition, name_of, seconds_of

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
_DONE, _LATE, _PAUSED = "NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"
_NO_DEADLINE = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Condition:
    """As it is to be; when it came to be so is found out when it is set."""

    type: str
    status: str
    reason: str
    message: str


def found(replica_set: Json) -> Condition:
    message = f'Found new replica set "{name_of(replica_set)}"'
    return Condition(type=PROGRESSING, status="True", reason="FoundNewReplicaSet", message=message)


def created(replica_set: Json) -> Condition:
    message = f'Created new replica set "{name_of(replica_set)}"'
    return Condition(type=PROGRESSING, status="True", reason="NewReplicaSetCreated", message=message)


def not_created(message: str) -> Condition:
    return Condition(type=PROGRESSING, status="False", reason="ReplicaSetCreateError", message=message)


def pause_changed(deployment: Json) -> Condition | None:
    """That it is paused, or not any more, if that is news."""
    before = condition(deployment, PROGRESSING) or {}
    if not has_deadline(deployment) or before.get("reason") == _LATE:
        return None
    paused = bool(deployment["spec"].get("paused"))
    if paused == (before.get("reason") == _PAUSED):
        return None
    reason = _PAUSED if paused else "DeploymentResumed"
    message = "Deployment is paused" if paused else "Deployment is resumed"
    return Condition(type=PROGRESSING, status="Unknown", reason=reason, message=message)


def has_deadline(deployment: Json) -> bool:
    return bool(deployment["spec"].get("progressDeadlineSeconds", _NO_DEADLINE) != _NO_DEADLINE)


def with_condition(status: Json, new: Condition, now: str) -> Json:
    """The status with the condition, if that says anything new."""
    conditions = status.get("conditions") or []
    before: Json = next((entry for entry in conditions if entry["type"] == new.type), {})
    if (before.get("status"), before.get("reason")) == (new.status, new.reason):
        return status
    since = before["lastTransitionTime"] if before.get("status") == new.status else now
    return _with(status, _entry(new, now, since))


def _entry(new: Condition, now: str, since: str) -> Json:
    told = {"type": new.type, "status": new.status, "reason": new.reason, "message": new.message}
    return {**told, "lastUpdateTime": now, "lastTransitionTime": since}


def _with(status: Json, entry: Json) -> Json:
    others = _without(status, entry["type"])
    return {**others, "conditions": [*others.get("conditions", ()), entry]}


def _without(status: Json, kind: str) -> Json:
    left = [entry for entry in status.get("conditions") or () if entry["type"] != kind]
    return {
        key: value for key, value in {**status, "conditions": left}.items() if key != "conditions" or left
    }


def counted(deployment: Json, new: Json | None, old: Sequence[Json], now: str) -> Json:
    """The status by what the ReplicaSets say, and whether enough pods are available."""
    every = [*old, new] if new is not None else list(old)
    available = rollouts.count(every, "availableReplicas")
    counts = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": rollouts.count(every),
        "updatedReplicas": rollouts.count([new] if new is not None else []),
        "readyReplicas": rollouts.count(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(rollouts.size, every)) - available),
    }
    status = {key: number for key, number in counts.items() if number}
    for field in ("collisionCount", "conditions"):
        if field in deployment["status"]:
            status[field] = deployment["status"][field]
    enough = available >= rollouts.size(deployment) - rollouts.max_unavailable(deployment)
    reached = Condition(
        type=AVAILABLE,
        status="True" if enough else "False",
        reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    )
    return with_condition(status, reached, now)


def is_complete(deployment: Json, status: Json) -> bool:
    """Whether all pods are new, there are as many as there should be, and all of them are available."""
    counts = {status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas")}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return bool(counts == {rollouts.size(deployment)} and seen)


def judged(deployment: Json, new: Json | None, old: Sequence[Json], now: str) -> Json:
    """As :func:`counted`, and whether the rollout gets on, is complete or late, or fails to create pods."""
    status, before = counted(deployment, new, old, now), condition(deployment, PROGRESSING)
    if not has_deadline(deployment):
        status = _without(status, PROGRESSING)
    elif not (_is_all_new(status) and before is not None and before["reason"] == _DONE):
        status = _progressed(deployment, new, status, now)
    failures = [
        entry
        for replica_set in ([new] if new is not None else [], old)
        for each in replica_set
        if (entry := condition(each, FAILURE)) is not None
    ]
    if not failures:
        return _without(status, FAILURE)
    failure = {**failures[0], "lastUpdateTime": failures[0]["lastTransitionTime"]}
    known = condition({"status": status}, FAILURE) or {}
    alike = all(known.get(field) == failure[field] for field in ("status", "reason"))
    return status if alike else _with(status, failure)


def _is_all_new(status: Json) -> bool:
    return bool(status.get("replicas", 0) == status.get("updatedReplicas", 0))


def _progressed(deployment: Json, new: Json | None, status: Json, now: str) -> Json:
    what = f'ReplicaSet "{name_of(new)}"' if new is not None else f'Deployment "{name_of(deployment)}"'
    if is_complete(deployment, status):
        message = f"{what} has successfully progressed."
        done = Condition(type=PROGRESSING, status="True", reason=_DONE, message=message)
        return with_condition(status, done, now)
    if _gets_on(deployment["status"], status):
        message = f"{what} is progressing."
        going = Condition(type=PROGRESSING, status="True", reason="ReplicaSetUpdated", message=message)
        before = condition(deployment, PROGRESSING)
        went_on = before is not None and before["status"] == "True"
        # The time of the update is new each time: from there the deadline counts.
        return _with(status, _entry(going, now, before["lastTransitionTime"] if before and went_on else now))
    if _is_late(deployment, status, now):
        message = f"{what} has timed out progressing."
        late = Condition(type=PROGRESSING, status="False", reason=_LATE, message=message)
        return with_condition(status, late, now)
    return status


def _gets_on(before: Json, after: Json) -> bool:
    """Whether more pods are new, fewer are old, or more are ready or available, than it was."""

    def old_pods(status: Json) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    fields = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old_pods(after) < old_pods(before) or any(
        after.get(field, 0) > before.get(field, 0) for field in fields
    )


def _is_late(deployment: Json, status: Json, now: str) -> bool:
    known = condition({"status": status}, PROGRESSING)
    if known is None or known["reason"] == _DONE:
        return False
    return known["reason"] == _LATE or _left(deployment, known, now) < 0


def seconds_left(deployment: Json, now: str) -> float | None:
    """Until it is late; None if it can't be."""
    known = condition(deployment, PROGRESSING)
    if not has_deadline(deployment) or known is None or known["reason"] == _LATE:
        return None
    return None if is_complete(deployment, deployment["status"]) else _left(deployment, known, now)


def _left(deployment: Json, known: Json, now: str) -> float:
    since = (seconds_of(now) or 0.0) - (seconds_of(known["lastUpdateTime"]) or 0.0)
    return float(deployment["spec"]["progressDeadlineSeconds"]) - since
