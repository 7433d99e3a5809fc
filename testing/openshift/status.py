"""What the status of a config says: counts over its ReplicationControllers, and two conditions."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from testing.openshift import names
from testing.openshift.seen import Config, Controller, latest

_PROGRESSING, _AVAILABLE = "Progressing", "Available"


def counted(
    config: Config,
    controllers: tuple[Controller, ...],
    now: str,
    *,
    observes: bool = True,
) -> Json:
    """``observes``: whether the generation counts as observed. During a rollout it does not."""
    before, current = config.status, latest(config, controllers)
    total = sum(controller.size for controller in controllers)
    available = sum(controller.counted("availableReplicas") for controller in controllers)
    status: Json = {
        **before,
        "latestVersion": config.latest_version,
        "observedGeneration": config.metadata["generation"]
        if observes
        else before.get("observedGeneration", 0),
        "replicas": sum(controller.counted("replicas") for controller in controllers),
        "updatedReplicas": 0 if current is None else current.counted("replicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(total - available, 0),
        "readyReplicas": sum(controller.counted("readyReplicas") for controller in controllers),
    }
    if not status["readyReplicas"]:
        del status["readyReplicas"]
    conditions = _put(list(before.get("conditions") or ()), _availability(config, available), now)
    progress = None if current is None else _progress(config, current, status)
    status["conditions"] = conditions if progress is None else _put(conditions, progress, now)
    return status


def created(config: Config, controllers: tuple[Controller, ...], now: str) -> Json:
    """As :func:`counted`, when the controller of the latest version has just been created."""
    found = counted(config, controllers, now)
    name = names.controller_name(config.name, config.latest_version)
    message = f'Created new replication controller "{name}" for version {config.latest_version}'
    told = _condition(_PROGRESSING, "True", message, "NewReplicationControllerCreated")
    return {**found, "conditions": _put(found["conditions"], told, now)}


def announcing(config: Config, version: int, details: Json | None = None) -> Json:
    """The status as it was, of another rollout; nothing is counted."""
    found = {**config.status, "latestVersion": version}
    for field in ("observedGeneration", *_COUNTS):
        found.setdefault(field, 0)
    return found if details is None else {**found, "details": details}


_COUNTS = ("replicas", "updatedReplicas", "availableReplicas", "unavailableReplicas")


def _availability(config: Config, available: int) -> Json:
    if available >= config.replicas - _max_unavailable(config) and available > 0:
        return _condition(_AVAILABLE, "True", "Deployment config has minimum availability.")
    return _condition(_AVAILABLE, "False", "Deployment config does not have minimum availability.")


def _progress(config: Config, current: Controller, status: Json) -> Json | None:
    named = f'replication controller "{current.name}"'
    match current.phase:
        case names.PENDING:
            pod = names.deployer_name(current.name)
            return _condition(_PROGRESSING, "Unknown", f'{named} is waiting for pod "{pod}" to run')
        case names.RUNNING if _goes_on(config, status):
            message = f"{named} is progressing"
            return _condition(_PROGRESSING, "True", message, "ReplicationControllerUpdated")
        case names.FAILED if current.is_cancelled:
            message = f"rollout of {named} was cancelled"
            return _condition(_PROGRESSING, "False", message, "RolloutCancelled")
        case names.FAILED:
            message = f"{named} has failed progressing"
            return _condition(_PROGRESSING, "False", message, "ProgressDeadlineExceeded")
        case names.COMPLETE:
            message = f"{named} successfully rolled out"
            return _condition(_PROGRESSING, "True", message, "NewReplicationControllerAvailable")
        case _:
            return None


def _goes_on(config: Config, status: Json) -> bool:
    """Whether there are more new pods than before, or fewer old ones."""
    new, before = status["updatedReplicas"], config.status.get("updatedReplicas", 0)
    old = config.status.get("replicas", 0) - before
    return bool(new > before or status["replicas"] - new < old)


def _condition(kind: str, state: str, message: str, reason: str = "") -> Json:
    found = {"type": kind, "status": state, "message": message}
    return {**found, "reason": reason} if reason else found


def _put(conditions: list[Json], condition: Json, now: str) -> list[Json]:
    """One that says the same as before stays as it is."""
    kind = condition["type"]
    before = next((entry for entry in conditions if entry["type"] == kind), None)
    changed = now
    if before is not None and before["status"] == condition["status"]:
        if before.get("reason", "") == condition.get("reason", ""):
            return conditions
        changed = before["lastTransitionTime"]
    added = {**condition, "lastUpdateTime": now, "lastTransitionTime": changed}
    return [*(entry for entry in conditions if entry["type"] != kind), added]


def _max_unavailable(config: Config) -> int:
    strategy = config.spec.get("strategy") or {}
    parameters = strategy.get("rollingParams") or {}
    if strategy.get("type", "Rolling") != "Rolling":
        return 0
    unavailable = _share(parameters.get("maxUnavailable", "25%"), config.replicas, up=False)
    surge = _share(parameters.get("maxSurge", "25%"), config.replicas, up=True)
    return max(unavailable, 1) if not surge else unavailable


def _share(value: Any, size: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    share = int(str(value).removesuffix("%")) * size
    return -(-share // 100) if up else share // 100
