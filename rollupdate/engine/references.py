"""Looking for what selects the pods of a controller, or names it (``core.plan.references``).

The look is begun before the first list of controllers is there and waited for before the first write, so it
costs no time of its own. A kind that this client may not list is left out, with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain

from rollupdate.ahead import Ahead
from rollupdate.core.model.controller import Controller, owner_of
from rollupdate.core.model.rollout import Rollout
from rollupdate.core.phases.session import Session
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.guarded import refuse_two_budgets
from rollupdate.core.plan.references import (
    AUTOSCALER,
    BUDGET,
    KINDS,
    concerning,
    is_checked,
    names,
    refuse_losing,
)
from rollupdate.core.status import disruption
from rollupdate.engine.backoff import Retry, taken
from rollupdate.engine.ports import Cluster
from rollupdate.engine.room import RoomLook
from rollupdate.errors import ApiError, ClusterError
from rollupdate.events import Event, ReferencesUnseen, SizeContested
from rollupdate.objects import Json


class Look:
    """Of one run: begun at once, one request for each kind, all at the same time."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._begun = {kind: Ahead(partial(cluster.list_referring, kind)) for kind in KINDS}
        self._room = RoomLook(cluster)

    def ask(self, goal: Goal) -> None:
        """What the server is asked about the goal, to be answered by the time of :meth:`check`."""
        if is_checked(goal):
            self._room.ask(goal)

    def check(
        self,
        goal: Goal,
        controllers: Mapping[str, Controller],
        created: Json | None,
        tell: Callable[[Event], None],
        retry: Retry,
    ) -> None:
        """Tells what is short: budgets and room. ``controllers``: of the namespace; ``created``: the new one
        as the server would store it. Raises RefusedError if something would lose its pods or its target, or
        if no new pod can ever be made."""
        if not is_checked(goal):
            return
        shrinking = [controllers[name] for name in (goal.original, *goal.superseded)]
        found: dict[str, list[Json]] = {}
        unseen: dict[str, str] = {}
        for kind in concerning(KINDS, goal):
            try:
                listed = taken(self._begun[kind], partial(self._cluster.list_referring, kind), retry)
            except ClusterError as error:
                if not _is_unknown(error):
                    unseen[kind] = error.message
            else:
                found[kind] = listed
        refuse_losing(chain.from_iterable(found.values()), goal, shrinking[0])
        if goal.policy.evicts:
            refuse_two_budgets(found.get(BUDGET, ()), shrinking)
        short = self._room.check(goal, shrinking, created, retry)
        if unseen:
            tell(ReferencesUnseen(tuple(unseen), next(iter(unseen.values()))))
        for told in (*disruption.before(found.get(BUDGET, ()), goal, shrinking), *short):
            tell(told)


def refuse_doubled(cluster: Cluster, goal: Goal, controllers: Mapping[str, Controller], retry: Retry) -> None:
    """Of an update in progress, or a rollback, that evicts: refused before its first write as well, where two
    budgets cover the pods that are to go. (Of one that begins, :meth:`Look.check` looks.)"""
    if is_checked(goal) or not goal.policy.evicts:
        return
    names = (goal.successor if goal.rollback else goal.original, *goal.superseded)
    shrinking = [controllers[name] for name in names if name in controllers]
    try:
        budgets = retry(partial(cluster.list_referring, BUDGET))
    except ApiError:
        return  # the right to look need not be there; the server refuses such an eviction
    refuse_two_budgets(budgets, shrinking)


def tell_budgets(
    cluster: Cluster,
    rollout: Rollout | None,
    goal: Goal,
    tell: Callable[[Event], None],
) -> None:
    """A word on each PodDisruptionBudget that an update in progress, or a rollback, falls short of. (Of an
    update that this run has begun, that was told before.)"""
    if rollout is None or is_checked(goal):
        return
    try:
        budgets = cluster.list_referring(BUDGET)
    except ClusterError:
        return  # it is only a word, and the right to look need not be there
    for told in disruption.during(budgets, rollout, goal):
        tell(told)


def contested(session: Session, controller: Controller, cluster: Cluster) -> tuple[Session, SizeContested]:
    """What the client remembers, and tells, of whoever changes the size of ``controller``."""
    by, problem = owner_of(controller), ""
    if by is None:
        try:
            by = _autoscaler_of(controller, cluster.list_referring(AUTOSCALER))
        except ClusterError as error:  # it is only a name, and the right to look need not be there
            problem = "" if _is_unknown(error) else error.message
    by = by or "another client"
    contest = replace(session.contest, by=by)
    return replace(session, contest=contest), SizeContested(controller.name, controller.replicas, by, problem)


def _autoscaler_of(controller: Controller, autoscalers: Iterable[Json]) -> str | None:
    for autoscaler in autoscalers:
        try:
            if names(autoscaler, controller.name):
                return f'{AUTOSCALER} "{autoscaler["metadata"]["name"]}"'
        except (AttributeError, KeyError, TypeError):
            continue
    return None


def _is_unknown(error: ClusterError) -> bool:
    """The server has no objects of that kind."""
    return isinstance(error, ApiError) and error.is_not_found
