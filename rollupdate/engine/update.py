"""The loop: observe everything, decide, make at most one write, observe again.

A conflict is no error and not retried in place: the world is looked at again and the decision made anew.
A write whose answer was lost is found out by looking. The loop waits for the cluster in one place only.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from jsonpatch import make_patch

from rollupdate.core.controller import Controller, owner_uid
from rollupdate.core.decide import decide
from rollupdate.core.disruption import broken_budgets
from rollupdate.core.history import Revision
from rollupdate.core.phases.session import Session, after, diagnosed, seen, verified
from rollupdate.core.phases.steps import (
    Announce,
    Create,
    Delete,
    DeleteLast,
    Done,
    Keep,
    Label,
    Patch,
    PodSearch,
    Rest,
    Search,
    Snapshot,
    Step,
    Stop,
    Verify,
    Wait,
)
from rollupdate.core.plan.aim import aim
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.core.plan.preview import Preview, preview
from rollupdate.core.plan.refusals import taken_name
from rollupdate.core.progress import progress
from rollupdate.core.rollout import Rollout
from rollupdate.engine.history import history_of, write_history
from rollupdate.engine.inspection import Inspector
from rollupdate.engine.patience import SHORTEST_WAIT, Patience, away, passing
from rollupdate.engine.ports import Batch, Clock, Cluster, Json, JsonPatch, Mirror
from rollupdate.engine.preflight import Verdict, preflight
from rollupdate.errors import (
    ApiError,
    ClusterError,
    ConfigError,
    FailureError,
    RefusedError,
    StoppedError,
    UnreachableError,
    UnreadableError,
)
from rollupdate.events import (
    BudgetBroken,
    Event,
    HistoryNotKept,
    Progress,
    Undoing,
    UpToDate,
    Verified,
    Verifying,
    Waiting,
)

_T = TypeVar("_T")
Observer = Callable[[Event], None]

LABELLING_THREADS = 16
"""Pods labelled at once; the server's own flow control (429) is honoured on top of it."""
LOOK_EVERY = 3.0
"""Seconds without progress after which the new pods are looked at, and between two such looks."""
EXPLAIN_AFTER = 10.0
"""Seconds without progress after which a wait is told of whose cause is not known."""
LONGEST_WAIT = 30.0
"""Seconds: the loop looks again at least that often, whatever the watch says."""
HISTORY_TRIES = 8
"""How often the history is tried to be written, where the trouble may pass."""


def survey(cluster: Cluster) -> dict[str, Controller]:
    """Every ReplicationController of the namespace, by name."""
    found = (Controller.parse(raw) for raw in cluster.list_controllers())
    return {each.name: each for each in found}


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
        check: Callable[[Batch], str | None] | None = None,
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
        self._intent, self._policy = intent, policy
        self._tell = observer
        self._poll_interval = poll_interval
        self._check = check
        self._review = review
        self._shield = shield
        self._wall = wall
        self._history_tries = 0
        self._session = Session(started=clock.now(), progress_at=clock.now())
        self._searched: PodSearch | None = None
        self._found: dict[str, Json] = {}
        self._patience = Patience(clock, observer, policy.timeout, lambda: self._session.progress_at, jitter)
        self._explained: tuple[str, str] | None = None
        self._inspector = Inspector(cluster)
        self._looked_at = clock.now()
        self._snapshot = Snapshot(None, None)
        self._progress: Progress | None = None
        """What was told last."""
        self.written = False
        """Whether the cluster was changed, or may have been."""
        self.failed = False
        """Whether it stopped because the new pods fail, or because nothing moved any more."""
        self.paused = False
        """Whether it rests where it was asked to pause."""
        self.goal: Goal | None = None
        """What is being done, once that is known."""
        self.before: dict[str, Controller] = {}
        """All controllers of the namespace as they were at the first look, by name."""
        self.last_seen: tuple[Controller, ...] = ()
        """The old and the new controller at the last look, those that there were."""

    def run(self) -> Json:
        """The controller that holds the pods at the end.

        Raises RefusedError or UsageError before anything was written, StoppedError where the update can
        be continued, and other errors of ``rollupdate.errors``.
        """
        goal, verdict = self._asked()
        if verdict.same:
            original = self.before[goal.original]
            self._tell(UpToDate(original.name, original.raw))
            return original.raw
        if self._review is not None:
            goal = self.goal = self._reviewed(self._review, goal, verdict.created)
        if goal.undo is not None and not goal.rollback:
            self._tell(Undoing(goal.original, goal.undo.revision))
        mirror = self._patience.insist(
            lambda: self._cluster.mirror(_names(goal), poll_interval=self._poll_interval)
        )
        looked_again = False
        try:
            while True:
                step = self._next(mirror, goal)
                if isinstance(step, Stop) and isinstance(step.error, FailureError) and not looked_again:
                    # It may be this client that stood still (a suspended job, a paused machine).
                    looked_again = True
                    self._patience.insist(lambda: [mirror.refresh(name) for name in _names(goal)])
                    continue
                looked_again = False
                if isinstance(step, Stop):
                    self.failed = isinstance(step.error, FailureError)
                    raise step.error
                if not self._carry_out(step, mirror):
                    continue
                if isinstance(step, Rest):
                    self.paused = True
                    return mirror.get(goal.successor) or {}
                if isinstance(step, (Done, DeleteLast)):
                    return step.owner.raw
        except (ApiError, ConfigError) as error:
            # A right that is missing, a credential plugin that fails: half way it is no reason to give up.
            if self.written or goal.resuming:
                raise StoppedError(error.message, hint=error.hint) from error
            raise
        except UnreadableError as error:
            if self.written:
                raise StoppedError(f"{error.what}; this command stops here", hint=error.hint) from error
            raise
        finally:
            mirror.close()

    def _asked(self) -> tuple[Goal, Verdict]:
        """What is to be done, and what the server thinks of it.

        Where the new controller has come into being between the look and the question, another client has
        been quicker: then what is there is looked at anew, and perhaps that update is joined.
        """
        for again in (True, False):
            controllers = self.before = self._patience.insist(lambda: survey(self._cluster))
            goal = self.goal = self._aim(controllers)
            if goal.target is None or goal.original not in controllers:
                break
            try:
                return goal, self._patience.insist(
                    partial(preflight, self._cluster, goal, controllers[goal.original])
                )
            except ApiError as error:
                if not error.is_already_exists:
                    raise
                if not again:
                    raise taken_name(goal) from error
        return goal, Verdict()

    def _aim(self, controllers: dict[str, Controller]) -> Goal:
        return aim(self._intent, self._policy, controllers, self._revisions)

    def _revisions(self, controller: Controller, *, for_a_hint: bool = False) -> tuple[Revision, ...]:
        try:
            return self._patience.insist(lambda: history_of(self._cluster, controller))
        except ApiError as error:
            if not (for_a_hint and error.is_forbidden):
                raise
            return ()

    def _reviewed(self, review: Callable[[Preview], None], goal: Goal, created: Json | None) -> Goal:
        """The same goal once it was looked at. Where it has become another one meanwhile, what was looked
        at is not what would be done: RefusedError."""
        shown = preview(goal, self.before, created)
        review(shown)
        self.before = self._patience.insist(lambda: survey(self._cluster))
        again = self._aim(self.before)
        same = (again.successor, again.rollback) == (goal.successor, goal.rollback)
        if not same or preview(again, self.before, created if again.target else None) != shown:
            raise RefusedError(
                f'replicationcontroller "{goal.original}" was changed by somebody else meanwhile; this '
                "command has changed nothing",
                hint="run it again to look at what it would do now",
            )
        self._session = Session(started=self._clock.now(), progress_at=self._clock.now())
        return again

    # --- observe and decide ---

    def _next(self, mirror: Mirror, goal: Goal) -> Step:
        snapshot = self._snapshot = Snapshot(
            old=_parse(mirror.get(goal.original)),
            new=_parse(mirror.get(goal.successor)),
            searched=self._searched,
            pods=tuple(self._found),
            superseded=_there(_parse(mirror.get(name)) for name in goal.superseded),
        )
        self.last_seen = snapshot.controllers
        now = self._clock.now()
        self._session = seen(self._session, snapshot, goal, now)
        step = decide(snapshot, goal, self._session, now)
        self._tell_progress(step, goal)
        return step

    def _tell_progress(self, step: Step, goal: Goal) -> None:
        here = progress(self._snapshot, goal, self._session, step, self._clock.now(), self._progress)
        if here is not None:
            self._progress = here
            self._tell(here)

    # --- carry out ---

    def _carry_out(self, step: Step, mirror: Mirror) -> bool:
        """One step, and what is to be told of it; after trouble True only if it was carried out."""
        if isinstance(step, DeleteLast):
            self._session = replace(self._session, deleting=step)
        try:
            self._try(step, mirror)
        except ClusterError as error:
            self._searched, self._found = None, {}  # what was found may be so no more
            if not self._done_all_the_same(step, error, mirror):
                if not isinstance(error, UnreachableError):
                    self._session = replace(self._session, deleting=None)
                return False
        self._patience.recovered()
        self._session = after(self._session, step, self._clock.now())
        for event in step.events:
            self._tell(event)
        if isinstance(step, Announce) and step.floor is not None:
            self._look_at_budgets(step.floor)
        return True

    def _try(self, step: Step, mirror: Mirror) -> None:
        match step:
            case Create(manifest=manifest):
                with self._writing():
                    mirror.put(self._cluster.create_controller(manifest))
                if self.goal is not None:  # a creation is conditional on nothing: look whether it still fits
                    mirror.refresh(self.goal.original)
            case Patch(controller=controller, desired=wanted):
                with self._writing():
                    mirror.put(
                        self._cluster.patch_controller(controller.name, conditional_patch(controller, wanted))
                    )
            case Delete(controller=controller):
                with self._writing():
                    self._cluster.delete_controller(
                        controller.name,
                        uid=controller.uid,
                        resource_version=controller.resource_version,
                    )
                mirror.forget(controller.name, controller.uid)
            case Keep():
                self._keep(step)
            case Search(search=search):
                self._search(search)
            case Label(key=key, value=value):
                with self._writing():
                    self._label(key, value)
            case Wait():
                self._wait(step, mirror)
            case Verify(controller=controller):
                self._verify(controller, mirror)
            case Announce() | Done() | Rest():
                pass

    def _writing(self) -> AbstractContextManager[None]:
        self.written = True
        return self._shield()

    def _keep(self, step: Keep) -> None:
        """The history is worth a few tries, but no update fails for it."""
        try:
            with self._writing():
                write_history(self._cluster, step, self._wall())
        except ClusterError as error:
            self._history_tries += 1
            if passing(error) and self._history_tries < HISTORY_TRIES:
                raise
            self._tell(HistoryNotKept(step.owner.name, error.message, error.hint))

    def _search(self, search: PodSearch) -> None:
        pods = self._cluster.list_pods(search.selector, identity_only=True)
        self._found = {
            pod["metadata"]["name"]: pod
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp") and owner_uid(pod) == search.owner_uid
        }
        self._searched = search

    def _label(self, key: str, value: str | None) -> None:
        """All pods found, in parallel. A pod that is gone meanwhile needs no label."""

        def label(pod: Json) -> ClusterError | None:
            try:
                self._cluster.patch_pod(pod["metadata"]["name"], label_patch(pod, key, value))
            except ApiError as error:
                return None if error.is_not_found else error
            except ClusterError as error:
                return error
            return None

        pods = list(self._found.values())
        with ThreadPoolExecutor(max_workers=min(LABELLING_THREADS, len(pods))) as pool:
            problems = [problem for problem in pool.map(label, pods) if problem is not None]
        if problems:
            self._searched = None  # some have it, some have not: look which
            self._found = {}
            raise problems[0]
        self._found = {}

    def _verify(self, controller: Controller, mirror: Mirror) -> None:
        goal = self.goal
        if goal is None or self._check is None:
            return
        original = _parse(mirror.get(goal.original))
        self._tell(Verifying(controller.name, controller.available))
        problem = self._check(
            Batch(
                namespace=self._cluster.namespace,
                old_name=goal.original,
                new_name=controller.name,
                old_replicas=original.replicas if original else 0,
                old_available=original.available if original else 0,
                new_replicas=controller.replicas,
                new_available=controller.available,
                target=Rollout(original, controller).sizes.desired if original else controller.replicas,
            )
        )
        self._session = verified(self._session, controller, problem, self._clock.now())
        self._tell(Verified(controller.name, controller.available, problem))
        if problem is not None and self._policy.on_failure == "wait":
            self._tell(Waiting(f"the check of {controller.name} failed: {problem}; it is run again", 0.0))

    def _wait(self, step: Wait, mirror: Mirror) -> None:
        now = self._clock.now()
        if step.until is not None:
            mirror.wait(max(SHORTEST_WAIT, step.until - now))
            return
        idle = now - self._session.progress_at
        limits = [LONGEST_WAIT]
        if self._policy.timeout > idle:
            limits.append(self._policy.timeout - idle)
        if idle < EXPLAIN_AFTER:
            limits.append(EXPLAIN_AFTER - idle)
        if step.about is not None:
            due = max(self._session.progress_at, self._looked_at) + LOOK_EVERY
            if due <= now:
                self._looked_at = now
                diagnosis = self._inspector.look(step.about)
                self._session = diagnosed(self._session, diagnosis, self._clock.now())
                if self.goal is not None:
                    self._tell_progress(step, self.goal)
                due = now + LOOK_EVERY
            limits.append(due - now)
        self._explain(step, idle)
        mirror.wait(max(SHORTEST_WAIT, min(limits)))

    def _look_at_budgets(self, floor: int) -> None:
        """A word on each PodDisruptionBudget that the update falls short of by its --max-unavailable."""
        goal, rollout = self.goal, self._snapshot.rollout
        if goal is None or rollout is None or not self._policy.budget.max_unavailable.value:
            return
        try:
            budgets = self._cluster.list_disruption_budgets()
        except ClusterError:
            return  # it is only a word, and the right to look need not be there
        for name, asked in broken_budgets(budgets, rollout, goal):
            self._tell(BudgetBroken(name, asked, floor))

    def _explain(self, step: Wait, idle: float) -> None:
        """Say why it waits: at once where the cause is known, else after a while; again when it changes."""
        diagnosis = self._session.diagnosis
        cause = diagnosis.text
        if cause is None and idle < EXPLAIN_AFTER:
            return
        said = (diagnosis.gist, "" if cause else step.reason)
        if said != self._explained:
            self._explained = said
            self._tell(Waiting("; ".join(each for each in (step.reason, cause) if each), idle))

    # --- trouble ---

    def _done_all_the_same(self, step: Step, error: ClusterError, mirror: Mirror) -> bool:
        """Look at the cluster after a failed step. True where it turns out to have been carried out.

        Raises what will not pass by itself, and what has lasted for --timeout.
        """
        self._patience.consider(error)
        goal = self.goal
        if goal is None:
            return False
        names = _names(goal)
        known = isinstance(error, ApiError) and not error.is_transient
        if isinstance(step, Patch) and not known:
            # The other one is watched as before. But where somebody else was quicker, what we have seen
            # of one must not be older than what we see of the other.
            names = [step.controller.name]
        while True:
            try:
                looked = [mirror.refresh(name) for name in names]
                break
            except ClusterError as again:
                if isinstance(again, ApiError) and not again.is_transient:
                    raise
                self._patience.consider(again)
        here = {raw["metadata"]["uid"]: raw for raw in looked if raw is not None}
        unknown = away(error)  # only then may it have taken effect
        refused = isinstance(error, ApiError) and error.is_invalid
        match step:
            case Patch(controller=controller, desired=wanted):
                present = here.get(controller.uid)
                if present is None:
                    return False
                if refused and present["metadata"].get("resourceVersion") == controller.resource_version:
                    raise error  # nobody else was there: it is the write itself that is refused
                return unknown and _holds(present, wanted)
            case Create(manifest=manifest):
                if refused:
                    raise error
                return unknown and any(_holds(raw, manifest) for raw in here.values())
            case _:
                return False  # of a Delete the decision itself finds out what has become of it


def conditional_patch(controller: Controller, wanted: Json) -> JsonPatch:
    """The JSON Patch (RFC 6902) from the object as decided on, valid for just that version of it."""
    operations: JsonPatch = list(make_patch(controller.raw, wanted))
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": controller.resource_version}
    return [test, *operations]


def label_patch(pod: Json, key: str, value: str | None) -> JsonPatch:
    """One label of one pod, set or (None) taken off; valid for that very pod, not for one of its name."""
    path = "/metadata/labels/" + key.replace("~", "~0").replace("/", "~1")
    operation: dict[str, Any] = {"op": "remove", "path": path}
    if value is not None:
        operation = {"op": "add", "path": path, "value": value}
    return [{"op": "test", "path": "/metadata/uid", "value": pod["metadata"]["uid"]}, operation]


def _names(goal: Goal) -> list[str]:
    """All controllers that the goal is about."""
    return [goal.original, goal.successor, *goal.superseded]


def _there(controllers: Iterable[Controller | None]) -> tuple[Controller, ...]:
    return tuple(each for each in controllers if each is not None)


def _parse(raw: Json | None) -> Controller | None:
    return None if raw is None else Controller.parse(raw)


def _holds(present: Json, wanted: Json) -> bool:
    """Whether everything that was to be written is there (what the server adds may be there as well)."""
    if isinstance(wanted, dict):
        skipped = {"status", "resourceVersion", "generation", "managedFields", "creationTimestamp"}
        return isinstance(present, dict) and all(
            key in present and _holds(present[key], value)
            for key, value in wanted.items()
            if key not in skipped
        )
    if isinstance(wanted, list):
        return (
            isinstance(present, list)
            and len(present) == len(wanted)
            and all(_holds(*pair) for pair in zip(present, wanted, strict=True))
        )
    return bool(present == wanted)
