"""What an update waits for: the same words in a run, in the live view and in ``--status``."""

from __future__ import annotations

from collections.abc import Iterable

from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.steps import Wait
from rollupdate.counts import counted


def pending(growing: Controller | None, shrinking: Iterable[Controller]) -> Wait | None:
    """The pods that are still to become available, else those that are pending termination; None if the
    status of no controller shows any."""
    if growing is not None and growing.available < growing.replicas:
        return unavailable(growing)
    controllers = [*shrinking] if growing is None else [growing, *shrinking]
    most = max(controllers, key=_surplus, default=None)
    return None if most is None or _surplus(most) <= 0 else terminating(most)


def being_deleted(controllers: Iterable[Controller]) -> Wait | None:
    """For the first of them that is; None if none is."""
    for controller in controllers:
        if controller.deleting:
            held = controller.belongings.holding
            return Wait(reason=f"replicationcontroller {controller.name} is being deleted{held}")
    return None


def unavailable(growing: Controller) -> Wait:
    reason = f"{growing.available} of {growing.replicas} pods of {growing.name} are available"
    return Wait(reason=reason + staying_words(growing), waiting_for=growing)


def staying_words(controller: Controller) -> str:
    """Of its pods that are ready and only have to stay so; empty if it has none."""
    if not (controller.staying_ready and controller.min_ready_seconds):
        return ""
    return f" ({controller.staying_ready} ready, must stay so for {controller.min_ready_seconds}s)"


def terminating(shrinking: Controller) -> Wait:
    surplus = counted(max(0, _surplus(shrinking)), "pod")
    return Wait(reason=f"{surplus} of {shrinking.name} pending termination")


def unobserved(*controllers: Controller) -> Wait:
    """``controllers``: at least one; the first that the manager has not acted on is named."""
    behind = next((controller for controller in controllers if not controller.observed), controllers[0])
    return Wait(reason=f"the controller manager has not observed {behind.name}")


def _surplus(controller: Controller) -> int:
    return controller.current - controller.replicas
