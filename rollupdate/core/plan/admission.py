"""One pod of the new template as the server would admit it, and what its refusal means. Pure.

Asked only by a client that may create pods. What is refused to it may be allowed to the controller manager,
and what a quota refuses now may fit later; so only what depends on neither is a refusal of the update.
"""

from __future__ import annotations

import re

from rollupdate.advice import Advice, Kubectl
from rollupdate.core.diagnosis.problems import BEYOND_RANGE, without_pod
from rollupdate.core.diagnosis.quota import exceeded
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import ApiError, RefusedError
from rollupdate.events import PodRefused
from rollupdate.objects import Json

_WAYS_OUT: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = (
    (re.compile(r'violates PodSecurity "'), "see what the namespace enforces: ", ("describe", "namespace")),
    (BEYOND_RANGE, "see what is allowed: ", ("describe", "limitrange")),
    (
        re.compile(r"^failed quota: .* must specify "),
        "see what it asks: ",
        ("describe", "resourcequota"),
    ),
    (re.compile(r"^no PriorityClass with name "), "see which there are: ", ("get", "priorityclass")),
)
"""What is refused to everybody, and where to look."""
_OF_THE_CLIENT = re.compile(
    r"cannot create resource|does not support dry run|"
    r"unable to validate against any (pod security policy|security context constraint)"
)
"""What says nothing of the pods that the controller manager makes."""


def one_pod(goal: Goal) -> Json | None:
    """To be asked about; None if the update creates no controller."""
    if goal.target is None or not any(goal.target.template.values()):
        return None
    template = goal.target.template
    given = template.get("metadata") or {}
    metadata = {key: given[key] for key in ("labels", "annotations") if given.get(key)}
    name = {"generateName": f"{goal.successor}-"}
    spec = template.get("spec") or {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, **name}, "spec": spec}


def judged(error: ApiError, goal: Goal, namespace: str) -> PodRefused | None:
    """What there is to tell. Raises RefusedError for what can never pass."""
    said = without_pod(error.text)
    if not (error.is_forbidden or error.is_invalid or "admission webhook" in said):
        return None
    if _OF_THE_CLIENT.search(said):
        return None
    for pattern, text, words in _WAYS_OUT:
        if pattern.search(said):
            further = (namespace,) if words[-1] == "namespace" else ()
            raise RefusedError(
                f"a new pod of {goal.original} is refused: {said}; nothing was changed",
                hint=Advice(text, Kubectl((*words, *further))),
            )
    return PodRefused(goal.original, said, exceeded(said) is not None)
