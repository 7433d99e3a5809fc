"""A controller that lacks pods is touched, so that the manager tries again to create them.

The manager waits longer after each pod that it could not create, up to 16 minutes, and nothing tells it when
the reason is gone; a change of the controller does. The touch is an annotation that means nothing else, and
goes with our others. It is no progress: an update that only touches times out like any other.
"""

from __future__ import annotations

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import CLASS
from rollupdate.core.phases import writes
from rollupdate.core.phases.session import Context, Session
from rollupdate.core.phases.steps import Effect, Patch, Step, Wait
from rollupdate.counts import whole

SEEN_DISTANCE, UNSEEN_DISTANCE, LAST_DISTANCE = 1.0, 5.0, 300.0
"""Seconds from one touch to the next at the least, doubling from the first (if there is room, or if that
can't be seen) to the last."""


def with_touch(step: Step, context: Context) -> Step:
    """``step``, or a touch of the controller whose pods it waits for.

    Once if the controller was found without them; when a quota has room again; and from time to time if a
    quota refuses pods and its room can't be seen.
    """
    growing = step.waiting_for if isinstance(step, Wait) else None
    if growing is None or not _lacks_pods(growing) or not _is_due(context.session, context.now):
        return step
    rollout = context.snapshot.rollout
    if rollout is not None and rollout.transfer is not None:
        return step  # the finish tells by the annotations how far it is
    count = (whole((growing.raw["metadata"].get("annotations") or {}).get(record.TOUCHED)) or 0) + 1
    return Patch(
        controller=growing,
        desired=writes.annotated(growing, {record.TOUCHED: count}),
        effect=Effect.TOUCH,
    )


def _lacks_pods(controller: Controller) -> bool:
    """The manager has tried to create them and could not."""
    refused = controller.failure and CLASS not in controller.failure and not controller.held
    return bool(refused) and controller.observed and controller.current < controller.replicas


def _is_due(session: Session, now: float) -> bool:
    touched, diagnosis = session.touched, session.diagnosis
    if touched.count == 0 and session.scaled_up_at is None:
        return True  # found like this: the reason may have gone long ago
    since = session.progress_at if touched.at is None else touched.at
    if diagnosis.refused is None or diagnosis.room is False:
        return False
    first = SEEN_DISTANCE if diagnosis.room else UNSEEN_DISTANCE
    rested = now - since >= min(first * 2 ** min(touched.count, 10), LAST_DISTANCE)
    return rested or (touched.count == 0 and diagnosis.room is True)
