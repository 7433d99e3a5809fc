"""Which pods a replication manager deletes first when there are too many. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from testing.kubelet.pod_status import is_ready
from testing.objects import Json
from testing.sandbox.objects import condition, is_active, name_of, seconds_of

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_COST = "controller.kubernetes.io/pod-deletion-cost"


def surplus(pods: Sequence[Json], count: int, related: Iterable[Json] = ()) -> list[Json]:
    """The ``count`` pods to delete.

    ``related`` are the pods of all controllers with the same owner: where more of them share a node, one goes
    there first. A controller that nobody owns, such as a user's, has none.
    """
    if count >= len(pods):
        return list(pods)
    on_node = Counter(pod["spec"].get("nodeName") for pod in related if is_active(pod))
    return sorted(pods, key=lambda pod: _rank(pod, on_node[pod["spec"].get("nodeName")]))[:count]


def _rank(pod: Json, related: int) -> tuple[float | str, ...]:
    ready = is_ready(pod)
    since = seconds_of((condition(pod, "Ready") or {}).get("lastTransitionTime")) if ready else None
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    restarts = max((status.get("restartCount", 0) for status in statuses), default=0)
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(pod.get("status", {}).get("phase", ""), 1),
        ready,
        deletion_cost(pod),
        -related,
        -(since or 0.0),
        -restarts,
        -(seconds_of(pod["metadata"].get("creationTimestamp")) or 0.0),
        # The real manager leaves ties to the order of its cache; any fixed order does.
        name_of(pod),
    )


def deletion_cost(pod: Json) -> int:
    """What the annotation says, 0 for nonsense."""
    text = (pod["metadata"].get("annotations") or {}).get(_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0
