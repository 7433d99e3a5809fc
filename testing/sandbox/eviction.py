"""The eviction of pods: what the API server asks of their PodDisruptionBudgets before it deletes one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from testing.kubelet.pod_status import is_ready
from testing.objects import Json
from testing.sandbox import bodies, budgets, decoding, options, statuses
from testing.sandbox.messages import Request, Response, Target
from testing.sandbox.objects import is_being_deleted, name_of, namespace_of
from testing.sandbox.resources import BUDGETS, PODS
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Store
from testing.sandbox.verbs import CLIENT, Verbs

KIND = "Eviction"
_VERSIONS = ("policy/v1", "policy/v1beta1")
_BOTH_VERSIONS = 22
"""The release from which on both are accepted, and the client is told when to try again."""
_ALWAYS_ALLOW = 27
"""The release from which on a budget may let all pods go that are not ready."""
_ACTOR = "eviction"
_MOST_DISRUPTED = 2000
_MISSED_BY_NOBODY = ("Pending", "Succeeded", "Failed")
"""Pods in these phases: no budget is asked."""
_SECONDS_TO_COUNT = 10
"""Until a budget that is behind should have been counted."""


def versions(minor: int) -> tuple[str, ...]:
    """Of an Eviction that a server 1.``minor`` accepts; the first is the one that it names."""
    return _VERSIONS if minor >= _BOTH_VERSIONS else _VERSIONS[1:]


class Evictions:
    """Answers requests for the subresource. The caller holds the clock's lock."""

    def __init__(self, store: Store, verbs: Verbs) -> None:
        self._store = store
        self._verbs = verbs

    def answer(self, request: Request, target: Target) -> Response:
        """Raises what the budgets have against it, and what the deletion has."""
        if request.method != "POST":
            raise statuses.method_not_allowed()
        accepted = versions(self._verbs.minor)
        sent = bodies.of_kind(request, KIND, "policy", accepted)
        if detail := decoding.eviction_problem(sent):
            raise bodies.not_as(KIND, KIND, accepted[0], detail)
        bodies.dry_run(request, "CreateOptions")
        if (sent.get("metadata") or {}).get("name") != target.name:
            raise statuses.bad_request("name in URL does not match name in Eviction object")
        wanted = _options(sent, bodies.dry_run_values(request))
        pod = self._verbs.get(PODS, target.namespace or "", target.name)
        if pod["status"].get("phase") not in _MISSED_BY_NOBODY and not is_being_deleted(pod):
            all_ = self._store.objects(BUDGETS, namespace_of(pod))
            found = [budget for budget in all_ if budgets.covers(budget, pod)]
            if len(found) > 1:
                raise statuses.internal(
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
                    "support."
                )
            if found and self._may_go_anyway(found[0], pod):
                self._delete_as_seen(found[0], pod, wanted)
                return Response(201, statuses.created())
            if found:
                self._take(found[0], pod, dry_run=bool(wanted.get("dryRun")))
        self._delete(pod, wanted)
        return Response(201, statuses.created())

    def _delete(self, pod: Json, wanted: Json) -> None:
        given = options.delete_options(wanted, {})
        self._verbs.delete(PODS, namespace_of(pod), name_of(pod), given, actor=CLIENT)

    def _delete_as_seen(self, budget: Json, pod: Json, wanted: Json) -> None:
        """Delete it on the condition that it is as it was, instead of the version that the client gave. If it
        gave none, and this or another condition is not met, it is to try again."""
        conditions = wanted.get("preconditions") or {}
        version = pod["metadata"]["resourceVersion"]
        try:
            self._delete(pod, {**wanted, "preconditions": {**conditions, "resourceVersion": version}})
        except ApiError as error:
            if error.code != 409 or conditions.get("resourceVersion") is not None:
                raise
            raise self._behind(budget) from error

    def _may_go_anyway(self, budget: Json, pod: Json) -> bool:
        """Whether nobody misses the pod: it is not ready, and enough others are."""
        if is_ready(pod):
            return False
        status, policy = budget["status"], budget["spec"].get("unhealthyPodEvictionPolicy")
        if policy == "AlwaysAllow" and self._verbs.minor >= _ALWAYS_ALLOW:
            return True
        return bool(status["currentHealthy"] >= status["desiredHealthy"] > 0)

    def _take(self, budget: Json, pod: Json, *, dry_run: bool) -> None:
        """Take one of the disruptions that the budget allows."""
        name, status = name_of(budget), budget["status"]
        allowed = status["disruptionsAllowed"]
        if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
            raise self._behind(budget)
        if allowed < 0:
            raise _forbidden(name, "pdb disruptions allowed is negative")
        if len(status.get("disruptedPods") or ()) > _MOST_DISRUPTED:
            detail = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
            raise _forbidden(name, detail)
        if allowed == 0:
            needed, healthy = status["desiredHealthy"], status["currentHealthy"]
            raise statuses.violates_budget(
                f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
            )
        if not dry_run:
            new = budgets.evicted(budget, pod, self._verbs.now(), self._verbs.minor)
            self._verbs.write(BUDGETS, budget, {**budget, "status": new}, _ACTOR)

    def _behind(self, budget: Json) -> ApiError:
        later = _SECONDS_TO_COUNT if self._verbs.minor >= _BOTH_VERSIONS else 0
        detail = f"The disruption budget {name_of(budget)} is still being processed by the server."
        return statuses.violates_budget(detail, later)


def _options(sent: Json, asked: list[str]) -> Json:
    """The DeleteOptions, with the dry run that the query asks for. Their kind is not looked at."""
    given: dict[str, Any] = dict(sent.get("deleteOptions") or {})
    own = given.get("dryRun") or []
    if own and asked and own != asked:
        both = " and ".join(f"[{' '.join(values)}]" for values in (asked, own))
        raise statuses.internal(f"Non-matching dry-run options in request and content: {both}")
    given["dryRun"] = own or asked
    return {field: value for field, value in given.items() if field not in ("kind", "apiVersion")}


def _forbidden(name: str, detail: str) -> ApiError:
    """The server has another name for the kind of this one answer."""
    return statuses.forbidden(replace(BUDGETS, plural="poddisruptionbudget"), name, detail)
