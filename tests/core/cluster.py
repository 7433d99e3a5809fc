"""A namespace in miniature: controllers, pods and a replication manager, moved one step at a time.

For tests of whole updates on the pure core: :class:`Client` carries out what ``decide`` says, and the test
chooses what happens in between (the manager looks, a pod becomes ready, the client is killed, somebody
scales). No I/O and no clock but the one that the test moves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rollupdate.core.decide import decide
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import CLASS
from rollupdate.core.phases.session import Session, apply, observe, rehearsed
from rollupdate.core.phases.steps import (
    Create,
    Delete,
    DeleteLast,
    Done,
    FindAdopters,
    Label,
    ListPods,
    Move,
    OwnedPod,
    Patch,
    PodList,
    PodSearch,
    Rehearse,
    Search,
    Snapshot,
    Step,
    Stop,
    Wait,
)
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import RollingUpdateError
from rollupdate.events import Event
from testing.objects import Json
from tests.support.asking import Asking, aimed


@dataclass
class Pod:
    name: str
    labels: dict[str, str]
    image: str
    owner: str | None
    """uid of its controller"""
    ready: bool = False
    owners: frozenset[str] = frozenset()
    """uids of its plain owners"""
    epoch: int | None = None

    @property
    def version(self) -> str:
        return str((self.labels, self.owner, self.ready, self.owners, self.epoch))

    @property
    def references(self) -> tuple[Json, ...]:
        plain = tuple({"uid": uid} for uid in sorted(self.owners - {self.owner}))
        return (*plain, *([{"uid": self.owner, "controller": True}] if self.owner else []))

    def write(self, owners: tuple[Json, ...], epoch: int | None) -> None:
        controlling = [owner["uid"] for owner in owners if owner.get("controller")]
        assert len(controlling) == 1, "a pod without an owner, or with two"
        self.owner, self.epoch = controlling[0], epoch
        self.owners = frozenset(owner["uid"] for owner in owners if not owner.get("controller"))


class Namespace:
    """What the API server stores and the replication manager does, as far as an update can see it."""

    def __init__(self, *controllers: Json, movable: bool = True) -> None:
        """``movable``: the server lets the client write the owners of pods."""
        self.movable = movable
        self.made = 0
        """Pods made so far."""
        self.controllers: dict[str, Json] = {}
        self.pods: list[Pod] = []
        self._count = 0
        for raw in controllers:
            obj = copy.deepcopy(raw)
            self.controllers[obj["metadata"]["name"]] = obj
            self.sync(obj["metadata"]["name"])
        self.all_ready()

    def _number(self) -> int:
        self._count += 1
        return self._count

    # --- what clients do ---

    def create(self, manifest: Json) -> None:
        obj = copy.deepcopy(manifest)
        name = obj["metadata"]["name"]
        assert name not in self.controllers, f"{name} exists"
        number = self._number()
        obj["metadata"].update(uid=f"uid-{name}-{number}", resourceVersion=f"c{number}", generation=1)
        obj["status"] = {"replicas": 0}
        self._valid(obj)
        self.controllers[name] = obj

    def update(self, name: str, version: str, wanted: Json) -> bool:
        """A conditional write; False on a conflict."""
        present = self.controllers.get(name)
        if present is None or present["metadata"]["resourceVersion"] != version:
            return False
        obj = copy.deepcopy(wanted)
        assert obj["metadata"]["uid"] == present["metadata"]["uid"]
        assert obj["status"] == present["status"], "nobody but the manager writes a status"
        self._valid(obj)
        if obj["spec"] != present["spec"]:
            obj["metadata"]["generation"] += 1
        obj["metadata"]["resourceVersion"] = f"c{self._number()}"
        self.controllers[name] = obj
        return True

    def scale(self, name: str, replicas: int) -> None:
        """``kubectl scale``, by somebody else."""
        obj = copy.deepcopy(self.controllers[name])
        obj["spec"]["replicas"] = replicas
        assert self.update(name, obj["metadata"]["resourceVersion"], obj)

    def delete(self, name: str) -> None:
        """In the background: the garbage collector takes the pods that only it owns."""
        uid = self.controllers.pop(name)["metadata"]["uid"]
        there = {obj["metadata"]["uid"] for obj in self.controllers.values()}
        for pod in self.pods:
            pod.owner = pod.owner if pod.owner in there else None
            had = pod.owners | {uid}
            pod.owners &= there
            if pod.owner is None and not pod.owners and uid in had:
                pod.owner = uid  # goes below
        self.pods = [pod for pod in self.pods if pod.owner != uid]

    @staticmethod
    def _valid(obj: Json) -> None:
        """What the API server would refuse."""
        spec = obj["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"], "an empty selector"
        assert spec["selector"].items() <= labels.items(), "a template that the selector does not match"
        assert spec["replicas"] >= 0
        for value in (obj["metadata"].get("annotations") or {}).values():
            assert isinstance(value, str)
        Controller.parse(
            {**obj, "metadata": {"uid": "", "resourceVersion": "", **obj["metadata"]}}
        )  # a record that the next client cannot read is a bug

    # --- what the cluster does ---

    def sync(self, name: str) -> None:
        """The manager looks at one controller: lets go, adopts, creates or deletes, writes the status."""
        obj = self.controllers[name]
        spec, uid = obj["spec"], obj["metadata"]["uid"]
        selector = spec["selector"].items()
        for pod in self.pods:
            if pod.owner == uid and not selector <= pod.labels.items():
                pod.owner = None
            elif pod.owner is None and selector <= pod.labels.items():
                pod.owner = uid
        own = self.owned(name)
        for pod in sorted(own, key=lambda each: each.ready)[: max(0, len(own) - spec["replicas"])]:
            self.pods.remove(pod)
        held = spec["template"]["spec"].get("priorityClassName") == CLASS
        for _ in range(0 if held else spec["replicas"] - len(own)):
            self.made += 1
            image = spec["template"]["spec"]["containers"][0]["image"]
            labels = dict(spec["template"]["metadata"]["labels"])
            self.pods.append(Pod(f"{name}-{self._number()}", labels, image, uid))
        self._status(name, refused=held and spec["replicas"] > len(own))

    def _status(self, name: str, *, refused: bool) -> None:
        obj = self.controllers[name]
        own = self.owned(name)
        ready = sum(pod.ready for pod in own)
        wanted = obj["spec"]["template"]["metadata"]["labels"]
        status: Json = {
            "replicas": len(own),
            "fullyLabeledReplicas": sum(wanted.items() <= each.labels.items() for each in own),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "observedGeneration": obj["metadata"]["generation"],
        }
        if refused:
            why = f"pods is forbidden: no PriorityClass with name {CLASS} was found"
            status["conditions"] = [{"type": "ReplicaFailure", "status": "True", "message": why}]
        if obj["status"] != status:
            obj = copy.deepcopy(obj)
            obj["status"] = status
            obj["metadata"]["resourceVersion"] = f"c{self._number()}"
            self.controllers[name] = obj

    def all_ready(self) -> None:
        """The manager does all that it is told, and every pod becomes ready."""
        self.look()
        for pod in self.pods:
            pod.ready = True
        self.look()

    def one_ready(self) -> None:
        """One more pod becomes ready; the status is written at the next look."""
        for pod in self.pods:
            if not pod.ready:
                pod.ready = True
                return

    def look(self) -> None:
        for name in list(self.controllers):
            self.sync(name)

    def owned(self, name: str) -> list[Pod]:
        uid = self.controllers[name]["metadata"]["uid"]
        return [pod for pod in self.pods if pod.owner == uid]

    @property
    def available(self) -> int:
        return sum(pod.ready for pod in self.pods)

    def parsed(self) -> dict[str, Controller]:
        return {name: Controller.parse(raw) for name, raw in self.controllers.items()}


@dataclass
class Client:
    """One run of the command: it aims once, then looks, decides and writes, one step a call."""

    namespace: Namespace
    request: Asking
    now: float = 0.0
    before_write: Callable[[Client, Step], None] = lambda client, step: None
    events: list[Event] = field(default_factory=list)
    waiting: str | None = None
    done: bool = False
    error: RollingUpdateError | None = None
    goal: Goal = field(init=False)
    session: Session = field(init=False)
    searched: PodSearch | None = None
    found: dict[str, Pod] = field(default_factory=dict)
    listed: PodList | None = None

    def __post_init__(self) -> None:
        self.goal = aimed(self.request, self.namespace.parsed())
        self.session = Session(started=self.now, progress_at=self.now)

    def snapshot(self) -> Snapshot:
        controllers = self.namespace.parsed()
        return Snapshot(
            controllers.get(self.goal.original),
            controllers.get(self.goal.successor),
            self.searched,
            tuple(self.found),
            self.listed,
        )

    def step(self) -> Step:
        """Look, decide, and carry it out."""
        snapshot = self.snapshot()
        self.session = observe(self.session, snapshot, self.goal, self.now)
        step = decide(snapshot, self.goal, self.session, self.now)
        self.waiting = step.reason if isinstance(step, Wait) else None
        self.before_write(self, step)
        if isinstance(step, DeleteLast):
            self.session = replace(self.session, deleting=step)
        self._carry_out(step)
        self.session = apply(self.session, step, self.now)
        self.events += step.events
        self.done = self.done or isinstance(step, (Done, DeleteLast))
        return step

    def _carry_out(self, step: Step) -> None:
        match step:
            case Create(manifest=manifest):
                self.namespace.create(manifest)
            case Patch(controller=controller, desired=wanted):
                assert wanted != controller.raw, "a write that changes nothing would be made for ever"
                assert self.namespace.update(controller.name, controller.resource_version, wanted)
            case Delete(controller=controller):
                self.namespace.delete(controller.name)
            case Search(search=search):
                self.searched = search
                pods = self.namespace.pods
                self.found = {
                    pod.name: pod
                    for pod in pods
                    if pod.owner == search.owner_uid and selects(search.selector, pod.labels)
                }
            case Label(key=key, value=value):
                for pod in self.found.values():
                    if value is None:
                        pod.labels.pop(key, None)
                    else:
                        pod.labels[key] = value
                self.found = {}
            case Rehearse(source=source):
                there = any(pod.owner == source.uid for pod in self.namespace.pods)
                refusal = "" if not there else None if self.namespace.movable else "not allowed"
                self.session = rehearsed(self.session, refusal)
            case FindAdopters():
                self.session = replace(self.session, adopters=())
            case ListPods(selector=selector, seen=seen):
                self.listed = PodList(
                    selector,
                    seen,
                    tuple(
                        OwnedPod(
                            pod.name, pod.version, pod.references, epoch=pod.epoch, labels=dict(pod.labels)
                        )
                        for pod in self.namespace.pods
                        if selects(selector, pod.labels)
                    ),
                    self.now,
                )
            case Move():
                self._move(step)
            case Stop(error=error):
                self.error = error

    def _move(self, step: Move) -> None:
        assert self.listed is not None
        there = self.namespace.parsed()
        stands = all(
            claim.name in there
            and (there[claim.name].generation, there[claim.name].record) == (claim.generation, claim.record)
            for claim in step.claims
        )
        pods = {pod.name: pod for pod in self.namespace.pods}
        after = {pod.name: pod for pod in self.listed.pods}
        for write in step.writes if stands else ():
            pod = pods.get(write.pod.name)
            if pod is None or pod.version != write.pod.resource_version:
                del after[write.pod.name]
                continue
            pod.write(write.owners, write.epoch)
            after[pod.name] = replace(
                after[pod.name], resource_version=pod.version, owners=pod.references, epoch=pod.epoch
            )
        missed = not stands or len(after) < len(self.listed.pods)
        self.listed = replace(self.listed, pods=tuple(after.values()), fresh=False, missed=missed)

    def pass_time(self, step: Step) -> None:
        if isinstance(step, Wait):
            self.now = max(self.now, step.until or 0.0)

    def run(self, *, rounds: int = 400) -> None:
        """To the end, on a cluster that does at once what it is told."""
        for _ in range(rounds):
            if self.done or self.error is not None:
                return
            step = self.step()
            self.namespace.all_ready()
            self.pass_time(step)
        raise AssertionError(f"no end in sight: {self.waiting}, {self.events[-5:]}")


def selects(selector: str, labels: dict[str, str]) -> bool:
    """A label selector of the API, as far as an update writes one."""
    for part in selector.split(","):
        key, unequal, value = part.partition("!=")
        if unequal:
            if labels.get(key) == value:
                return False
            continue
        key, equal, value = part.partition("=")
        if equal:
            if labels.get(key) != value:
                return False
        elif (key.removeprefix("!") in labels) == key.startswith("!"):
            return False
    return True
