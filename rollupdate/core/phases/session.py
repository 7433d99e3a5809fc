"""What this client remembers of its own run: values, and how each step and each look changes them.

Nothing of it is on the cluster. What another client needs in order to go on is in ``record``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rollupdate.core.diagnosis.summary import NOTHING_KNOWN, Diagnosis
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import Rollout, is_successor_of
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases.contest import NO_CONTEST, Contest, is_put_back, noted
from rollupdate.core.phases.eviction_memory import NOTHING_EVICTED, EvictionMemory
from rollupdate.core.phases.readiness import NONE_STAYS, Staying
from rollupdate.core.phases.steps import (
    Create,
    Delete,
    DeleteLast,
    DropRevision,
    Effect,
    Emit,
    Label,
    Move,
    Patch,
    RecordRevision,
    Snapshot,
    Step,
)
from rollupdate.core.plan.goal import Goal
from rollupdate.objects import Json

SIZES = Effect.SCALE_UP | Effect.SCALE_DOWN | Effect.NOTE_SCALING


@dataclass(frozen=True)
class Touched:
    """How often this client has touched a controller, and when last (clock seconds)."""

    count: int = 0
    at: float | None = None


UNTOUCHED = Touched()


@dataclass(frozen=True)
class Refusal:
    """A check that did not pass: why, and when."""

    why: str
    at: float


@dataclass(frozen=True)
class Session:
    """What this client remembers of its own run."""

    started: float
    """Clock seconds, as all times here."""

    # --- what it has observed, which proves later that another client has come in between ---

    claimed: bool = False
    """The direction recorded on the cluster is ours; another one means that another client came after us."""
    linked: bool = False
    """The old controller was seen to name the new one by uid."""
    epoch: int = 0
    """The highest that the new controller was seen with."""
    followed: bool = False
    """Of an update that supersedes another: the old controller was seen to name its new one."""
    moving: bool = False
    """The update was seen not to be paused."""
    seen_original: str | None = None
    """uid"""
    seen_successor: str | None = None
    seen_template: str | None = None
    """Hash of the new controller's template as the server completed it."""
    unpaired_baseline: tuple[Json, str | None] | None = None
    """If the first observation showed no new controller: the specification of the old one's pods, and the uid
    of the new one that it named."""

    # --- what it has done ---

    announced: bool = False
    """The lines that open an update have been said."""
    created: bool = False
    paused: bool = False
    """The update was paused by this client, which has said so."""
    kept: bool = False
    """The revisions are written, or cannot be."""
    forgot: bool = False
    """The last revision has been removed from the history, or cannot be."""
    restored: bool = False
    """The old controller's template was edited, and was put back."""
    stripped: bool = False
    """The last but one write of a rollback: our annotations are off the old controller, on purpose."""
    deleting: DeleteLast | None = None
    """The last write of all has been sent: if its object is gone, it worked."""

    # --- how the pods change owners ---

    movable: bool | None = None
    """Whether the server lets this client move pods from one controller to another; None: not asked yet."""
    not_moved: str = ""
    """Why they cannot be moved to the old controller."""
    not_returned: str = ""
    """Why they cannot be moved back to the new one."""
    holds: int = 0
    """How often this client has put a hold on."""
    unproven_since: float | None = None
    """Since when a hold was observed that nothing has proved yet."""
    committed: bool = False
    """This client has given the pods to their final owner."""
    adopters: tuple[str, ...] | None = None
    """Other controllers that would adopt the pods while nobody owns them; None: not looked for yet."""
    unowned_since: float | None = None
    """Since when a list has shown that a controller has released all of them."""

    # --- pods that go by eviction ---

    evictions: EvictionMemory = NOTHING_EVICTED

    # --- who changes sizes beside it ---

    contest: Contest = NO_CONTEST

    # --- what the check of the last batch came to ---

    verified: int = 0
    """Size of the new controller for which the check has passed."""
    refused: Refusal | None = None
    """The last check, if it did not pass."""

    # --- how fast it goes ---

    scaled_up_at: float | None = None
    progress_at: float = 0.0
    staying: Staying = NONE_STAYS
    """Of pods that are ready and only have to stay so."""
    best: tuple[int, ...] | None = None
    """The furthest that the sizes have come, each taken alone: progress is what beats it."""
    diagnosis: Diagnosis = NOTHING_KNOWN
    """Why nothing has moved for a while, as far as the pods were inspected."""
    touched: Touched = UNTOUCHED
    """Controllers that lack pods (``touching``)."""
    terminal_since: float | None = None
    """Since when every inspection has found all unavailable pods in a terminal state, or failing again."""

    def idle(self, now: float) -> float:
        """Seconds without any progress, at ``now``: what ``--timeout`` limits. While ready pods only have to
        stay so there is some."""
        return now - self.staying.idle_since(self.progress_at, now)

    def counted(self, growing: Controller) -> int:
        """Available pods of a controller whose last batch has not passed its check."""
        return min(growing.status_available, self.verified)


def apply(session: Session, step: Step, now: float) -> Session:
    """What the client remembers once ``step`` has been carried out."""
    if isinstance(step, Emit):
        return replace(session, announced=True)
    if isinstance(step, Create):
        return replace(session, created=True, progress_at=now)
    if isinstance(step, (Delete, Label, Move)):
        return replace(session, progress_at=now)
    if isinstance(step, DropRevision):
        return replace(session, forgot=True, progress_at=now)
    if isinstance(step, RecordRevision):
        return replace(session, kept=True, progress_at=now)
    if isinstance(step, Patch):
        effect = step.effect
        return replace(
            session,
            paused=session.paused or effect is Effect.PAUSE,
            claimed=session.claimed or step.asserts_direction,
            restored=session.restored or effect is Effect.UNEDIT,
            stripped=session.stripped or effect is Effect.END_ROLLBACK,
            holds=session.holds + (Effect.HOLD in effect),
            committed=(session.committed or effect is Effect.ADOPT) and not effect & Effect.HOLD,
            scaled_up_at=now if effect is Effect.SCALE_UP else session.scaled_up_at,
            # A size that another client keeps changing is no progress, however often we change it back.
            # Nor is it to have the manager try again.
            progress_at=session.progress_at if effect & (SIZES | Effect.TOUCH | Effect.EVICTED) else now,
            evictions=session.evictions.written(step),
            touched=Touched(session.touched.count + 1, now) if effect is Effect.TOUCH else session.touched,
            best=None if effect & Effect.NOTE_SCALING and not is_put_back(step) else session.best,
            contest=noted(session.contest, step, now),
        )
    return session


def verified(session: Session, controller: Controller, problem: str | None, now: float) -> Session:
    """What the client remembers of a check; ``problem`` is None where it passed."""
    if problem is not None:
        return replace(session, refused=Refusal(problem, now))
    return replace(session, verified=controller.replicas, refused=None, progress_at=now)


def diagnosed(session: Session, diagnosis: Diagnosis, now: float) -> Session:
    """What the client remembers of a look at the pods."""
    since = _since(session.terminal_since, now)
    failing = diagnosis.terminal or diagnosis.retrying
    return replace(session, diagnosis=diagnosis, terminal_since=since if failing else None)


def rehearsed(session: Session, problem: str | None) -> Session:
    """What the client remembers of a rehearsal; ``problem``: None where pods may be moved."""
    return replace(session, movable=problem is None, not_moved=problem or "")


def refused(session: Session, step: Step, problem: str) -> Session:
    """What the client remembers where the server refuses, for good, to move pods or to hold a controller."""
    if isinstance(step, Move) and step.back:
        return replace(session, not_returned=problem)
    return replace(session, movable=False, not_moved=problem)


def unpaired_baseline(original: Controller) -> tuple[Json, str | None]:
    """See :class:`Session`."""
    return original.template.get("spec") or {}, original.record.next_uid


def observe(session: Session, snapshot: Snapshot, goal: Goal, now: float) -> Session:
    """What the client remembers of a look: which objects this run is about, and how far they have come."""
    old, new, rollout = snapshot.old, snapshot.new, snapshot.rollout
    growing = _growing(snapshot, goal)
    if growing is not None:
        before, staying = session.staying, session.staying.observe(growing, snapshot.controllers, now)
        session = replace(session, staying=staying)
        if staying.more_ready(growing, before):
            session = _moved(session, now)
    if old is not None and old.record.next_name == goal.successor:
        marked = new is not None and new.record.superseded_by is not None
        session = replace(session, followed=session.followed or not marked)
    if old is None:
        return session
    if rollout is None or not is_successor_of(rollout.new, old):
        first = session.seen_original is None and new is None
        return replace(
            session,
            unpaired_baseline=unpaired_baseline(old) if first else session.unpaired_baseline,
            seen_original=session.seen_original or old.uid,
        )
    return _progressed(_transferring(_identified(session, rollout, goal), snapshot, now), rollout, goal, now)


def _growing(snapshot: Snapshot, goal: Goal) -> Controller | None:
    """The controller whose pods are to become available."""
    old, new, rollout = snapshot.old, snapshot.new, snapshot.rollout
    if rollout is None:
        return old or new
    return old if goal.rollback or rollout.adopted else new


def _transferring(session: Session, snapshot: Snapshot, now: float) -> Session:
    new, owned = snapshot.new, snapshot.owned
    unproven = new is not None and new.moving and new.observed and not new.proven
    owners = {controller.uid for controller in snapshot.controllers}
    unowned = owned is not None and owned.fresh and not any(pod.controller in owners for pod in owned.pods)
    return replace(
        session,
        unproven_since=_since(session.unproven_since, now) if unproven else None,
        unowned_since=_since(session.unowned_since, now) if unowned else None,
        evictions=session.evictions.observe(snapshot.controllers, now),
    )


def _since(before: float | None, now: float) -> float:
    return now if before is None else before


def _identified(session: Session, rollout: Rollout, goal: Goal) -> Session:
    old, new = rollout.old, rollout.new
    is_ours = rollout.rolling_back == goal.rollback
    return replace(
        session,
        claimed=session.claimed or (new.record.superseded_by is None and is_ours),
        moving=session.moving or new.record.paused is None,
        linked=session.linked or old.record.next_uid == new.uid,
        epoch=max(session.epoch, new.record.epoch),
        seen_original=session.seen_original or old.uid,
        seen_successor=session.seen_successor or new.uid,
        seen_template=template_hash(rollout.template_after, goal.label_key),
    )


def _progressed(session: Session, rollout: Rollout, goal: Goal, now: float) -> Session:
    growing, shrinking = (rollout.old, rollout.new) if goal.rollback else (rollout.new, rollout.old)
    others = (shrinking, *rollout.superseded)
    sizes = (
        growing.replicas,
        growing.available,
        -sum(other.replicas for other in others),
        -sum(other.current for other in others),
    )
    if session.best is None:
        return replace(session, best=sizes)
    if not any(size > best for size, best in zip(sizes, session.best, strict=True)):
        return session
    best = tuple(max(pair) for pair in zip(sizes, session.best, strict=True))
    if session.progress_at == now:
        return replace(session, best=best)
    return _moved(replace(session, best=best), now)


def _moved(session: Session, now: float) -> Session:
    """Something has: what was found out about a standstill is over."""
    return replace(session, progress_at=now, diagnosis=NOTHING_KNOWN, terminal_since=None)


@dataclass(frozen=True)
class Context:
    """What a rule looks at beside the controllers."""

    goal: Goal
    session: Session
    now: float
    """Clock seconds."""
    snapshot: Snapshot


Rule = Callable[[Rollout, Context], Step | None]


def first_step(rules: Iterable[Rule], rollout: Rollout, context: Context) -> Step | None:
    """The step of the first rule that has one."""
    steps = (rule(rollout, context) for rule in rules)
    return next((step for step in steps if step is not None), None)
