"""The way of one rollout: what the deployer pod, which is never there, does to its ReplicationController.

On the way through the phases the controller gets its size, and with its pods available the rollout is
complete. It stops at the phase that the config names (``names.COMES_TO``); if a test sets the phase itself,
as an annotation, it goes on from there. Pods of the rollout before are left to ``sizes``.
"""

from __future__ import annotations

from testing.openshift import names, writes
from testing.openshift.seen import Config, Controller
from testing.openshift.steps import Replace

_SUPERSEDED = "newer deployment was found running"


def step(config: Config, controllers: tuple[Controller, ...]) -> Replace | None:
    """The next thing that is done to a rollout that is under way."""
    for controller in controllers:
        if not controller.is_terminated and (found := _step(config, controller)) is not None:
            return found
    return None


def cancelling(controllers: tuple[Controller, ...]) -> Replace | None:
    """As a newer rollout waits for its turn."""
    for controller in controllers:
        if not controller.is_terminated and not controller.is_cancelled:
            return Replace(writes.annotated(controller, CANCELLED="true", REASON=_SUPERSEDED))
    return None


def is_under_way(controllers: tuple[Controller, ...]) -> bool:
    return any(not controller.is_terminated for controller in controllers)


def _step(config: Config, controller: Controller) -> Replace | None:
    if controller.is_cancelled:
        return Replace(writes.annotated(controller, PHASE=names.FAILED))
    if controller.phase == config.comes_to:
        return None
    match controller.phase:
        case names.NEW:
            deployer = names.deployer_name(controller.name)
            return Replace(writes.annotated(controller, PHASE=names.PENDING, DEPLOYER_POD=deployer))
        case names.PENDING:
            return Replace(writes.annotated(controller, PHASE=names.RUNNING))
        case names.RUNNING:
            return _run(config, controller)
        case _:
            return None


def _run(config: Config, controller: Controller) -> Replace | None:
    if config.comes_to == names.FAILED:
        return Replace(writes.annotated(controller, PHASE=names.FAILED))
    wanted = int(controller.annotations.get(names.DESIRED) or 0)
    if controller.size != wanted:
        return Replace(writes.scaled(controller, wanted))
    if controller.counted("availableReplicas") < wanted:
        return None
    return Replace(writes.annotated(controller, PHASE=names.COMPLETE, REPLICAS=str(wanted)))
