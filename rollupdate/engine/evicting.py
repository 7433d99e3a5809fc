"""Pods that are evicted: looking at them and at their budgets, evicting many at once, touching them.

Each eviction is valid for the pod as it was chosen (uid and resourceVersion), so one that comes late is
refused. What a budget has against it is an answer and no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace

from rollupdate.core.model.allowance import Allowance
from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.evictable import EvictablePod, PodLook, owned_by
from rollupdate.core.model.record import TOUCHED
from rollupdate.core.phases.eviction_memory import Objection
from rollupdate.core.phases.session import Session
from rollupdate.core.phases.steps import Evict, LookAtPods, TouchPods
from rollupdate.core.plan.guarded import WAY_OUT, words
from rollupdate.core.plan.references import BUDGET
from rollupdate.engine.moving import LOOK_AGAIN, THREADS, Refresh, awake, refused_for_good, stands
from rollupdate.engine.ports import Clock, Cluster, Mirror
from rollupdate.errors import ApiError, ClusterError, StoppedError
from rollupdate.events import Event, Evicted
from rollupdate.objects import Json
from rollupdate.pauses import LONGEST_RETRY_AFTER

NODES_AGAIN = 30.0
"""Seconds after which nodes are looked at again."""
NOT_NOW_SECONDS = 1.0
"""So long a server that cannot evict now is left alone at the least."""
_BUDGET_CAUSE = "DisruptionBudget"


class Evictor:
    """Of one run. What it has seen last is kept until it is in doubt."""

    def __init__(
        self,
        cluster: Cluster,
        writing: Callable[[], AbstractContextManager[None]],
        tell: Callable[[Event], None],
    ) -> None:
        """``writing``: entered around writes."""
        self._cluster, self._writing, self._tell = cluster, writing, tell
        self.looks: dict[str, PodLook] = {}
        """By the uid of the controller."""
        self._cordoned: frozenset[str] = frozenset()
        self._nodes_at: float | None = None

    def carry_out(
        self, step: LookAtPods | Evict | TouchPods, session: Session, mirror: Mirror, clock: Clock
    ) -> Session:
        """What the client remembers then. Raises ClusterError."""
        match step:
            case LookAtPods(controller=controller):
                look = self._looked(controller, clock.now())
                # A server that is slow must not make it out of date.
                self.looks[controller.uid] = replace(look, at=clock.now())
                return session
            case Evict():
                before = self.looks.get(step.controller.uid)
                pods, objection = self._evict(step, lambda claim: mirror.refresh(claim.name))
                left = None if before is None else before.left - pods
                memory = session.evictions.evicted(pods, objection, clock.now(), left)
                return replace(session, evictions=memory)
        allowed = self._touch(step.pods)
        return replace(session, evictions=session.evictions.touched(step, allowed=allowed))

    # --- looking ---

    def _looked(self, controller: Controller, now: float) -> PodLook:
        look = PodLook(controller.uid, (controller.generation, controller.current), now)
        with ThreadPoolExecutor(max_workers=3) as pool:
            listed = pool.submit(self._cluster.list_pods, label_selector(controller.selector))
            budgets = pool.submit(self._cluster.list_referring, BUDGET)
            nodes = pool.submit(self._nodes, now)
            try:
                pods = _owned(controller, listed.result())
            except ApiError as error:
                if not error.is_forbidden:
                    raise
                return replace(look, unknown=True)
            try:
                allowances = _allowances(budgets.result())
            except ApiError as error:
                if not error.is_forbidden:
                    raise
                allowances = None
            return replace(look, pods=pods, allowances=allowances, cordoned=nodes.result())

    def _nodes(self, now: float) -> frozenset[str]:
        if self._nodes_at is None or now - self._nodes_at >= NODES_AGAIN:
            try:
                self._cordoned = frozenset(self._cluster.cordoned_nodes())
            except ClusterError:
                self._cordoned = frozenset()  # they only help to choose, and the right need not be there
            self._nodes_at = now
        return self._cordoned

    # --- evicting ---

    def _evict(self, step: Evict, refresh: Refresh) -> tuple[int, Objection | None]:
        """How many pods are gone by it, and what the server has against others (None: nothing)."""
        before = self.looks.pop(step.controller.uid, None)
        looked = awake()
        if not stands(step.controller, refresh):
            return 0, None

        def evict(pod: EvictablePod) -> ClusterError | bool:
            if awake() - looked > LOOK_AGAIN:
                return False
            try:
                self._cluster.evict_pod(pod.name, uid=pod.uid, resource_version=pod.resource_version)
            except ClusterError as error:
                return error
            return True

        with self._writing(), ThreadPoolExecutor(max_workers=min(THREADS, len(step.pods))) as pool:
            answers = list(zip(step.pods, pool.map(evict, step.pods), strict=True))
        gone = [pod.name for pod, answer in answers if answer is True]
        if gone and before is not None:
            self._tell(Evicted(step.controller.name, tuple(gone), before.left - len(gone)))
        errors = [answer for _, answer in answers if isinstance(answer, ClusterError)]
        if any(_is_doubled(error) for error in errors):
            raise StoppedError(words(step.controller.name), hint=WAY_OUT)
        objections = [found for error in errors if (found := _objection(error)) is not None]
        others = [error for error in errors if _objection(error) is None and not _changed(error)]
        if others and not gone:
            raise others[0]
        if before is not None and not others and not any(map(_changed, errors)):
            kept = tuple(pod for pod in before.pods if pod.name not in gone)
            self.looks[before.uid] = replace(before, pods=kept, fresh=False)
        if errors and not gone and not objections:
            objections.append(Objection(errors[0].message, in_vain=True))
        return len(gone), objections[0] if objections else None

    # --- touching ---

    def _touch(self, pods: Iterable[EvictablePod]) -> bool:
        """Whether this client may. Each pod gets an annotation, and loses it again."""
        self.looks.clear()

        def touch(pod: EvictablePod) -> ClusterError | None:
            try:
                for value, version in (("true", pod.resource_version), (None, None)):
                    meta: Json = {"annotations": {TOUCHED: value}}
                    if version is not None:
                        meta["resourceVersion"] = version
                    self._cluster.patch_pod(pod.name, {"metadata": meta})
            except ClusterError as error:
                return None if _changed(error) else error
            return None

        with self._writing(), ThreadPoolExecutor(max_workers=THREADS) as pool:
            problems = [problem for problem in pool.map(touch, pods) if problem is not None]
        if any(map(refused_for_good, problems)):
            return False
        if problems:
            raise problems[0]
        return True


def _owned(controller: Controller, pods: list[Json]) -> tuple[EvictablePod, ...]:
    try:
        return owned_by(controller.uid, pods)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"the pods of {controller.name}: the answer of the API server cannot be used"
        raise ClusterError(text) from error


def _changed(error: ClusterError) -> bool:
    """The pod is another one by now, or is no more."""
    return isinstance(error, ApiError) and (error.is_conflict or error.is_not_found)


def _is_doubled(error: ClusterError) -> bool:
    """The server has no status of its own for that."""
    return isinstance(error, ApiError) and error.status == 500 and "one PodDisruptionBudget" in error.text


def _objection(error: ClusterError) -> Objection | None:
    """What the server has against an eviction for now: mostly a budget; None if it is another error."""
    if not isinstance(error, ApiError):
        return None
    causes = error.details.get("causes")
    for cause in causes if isinstance(causes, list) else ():
        if error.status == 429 and isinstance(cause, dict) and cause.get("reason") == _BUDGET_CAUSE:
            return Objection(str(cause.get("message") or error.text))
    if error.is_forbidden and str(error.details.get("kind", "")).startswith("poddisruptionbudget"):
        return Objection(error.text)
    if not error.is_transient:
        return None
    wanted = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER)
    return Objection(error.message, rest=max(NOT_NOW_SECONDS, wanted))


def _allowances(budgets: Iterable[Json]) -> tuple[Allowance, ...]:
    """Malformed budgets are passed over."""
    found: list[Allowance] = []
    for budget in budgets:
        try:
            found.append(Allowance.of(budget))
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return tuple(found)
