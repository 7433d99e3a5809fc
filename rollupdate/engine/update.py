"""The loop: observe everything, decide, make at most one write, observe again.

A conflict is no error and not retried in place: the world is looked at again and the decision made anew.
A write whose answer was lost is found out by looking. The loop waits for the cluster in one place only.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from rollupdate.core.decide import decide
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.history import Revision
from rollupdate.core.model.written import last_write
from rollupdate.core.phases.session import (
    Context,
    Session,
    apply,
    diagnosed,
    observe,
    refused,
    rehearsed,
    verified,
)
from rollupdate.core.phases.steps import (
    DeleteLast,
    Done,
    Emit,
    Evict,
    FindAdopters,
    FindScaler,
    LookAtPods,
    Looking,
    Park,
    Rehearse,
    Snapshot,
    Step,
    Stop,
    TouchPods,
    Verify,
    Wait,
    Withdraw,
)
from rollupdate.core.plan.aim import aim
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.core.plan.preview import Preview, preview
from rollupdate.core.plan.refusals import changed_meanwhile, taken_name
from rollupdate.core.status.progress import progress
from rollupdate.engine.backoff import SHORTEST_WAIT, Backoff
from rollupdate.engine.checking import Check, batch_of, checked
from rollupdate.engine.executor import Executor
from rollupdate.engine.explaining import EXPLAIN_AFTER, Explainer
from rollupdate.engine.history import history_of
from rollupdate.engine.inspection import Inspector
from rollupdate.engine.leaving import letting_go
from rollupdate.engine.moving import NotAllowed, find_adopters, rehearse
from rollupdate.engine.namespace import deleted, halted, looks_deleted
from rollupdate.engine.outcome import End, Outcome
from rollupdate.engine.ports import Clock, Cluster, Mirror
from rollupdate.engine.preflight import Verdict
from rollupdate.engine.recovery import took_effect
from rollupdate.engine.references import Look, contested, refuse_doubled, tell_budgets
from rollupdate.engine.rights import refuse_missing
from rollupdate.engine.running import WhatRuns, survey
from rollupdate.errors import (
    ApiError,
    ClusterError,
    ConfigError,
    FailureError,
    InterruptedBySignal,
    StoppedError,
    UnreachableError,
    UnreadableError,
)
from rollupdate.events import Event, Progress, Undoing, UpToDate
from rollupdate.objects import Json
from rollupdate.rights import EVICTIONS

Observer = Callable[[Event], None]

INSPECT_EVERY = 3.0
"""Seconds without progress after which the new pods are inspected, and between two inspections."""
LONGEST_WAIT = 30.0
"""Seconds: the loop looks again at least that often, whatever the watch says."""


class Update:
    """One run of one update or rollback, from the first look to the finish."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        intent: Intent,
        policy: Policy,
        observer: Observer,
        *,
        poll_interval: float = 3.0,
        check: Check | None = None,
        review: Callable[[Preview], None] | None = None,
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``check``: says what is wrong with a batch of new pods, None where nothing is.
        ``review``: shown what changes before anything is written; it may take its time, and raise.
        ``shield``: what is entered around each write, so that an interruption waits for its answer.
        ``jitter``: numbers from 0 to 1 for the back-off. ``wall``: seconds since 1970, for the history."""
        self._cluster = cluster
        self._clock = clock
        self._policy = policy
        self._tell = observer
        self._poll_interval = poll_interval
        self._check = check
        self._review = review
        self._session = Session(started=clock.now(), progress_at=clock.now())
        self._executor = Executor(cluster, observer, shield=shield, wall=wall)
        self._backoff = Backoff(clock, observer, policy.timeout, self._idle, jitter)
        self._pods = WhatRuns(cluster, self._backoff, observer, intent)
        self._explainer = Explainer(observer)
        self._inspector = Inspector(cluster, observer)
        self._looked_at = clock.now()
        self._snapshot = Snapshot(None, None)
        self._progress: Progress | None = None
        """What was told last."""
        self._goal: Goal | None = None
        """What is being done, once that is known."""
        self._before: dict[str, Controller] = {}
        """All controllers of the namespace as they were at the first look, by name."""

    def run(self) -> Outcome:
        """To the end, to a pause, or to where it stops.

        Raises RefusedError or UsageError if nothing of it is on the cluster, and other errors of
        ``rollupdate.errors`` that no other run of the same command would get over.
        """
        try:
            return self._run()
        except StoppedError as error:
            return self._ended(End.STOPPED, error=error)
        except (InterruptedBySignal, KeyboardInterrupt) as interruption:
            return self._ended(End.INTERRUPTED, error=interruption)
        except OSError as error:  # an event could not be told: the cluster's errors are ClusterErrors
            return self._ended(End.STOPPED, error=error)

    def _ended(self, end: End, *, owner: Json | None = None, error: BaseException | None = None) -> Outcome:
        return Outcome(
            end=end,
            goal=self._goal,
            wrote=self._executor.wrote,
            before=self._before,
            controllers=self._snapshot.controllers,
            owner=owner,
            restored=self._restored,
            error=error,
        )

    @property
    def _restored(self) -> bool:
        found = None if self._goal is None else self._before.get(self._goal.original)
        return self._session.restored or (found is not None and found.record.restored is not None)

    def _run(self) -> Outcome:
        goal, verdict = self._asked()
        if verdict.same:
            old = self._before[goal.original]
            self._tell(UpToDate(old.name, old.raw))
            return self._ended(End.UP_TO_DATE, owner=old.raw)
        if self._policy.evicts:
            refuse_missing(self._cluster, EVICTIONS)
            refuse_doubled(self._cluster, goal, self._before, self._backoff.retry)
        if self._review is not None:
            goal = self._goal = self._reviewed(self._review, goal, verdict.created)
        if goal.undo is not None and not goal.rollback:
            self._tell(Undoing(goal.original, goal.undo.revision))
        mirror = self._backoff.retry(
            lambda: self._cluster.mirror(goal.names, poll_interval=self._poll_interval)
        )
        try:
            return self._to_an_end(goal, mirror)
        except (ApiError, ConfigError) as error:
            # A right that is missing, a credential plugin that fails: half way it is no reason to give up.
            if self._executor.wrote or goal.resuming:
                raise halted(error, self._cluster, mirror, self._snapshot, self._clock) from error
            raise
        except UnreadableError as error:
            if self._executor.wrote:
                raise StoppedError(f"{error.what}; stopping", hint=error.advice) from error
            raise
        finally:
            mirror.close()

    def _to_an_end(self, goal: Goal, mirror: Mirror) -> Outcome:
        """Whatever ends it, nothing stays held for evictions."""
        look = lambda: self._look(mirror, goal)  # noqa: E731
        with letting_go(self._policy, look, self._executor, mirror, self._clock):
            return self._loop(goal, mirror)

    def _loop(self, goal: Goal, mirror: Mirror) -> Outcome:
        looked_again = False
        while True:
            step = self._next(mirror, goal)
            if isinstance(step, Stop):
                if isinstance(step.error, FailureError) and not looked_again:
                    # It may be this client that stood still (a suspended job, a paused machine).
                    looked_again = True
                    self._backoff.retry(lambda: [mirror.refresh(name) for name in goal.names])
                    continue
                vanished = self._snapshot.rollout is None
                raise (deleted(self._cluster, vanished=lambda: True) if vanished else None) or step.error
            looked_again = False
            if not self._carry_out(step, goal, mirror):
                continue
            if isinstance(step, Withdraw):
                raise step.error
            if isinstance(step, Park):
                return self._ended(End.PAUSED, owner=mirror.get(goal.successor))
            if isinstance(step, Done) or (isinstance(step, DeleteLast) and not step.lingers):
                return self._ended(End.FINISHED, owner=step.owner.raw)

    def _asked(self) -> tuple[Goal, Verdict]:
        """What is to be done, and what the server thinks of it.

        Where the new controller has come into being between the look and the question, another client has
        been quicker: then what is there is looked at anew, and perhaps that update is joined.
        """
        look = None if self._pods.intent.only_back else Look(self._cluster)
        for again in (True, False):
            controllers = self._before = self._backoff.retry(lambda: survey(self._cluster))
            goal = self._pods.aimed(self._aim, controllers)
            if goal.target is None or goal.original not in controllers:
                break
            if look is not None:
                look.ask(goal)
            try:
                goal, verdict = self._pods.weighed(self._aim, goal, controllers)
            except ApiError as error:
                if not error.is_already_exists:
                    raise
                if not again:
                    raise taken_name(goal) from error
            else:
                if look is not None and not verdict.same:
                    look.check(goal, controllers, verdict.created, self._tell, self._backoff.retry)
                return goal, verdict
        return goal, Verdict()

    def _aim(self, controllers: Mapping[str, Controller]) -> Goal:
        goal = aim(self._pods.intent, self._policy, controllers, self._revisions)
        self._goal = self._pods.noted(goal)
        return self._goal

    def _revisions(self, controller: Controller, *, for_a_hint: bool = False) -> tuple[Revision, ...]:
        try:
            return self._backoff.retry(lambda: history_of(self._cluster, controller))
        except ApiError as error:
            if not (for_a_hint and error.is_forbidden):
                raise
            return ()

    def _reviewed(self, review: Callable[[Preview], None], goal: Goal, created: Json | None) -> Goal:
        """The same goal once it was looked at. Where it has become another one meanwhile, what was looked
        at is not what would be done: RefusedError."""
        shown = preview(goal, self._before, created)
        review(shown)
        self._before = self._backoff.retry(lambda: survey(self._cluster))
        again = self._aim(self._before)
        same = (again.successor, again.rollback) == (goal.successor, goal.rollback)
        if not same or preview(again, self._before, created if again.target else None) != shown:
            raise changed_meanwhile(goal.original)
        self._session = Session(started=self._clock.now(), progress_at=self._clock.now())
        return again

    def _idle(self, now: float) -> float:
        return self._session.idle(now)

    # --- observe and decide ---

    def _look(self, mirror: Mirror, goal: Goal) -> Context:
        snapshot = self._snapshot = Snapshot(
            old=_parse(mirror.get(goal.original)),
            new=_parse(mirror.get(goal.successor)),
            searched=self._executor.searched,
            pods=tuple(self._executor.found),
            owned=self._executor.owned,
            looks=tuple(self._executor.evictor.looks.values()),
            superseded=tuple(filter(None, (_parse(mirror.get(name)) for name in goal.superseded))),
        )
        now = self._clock.now()
        self._session = observe(self._session, snapshot, goal, now)
        return Context(goal, self._session, now, snapshot)

    def _next(self, mirror: Mirror, goal: Goal) -> Step:
        context = self._look(mirror, goal)
        step = decide(context.snapshot, goal, self._session, context.now)
        self._tell_progress(step, goal)
        return step

    def _tell_progress(self, step: Step, goal: Goal) -> None:
        here = progress(self._snapshot, goal, self._session, step, self._clock.now(), self._progress)
        if here is not None:
            self._progress = here
            self._tell(here)

    # --- carry out ---

    def _carry_out(self, step: Step, goal: Goal, mirror: Mirror) -> bool:
        """One step, and what is to be told of it; after trouble True only if it was carried out."""
        if isinstance(step, DeleteLast):
            self._session = replace(self._session, deleting=step)
        try:
            if not self._done(step, goal, mirror):
                return False
        except NotAllowed as refusal:
            self._session = refused(self._session, step, refusal.why)
            return False
        if not isinstance(step, Looking | Emit):
            self._backoff.recovered()
        self._session = apply(self._session, step, self._clock.now())
        for event in step.events:
            self._tell(event)
        if isinstance(step, Emit) and step.planned:
            tell_budgets(self._cluster, self._snapshot.rollout, goal, self._tell)
        return True

    def _done(self, step: Step, goal: Goal, mirror: Mirror) -> bool:
        try:
            match step:
                case Wait():
                    self._wait(step, goal, mirror)
                case Verify(controller=controller):
                    self._verify(controller, goal, mirror)
                case Rehearse():
                    self._session = rehearsed(self._session, rehearse(self._cluster, step))
                case LookAtPods() | Evict() | TouchPods():
                    evictor = self._executor.evictor
                    self._session = evictor.carry_out(step, self._session, mirror, self._clock)
                case FindAdopters():
                    self._session = replace(self._session, adopters=find_adopters(self._cluster, step))
                case FindScaler(controller=controller):
                    self._session, told = contested(self._session, controller, self._cluster)
                    self._tell(told)
                case _:
                    self._executor.execute(step, mirror, self._clock.now())
        except ClusterError as error:
            self._executor.doubt()
            done = took_effect(step, error, goal.names, mirror, self._backoff)
            if not (done or isinstance(error, UnreachableError)):
                self._session = replace(self._session, deleting=None)
            return done
        return True

    def _verify(self, controller: Controller, goal: Goal, mirror: Mirror) -> None:
        if self._check is not None:
            batch = batch_of(
                self._cluster.namespace, goal.original, _parse(mirror.get(goal.original)), controller
            )
            problem = checked(self._check, batch, self._tell, self._policy.on_failure)
            self._session = verified(self._session, controller, problem, self._clock.now())

    def _wait(self, step: Wait, goal: Goal, mirror: Mirror) -> None:
        now = self._clock.now()
        if step.until is not None:
            self._explainer.explain(step, self._session, now)
            mirror.wait(max(SHORTEST_WAIT, min(LONGEST_WAIT, step.until - now)))
            return
        idle, quiet = self._session.idle(now), now - self._session.progress_at
        limits = [LONGEST_WAIT]
        if self._policy.timeout > idle:
            limits.append(self._policy.timeout - idle)
        if quiet < EXPLAIN_AFTER:
            limits.append(EXPLAIN_AFTER - quiet)
        if step.waiting_for is not None:
            due = max(self._session.progress_at, self._looked_at) + INSPECT_EVERY
            if due <= now:
                self._looked_at = now
                diagnosis = self._inspector.look(step.waiting_for, last_write(self._snapshot.controllers))
                self._session = diagnosed(self._session, diagnosis, self._clock.now())
                self._tell_progress(step, goal)
                # With room in a quota there is something to do at once.
                due = now if diagnosis.room else now + INSPECT_EVERY
            limits.append(due - now)
        self._explainer.explain(step, self._session, now)
        if looks_deleted(self._snapshot, self._session.diagnosis):
            gone = deleted(self._cluster)
            if gone is not None:
                raise gone
        mirror.wait(max(SHORTEST_WAIT, min(limits)))


def _parse(raw: Json | None) -> Controller | None:
    return None if raw is None else Controller.parse(raw)
