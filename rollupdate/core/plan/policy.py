"""How an update goes: its pace, its bounds, and what it does about failures."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollupdate.core.model.budget import Amount, Budget

STOP, ROLL_BACK, WAIT = "stop", "rollback", "wait"
"""What a failure leads to (``Policy.on_failure``)."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Of one run: another client may resume the update with another policy."""

    budget: Budget = field(default_factory=Budget)
    min_ready_seconds: int | None = None
    """Replaces the new controller's ``minReadySeconds`` while the update runs; None leaves it alone."""
    evicts: bool = False
    """Pods that are to go are evicted: PodDisruptionBudgets have a say."""
    dry_run: bool = False
    """It is only about what would be done: there are no pods."""
    update_period: float = 0.0
    """Seconds to wait after a scale-up before the scale-down that answers it."""
    timeout: float = 300.0
    """Seconds without any progress after which the update stops; 0 waits for ever."""
    failure_grace: float = 30.0
    """Seconds for which every unavailable new pod must have had a terminal cause before the update stops for
    it; 0 leaves that to ``timeout``."""
    on_failure: str = STOP
    """WAIT: a failure stops nothing."""
    pause_at: tuple[Amount, ...] = ()
    """Where the update pauses: as soon as so many new pods (or that share of them) are available."""
    verifies: bool = False
    """Each batch of new pods is to pass a check before it counts."""
    history_limit: int = 0
    """Revisions kept beside the current one; 0 keeps none and touches none."""

    @property
    def evicts_pods(self) -> bool:
        """There are pods to be evicted."""
        return self.evicts and not self.dry_run
