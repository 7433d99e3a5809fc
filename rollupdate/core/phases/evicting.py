"""Pods go by eviction, so that PodDisruptionBudgets have a say: which ones, and the size after it.

The controller is held, and an annotation on it names the pods that may go, in one conditional write: that is
the decision, as a smaller size would be, and whoever evicts carries it out. The manager must have observed
the hold, else it would replace them. They are evicted on the condition that they are as they were chosen.
Then others are chosen as well, or the hold ends. The size is lowered by what has gone only once the
controller's own status counts what a list shows is left: before that a manager that is behind would delete as
many again.

Nothing is held for long, as pods that die meanwhile are not replaced: if the next eviction is not due within
a second the hold ends, and at every end of a run (:func:`left`). Pods that were chosen and have not gone are
touched first, so that what a client still has under way is refused.

The facts are those of the replication manager and the disruption controller, measured on Kubernetes 1.20 and
1.36.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rollupdate.advice import Setting
from rollupdate.core.model import record
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.evictable import PodLook
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases import waiting, writes
from rollupdate.core.phases.eviction_memory import Refused
from rollupdate.core.phases.going import Going
from rollupdate.core.phases.hold_failing import defeated, unproven
from rollupdate.core.phases.picking import Pick
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import (
    Effect,
    Evict,
    LookAtPods,
    Park,
    Patch,
    Step,
    Stop,
    TouchPods,
    Verify,
    Wait,
)
from rollupdate.core.plan.guarded import WAY_OUT, words
from rollupdate.errors import StoppedError
from rollupdate.events import Scaled

HELD_SECONDS = 1.0
"""So long after an eviction a hold may wait for the next one."""
AT_ONCE = 64
"""Pods chosen in one write."""
COUNT_AGAIN = 1.0
"""Seconds after which the pods are listed again, if the status has not come to what a list showed."""
SHORTEST_LOOK, LONGEST_LOOK = 0.1, 5.0
"""Seconds between two looks at a budget that allows nothing: a fifth of the time without progress."""


# --- choosing, and evicting what was chosen ---


def carried_out(controller: Controller, context: Context) -> Step | None:
    """What is left to be done of what was chosen; None if nothing is."""
    going = Going.of(controller, context)
    if not controller.evicting:
        return None
    if going.look is None:
        return LookAtPods(controller=controller)
    if going.look.unknown:
        return _unlisted(controller)
    pods = going.look.standing(going.chosen)
    if not pods:
        return unproven(going, context)
    if _refused(context) is not None:
        return ended(controller, context)
    if not context.session.evictions.knows_held(controller):
        return _unobserved(controller, context)
    return Evict(controller=controller, pods=pods)


def shrink(controller: Controller, size: int, other: Controller, rollout: Rollout, context: Context) -> Step:
    """The pods of ``controller`` above ``size`` go. ``other`` grows meanwhile.

    Pods that it is asked for and does not have are not waited for: the size is lowered to those that are
    there, as whoever lowers a size loses the missing ones first.
    """
    going, session, now = Going.of(controller, context), context.session, context.now
    stop = defeated(controller, context.session.evictions)
    if stop is not None:
        return stop
    if not controller.evicting and not controller.observed:
        return _unobserved(controller, context, brief=False)
    if controller.current > controller.replicas:  # the manager is about to delete some of its own choice
        return replace(waiting.terminating(controller), brief=True)
    look = going.look
    if look is None or not look.fresh or now - look.at >= _pause(context):
        return LookAtPods(controller=controller)
    if look.unknown:
        return _unlisted(controller)
    links = writes.link(rollout) if controller is rollout.old else {}
    if look.left <= size or (look.left < controller.replicas and not controller.evicting):
        return ended(controller, context, size) or _without_missing(controller, max(size, look.left), links)
    pick = Pick.of(look, size, AT_ONCE if session.evictions.refuses_pods else 1)
    if pick.doubled:
        return Stop(error=StoppedError(words(controller.name, pick.doubled), hint=WAY_OUT))
    if not pick.pods or _refused(context) is not None:
        if controller.evicting:
            step = ended(controller, context)
            assert step is not None, "it is held"
            return step
        return _blocked(look, pick, context)
    if other.record.format != record.EVICTION_FORMAT:
        marks = {record.FORMAT: record.EVICTION_FORMAT}
        return Patch(controller=other, desired=writes.annotated(other, marks), effect=Effect.NOTE)
    chosen = [(pod.name, pod.resource_version) for pod in pick.pods]
    lowered = going.counted
    if not lowered:  # what has gone is still to be taken from the size
        chosen += [one for one in going.chosen.pods if one[0] not in {pod.name for pod in pick.pods}]
    replicas = going.size if lowered else controller.replicas
    desired = writes.evicting(controller, replicas, Evictions(tuple(sorted(chosen))), links)
    return Patch(controller=controller, desired=desired, effect=Effect.SCALE_DOWN | Effect.EVICT)


def _without_missing(controller: Controller, size: int, links: Mapping[str, str | int | None]) -> Patch:
    return Patch(
        controller=controller,
        desired=writes.scaled(controller, size, links),
        effect=Effect.SCALE_DOWN,
        events=(Scaled(controller.name, controller.replicas, size),),
    )


def _blocked(look: PodLook, pick: Pick, context: Context) -> Step:
    """No budget allows it now. A budget of sizes is made to be counted with the current ones first: the
    disruption controller does not look at it when only a size has changed."""
    budget, refusal, session, now = pick.blocked, _refused(context), context.session, context.now
    controllers = context.snapshot.controllers
    sizes = tuple(sorted((one.uid, one.replicas) for one in controllers))
    stale = budget.of_sizes if budget is not None else refusal is None or not refusal.objection.rest
    active = [pod for pod in look.in_order if pod.budget_asked]
    if (
        stale
        and active
        and session.evictions.touched_sizes != sizes
        and all(one.observed for one in controllers)
    ):
        return TouchPods(pods=(active[-1],), sizes=sizes)
    reason = budget.words if budget is not None else refusal.why if refusal is not None else ""
    if budget is not None and pick.unready and budget.healthy < budget.desired:
        reason += (
            f"; a pod that is not ready may not go before there are {budget.desired}, "
            f"but is deleted without {Setting.EVICT}"
        )
    pause = _pause(context)
    due = max(now, look.at + pause, 0.0 if refusal is None else refusal.until(pause))
    return Wait(reason=reason, until=due, again=True, advice=WAY_OUT)


def _refused(context: Context) -> Refused | None:
    """What the server has refused, if that is too fresh to ask again."""
    refusal = context.session.evictions.refused
    return refusal if refusal is not None and context.now < refusal.until(_pause(context)) else None


def _pause(context: Context) -> float:
    """Seconds from one look to the next."""
    return max(SHORTEST_LOOK, min(LONGEST_LOOK, context.session.idle(context.now) / 5))


# --- the end of a hold ---


def end_others(rollout: Rollout, context: Context) -> Step | None:
    """What another client has begun to evict, and this one does not go on with: it may be killed, have
    evicted another way, or gone in the other direction."""
    goal = context.goal
    growing = rollout.old if goal.rollback else rollout.new
    for controller in context.snapshot.controllers:
        if controller.evicting and (controller is growing or not goal.policy.evicts_pods):
            return ended(controller, context)
        if _is_unexplained(controller, rollout):
            return _lifted(controller, controller.replicas)
    return None


def _is_unexplained(controller: Controller, rollout: Rollout | None) -> bool:
    """It is held, and nothing says any more what for: while the two select different pods none can be on its
    way from one to the other."""
    return (
        controller.moving
        and rollout is not None
        and rollout.transfer is None
        and rollout.old.selector != rollout.new.selector
    )


def _lifted(controller: Controller, size: int) -> Patch:
    return Patch(controller=controller, desired=writes.evicted(controller, size), effect=Effect.EVICTED)


def ended(controller: Controller, context: Context, wanted: int | None = None) -> Step | None:
    """The next step to the end of the hold; None if it is not held for evictions. ``wanted``: the size that
    it is to come to, so that pods above it that have died meanwhile are not made anew."""
    going, session = Going.of(controller, context), context.session
    if not controller.evicting:
        return None
    if not controller.observed:
        return _unobserved(controller, context)
    if going.look is None:
        return LookAtPods(controller=controller)
    if going.look.unknown:
        return _lifted(controller, going.largest)
    standing = going.look.standing(going.chosen)
    if standing and not session.evictions.untouchable:
        return TouchPods(pods=standing)
    size = going.size if wanted is None else min(going.size, max(wanted, going.look.left))
    return _uncounted(going, context) or _lifted(controller, size)


def rested(step: Step, context: Context) -> Step:
    """``step``, or what ends a hold first if it is a longer wait."""
    if not isinstance(step, Wait | Verify | Park) or (isinstance(step, Wait) and step.brief):
        return step
    held = next((one for one in context.snapshot.controllers if one.evicting and not one.deleting), None)
    if held is None:
        return step
    evicted = context.session.evictions.at
    due = None if evicted is None or not isinstance(step, Wait) else evicted + HELD_SECONDS
    if due is not None and context.now < due and isinstance(step, Wait):
        return _lowered(Going.of(held, context), step, context) or _until(step, due)
    return ended(held, context) or step


def _lowered(going: Going, step: Wait, context: Context) -> Step | None:
    """The size is lowered as soon as the manager has counted what has gone, though the hold may go on: until
    then it tries to make the pods anew, and each try counts against its limit. None if nothing has."""
    controller, look = going.controller, going.look
    if not going.chosen.pods or look is None or look.standing(going.chosen):
        return None
    found = _uncounted(going, context)
    if isinstance(found, Wait):
        return _until(step, found.until)
    desired = writes.evicting(controller, going.size, Evictions(), {})
    return found or Patch(controller=controller, desired=desired, effect=Effect.EVICT)


def _until(step: Wait, due: float | None) -> Wait:
    """The same, no longer than that."""
    both = [until for until in (step.until, due) if until is not None]
    return replace(step, until=min(both, default=None), again=False)


def left(context: Context) -> Step | None:
    """What is to be done about a hold before a run ends; None if nothing is left to do."""
    for controller in context.snapshot.controllers:
        if controller.deleting:
            continue
        if _is_unexplained(controller, context.snapshot.rollout):
            return _lifted(controller, controller.replicas)
        step = ended(controller, context)
        if step is not None:
            return step
    return None


# --- what is waited for ---


def _uncounted(going: Going, context: Context) -> Step | None:
    """None once the manager has counted what is left."""
    controller, look = going.controller, going.look
    if not controller.observed:
        return _unobserved(controller, context)
    if look is None:
        return LookAtPods(controller=controller)
    if going.counted:
        return None
    due = look.at + COUNT_AGAIN
    behind = controller.current > look.left  # no list could agree with that
    if context.now >= due or not (going.listed or behind):
        return LookAtPods(controller=controller)
    reason = f"the controller manager has not counted the pods of {controller.name}"
    return Wait(reason=reason, until=due, again=True, brief=True)


def _unobserved(controller: Controller, context: Context, *, brief: bool = True) -> Wait:
    """If the server has refused an eviction, that is what is waited for: each try is a hold, too."""
    wait, refusal = waiting.unobserved(controller), context.session.evictions.refused
    return replace(wait, reason=wait.reason if refusal is None else refusal.why, brief=brief)


def _unlisted(controller: Controller) -> Stop:
    return Stop(
        error=StoppedError(
            f"this client may not list pods, and those of {controller.name} are evicted",
            hint="run the command again as a user who may list and patch pods",
        )
    )
