"""Looking whether the new pods fit in (``core.plan.room``), before the first write.

Quotas and ranges are read while the first list is under way. A client that may create pods anyway has the
server judge one new pod as well, at the same time as it judges the new controller. What may not be looked at
is left out without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rollupdate.ahead import Ahead
from rollupdate.core.diagnosis.quota import exceeded
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.rollout import as_it_ran
from rollupdate.core.plan.admission import judged, one_pod
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.room import LIMIT_RANGE, QUOTA, Pods, room
from rollupdate.engine.backoff import Retry, taken
from rollupdate.engine.ports import Cluster
from rollupdate.errors import ApiError, ClusterError
from rollupdate.events import Event, PodRefused
from rollupdate.objects import Json
from rollupdate.rights import CREATE_PODS

Limits = tuple[list[Json], list[Json] | None]
"""Quotas, and LimitRanges; None if these may not be read."""


class RoomLook:
    """Of one run: begun at once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._limits = Ahead(self._read)
        self._may_create = Ahead(partial(cluster.allows, CREATE_PODS))
        self._admitted: Ahead[Json | None] | None = None

    def ask(self, goal: Goal) -> None:
        """Have the server judge one new pod, if this client may create one."""
        pod = one_pod(goal)
        if pod is not None:
            self._admitted = Ahead(partial(self._admit, pod))

    def check(
        self,
        goal: Goal,
        shrinking: Sequence[Controller],
        created: Json | None,
        retry: Retry,
    ) -> list[Event]:
        """What there is to tell. ``created``: the new controller as the server would store it. Raises
        RefusedError if a new pod can never pass, or never fit."""
        admitted, refused = self._judged(goal)
        short = None
        try:
            quotas, ranges = taken(self._limits, self._read, retry)
            said = exceeded(refused.problem) if refused else None
            by = said.quota if said else ""
            pods = self._pods(goal, shrinking, created, ranges, admitted, by)
        except (ClusterError, AttributeError, KeyError, TypeError):
            pass  # not to be read, or malformed
        else:
            short = room(quotas, goal, shrinking, pods)
        if short is not None:
            return [short]
        size = 0 if goal.target is None else goal.target.replicas
        if refused is None or not size or (refused.by_quota and goal.policy.budget.needs_no_room):
            return []
        return [refused]

    def _read(self) -> Limits:
        quotas = self._cluster.list_referring(QUOTA)
        if not quotas:
            return [], []
        try:
            return quotas, self._cluster.list_referring(LIMIT_RANGE)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return quotas, None

    def _admit(self, pod: Json) -> Json | None:
        return self._cluster.admit_pod(pod) if self._may_create.take() else None

    def _judged(self, goal: Goal) -> tuple[Json | None, PodRefused | None]:
        """A new pod as the server would store it, or what it says against it."""
        if self._admitted is None:
            return None, None
        try:
            return self._admitted.take(), None
        except ApiError as error:
            return None, judged(error, goal, self._cluster.namespace)
        except ClusterError:
            return None, None

    def _pods(
        self,
        goal: Goal,
        shrinking: Sequence[Controller],
        created: Json | None,
        ranges: list[Json] | None,
        admitted: Json | None,
        refused_by: str,
    ) -> Pods:
        target = goal.target
        assert target is not None, "it is only checked for an update that begins"
        new = target.template if created is None else created["spec"]["template"]
        old, *superseded = (controller.template for controller in shrinking)
        ran = [template["spec"] for template in (as_it_ran(old, target.ran), *superseded)]
        whole = None if admitted is None else admitted.get("spec")
        return Pods.of(new["spec"], ran, ranges, whole, refused_by)
