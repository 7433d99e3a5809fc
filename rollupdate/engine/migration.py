"""The loop of a migration: look at everything, decide, write, look again.

The objects are few, and each wait is for a controller of the cluster that acts within moments: they are read
by name, without a watch. Every write is conditional; what became of one whose answer was lost, or that came
too late, is seen by the next look.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from rollupdate.core.migration.decide import decide
from rollupdate.core.migration.refusals import not_to_be_written
from rollupdate.core.migration.scene import Ended, Goal, LastWrite, Scene, Session, observed
from rollupdate.core.model import config as configs
from rollupdate.core.model.config import Config
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.history import Revision, Write, revisions, selector
from rollupdate.core.phases.steps import ListPods, Move, PodList, Step, Stop, Wait, WriteObjects
from rollupdate.engine.backoff import Backoff
from rollupdate.engine.executor import conditional
from rollupdate.engine.explaining import Reminder
from rollupdate.engine.moving import NotAllowed, list_owned, move
from rollupdate.engine.outcome import End
from rollupdate.engine.ports import Clock, Objects
from rollupdate.engine.repeated import Changes
from rollupdate.errors import (
    ApiError,
    ClusterError,
    ConfigError,
    InterruptedBySignal,
    StoppedError,
    UnreadableError,
)
from rollupdate.events import Arranged, Event, Waiting
from rollupdate.objects import (
    AUTOSCALER,
    CONFIG,
    CONTROLLER,
    DEPLOYMENT,
    REPLICA_SET,
    REVISION,
    Json,
    Kind,
    kind_of,
)

_T = TypeVar("_T")

LOOK_AGAIN = (0.02, 1.0)
"""Seconds between two looks while nothing changes: at first, and at most."""
TELL_AFTER = 3.0
"""Seconds without progress after which it is told what is waited for; again as :class:`Reminder` has it."""
_AGAIN = ("held", "paused")
"""What is done again where another client takes it off, but not for ever."""
THREADS = 8
"""Requests at once, of a look and of writes that do not depend on each other."""


@dataclass(frozen=True, kw_only=True)
class Migrating:
    """What a run came to."""

    end: End
    wrote: bool
    """Whether the cluster was changed, or may have been."""
    goal: Goal
    scene: Scene
    """As seen last."""
    why: str = ""
    """Why it went back of itself; empty if it did not."""
    error: BaseException | None = None

    @property
    def begun(self) -> bool:
        """There is something to resume, or to go back from."""
        return self.wrote or self.goal.found

    @property
    def gave_up(self) -> bool:
        """It went all the way back of itself, which nobody had asked for."""
        return self.end is End.FINISHED and bool(self.why) and not self.goal.rollback

    @property
    def arrived_up(self) -> bool:
        """The Deployment has the pods."""
        return self.goal.upwards != self.gave_up


class MigrationRun:
    """One run, from the first look to the end."""

    def __init__(
        self,
        cluster: Objects,
        clock: Clock,
        goal: Goal,
        observer: Callable[[Event], None],
        *,
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``shield``: what is entered around each write, so that an interruption waits for its answer."""
        self._cluster, self._clock, self._goal = cluster, clock, goal
        self._tell, self._shield = observer, shield
        now = clock.now()
        self._session = Session(progress_at=now)
        self._backoff = Backoff(clock, observer, goal.timeout, self._idle, jitter)
        self._changes = Changes()
        self._migration = goal.migration
        """As last seen."""
        self._pods: PodList | None = None
        self._scene = Scene(controller=None)
        self._pause = LOOK_AGAIN[0]
        self._told = ""
        """What was told last to be waited for, since something was written."""
        self._reminder = Reminder()
        self._wrote = False

    def _idle(self, now: float) -> float:
        return self._session.idle(now)

    def run(self) -> Migrating:
        """Raises other errors of ``rollupdate.errors`` if nothing was written."""
        try:
            while True:
                if self._advance():
                    return self._ended(End.FINISHED)
        except StoppedError as error:
            return self._ended(End.STOPPED, error)
        except (ApiError, ConfigError, UnreadableError) as error:
            if not (self._wrote or self._session.begun):
                raise
            return self._ended(End.STOPPED, StoppedError(error.message, hint=error.advice))
        except (InterruptedBySignal, KeyboardInterrupt) as interruption:
            return self._ended(End.INTERRUPTED, interruption)
        except OSError as error:  # an event could not be told: the cluster's errors are ClusterErrors
            return self._ended(End.STOPPED, error)

    def _ended(self, end: End, error: BaseException | None = None) -> Migrating:
        return Migrating(
            end=end,
            wrote=self._wrote,
            goal=self._goal,
            scene=self._scene,
            why=self._session.turned,
            error=error,
        )

    def _advance(self) -> bool:
        """One look and one step. True at the end."""
        try:
            self._scene = self._look()
            now = self._clock.now()
            self._session = observed(self._session, self._scene, self._goal, now)
            step = decide(self._scene, self._goal, self._session, now)
            if isinstance(step, Ended):
                self._tell_all(step.events)
                return True
            if isinstance(step, Stop):
                raise step.error
            self._carry_out(step, now)
        except NotAllowed as refusal:
            self._refused(step, refusal.why)
        except ClusterError as error:
            self._pods = None
            self._backoff.handle(error)
        else:
            self._backoff.recovered()
        return False

    # --- look ---

    def _look(self) -> Scene:
        known = self._migration
        selecting = label_selector(known.deployment["spec"]["selector"].get("matchLabels") or {})
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            find = self._cluster.find
            one = pool.submit(find, CONTROLLER, self._goal.name)
            two = pool.submit(find, REPLICA_SET, known.replica_set)
            three = pool.submit(find, DEPLOYMENT, known.name)
            sets = pool.submit(listed, self._cluster, REPLICA_SET, selecting)
            scalers = pool.submit(listed, self._cluster, AUTOSCALER)
            around = None if known.config is None else pool.submit(self._around, known.config.name)
            seen = self._scene.controller  # its history can be read beside it if it is still the same
            beside = None if seen is None else pool.submit(self._history, seen)
            controller = _parsed(Controller.parse, one.result())
            replica_set = _parsed(Controller.parse, two.result())
            deployment = _parsed(Deployment.parse, three.result())
            others = (Controller.parse(raw) for raw in sets.result())
            autoscalers = tuple(scalers.result())
            config, rollouts = (None, ()) if around is None else around.result()
            if controller is None:
                kept: tuple[Revision, ...] = ()
            elif beside is not None and seen is not None and seen.uid == controller.uid:
                kept = beside.result()
            else:
                kept = self._history(controller)
        if controller is not None and controller.record.migration is not None:
            self._migration = controller.record.migration
        if known.config is not None and known.to_deployment:
            kept = configs.revisions(rollouts)
        elif known.config is not None and self._migration.upwards:
            kept = configs.restored(kept, rollouts)
        owner = None if deployment is None else deployment.uid
        return Scene(
            controller=controller,
            config=config,
            rollouts=rollouts,
            replica_set=replica_set,
            deployment=deployment,
            others=tuple(
                other
                for other in others
                if owner and owner_uid(other.raw) == owner and other.name != known.replica_set
            ),
            autoscalers=autoscalers,
            revisions=kept,
            pods=self._pods,
        )

    def _around(self, name: str) -> tuple[Config | None, tuple[Controller, ...]]:
        """The DeploymentConfig, and its controllers."""
        found = _parsed(Config.parse, self._cluster.find(CONFIG, name))
        listing = self._cluster.list_all(CONTROLLER, f"{configs.OF_CONFIG}={name}")
        own = configs.rollouts(name, map(Controller.parse, listing))
        return (None if found is None or found.deleting else found), own

    def _history(self, controller: Controller) -> tuple[Revision, ...]:
        return history(self._cluster, controller)

    # --- carry out ---

    def _carry_out(self, step: Step, now: float) -> None:
        match step:
            case Wait():
                self._wait(step, now)
                return
            case ListPods():
                self._pods = list_owned(self._cluster, step, now)
                return
            case Move():
                owned, self._pods = self._pods, None
                assert owned is not None, "the decision was made on it"
                with self._writing():
                    self._pods = move(self._cluster, step, self._again, owned)
            case WriteObjects(writes=writes) if name := self._changes.contested(writes):
                self._session = replace(self._session, contested=name)
                return
            case WriteObjects(writes=writes, closing=closing):
                # Before it is known whether it has worked: a mark that is not there is not put on again.
                self._session = replace(self._session, closing=self._session.closing or closing)
                with self._writing():
                    self._write_all(writes)
                self._changes.made(writes)
        arranged = [event for event in step.events if isinstance(event, Arranged)]
        held = any(event.act in _AGAIN for event in arranged)
        moved = next((event.pods for event in arranged if event.act == "moved"), self._session.moved)
        if any(event.act == "turned" for event in arranged):
            self._changes = Changes()
            self._session = replace(self._session, contested="")
        self._session = replace(
            self._session,
            progress_at=self._clock.now(),
            holds=self._session.holds + held,
            moved=moved,
        )
        self._pause, self._told = LOOK_AGAIN[0], ""
        if isinstance(step, LastWrite):
            self._session = replace(self._session, parting=step.events)
        else:
            self._tell_all(step.events)

    def _tell_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._tell(event)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        begun = self._wrote or self._session.begun
        with self._shield():  # where it does not let in, nothing has been written
            self._wrote = True
            try:
                yield
            except ApiError as error:
                if begun or not error.is_for_good:
                    raise
                self._wrote = False
                there = self._scene.controller is not None
                raise not_to_be_written(CONTROLLER, self._goal.name, error, there=there) from error

    def _again(self, claim: Controller) -> Json | None:
        return self._cluster.find(claim.kind, claim.name)

    def _write_all(self, writes: tuple[Write, ...]) -> None:
        if len(writes) == 1:
            self._write(writes[0])
            return
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            list(pool.map(self._write, writes))

    def _write(self, write: Write) -> None:
        before, after = write.before, write.after
        if before is None:
            assert after is not None
            self._cluster.create(kind_of(after), after)
            return
        kind, meta = kind_of(before), before["metadata"]
        if after is None:
            version = meta["resourceVersion"]
            self._cluster.delete(kind, meta["name"], uid=meta["uid"], resource_version=version)
        else:
            self._cluster.patch(kind, meta["name"], conditional(before, after))

    def _refused(self, step: Step, why: str) -> None:
        if isinstance(step, Move) and step.back:
            self._session = replace(self._session, not_returned=why)
        else:
            self._session = replace(self._session, not_moved=why)

    def _wait(self, step: Wait, now: float) -> None:
        if now - self._session.progress_at >= TELL_AFTER:
            new = step.reason != self._told
            if new:
                self._told = step.reason
                self._reminder.told(now)
            if new or self._reminder.again(now):
                self._tell(Waiting(step.reason, self._idle(now), self._session.staying.available_in(now)))
        self._clock.sleep(self._pause)
        self._pause = min(LOOK_AGAIN[1], self._pause * 1.5)


def listed(cluster: Objects, kind: Kind, selecting: str = "") -> list[Json]:
    return seen(lambda: cluster.list_all(kind, selecting))


def seen(look: Callable[[], list[Json]]) -> list[Json]:
    """Nothing where this client may not look, or there is no such kind."""
    try:
        return look()
    except ApiError as error:
        if error.is_forbidden or error.is_not_found:
            return []
        raise


def history(cluster: Objects, controller: Controller) -> tuple[Revision, ...]:
    """That of the controller, as far as this client may look."""
    return revisions(listed(cluster, REVISION, selector([controller.uid])))


def _parsed(parse: Callable[[Json], _T], raw: Json | None) -> _T | None:
    return None if raw is None else parse(raw)
