"""The vocabulary of the decision: what is seen, and what may be done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Flag, auto

from rollupdate.advice import Advice
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.evictable import EvictablePod, PodLook
from rollupdate.core.model.history import Ran, Write
from rollupdate.core.model.rollout import Rollout, is_successor_of
from rollupdate.errors import RollingUpdateError
from rollupdate.events import Event, Finished
from rollupdate.objects import Json


@dataclass(frozen=True)
class PodSearch:
    """Pods to look for: by label selector, and by who owns them (None: only those that nobody owns).

    ``generation``: of the old controller, for which the answer holds. Another client that labels or
    unlabels changes it, and what was found before counts no more.
    """

    selector: str
    owner_uid: str | None
    generation: int


@dataclass(frozen=True)
class OwnedPod:
    """A pod that is not being deleted, as a list showed it."""

    name: str
    resource_version: str
    owners: tuple[Json, ...]
    """Its ownerReferences."""
    active: bool = True
    """It has not ended (phase Succeeded or Failed), so its controller counts it."""
    epoch: int | None = None
    """Of the client that last wrote its owners (``record.EPOCH``)."""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def controller(self) -> str | None:
        """The uid of the controller that owns it."""
        return next((str(owner.get("uid")) for owner in self.owners if owner.get("controller")), None)

    def names(self, uid: str) -> bool:
        return any(owner.get("uid") == uid for owner in self.owners)


@dataclass(frozen=True)
class PodList:
    """Who owns the pods that match ``selector``."""

    selector: str
    seen: tuple[tuple[str, int, int], ...]
    """What the status of the controllers said when it was asked for: uid, generation, pods."""
    pods: tuple[OwnedPod, ...]
    at: float
    """Clock seconds."""
    fresh: bool = True
    """Nothing has been written to a pod since."""
    missed: bool = False
    """A pod was found to be another than the list says."""
    unknown: bool = False
    """This client may not list pods."""

    def answers(self, asked: ListPods) -> bool:
        """Whether it is what that step asks for, and no pod has been written to since."""
        return self.fresh and (self.selector, self.seen) == (asked.selector, asked.seen)

    def of(self, uid: str) -> tuple[OwnedPod, ...]:
        """Those that the controller ``uid`` owns."""
        return tuple(pod for pod in self.pods if pod.controller == uid)

    def active(self, uid: str) -> int:
        return sum(pod.active for pod in self.of(uid))


@dataclass(frozen=True)
class Snapshot:
    """The controllers as last observed, and what the last looks at their pods have shown."""

    old: Controller | None
    new: Controller | None
    searched: PodSearch | None = None
    pods: tuple[str, ...] = ()
    """Names of the pods that ``searched`` found and that have not been labelled since."""
    owned: PodList | None = None
    looks: tuple[PodLook, ...] = ()
    """The last look at the pods of each controller from which some are to be evicted."""
    superseded: tuple[Controller, ...] = ()
    """New controllers of earlier updates, which this one takes the place of. One of the same name that was
    created since, by another client, is none."""

    def __post_init__(self) -> None:
        related = tuple(
            earlier for earlier in self.superseded if self.old and is_successor_of(earlier, self.old)
        )
        object.__setattr__(self, "superseded", related)

    @property
    def rollout(self) -> Rollout | None:
        """None if one of the two is missing."""
        if self.old is None or self.new is None:
            return None
        return Rollout(self.old, self.new, self.superseded)

    @property
    def controllers(self) -> tuple[Controller, ...]:
        """All that exist."""
        found = (self.old, self.new, *self.superseded)
        return tuple(controller for controller in found if controller is not None)


# --- steps ---


class Effect(Flag):
    """What a write to a controller is for. The client's memory and the pace follow from it."""

    SCALE_UP = auto()
    SCALE_DOWN = auto()
    NOTE_SCALING = auto()
    """A size that another client has set goes into the goal."""
    NOTE = auto()
    """Only annotations: what another client needs to resume."""
    LABEL = auto()
    """Template or selector get the deployment label, or lose it again."""
    CORRECT = auto()
    """The specification becomes what was asked for, sizes apart."""
    FENCE = auto()
    """A client of another direction, or of a superseded update, has its writes refused from now on."""
    TOUCH = auto()
    """Nothing but to have the manager try again."""
    PAUSE = auto()
    RESUME = auto()
    RELEASE = auto()
    """Its pods have no owner from now on."""
    ADOPT = auto()
    """It owns the pods of the other controller from now on, or its own again."""
    RETURN = auto()
    """The pods are to go back from the controller that they were moved to, or that has adopted them."""
    HOLD = auto()
    """It makes no pods from now on."""
    RESTORE = auto()
    """The old controller, which has no pods, gets its former specification back."""
    UNEDIT = auto()
    """The old controller's template becomes again what its pods are of."""
    EVICT = auto()
    """It makes no pods from now on, and says which of them may be evicted."""
    EVICTED = auto()
    """Its size is what evictions have left, and it makes pods again."""
    EMPTY = auto()
    """It has no pods and is to have none again."""
    STRIP = auto()
    """Our annotations are taken off."""
    END_ROLLBACK = auto()
    """Our annotations are taken off the old controller, which has all its pods back."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What to do next. ``events``: told once it is done; nothing else depends on them."""

    events: tuple[Event, ...] = ()


class Looking(Step):
    """Something is looked for. It says nothing of whether the server takes writes."""


@dataclass(frozen=True, kw_only=True)
class Emit(Step):
    """Nothing is done; there is something to tell."""

    planned: bool = False
    """It is the plan that is told: sizes and bounds."""


@dataclass(frozen=True, kw_only=True)
class Create(Step):
    manifest: Json


@dataclass(frozen=True, kw_only=True)
class Patch(Step):
    """One conditional write: from ``controller`` as decided on to ``desired``."""

    controller: Controller
    desired: Json
    effect: Effect
    asserts_direction: bool = True
    """Written for our own direction; False if it only undoes what the other one has begun."""


@dataclass(frozen=True, kw_only=True)
class WriteObjects(Step):
    """Conditional writes to objects of any kind, none of which another of them depends on."""

    writes: tuple[Write, ...]
    closing: bool = False
    """Marks of ours go off, as only the last writes of all are left."""


@dataclass(frozen=True, kw_only=True)
class Search(Looking):
    search: PodSearch


@dataclass(frozen=True, kw_only=True)
class Label(Step):
    """Label those pods: many small writes, none of which anything else depends on. Nothing is written if
    ``controller`` is no longer of the generation that was decided on: another client may have come to the
    finish, and pods with another label may have been moved to it."""

    controller: Controller
    pods: tuple[str, ...]
    key: str
    value: str | None
    """None takes the label off."""


@dataclass(frozen=True, kw_only=True)
class ListPods(Looking):
    """See who owns the pods: :class:`PodList`."""

    selector: str
    seen: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class PodWrite:
    """New owners for one pod, valid for that pod as it was listed."""

    pod: OwnedPod
    owners: tuple[Json, ...]
    epoch: int | None
    """None leaves no trace of ours."""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """To be set, or (None) taken off."""


@dataclass(frozen=True, kw_only=True)
class Move(Step):
    """Pods get new owners: many small writes. Nothing is written if one of ``claims`` is no longer as it was
    decided on."""

    writes: tuple[PodWrite, ...]
    claims: tuple[Controller, ...] = ()
    back: bool = False
    """To the new controller again."""


@dataclass(frozen=True, kw_only=True)
class LookAtPods(Looking):
    """See the pods of ``controller``, and what allows or forbids to evict them: :class:`PodLook`."""

    controller: Controller


@dataclass(frozen=True, kw_only=True)
class Evict(Step):
    """Evict those pods, each on the condition that it is as it was chosen. None is evicted if ``controller``
    is no longer as it was decided on."""

    controller: Controller
    pods: tuple[EvictablePod, ...]


@dataclass(frozen=True, kw_only=True)
class TouchPods(Step):
    """Write to those pods, and leave them as they were: a write that was decided on before is refused, and
    their budgets are counted anew."""

    pods: tuple[EvictablePod, ...]
    sizes: tuple[tuple[str, int], ...] = ()
    """Of the controllers (uid, size) with which the budgets are counted then."""


@dataclass(frozen=True, kw_only=True)
class Rehearse(Looking):
    """Ask the server whether pods of ``source`` may be moved to ``destination``; nothing is changed."""

    source: Controller
    destination: Controller


@dataclass(frozen=True, kw_only=True)
class FindAdopters(Looking):
    """Look for other controllers that would adopt pods with ``labels`` while nobody owns them."""

    labels: Mapping[str, str]
    but: frozenset[str]
    """uids of the controllers that may."""


@dataclass(frozen=True, kw_only=True)
class FindScaler(Looking):
    """Look for who changes the size of ``controller``: its owner, or an autoscaler that names it."""

    controller: Controller


@dataclass(frozen=True, kw_only=True)
class Delete(Step):
    controller: Controller


@dataclass(frozen=True, kw_only=True)
class Withdraw(Delete):
    """Take back the new controller, which never had a pod: another update was quicker."""

    error: RollingUpdateError
    """What the run ends with once it is gone."""


@dataclass(frozen=True, kw_only=True)
class DeleteLast(Delete):
    """The last write of all: nothing is left to do after it."""

    owner: Controller
    """The controller that owns the pods from then on."""

    @property
    def lingers(self) -> bool:
        """The controller is gone only once its finalizers are."""
        return bool(self.controller.belongings.finalizers)


@dataclass(frozen=True, kw_only=True)
class RecordRevision(Step):
    """Record what has run as revisions of ``owner``, which owns the pods from now on. The update does not
    depend on it."""

    owner: Controller
    sources: tuple[str, ...]
    """uids of the controllers whose revisions count."""
    ran: tuple[Ran, ...]
    limit: int = 0


@dataclass(frozen=True, kw_only=True)
class DropRevision(RecordRevision):
    """The pods are about to be returned: the last that ``ran`` is no revision after all."""


@dataclass(frozen=True, kw_only=True)
class Wait(Step):
    """Nothing may be done until the cluster (or the clock, at ``until``) has moved on."""

    reason: str
    until: float | None = None
    waiting_for: Controller | None = None
    """The controller whose pods are waited for."""
    advice: Advice | None = None
    """What helps, if it lasts too long."""
    brief: bool = False
    """For the manager alone, which is about to do it: what is held for evictions stays so."""
    again: bool = False
    """Nothing is sure to happen until ``until``, when it looks once more: that may go on for ever, so
    ``--timeout`` counts."""


@dataclass(frozen=True, kw_only=True)
class Verify(Step):
    """Have the batch checked: all pods of that controller are available."""

    controller: Controller


@dataclass(frozen=True, kw_only=True)
class Park(Step):
    """Nothing more is to be done for now: the update is paused."""


@dataclass(frozen=True, kw_only=True)
class Done(Step):
    owner: Controller
    """The controller that owns the pods."""


@dataclass(frozen=True, kw_only=True)
class Stop(Step):
    """The update cannot or must not go on."""

    error: RollingUpdateError


def delete_last(controller: Controller, *, owner: Controller) -> DeleteLast:
    step = DeleteLast(controller=controller, owner=owner)
    return step if step.lingers else replace(step, events=done(owner).events)


def done(owner: Controller) -> Done:
    return Done(owner=owner, events=(Finished(owner.name, owner.raw),))
