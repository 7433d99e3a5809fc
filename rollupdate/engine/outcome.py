"""What a run came to. A value: whoever started the run tells the user, and decides what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from rollupdate.core.model.controller import Controller
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK, EXIT_STOPPED, FailureError, StoppedError
from rollupdate.objects import Json


class End(Enum):
    FINISHED = "finished"
    UP_TO_DATE = "up to date"
    """There was nothing to do."""
    PAUSED = "paused"
    """At a point where it was asked to pause."""
    STOPPED = "stopped"
    """It can be resumed; ``error`` says why it stopped."""
    INTERRUPTED = "interrupted"
    """By the user, between two writes."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One run, ended."""

    end: End
    goal: Goal | None
    """What was to be done, if that was known already."""
    wrote: bool
    """Whether the cluster was changed, or may have been."""
    before: Mapping[str, Controller] = field(default_factory=dict)
    """All controllers of the namespace at the first look, by name."""
    controllers: tuple[Controller, ...] = ()
    """Those of the rollout that existed at the last look."""
    owner: Json | None = None
    """The controller that owns the pods, if the run came to its end or pauses."""
    restored: bool = False
    """Another client had edited the old controller's template, which a rollback put back."""
    error: BaseException | None = None
    """A StoppedError, an InterruptedBySignal or KeyboardInterrupt, or an OSError: events could not be told
    any more."""

    @property
    def begun(self) -> bool:
        """There is something to resume, or to roll back."""
        return self.wrote or (self.goal is not None and self.goal.resuming)

    @property
    def exit_status(self) -> int:
        """As documented."""
        match self.end:
            case End.INTERRUPTED:
                return EXIT_INTERRUPTED
            case End.STOPPED if self.wrote or isinstance(self.error, StoppedError):
                return EXIT_STOPPED
            case End.STOPPED:
                return EXIT_ERROR
        return EXIT_OK

    def checked(self) -> Outcome:
        """Itself; raises the error with which the run stopped, if there is one."""
        if self.error is not None:
            raise self.error
        return self

    @property
    def failed(self) -> bool:
        """It stopped because the new pods fail, or because nothing moved any more."""
        return isinstance(self.error, FailureError)
