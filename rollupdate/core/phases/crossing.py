"""Pods on their way from one held controller to another, whatever the kinds of the two.

Each pod gets its new owner by one write, valid for that pod as it was listed. All of them have come over only
once the status of both controllers agrees with a list that was made since: before that the manager may act
on what it does not know yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rollupdate.core.model.controller import Controller, reference_to
from rollupdate.core.phases import waiting
from rollupdate.core.phases.steps import ListPods, Move, OwnedPod, PodList, PodWrite, Step, Stop, Wait
from rollupdate.errors import StoppedError
from rollupdate.objects import Json

AT_ONCE = 256
"""Pods moved between two looks at the controllers, if that takes no longer than such a look counts."""
LIST_AGAIN = 1.0
"""Seconds after which the pods are listed again, although the status of the controllers does not yet say of
them what the answers to the writes have said."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """From ``source`` to ``destination``."""

    source: Controller
    destination: Controller
    selector: str
    """All of the pods match it, before and after."""
    claims: tuple[Controller, ...]
    """No pod is written to unless these are as they were decided on."""
    epoch: int | None
    """Of the direction; None if it has never changed."""
    back: bool = False
    """To where they were before."""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """That each pod gets on the way, or (None) loses."""

    def step(self, pods: PodList | None, now: float, not_returned: str) -> Step | None:
        """The next one; None once all pods are with ``destination``, and the status of both says so.

        ``not_returned``: why the server refuses to move pods back, if it does; ``now``: clock seconds."""
        source, destination = self.source, self.destination
        for controller in (source, destination):
            if not controller.observed:
                return waiting.unobserved(controller)
        asked = ListPods(selector=self.selector, seen=seen_of(source, destination))
        pods = listed(pods, self.selector)
        if pods is None:
            return asked
        if pods.unknown:
            return unlisted(source)
        stay = [pod for pod in pods.of(destination.uid) if self.epoch is not None and pod.epoch != self.epoch]
        going = pods.of(source.uid)
        if (stay or going) and not_returned:
            why = f"the pods of {source.name} cannot be moved back: {not_returned}"
            return Stop(error=StoppedError(why))
        if stay:
            # What a client of the direction before it still has under way is refused by them.
            return self._move(PodWrite(pod, pod.owners, self.epoch) for pod in stay[:AT_ONCE])
        if going:
            return self._move(
                PodWrite(pod, handed_over(pod, source, destination), self.epoch, self.labels)
                for pod in going[:AT_ONCE]
            )
        uncounted = Wait(reason=f"the controller manager has not counted the pods of {destination.name}")
        counted = not source.current and destination.current == pods.active(destination.uid)
        if not pods.answers(asked):
            due = pods.at + LIST_AGAIN
            if not counted and not pods.missed and now < due:
                return replace(uncounted, until=due, again=True)  # there is nothing to compare yet
            return asked
        return None if counted else uncounted

    def _move(self, writes: Iterable[PodWrite]) -> Move:
        return Move(writes=tuple(writes), claims=self.claims, back=self.back)


def unlisted(source: Controller) -> Stop:
    """Nothing can be decided without a list of the pods."""
    return Stop(
        error=StoppedError(
            f"this client may not list pods, and those of {source.name} change owners",
            hint="run the command again as a user who may get, list and patch pods",
        )
    )


def handed_over(pod: OwnedPod, source: Controller, destination: Controller) -> tuple[Json, ...]:
    """``source`` stays as a plain owner: were ``destination`` deleted now, the pod would not go with it."""
    kept = [
        {key: value for key, value in owner.items() if key not in ("controller", "blockOwnerDeletion")}
        if owner.get("uid") == source.uid
        else owner
        for owner in pod.owners
        if owner.get("uid") != destination.uid
    ]
    return (*kept, reference_to(destination))


def cleaned(
    owner: Controller, other: Controller, selector: str, pods: PodList | None, *, back: bool
) -> Step | None:
    """None once no pod of ``owner`` bears a trace of having come from ``other``, or of going there."""
    pods = listed(pods, selector)
    if pods is None or pods.missed:
        return ListPods(selector=selector, seen=seen_of(owner, other))
    marked = [pod for pod in pods.of(owner.uid) if pod.names(other.uid) or pod.epoch is not None]
    if not marked:
        return None
    return Move(
        writes=tuple(
            PodWrite(
                pod, tuple(reference for reference in pod.owners if reference.get("uid") != other.uid), None
            )
            for pod in marked[:AT_ONCE]
        ),
        claims=(owner,),  # were it gone by now, the pods would go with the other reference
        back=back,
    )


def listed(pods: PodList | None, selector: str) -> PodList | None:
    """``pods``, if they are those of that selector."""
    return pods if pods is not None and pods.selector == selector else None


def seen_of(*controllers: Controller) -> tuple[tuple[str, int, int], ...]:
    """What a list of pods is compared with: asked for anew when it changes."""
    return tuple(sorted((one.uid, one.generation, one.current) for one in controllers))
