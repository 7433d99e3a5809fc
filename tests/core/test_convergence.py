"""Whole updates on the pure core: killed, resumed, turned round, on a cluster that takes its time."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model import record
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.phases.steps import Step
from rollupdate.errors import ApiError, RefusedError
from testing.objects import Json
from tests.core import worlds
from tests.core.cluster import Client, Namespace
from tests.support import changes
from tests.support.asking import Asking, asking

NEW_IMAGE = "nginx:1.9.1"
FORMS = ("image", "new name", "file", "file, keeping the name")


@dataclass(frozen=True)
class Plan:
    """One update: how it is asked for, between which sizes, with which budget."""

    form: str
    original: int
    desired: int
    budget: Budget
    min_ready_seconds: int | None = None
    movable: bool = True

    def request(self, *, rollback: bool = False) -> Asking:
        change: TemplateChange | FileChange = changes.image(NEW_IMAGE)
        if self.form.startswith("file"):
            manifest = worlds.raw("bar", replicas=self.desired, image=NEW_IMAGE)
            if self.form == "file":
                manifest["spec"]["selector"]["version"] = "2"
                manifest["spec"]["template"]["metadata"]["labels"]["version"] = "2"
                manifest["spec"]["selector"]["app"] = "bar"
                manifest["spec"]["template"]["metadata"]["labels"]["app"] = "bar"
            change = FileChange({key: manifest[key] for key in ("metadata", "spec")}, "bar.yaml")
        return asking(
            name="foo",
            new_name="bar" if self.form == "new name" else None,
            change=change,
            keep_name=self.form.endswith("keeping the name"),
            rollback=rollback,
            budget=self.budget,
            min_ready_seconds=self.min_ready_seconds,
        )

    @property
    def keeps_the_name(self) -> bool:
        return self.form in ("image", "file, keeping the name")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    form = draw(st.sampled_from(FORMS))
    original = draw(st.integers(0, 5))
    return Plan(
        form=form,
        original=original,
        desired=draw(st.integers(0, 5)) if form.startswith("file") else original,
        budget=Budget(Amount(draw(st.integers(0, 3))), Amount(draw(st.integers(0, 3)))),
        min_ready_seconds=draw(st.none() | st.just(7)),
        movable=draw(st.booleans()),
    )


moves = st.lists(
    st.sampled_from(
        ["step"] * 6
        + ["foo looked at", "other looked at", "all ready", "one ready", "kill", "kill, turn round"]
    ),
    max_size=60,
)


class Run:
    """One update of foo, moved by the test; both promises are checked at every write."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.start = worlds.raw("foo", replicas=plan.original)
        self.namespace = Namespace(self.start, movable=plan.movable)
        self.rollback = False
        self.client: Client | None = None
        bounds = plan.budget.bounds(original=plan.original, desired=plan.desired)
        back = plan.budget.bounds(original=plan.desired, desired=plan.original)
        self.floor = min(bounds.floor, back.floor)
        self.ceiling = max(bounds.ceiling, back.ceiling)

    def begin(self) -> Client | None:
        """A client of the present direction; None where there is nothing to be done (any more)."""
        if self.client is None:
            try:
                self.client = Client(self.namespace, self.plan.request(rollback=self.rollback))
            except (RefusedError, ApiError) as refused:
                assert self.settled(), refused
        return self.client

    def settled(self) -> bool:
        """No update is under way."""
        controllers = self.namespace.parsed().values()
        return len(controllers) == 1 and all(each.record.empty for each in controllers)

    def finished(self) -> bool:
        """The update has come to its end: to ask for it again would be another one."""
        raws = list(self.namespace.controllers.values())
        images = [raw["spec"]["template"]["spec"]["containers"][0]["image"] for raw in raws]
        return self.settled() and images == [NEW_IMAGE]

    def move(self, what: str) -> None:
        if what.startswith("kill"):
            self.client = None
            self.rollback ^= what.endswith("turn round")
        elif what == "step":
            self.step()
        elif what == "all ready":
            self.namespace.all_ready()
        elif what == "one ready":
            self.namespace.one_ready()
        else:
            for name in list(self.namespace.controllers):
                if (name == "foo") == what.startswith("foo"):
                    self.namespace.sync(name)

    def step(self) -> Step | None:
        if self.client is None and not self.rollback and self.finished():
            return None
        client = self.begin()
        if client is None:
            return None
        before = copy.deepcopy(self.namespace)
        before.look()
        step = client.step()
        client.pass_time(step)
        behind = copy.deepcopy(self.namespace)
        behind.look()
        assert behind.available >= min(before.available, self.floor), step
        shrinking = [name for name in behind.controllers if behind.owned(name)]
        if len(shrinking) > 1:
            assert len(behind.pods) <= max(len(before.pods), self.ceiling), step
        if client.done or client.error is not None:
            assert client.error is None, client.error
            self.client = None
        return step

    def to_the_end(self) -> None:
        for _ in range(300):
            if self.step() is None or self.client is None:
                return
            self.namespace.all_ready()
        raise AssertionError(f"no end in sight: {self.client and self.client.waiting}")


@given(plans(), st.integers(0, 40), st.booleans(), moves)
def test_whatever_happens_the_same_command_finishes(
    plan: Plan, undisturbed: int, turned: bool, happenings: list[str]
) -> None:
    """Killed anywhere, turned round, the manager late: the last command given comes to its end, floor and
    ceiling hold at every write, and nothing of ours is left."""
    run = Run(plan)
    for _ in range(undisturbed):
        run.step()
        run.namespace.all_ready()
    for what in ["kill, turn round"] * turned + happenings:
        run.move(what)
    if run.namespace.controllers.keys() == {"bar"}:
        run.rollback = False  # finished: there is no way back, and no foo to say it of
        run.client = None
    run.client = None
    run.to_the_end()
    run.namespace.all_ready()
    updated = run.finished()
    assert updated or run.rollback
    (raw,) = run.namespace.controllers.values()
    name = raw["metadata"]["name"]
    assert name == ("foo" if not updated or plan.keeps_the_name else "bar")
    assert not set(raw["metadata"].get("annotations") or {}) & set(record.KEYS)
    assert raw["spec"]["replicas"] == len(run.namespace.pods) == (plan.desired if updated else plan.original)
    assert "minReadySeconds" not in raw["spec"] or raw["spec"]["minReadySeconds"] == 0
    for pod in run.namespace.pods:
        assert pod.owner == raw["metadata"]["uid"]
        assert pod.image == (NEW_IMAGE if updated else "nginx:1.7.9")
    if name == "foo":
        assert raw["metadata"]["uid"] == "uid-foo"
    if not updated:
        assert raw["spec"] == run.start["spec"]
        assert all(pod.labels == {"app": "nginx"} for pod in run.namespace.pods)


@given(plans(), st.integers(0, 40), st.sampled_from(["foo", "other"]), st.integers(0, 8))
def test_what_others_scale_is_carried_into_the_goal(plan: Plan, when: int, which: str, size: int) -> None:
    """Somebody scales one of the two at any moment: the update still ends, neither growing without end nor
    losing what was asked for by whoever was last to scale the controller that stays."""
    run = Run(plan)
    for _ in range(when):
        run.step()
        run.namespace.all_ready()
    names = [name for name in run.namespace.controllers if (name == "foo") == (which == "foo")]
    for name in names:
        run.namespace.scale(name, size)
    run.floor, run.ceiling = 0, 99
    run.client = None
    run.to_the_end()
    run.namespace.all_ready()
    (raw,) = run.namespace.controllers.values()
    assert run.finished()
    assert raw["spec"]["replicas"] == len(run.namespace.pods) <= plan.desired + size + plan.original


@given(st.integers(1, 6), st.integers(0, 12), st.booleans(), moves)
def test_pods_that_change_owners_are_never_without_one(
    size: int, undisturbed: int, turned: bool, happenings: list[str]
) -> None:
    """From the first hold on: none is without an owner, none is made and none goes, whatever is killed,
    turned round and late, as long as the pods are on their way."""
    plan = Plan("image", size, size, Budget(Amount(1), Amount(0)))
    run = Run(plan)
    while not any("rolling-update/hold" in marks(raw) for raw in run.namespace.controllers.values()):
        run.step()
        run.namespace.all_ready()
    pods, made = {pod.name for pod in run.namespace.pods}, run.namespace.made
    for what in ["step", "all ready"] * undisturbed + ["kill, turn round"] * turned + happenings:
        run.move(what)
        held = any("rolling-update/handover" in marks(raw) for raw in run.namespace.controllers.values())
        if not held:
            return
        assert {pod.name for pod in run.namespace.pods} == pods
        assert run.namespace.made == made
        assert all(pod.owner is not None for pod in run.namespace.pods)


def marks(raw: Json) -> Json:
    return raw["metadata"].get("annotations") or {}
