"""The facts an update tells, as they happen. Frozen values, no sentences: ``report`` words them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollupdate.advice import Advice
from rollupdate.progress import FINISHING as FINISHING
from rollupdate.progress import PREPARING as PREPARING
from rollupdate.progress import SCALING as SCALING
from rollupdate.progress import TRANSFERRING as TRANSFERRING
from rollupdate.progress import Event as Event
from rollupdate.progress import Pods as Pods
from rollupdate.progress import Progress as Progress
from rollupdate.progress import Subject as Subject


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
class Evicted(Event):
    """Pods of ``controller`` were evicted; ``left`` are not."""

    controller: str
    pods: tuple[str, ...]
    left: int


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
    """``created``, ``held``, ``moved``, ``stopped``, ``emptied``, ``handed over``, ``unpaused``, ``paused``,
    ``pointed``, ``updated``, ``restored``, ``deleted``, ``turned``, ``noted``."""
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
    """Those that have come along."""
    undone: bool
    """To where they were at first."""


@dataclass(frozen=True)
class EditLeft(Event):
    """Another client has edited the pod template of ``source`` (KIND/NAME) while its pods went to ``target``,
    which does not have that. ``fields``: paths within a pod template."""

    source: str
    target: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class LeftBehind(Event):
    """Something of ``source`` (KIND/NAME) that has no counterpart in what gets its pods, or comes to be
    otherwise there; told before the first write."""

    source: str
    note: str


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
class Shortage:
    """A resource of which a quota has too little free; amounts as the API writes them."""

    quota: str
    resource: str
    needed: str
    free: str
    hard: str


@dataclass(frozen=True)
class NoRoom(Event):
    """The new pods do not fit into what ResourceQuotas have free. The update goes on."""

    controller: str
    surge: int
    """New pods with which it begins and of which not all fit; 0 if the new pods need more than the old."""
    shortages: tuple[Shortage, ...]
    waits: bool
    """Until others free it; else it goes on with the pods that fit."""
    hint: Advice | str


@dataclass(frozen=True)
class PodRefused(Event):
    """The server would not let this client create a new pod now; it may be that it lets the controller
    manager. The update goes on."""

    controller: str
    problem: str
    by_quota: bool


@dataclass(frozen=True)
class BudgetBroken(Event):
    """A PodDisruptionBudget covers the pods and asks for more available ones than this update keeps; if it
    evicts: for as many as it has when the last old pod is to go."""

    budget: str
    asked: int
    floor: int
    hint: Advice | str = ""
    """Flags with which it would do, or come nearer to it; empty if there are none."""
    evicts: bool = False
    """The pods are evicted: the update waits for the budget."""


@dataclass(frozen=True)
class ReferencesUnseen(Event):
    """Whether objects of those kinds would lose their pods by the update could not be seen. It goes on."""

    kinds: tuple[str, ...]
    problem: str


@dataclass(frozen=True)
class Stopped(Event):
    """The command ends, and the update has not: its last words, and the exit status."""

    reason: str
    hint: str
    status: int
