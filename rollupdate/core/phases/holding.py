"""The hold of the new controller: put on, proved, put on again, or given up.

Pods are moved by what this says of it (``ownership``); what a hold is, is in ``model.hold``.
"""

from __future__ import annotations

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import PROOF_SECONDS
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import waiting, writes
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import Effect, Patch, Step, Stop, Wait
from rollupdate.errors import StoppedError
from rollupdate.events import NotMoved

POD_CREATED = "a pod was created although its priority class does not exist"
MOST_HOLDS = 8
"""After so many holds of one client something takes them off each time."""


def failing(new: Controller) -> Step | None:
    """A failure that is older than the hold would be taken for its proof."""
    if not new.failure:
        return None
    return Wait(reason=f"the controller manager still says of {new.name}: {new.failure}")


def unproven(rollout: Rollout, context: Context, *, pods: int) -> Step | None:
    """None once the manager was refused a pod of the new controller for its class. ``pods``: that it has."""
    new, session = rollout.new, context.session
    if not new.held:
        return held_again(new, context, min(new.replicas, max(1, pods)))
    if not new.observed:
        return waiting.unobserved(new)
    if new.proven:
        return None
    if new.current == new.replicas > pods:
        return give_up(new, POD_CREATED)
    found = awaited_proof(new, session.unproven_since, context.now)
    return give_up(new, found) if isinstance(found, str) else found


def awaited_proof(held: Controller, since: float | None, now: float) -> Wait | str:
    """A hold that was observed ``since`` then (None: now first) and that nothing proves yet; or why it is
    given up. Times are clock seconds."""
    since = now if since is None else since
    if now - since >= PROOF_SECONDS:
        return f"the controller manager was not refused a pod in {PROOF_SECONDS:g} seconds"
    return Wait(reason=f"{held.name} is to stop creating pods", until=since + PROOF_SECONDS)


def lacking_one(rollout: Rollout, pods: int) -> Step | None:
    """The new controller's size is to be above ``pods``: it deletes none, and shows that it can make none."""
    new = rollout.new
    if new.replicas > pods:
        return None
    if new.current > pods:  # they go first, else one of them would be what it was to be refused
        return waiting.terminating(new) if new.observed else waiting.unobserved(new)
    return Patch(controller=new, desired=writes.holding(new, pods + 1, {}), effect=Effect.HOLD)


def held_again(new: Controller, context: Context, replicas: int | None = None) -> Step | None:
    """Another client has taken the hold off. ``replicas``: a size without what it has made since."""
    if new.held:
        return None
    if context.session.holds >= MOST_HOLDS:
        return give_up(new, "its priority class is taken off again and again")
    held = writes.holding(new, new.replicas if replicas is None else replicas, {})
    return Patch(controller=new, desired=held, effect=Effect.HOLD)


def give_up(new: Controller, why: str) -> Step:
    """On the cluster, as the next client is to go on the same way."""
    if new.record.not_moved is not None:
        return Stop(error=StoppedError(f"the pods of {new.name} cannot be moved: {why}"))
    return Patch(
        controller=new,
        desired=writes.annotated(new, {record.NOT_MOVED: why}),
        effect=Effect.NOTE,
        events=(NotMoved(new.name, why),),
    )
