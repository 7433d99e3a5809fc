"""A batch of new pods is checked (``--verify``), and what is told of it."""

from __future__ import annotations

from collections.abc import Callable

from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.plan.policy import WAIT
from rollupdate.engine.ports import Batch
from rollupdate.events import Event, Verified, Verifying, Waiting

Check = Callable[[Batch], str | None]
"""What is wrong with a batch; None where nothing is."""


def checked(check: Check, batch: Batch, tell: Callable[[Event], None], on_failure: str) -> str | None:
    """What is wrong with it."""
    name, available = batch.new_name, batch.new_available
    tell(Verifying(name, available))
    problem = check(batch)
    tell(Verified(name, available, problem))
    if problem is not None and on_failure == WAIT:
        tell(Waiting(f"the check of {name} failed: {problem}; it is run again", 0.0))
    return problem


def batch_of(namespace: str, old_name: str, old: Controller | None, new: Controller) -> Batch:
    """``old``: None if it is no more."""
    return Batch(
        namespace=namespace,
        old_name=old_name,
        new_name=new.name,
        old_replicas=old.replicas if old else 0,
        old_available=old.available if old else 0,
        new_replicas=new.replicas,
        new_available=new.available,
        target=Rollout(old, new).sizes.desired if old else new.replicas,
    )
