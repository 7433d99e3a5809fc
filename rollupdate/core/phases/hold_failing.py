"""Evictions that serve nothing, as the pods are made anew: a hold that the cluster does not heed, or that
another client takes off.

The first eviction is of one pod, and nothing follows from it before the manager was refused another one. A
manager that is behind is waited for: only what it has done tells whether it heeds the hold.
"""

from __future__ import annotations

from rollupdate.advice import Advice, Setting, Without
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import PROOF_SECONDS
from rollupdate.core.phases.eviction_memory import EvictionMemory
from rollupdate.core.phases.going import Going
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import LookAtPods, Step, Stop, Wait
from rollupdate.errors import StoppedError

MOST_IN_VAIN = 2
"""So often in a row may pods have been evicted without making their controller smaller."""
MOST_TAKEN_OFF = 3
"""So often in a row may another client have ended a hold: whoever edits by hand does not do it again."""
LIST_AGAIN = 1.0
"""Seconds after which the pods are listed again while the manager has not counted what has gone."""


def unproven(going: Going, context: Context) -> Step | None:
    """Nothing follows from the first eviction before the manager was refused a pod in its place. None if it
    was, cannot make one for another reason, or has none to make as another client has lowered the size."""
    controller, look, memory = going.controller, going.look, context.session.evictions
    if memory.refuses_pods or memory.at is None or not memory.going:
        return None
    if controller.replicas < memory.size or (controller.failure and controller.current < controller.replicas):
        return None
    assert look is not None, "what is chosen was looked at"
    if look.fresh and memory.left is not None and look.left > memory.left:
        return _not_refused(controller)  # it was made
    due = (look.at if look.fresh else memory.at) + LIST_AGAIN
    if memory.unrefused_since is not None:
        due = memory.unrefused_since + PROOF_SECONDS
        if context.now >= due:
            return _not_refused(controller)
    elif context.now >= due:
        return LookAtPods(controller=controller)
    return Wait(reason=f"{controller.name} is to stop creating pods", until=due, again=True, brief=True)


def defeated(controller: Controller, memory: EvictionMemory) -> Stop | None:
    """After a few turns no pod of it is evicted any more."""
    if memory.taken_off >= MOST_TAKEN_OFF:
        return _stop(
            f"another client changes the priority class of {controller.name} back again and again, "
            "so that the controller manager makes evicted pods anew"
        )
    return _not_refused(controller) if memory.in_vain >= MOST_IN_VAIN else None


def _not_refused(controller: Controller) -> Stop:
    """The cluster lets a held controller create pods."""
    return _stop(
        f"a pod of {controller.name} was evicted and the controller manager was not refused another one "
        "although its priority class does not exist"
    )


def _stop(why: str) -> Stop:
    return Stop(error=StoppedError(why, hint=Advice("to delete pods instead: ", Without(Setting.EVICT))))
