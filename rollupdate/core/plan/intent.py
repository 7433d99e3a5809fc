"""What the user asked for, parsed once, at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollupdate.core.changes.base import Change, Naming
from rollupdate.core.changes.target import Origin

PREVIOUS = 0
"""As a revision to go to: the one before the current one."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """One command: which controller, what change, forwards or back."""

    name: str
    change: Change | None = None
    """None for a rollback that names no change."""
    naming: Naming = field(default_factory=Naming)
    rollback: bool = False
    to_revision: int | None = None
    """Of a rollback: the revision to go to, perhaps PREVIOUS; None only ends what is in progress."""
    supersede: bool = False
    """An update in progress to something else may be replaced by this one."""
    again: bool = False
    """New pods even if the template is the one asked for: the pods run another one."""
    origin: Origin = field(default_factory=Origin)

    @property
    def only_back(self) -> bool:
        """It begins nothing: it ends what is in progress by going back."""
        return self.rollback and self.to_revision is None

    @property
    def names_an_update(self) -> bool:
        """With an image, a file or a name it is that update which is to be rolled back, and no other."""
        return self.change is not None or self.naming.new_name is not None or self.naming.keep_name
