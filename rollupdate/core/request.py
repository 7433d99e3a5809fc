"""What the user asked for, parsed once, at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from rollupdate.core.budget import Amount, Budget
from rollupdate.core.record import Undo

Json = dict[str, Any]

DEFAULT_LABEL_KEY = "deployment"
PREVIOUS = 0
"""As a revision to go to: the one before the running one."""
PULL_POLICIES = ("Always", "Never", "IfNotPresent")


class Edit(Protocol):
    """One thing to be done with a pod template. A value: two that are equal do the same (``core.edits``)."""

    def apply(self, template: Json) -> Json:
        """The template that comes of ``template``, which stays as it is. Raises RefusedError."""
        ...


@dataclass(frozen=True)
class TemplateChange:
    """The running pod template, edited: ``edits`` one after the other.

    ``restart``: new pods also where the template is the same afterwards.
    """

    edits: tuple[Edit, ...]
    restart: bool = False
    validate: bool = False
    """Refuse fields that the server does not know."""


@dataclass(frozen=True)
class FileChange:
    """``-f``: a controller from a file. ``source`` is what to call the file in messages."""

    manifest: Json
    source: str
    validate: bool = True
    """Refuse fields that the server does not know."""


@dataclass(frozen=True)
class UndoChange:
    """``--rollback --to-revision`` with nothing in progress: the template of a revision, by an update like
    any other."""

    undo: Undo
    template: Json | None = None
    """None where the new controller is there already."""
    validate: bool = False
    """It is what the server has had before."""


@dataclass(frozen=True)
class Request:
    """One ``kubectl rolling-update``: which controller, what change, forwards or back.

    ``change`` is None for a rollback that names no change.
    """

    name: str
    new_name: str | None = None
    change: TemplateChange | FileChange | UndoChange | None = None
    rollback: bool = False
    to_revision: int | None = None
    """Of a rollback: the revision to go to, perhaps PREVIOUS; None only ends what is in progress."""
    keep_name: bool = False
    label_key: str = DEFAULT_LABEL_KEY
    budget: Budget = field(default_factory=Budget)
    min_ready_seconds: int | None = None
    """Replaces the new controller's ``minReadySeconds`` while the update runs; None leaves it alone."""
    update_period: float = 0.0
    """Seconds to wait after a scale-up before the scale-down that answers it."""
    timeout: float = 300.0
    """Seconds without any progress after which the update stops; 0 waits for ever."""
    failure_grace: float = 30.0
    """Seconds for which every unavailable new pod must have had a fatal trouble before the update stops
    for it; 0 leaves that to ``timeout``."""
    history_limit: int = 0
    """Revisions kept beside the one that runs; 0 keeps none and touches none."""
    command: str | None = None
    """The command line, without secrets, to be told as the cause of the change."""
    started_by: str | None = None
    """Who asks, as ``user@host``: written down for whoever finds the update."""
    on_failure: str = "stop"
    """``stop``, ``rollback``, or ``wait``: a failure stops nothing."""
    pause_at: tuple[Amount, ...] = ()
    """Where the update pauses: as soon as so many new pods (or that share of them) are available."""
    verifies: bool = False
    """Each batch of new pods is to pass a check before it counts."""
    supersede: bool = False
    """An update in progress to something else may be replaced by this one."""
