"""The decision table: what to scale, when, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollupdate.core.changes.target import Ending
from rollupdate.core.decide import decide
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.session import Session, apply, observe
from rollupdate.core.phases.steps import Emit, Patch, Snapshot, Step, Wait
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import Policy
from rollupdate.events import Created, Event, Scaled
from rollupdate.report.plain import documented_line
from tests.core.worlds import old_and_new, settled

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "decision_table.json").read_text())


class World:
    """Two controllers, moved by the decision and by what the table says of readiness."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.old, self.new = old_and_new(
            old=case["old_replicas"],
            new=case["new_replicas"],
            original=case["original_replicas"],
            desired=case["desired"],
            old_available=case["old_replicas"],
            new_available=0,
        )
        budget = Budget(Amount.parse(case["max_surge"]), Amount.parse(case["max_unavailable"]))
        self.goal = Goal(
            original="foo-v1",
            successor="foo-v2",
            finish=Ending.DELETE_OLD,
            policy=Policy(budget=budget),
        )
        self.session = Session(started=0.0, created=not case["new_exists"], seen_successor=self.new.uid)
        self.events: list[Event] = [] if case["new_exists"] else [Created("foo-v2")]

    def step(self) -> Step:
        snapshot = Snapshot(self.old, self.new)
        self.session = observe(self.session, snapshot, self.goal, 0.0)
        step = decide(snapshot, self.goal, self.session, 0.0)
        if isinstance(step, Emit):
            self.told(step)
            return self.step()
        return step

    def told(self, step: Step) -> None:
        self.session = apply(self.session, step, 0.0)
        self.events += step.events

    def carry_out(self, step: Step) -> Scaled:
        assert isinstance(step, Patch)
        (event,) = step.events
        assert isinstance(event, Scaled)
        self.told(step)
        if step.controller.name == "foo-v1":
            self.old = settled(step.desired, available=min(self.old.status_available, event.after))
        else:
            self.new = settled(step.desired, available=self.new.status_available)
        return event

    def look(self, old_ready: int, new_ready: int) -> None:
        self.old = _with_available(self.old, old_ready)
        self.new = _with_available(self.new, new_ready)


def _with_available(controller: Controller, count: int) -> Controller:
    return replace(controller, ready=count, status_available=count)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_scales_and_tells_as_the_table_says(case: dict[str, Any]) -> None:
    """Every scale-up and scale-down of the table, in its order, and nothing else."""
    world = World(case)
    for event in case["events"]:
        if "scale_up_to" in event:
            if world.new.replicas == event["scale_up_to"]:
                continue  # the table repeats a size that is there already
            told = world.carry_out(world.step())
            assert (told.controller, told.after) == ("foo-v2", event["scale_up_to"])
            continue
        world.look(event["old_ready"], event["new_ready"])
        step = world.step()
        expected = event["scale_down_to"]
        if expected is None or expected == world.old.replicas:
            assert not any(isinstance(each, Scaled) and each.controller == "foo-v1" for each in step.events)
            if expected is None:
                assert isinstance(step, Wait)
            continue
        told = world.carry_out(step)
        assert (told.controller, told.after) == ("foo-v1", expected)
    assert world.old.replicas == 0
    assert world.new.replicas == case["desired"]
    assert [documented_line(event) for event in world.events] == case["output"]
