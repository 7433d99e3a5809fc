"""Pods that change owners: seeing whose they are, moving many of them at once, and who else would take them.

Each write to a pod is valid for that pod as it was listed (its resourceVersion), so one that comes late is
refused. What may not be done at all is told from what may pass: :class:`NotAllowed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from rollupdate.core.model.controller import Controller, label_selector
from rollupdate.core.model.record import EPOCH
from rollupdate.core.model.selecting import selects
from rollupdate.core.phases.crossing import handed_over
from rollupdate.core.phases.steps import FindAdopters, ListPods, Move, OwnedPod, PodList, PodWrite, Rehearse
from rollupdate.counts import whole
from rollupdate.engine.backoff import passing
from rollupdate.engine.ports import Cluster, Pods
from rollupdate.errors import ApiError, ClusterError
from rollupdate.objects import Json

Refresh = Callable[[Controller], Json | None]
"""Reads a controller anew; None if it is no more."""
THREADS = 16
"""Pods written at once; the server's own flow control (429) is honoured on top of it."""
LOOK_AGAIN = 1.0
"""Seconds after which a look at the controllers no longer counts: the machine may have slept."""
REHEARSED = 3
"""Pods tried if the first ones have changed meanwhile."""


class NotAllowed(Exception):  # noqa: N818  # no error of the tool: another way is taken
    """The server refuses, for good, to move a pod; ``why``: its words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def refused_for_good(error: ClusterError) -> bool:
    return isinstance(error, ApiError) and not passing(error) and not error.is_unauthorized


def why(error: ClusterError) -> str:
    """What the server says, with the rule to add where it is a right that is missing."""
    text = error.text if isinstance(error, ApiError) else error.message
    return f"{text}; {error.hint}" if error.hint else text


def awake() -> float:
    """Seconds that count while the machine sleeps, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def list_owned(cluster: Pods, step: ListPods, now: float) -> PodList:
    """Two lists: of the second it is told which pods the controllers count."""
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            every = pool.submit(cluster.list_pods, step.selector, identity_only=True)
            active = pool.submit(cluster.list_pods, step.selector, identity_only=True, active_only=True)
            found, counted = every.result(), {pod["metadata"]["uid"] for pod in active.result()}
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return PodList(step.selector, step.seen, (), now, unknown=True)
    pods = (_owned(pod, active=pod["metadata"]["uid"] in counted) for pod in found)
    return PodList(step.selector, step.seen, tuple(pod for pod in pods if pod is not None), now)


def _owned(pod: Json, *, active: bool) -> OwnedPod | None:
    meta = pod["metadata"]
    if meta.get("deletionTimestamp"):
        return None
    epoch = (meta.get("annotations") or {}).get(EPOCH)
    number = whole(epoch)
    return OwnedPod(
        name=meta["name"],
        resource_version=str(meta.get("resourceVersion", "")),
        owners=tuple(owner for owner in meta.get("ownerReferences") or () if isinstance(owner, dict)),
        active=active,
        epoch=-1 if epoch and number is None else number,
        labels=meta.get("labels") or {},
    )


def _patch(write: PodWrite) -> Json:
    epoch = None if write.epoch is None else str(write.epoch)
    meta: Json = {"resourceVersion": write.pod.resource_version, "ownerReferences": list(write.owners)}
    if epoch is not None or write.pod.epoch is not None:
        meta["annotations"] = {EPOCH: epoch}
    if write.labels:
        meta["labels"] = dict(write.labels)
    return {"metadata": meta}


def rehearse(cluster: Pods, step: Rehearse) -> str | None:
    """Why no pod of ``source`` may be moved, by a dry run: None if it may, empty if there is no pod."""
    source, destination = step.source, step.destination
    try:
        listed = cluster.list_pods(label_selector(source.selector), limit=REHEARSED * 2, identity_only=True)
        pods = [pod for raw in listed if (pod := _owned(raw, active=True)) and pod.controller == source.uid]
        for pod in pods[:REHEARSED]:
            try:
                write = PodWrite(pod, handed_over(pod, source, destination), None)
                cluster.patch_pod(pod.name, _patch(write), dry_run=True)
            except ApiError as error:
                if not (error.is_conflict or error.is_not_found):
                    raise
            else:
                return None
    except ApiError as error:
        if not refused_for_good(error):
            raise
        # Bad request: a webhook that cannot take part in a dry run. The real thing will tell.
        return None if error.status == 400 else why(error)
    return None if pods else ""


def move(cluster: Pods, step: Move, refresh: Refresh, owned: PodList) -> PodList:
    """Writes the owners, in parallel, while ``claims`` stand; what ``owned`` shows then.

    Raises NotAllowed if the server refuses one for good, else what failed; the others are written.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        standing = list(pool.map(lambda claim: stands(claim, refresh), step.claims))
    if not all(standing):
        return replace(owned, fresh=False, missed=True)
    looked = awake()

    def write(one: PodWrite) -> Json | ClusterError | None:
        if step.claims and awake() - looked > LOOK_AGAIN:
            return None
        try:
            return cluster.patch_pod(one.pod.name, _patch(one))
        except ClusterError as error:
            return error

    with ThreadPoolExecutor(max_workers=min(THREADS, len(step.writes))) as pool:
        answers = dict(zip((one.pod.name for one in step.writes), pool.map(write, step.writes), strict=True))
    return _after(owned, answers)


def stands(claim: Controller, refresh: Refresh) -> bool:
    """Whether a controller is as it was decided on, its status apart."""
    raw = refresh(claim)
    found = None if raw is None else Controller.parse(raw)
    return found is not None and (
        found.uid == claim.uid
        and not found.deleting
        and found.generation == claim.generation
        and found.record == claim.record
    )


def _after(owned: PodList, answers: dict[str, Json | ClusterError | None]) -> PodList:
    pods: list[OwnedPod] = []
    missed = owned.missed
    problems: list[ClusterError] = []
    for pod in owned.pods:
        answer = answers.get(pod.name)
        if isinstance(answer, ClusterError):
            if isinstance(answer, ApiError) and (answer.is_conflict or answer.is_not_found):
                missed = True
            else:
                problems.append(answer)
                pods.append(pod)
        elif answer is None:
            pods.append(pod)
        else:
            written = _owned(answer, active=pod.active)
            pods += [] if written is None else [written]
    for problem in problems:
        if refused_for_good(problem):
            raise NotAllowed(why(problem))
    if problems:
        raise problems[0]
    return replace(owned, pods=tuple(pods), fresh=False, missed=missed)


def find_adopters(cluster: Cluster, step: FindAdopters) -> tuple[str, ...]:
    """ReplicationControllers and ReplicaSets that select pods with those labels, as ``kind name``. Where
    this client may not look it finds none."""
    kinds: tuple[tuple[str, Callable[[], list[Json]]], ...] = (
        ("replicationcontroller", cluster.list_controllers),
        ("replicaset", cluster.list_replica_sets),
    )
    found: list[str] = []
    for kind, look in kinds:
        try:
            listed = look()
        except ApiError as error:
            if error.is_transient:
                raise
            continue
        found += [
            f'{kind} "{raw["metadata"]["name"]}"'
            for raw in listed
            if raw["metadata"].get("uid") not in step.but
            and not raw["metadata"].get("deletionTimestamp")
            and _selects(raw, step.labels)
        ]
    return tuple(found)


def _selects(raw: Json, labels: Mapping[str, str]) -> bool:
    try:
        selector = raw["spec"].get("selector") or raw["spec"]["template"]["metadata"]["labels"]
        known = selector if raw.get("kind") == "ReplicaSet" else {"matchLabels": selector}
        return selects(known, labels)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
