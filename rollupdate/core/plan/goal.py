"""What is to be done on this cluster: which two controllers, in which direction, with which finish."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollupdate.core.changes.base import DEFAULT_LABEL_KEY, Change
from rollupdate.core.changes.target import Ending, Origin, Target
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.record import Undo
from rollupdate.core.model.rollout import intended_size
from rollupdate.core.plan.policy import Policy
from rollupdate.objects import Json


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One update or rollback between two controllers of one namespace."""

    original: str
    successor: str
    """May be the name of a controller that does not exist yet."""
    rollback: bool = False
    finish: Ending
    policy: Policy = field(default_factory=Policy)
    origin: Origin = field(default_factory=Origin)
    change: Change | None = None
    """What is asked for; None for a rollback that names no change."""
    target: Target | None = field(default=None, repr=False)
    """The new controller, if it is still to be created."""
    digest: str | None = None
    """Hash of the template asked for, without the identifying label."""
    planned: tuple[Controller, ...] = field(default=(), repr=False, compare=False)
    """Its controllers as they were when it was planned."""
    resuming: bool = False
    """A new controller of this update was found on the cluster."""
    label_key: str = DEFAULT_LABEL_KEY
    """Of the identifying label. By it no pod matches the new controller any more if the name is kept."""
    carry_metadata: bool = False
    """Labels and annotations of the new controller (from a file) are added to the old one's."""
    superseded: tuple[str, ...] = ()
    """New controllers of earlier updates that this one takes the place of: they go as well."""
    undo: Undo | None = None
    """The update goes to a revision of the history (and a rollback of it away from there)."""

    @property
    def names(self) -> list[str]:
        """Of all controllers that it is about."""
        return [self.original, self.successor, *self.superseded]

    @property
    def manifest(self) -> Json | None:
        """The new controller to create; None if there is none to be created."""
        if self.target is None:
            return None
        return self.target.manifest(self.origin, self.policy.min_ready_seconds)

    @property
    def undo_marks(self) -> dict[str, str | int | None]:
        return {} if self.undo is None else {**self.undo.marks}

    def size_before(self, original: Controller) -> int:
        """The old controller's size when this was aimed at."""
        return intended_size(original) if self.target is None else self.target.baseline
