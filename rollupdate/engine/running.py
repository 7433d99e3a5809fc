"""Looking at what the pods of a controller run: whether an update has anything to do, and what ran before it.

What is found is judged in ``core.model.running``. If nothing seems to change, the pods are looked at, as a
changed template restarts none of them. If something does, a few are looked at while the server judges the new
controller, so that an update waits for no further answer; if the template is as the last update has left it,
not even that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from rollupdate.ahead import Ahead
from rollupdate.core.changes.base import DEFAULT_LABEL_KEY
from rollupdate.core.model.controller import Controller, label_selector, owner_uid
from rollupdate.core.model.difference import Difference
from rollupdate.core.model.history import Revision
from rollupdate.core.model.running import (
    NOT_LOOKED,
    Running,
    difference,
    label_key_of,
    labelled_as_it_is,
    running,
)
from rollupdate.core.model.template import template_hash
from rollupdate.core.plan.found import HalfBegun, Idle, find
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.engine.backoff import Backoff
from rollupdate.engine.history import history_of
from rollupdate.engine.outcome import End, Outcome
from rollupdate.engine.ports import Cluster
from rollupdate.engine.preflight import Verdict, preflight
from rollupdate.errors import ApiError, ClusterError, NothingChangesError
from rollupdate.events import Event, PodsDiffer, PodsNotSeen
from rollupdate.objects import Json

MOST_PODS = 50
"""Pods looked at if what they run decides whether anything is to be done."""
A_FEW = 5
"""Pods looked at for the history."""
LARGEST = 64 * 1024
"""Characters. What ran is not written down if it takes more: an object holds 256 KiB of annotations."""

Aim = Callable[[Mapping[str, Controller]], Goal]


def survey(cluster: Cluster) -> dict[str, Controller]:
    """Every ReplicationController of the namespace, by name."""
    found = (Controller.parse(raw) for raw in cluster.list_controllers())
    return {controller.name: controller for controller in found}


def pods_of(cluster: Cluster, controller: Controller, limit: int) -> list[Json]:
    """As many as ``limit``, without those that are going. Raises ClusterError."""
    listed = cluster.running_pods(label_selector(controller.selector), limit=limit)
    return [
        pod
        for pod in listed
        if owner_uid(pod) == controller.uid and not pod["metadata"].get("deletionTimestamp")
    ]


def look(cluster: Cluster, controller: Controller, label_key: str, *, limit: int = MOST_PODS) -> Running:
    """What its pods run. The history is read as well, unless a few pods all run the template.

    Raises ClusterError for the pods.
    """
    if not controller.current or controller.held:
        return NOT_LOOKED
    pods = pods_of(cluster, controller, limit)
    found = running(controller, pods, (), label_key)
    if not pods or (limit < MOST_PODS and not found.others):
        return found
    try:
        return running(controller, pods, history_of(cluster, controller), label_key)
    except ClusterError:
        return found  # it only tells more


def with_history(
    cluster: Cluster, controller: Controller, unseen: Callable[[str], None]
) -> tuple[tuple[Revision, ...], Running]:
    """The history of a controller, and what its pods run. Raises ClusterError for the history; ``unseen`` is
    told the problem if it is the pods that cannot be looked at."""
    pods = Ahead(partial(pods_of, cluster, controller, MOST_PODS))
    known = history_of(cluster, controller)
    try:
        found = [] if controller.held else pods.take()
    except ClusterError as error:
        unseen(error.message)
        found = []
    return known, running(controller, found, known, label_key_of(controller, DEFAULT_LABEL_KEY))


def if_changed(cluster: Cluster, controller: Controller, unseen: Callable[[str], None]) -> Running:
    """What its pods run, if the template may have been changed since they were made."""
    key = label_key_of(controller, DEFAULT_LABEL_KEY)
    if labelled_as_it_is(controller, key):
        return NOT_LOOKED
    try:
        return look(cluster, controller, key)
    except ClusterError as error:
        unseen(error.message)
        return NOT_LOOKED


def left_by_an_edit(cluster: Cluster, outcome: Outcome, unseen: Callable[[str], None]) -> Running:
    """After a rollback that has put a template back which another client had edited: whether the controller
    has made pods of the edited one."""
    goal, owner = outcome.goal, outcome.owner
    back = outcome.end is End.FINISHED and goal is not None and goal.rollback
    if owner is None or not (back and outcome.restored):
        return NOT_LOOKED
    controller = Controller.parse(owner)
    try:
        pods = pods_of(cluster, controller, MOST_PODS)
    except ClusterError as error:
        unseen(error.message)
        return NOT_LOOKED
    return running(controller, pods, (), label_key_of(controller, DEFAULT_LABEL_KEY), edited=True)


class WhatRuns:
    """Of one run: what is asked for, with what the pods of the old controller were found to run."""

    def __init__(
        self, cluster: Cluster, backoff: Backoff, tell: Callable[[Event], None], intent: Intent
    ) -> None:
        self._cluster, self._backoff, self._tell = cluster, backoff, tell
        self.intent = intent
        self._ran: Difference | None = None

    def noted(self, goal: Goal) -> Goal:
        """The goal, with what ran before it."""
        if goal.target is None or self._ran is None:
            return goal
        return replace(goal, target=replace(goal.target, ran=self._ran))

    def aimed(self, aim: Aim, controllers: Mapping[str, Controller]) -> Goal:
        """As ``aim``, which only refuses to change nothing if the pods run the template."""
        try:
            return aim(controllers)
        except NothingChangesError:
            found = find(self.intent.name, controllers)
            if not isinstance(found, (Idle, HalfBegun)) or not self._replaces(found.old):
                raise
            return aim(controllers)

    def weighed(self, aim: Aim, goal: Goal, controllers: Mapping[str, Controller]) -> tuple[Goal, Verdict]:
        """The goal, which may have become another, and what the server thinks of it (see ``preflight``)."""
        old = controllers[goal.original]
        nothing: NothingChangesError | None = None
        in_passing = self._begun(old)
        try:
            verdict = preflight(self._cluster, goal, old, self._backoff.retry)
        except NothingChangesError as error:
            nothing, verdict = error, Verdict(same=True)
        if verdict.same:
            if not self._replaces(old):
                if nothing is not None:
                    raise nothing
                return goal, verdict
        elif not self._ran_another(old, in_passing, verdict):
            return goal if self._ran is None else aim(controllers), verdict
        goal = aim(controllers)
        return goal, replace(preflight(self._cluster, goal, old, self._backoff.retry), same=False)

    def _begun(self, old: Controller) -> Ahead[Running] | None:
        key = self._label_key(old)
        if self.intent.again or labelled_as_it_is(old, key):
            return None
        return Ahead(partial(look, self._cluster, old, key, limit=A_FEW))

    def _label_key(self, old: Controller) -> str:
        return label_key_of(old, self.intent.naming.label_key)

    def _replaces(self, old: Controller) -> bool:
        """Whether pods run another template than the one that is there, and asked for: all are replaced."""
        if self.intent.again:
            return False
        try:
            found = self._backoff.retry(lambda: look(self._cluster, old, self._label_key(old)))
        except ApiError as error:
            self._tell(PodsNotSeen(old.name, error.message))
            return False
        if not found.others:
            return False
        self._note(old, found)
        self.intent = replace(self.intent, again=True)
        return True

    def _ran_another(self, old: Controller, in_passing: Ahead[Running] | None, verdict: Verdict) -> bool:
        """Notes what ran. Whether that or the old template is what is asked for: then a mark is needed to
        tell the two controllers apart."""
        if in_passing is None:
            return False
        try:
            found = in_passing.take()
        except ClusterError as error:
            self._tell(PodsNotSeen(old.name, error.message))
            return False
        if not found.mostly:
            return False
        self._note(old, found)
        key = self._label_key(old)
        if verdict.created is not None:
            alike = {template_hash(template, key) for template in (old.template, found.template) if template}
            again = template_hash(verdict.created["spec"]["template"], key) in alike
            self.intent = replace(self.intent, again=again)
        return self.intent.again

    def _note(self, old: Controller, found: Running) -> None:
        ran = difference(old, found, self._label_key(old))
        self._ran = ran if ran is not None and len(ran.encode()) <= LARGEST else None
        self._tell(PodsDiffer(old.name, found.others, found.looked, found.differs, found.revision))
