"""Before a run ends: a controller that is held for evictions gets the size that is left, and is no longer
held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollupdate.core.phases.evicting import left
from rollupdate.core.phases.session import Context
from rollupdate.core.phases.steps import LookAtPods, TouchPods, Wait
from rollupdate.engine.backoff import SHORTEST_WAIT
from rollupdate.engine.executor import Executor
from rollupdate.engine.ports import Clock, Mirror
from rollupdate.errors import ApiError, ClusterError, InterruptedBySignal, RollingUpdateError

LEAVING_SECONDS = 5.0
"""So long it may take: the manager has to count the pods first."""


@contextmanager
def letting_go(
    look: Callable[[], Context], executor: Executor, mirror: Mirror, clock: Clock
) -> Iterator[None]:
    """``look``: at what there is now. If it cannot be done, what is held is found by whoever comes next."""
    try:
        yield
    except (RollingUpdateError, InterruptedBySignal, KeyboardInterrupt, OSError):
        _let_go(look, executor, mirror, clock)
        raise
    _let_go(look, executor, mirror, clock)


def _let_go(look: Callable[[], Context], executor: Executor, mirror: Mirror, clock: Clock) -> None:
    executor.interruptible()
    due = clock.now() + LEAVING_SECONDS
    while clock.now() < due:
        try:
            context = look()
            step = left(context)
            if step is None:
                return
            if isinstance(step, Wait):
                until = due if step.until is None else min(due, step.until)
                mirror.wait(max(SHORTEST_WAIT, until - clock.now()))
            elif isinstance(step, LookAtPods | TouchPods):
                executor.evictor.carry_out(step, context.session, mirror, clock.now())
            else:
                executor.execute(step, mirror, clock.now())
        except ClusterError as error:
            if not (isinstance(error, ApiError) and (error.is_conflict or error.is_not_found)):
                return
            for name in context.goal.names:
                mirror.refresh(name)
