"""What follows from how a run ended: ``--on-failure=rollback`` is a second run, the other way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import ROLL_BACK, Policy
from rollupdate.engine.outcome import End, Outcome


def way_back(intent: Intent, policy: Policy, outcome: Outcome) -> Intent | None:
    """The rollback that is to follow; None if none is."""
    goal = outcome.goal
    failed = outcome.end is End.STOPPED and outcome.failed and outcome.begun
    # An undo is an update, though it is asked for as a rollback.
    if policy.on_failure != ROLL_BACK or not failed or goal is None or goal.rollback:
        return None
    return replace(intent, rollback=True, to_revision=goal.undo.running if goal.undo else None)


def run_with(
    intent: Intent, policy: Policy, start: Callable[[Intent], Outcome], announce: Callable[[Outcome], None]
) -> tuple[Outcome, Outcome | None]:
    """The outcome of ``start(intent)``, and of the rollback that followed, if one did.

    ``announce`` is called with the first outcome before the rollback starts.
    """
    outcome = start(intent)
    back = way_back(intent, policy, outcome)
    if back is None:
        return outcome, None
    announce(outcome)
    return outcome, start(back)
