"""The facts an update tells, as they happen. Frozen values, no sentences: ``report`` words them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Subject:
    """The update that an event is about."""

    context: str = ""
    """The kubeconfig context in use; empty in a cluster, and as long as no kubeconfig was read."""
    namespace: str = ""
    """The namespace in use; empty as long as no kubeconfig was read."""
    name: str = ""
    """NAME as given on the command line, whichever controller the event names."""


@dataclass(frozen=True)
class Event:
    """Anything the engine tells its observer."""

    subject: Subject = field(default=Subject(), kw_only=True)
    """Set where events reach the reports (``report.observers``), and nowhere else."""


@dataclass(frozen=True)
class Resuming(Event):
    """An update that this command or another client started is resumed."""

    successor: str


@dataclass(frozen=True)
class Continuing(Event):
    """The growing controller was there already."""

    growing: str


@dataclass(frozen=True)
class Labelling(Event):
    """The old pods get the deployment label before the first update."""

    controller: str
    pods: int
    key: str
    value: str


@dataclass(frozen=True)
class Created(Event):
    controller: str


@dataclass(frozen=True)
class RollingBack(Event):
    """The old controller is to get its size back."""

    controller: str
    replicas: int


@dataclass(frozen=True)
class ScalingPlanned(Event):
    """The sizes as they are, the sizes to reach, and the bounds that hold until then (pods)."""

    growing: str
    growing_from: int
    growing_to: int
    shrinking: str
    shrinking_from: int
    floor: int
    ceiling: int


@dataclass(frozen=True)
class Scaled(Event):
    controller: str
    before: int
    after: int


@dataclass(frozen=True)
class ScaledByOthers(Event):
    """Another client changed a size; ``goal`` is what the update reaches for now (pods)."""

    controller: str
    before: int
    after: int
    goal: int


@dataclass(frozen=True)
class SizeContested(Event):
    """Another client sets that size again each time that the update changes it; told once. From now on the
    update waits longer each time."""

    controller: str
    replicas: int
    by: str
    """Kind and name of the owner or of the autoscaler, else ``another client``."""
    problem: str = ""
    """Why no autoscaler could be looked for; empty where that was possible."""


@dataclass(frozen=True)
class Succeeded(Event):
    """All new pods are available; what is left is to remove a controller that owns no pod any more."""

    removing: str
    rollback: bool


@dataclass(frozen=True)
class Renaming(Event):
    """The ownership of the pods is transferred to the controller of the lasting name."""

    temporary: str
    lasting: str


@dataclass(frozen=True)
class NotMoved(Event):
    """The pods of ``controller`` cannot be moved to their final owner; they are released and adopted."""

    controller: str
    reason: str


@dataclass(frozen=True)
class TemplateRestored(Event):
    """Another client had edited the template of the old controller; it is again the one that its pods are
    of."""

    controller: str


@dataclass(frozen=True)
class Returning(Event):
    """A rollback during the finish: the pods go back to the new controller first."""

    temporary: str
    lasting: str


@dataclass(frozen=True)
class Finished(Event):
    """The update is complete. ``controller`` is the object as last seen."""

    controller: str
    obj: dict[str, Any]


@dataclass(frozen=True)
class UpToDate(Event):
    """What was asked for is what is running: nothing was written."""

    controller: str
    obj: dict[str, Any]


@dataclass(frozen=True)
class Undoing(Event):
    """The update goes to a revision of the history."""

    controller: str
    revision: int


@dataclass(frozen=True)
class Arranged(Event):
    """A step of a migration between a controller and a Deployment."""

    act: str
    """``created``, ``held``, ``moved``, ``emptied``, ``handed over``, ``unpaused``, ``paused``, ``pointed``,
    ``deleted``, ``turned``."""
    object: str
    """What it was done to: KIND/NAME."""
    pods: int = 0
    other: str = ""
    """Where from or where to; of ``turned`` why, empty if a user has asked for it."""


@dataclass(frozen=True)
class Migrated(Event):
    """The pods have come from ``source`` to ``target`` (KIND/NAME), and none was restarted."""

    source: str
    target: str
    pods: int
    undone: bool
    """To where they were at first."""


@dataclass(frozen=True)
class HistoryNotKept(Event):
    """The update is no revision, as the history could not be written. It goes on all the same."""

    controller: str
    problem: str
    hint: str | None


@dataclass(frozen=True)
class PodsDiffer(Event):
    """Pods of ``controller`` do not run its pod template: ``others`` of the ``looked`` at. They are replaced,
    and what they run is kept as the revision before."""

    controller: str
    others: int
    looked: int
    differs: tuple[str, ...]
    """The paths in the template at which they say something else."""
    revision: int | None
    """That most of them run; None if it is none."""


@dataclass(frozen=True)
class PodsNotSeen(Event):
    """What the pods of ``controller`` run could not be looked at; its template is taken for it."""

    controller: str
    problem: str


@dataclass(frozen=True)
class Waiting(Event):
    """No progress for ``seconds``; ``reason`` is what is waited for."""

    reason: str
    seconds: float
    available_in: float | None = None
    """Seconds until the ready pods are available, if they only have to stay ready."""


@dataclass(frozen=True)
class Paused(Event):
    """The update rests where it was asked to: so many of the ``target`` new pods are available."""

    controller: str
    available: int
    target: int


@dataclass(frozen=True)
class Verifying(Event):
    """The check of a batch begins: of all new pods so far, ``available`` in number."""

    controller: str
    available: int


@dataclass(frozen=True)
class VerifyOutput(Event):
    """A line that the check has written."""

    text: str


@dataclass(frozen=True)
class Verified(Event):
    """The check of a batch has ended; ``problem`` is None where it passed."""

    controller: str
    available: int
    problem: str | None


@dataclass(frozen=True)
class Superseding(Event):
    """This update takes the place of one in progress, whose new controller has that many pods."""

    controller: str
    replicas: int
    by: str


@dataclass(frozen=True)
class SupersededGone(Event):
    """The new controller of an earlier update has no pods any more and is deleted."""

    controller: str


@dataclass(frozen=True)
class LookLeftOut(Event):
    """What would have helped to tell a reason was not looked at, as this client may not."""

    resource: str
    problem: str


@dataclass(frozen=True)
class ApiUnreachable(Event):
    """The API server does not answer (or asks to be left alone); tried again until --timeout."""

    problem: str


@dataclass(frozen=True)
class ApiReachable(Event):
    seconds: float


@dataclass(frozen=True)
class BudgetBroken(Event):
    """A PodDisruptionBudget covers the pods and asks for more available ones than this update keeps."""

    budget: str
    asked: int
    floor: int


@dataclass(frozen=True)
class ReferencesUnseen(Event):
    """Whether objects of those kinds would lose their pods by the update could not be seen. It goes on."""

    kinds: tuple[str, ...]
    problem: str


# --- how far it is ---


@dataclass(frozen=True)
class Pods:
    """The pods of one controller, in numbers from its status."""

    controller: str
    role: str
    """``old``, ``new``, or ``superseded``: of a new controller that is to go in favour of a newer one."""
    size: int
    """Pods asked for."""
    current: int
    """Pods that exist, without those being deleted."""
    ready: int
    available: int
    """Those of them that stay once the size asked for is reached."""
    failing: int = 0
    """Pods that are not available for a reason that is known."""

    @property
    def staying(self) -> int:
        """Pods that are ready and have to stay so before they are available."""
        return max(0, min(self.ready, self.size) - self.available)

    @property
    def starting(self) -> int:
        """Pods asked for and neither available nor known to fail."""
        return max(0, self.size - self.available - self.failing)

    @property
    def leaving(self) -> int:
        """Pods that are one too many: asked to go, and still there."""
        return max(0, self.current - self.size)


PREPARING, SCALING, TRANSFERRING, FINISHING = "preparing", "scaling", "handing over", "finishing"
"""The phases of an update."""


@dataclass(frozen=True)
class Progress(Event):
    """Where the update is; told when that is another place than before."""

    pods: tuple[Pods, ...]
    """Of each controller there is, the old one first."""
    original: int
    """The size of the service before the update."""
    target: int
    """The size it is to have in the end: of the new controller or, in a rollback, of the old one."""
    floor: int
    ceiling: int
    rollback: bool
    phase: str
    """One of those above."""
    waiting: str = ""
    """What is waited for; empty where nothing is."""
    cause: str = ""
    """Why that does not come, as far as it is known."""
    idle: float = field(default=0.0, compare=False)
    """Seconds since anything has moved, when this was told."""
    available_in: float | None = field(default=None, compare=False)
    """Seconds until the pods that are ready have been so for ``minReadySeconds``; None if none has to be."""


@dataclass(frozen=True)
class Stopped(Event):
    """The command ends, and the update has not: its last words, and the exit status."""

    reason: str
    hint: str
    status: int
