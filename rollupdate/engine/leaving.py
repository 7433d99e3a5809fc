"""Before a run ends: a controller that is held for evictions gets the size that is left, and is no longer
held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollupdate.core.phases.evicting import left
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import LookAtPods, TouchPods, Wait
from rollupdate.core.plan.policy import Policy
from rollupdate.engine.backoff import SHORTEST_WAIT, passing
from rollupdate.engine.executor import Executor
from rollupdate.engine.ports import Clock, Mirror
from rollupdate.errors import ApiError, ClusterError, InterruptedBySignal, RollingUpdateError

LEAVING_SECONDS = 10.0
"""So long it may take: the manager has to count the pods first."""
TRY_AGAIN_SECONDS = 0.2
"""After what may well be answered otherwise in a moment."""


@contextmanager
def letting_go(
    policy: Policy, look: Callable[[], Context], executor: Executor, mirror: Mirror, clock: Clock
) -> Iterator[None]:
    """``look``: at what there is now. If it cannot be done, what is held is found by whoever comes next."""
    try:
        yield
    except (RollingUpdateError, InterruptedBySignal, KeyboardInterrupt, OSError):
        executor.interruptible()
        if policy.evicts_pods:
            _let_go(look, executor, mirror, clock)
        raise


def _let_go(look: Callable[[], Context], executor: Executor, mirror: Mirror, clock: Clock) -> None:
    due = clock.now() + LEAVING_SECONDS
    known = False
    while clock.now() < due:
        try:
            if not known:  # a write may have been cut short
                for name in look().goal.names:
                    mirror.refresh(name)
                known = True
            context = look()
            step = left(context)
            if step is None:
                return
            if isinstance(step, Wait):
                until = due if step.until is None else min(due, step.until)
                mirror.wait(max(SHORTEST_WAIT, until - clock.now()))
            elif isinstance(step, LookAtPods | TouchPods):
                executor.evictor.carry_out(step, context.session, mirror, clock)
            else:
                executor.execute(step, mirror, clock.now())
        except ClusterError as error:
            changed = isinstance(error, ApiError) and (error.is_conflict or error.is_not_found)
            if not (changed or passing(error)):
                return
            known = False
            if not changed:
                clock.sleep(TRY_AGAIN_SECONDS)
