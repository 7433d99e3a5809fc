"""The next step, state by state; and that there is one for every state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Ending
from rollupdate.core.decide import decide
from rollupdate.core.model import record
from rollupdate.core.model.allowance import Allowance
from rollupdate.core.model.belonging import Belongings, Former
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.evictable import EvictablePod, PodLook
from rollupdate.core.model.record import Transfer
from rollupdate.core.phases import writes
from rollupdate.core.phases.eviction_memory import EvictionMemory, Objection, Refused
from rollupdate.core.phases.labelling import SEEN_SECONDS
from rollupdate.core.phases.session import Session, apply, observe
from rollupdate.core.phases.steps import (
    Create,
    Delete,
    DeleteLast,
    Done,
    Effect,
    Emit,
    Evict,
    Label,
    ListPods,
    LookAtPods,
    Patch,
    PodSearch,
    Rehearse,
    Search,
    Snapshot,
    Step,
    Stop,
    TouchPods,
    Wait,
    done,
)
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import Policy
from rollupdate.errors import RefusedError, RollingUpdateError, StoppedError
from rollupdate.events import (
    Continuing,
    Created,
    Finished,
    Labelling,
    Renaming,
    Resuming,
    Returning,
    RollingBack,
    Scaled,
    ScaledByOthers,
    ScalingPlanned,
    Succeeded,
)
from tests.core import worlds
from tests.core.cluster import Client, Namespace
from tests.support import changes
from tests.support.asking import Asking, aimed, asking

IMAGE = changes.image("nginx:1.9.1")
KEEPING = asking("foo", change=IMAGE)
RENAMING = asking("foo", new_name="bar", change=IMAGE)


def client(request: Asking = RENAMING, *, movable: bool = False, **state: Any) -> Client:
    """A run of the command on a namespace with foo in it. ``movable``: pods may be moved; else they are
    released and adopted."""
    return Client(Namespace(worlds.raw("foo", **state), movable=movable), request)


def advance(run: Client, until: Callable[[Step], bool], *, ready: bool = True) -> Step:
    """To the first such step, carried out, on a cluster that does at once what it is told."""
    for _ in range(200):
        step = run.step()
        if until(step):
            return step
        assert run.error is None, run.error
        run.pass_time(step)
        if ready:
            run.namespace.all_ready()
        else:
            run.namespace.look()
    raise AssertionError("it never came to that")


def says(kind: type) -> Callable[[Step], bool]:
    return lambda step: any(isinstance(each, kind) for each in step.events)


def another(run: Client, request: Asking | None = None) -> Client:
    """The client is killed, and the command given again (or another one)."""
    return Client(run.namespace, request or run.request)


def back(run: Client) -> Client:
    return another(run, run.request.but(rollback=True))


def stopped(run: Client) -> RollingUpdateError:
    step = run.step()
    assert isinstance(step, Stop)
    return step.error


def error_of(run: Client) -> str:
    return stopped(run).message


# --- labelling ---


def test_labelling_goes_template_pods_selector() -> None:
    """In that order no pod is let go and none is left without an owner; and every pod that the manager let go
    all the same is looked for at the end."""
    run = client(replicas=2)
    foo = run.namespace.parsed()["foo"]
    steps: list[Step] = []
    while not (steps and isinstance(steps[-1], Create)):
        steps.append(run.step())
        if isinstance(steps[-1], Wait):
            run.namespace.look()
    kinds = [type(step) for step in steps]
    assert kinds == [Patch, Wait, Search, Label, Wait, Patch, Wait, Search, Create]
    template, _, first, label, _, selector, _, second, _ = steps
    generation = foo.generation
    assert isinstance(template, Patch)
    digits = template.desired["spec"]["template"]["metadata"]["labels"]["deployment"]
    assert template.desired["spec"]["selector"] == {"app": "nginx"}
    assert first == Search(search=PodSearch(f"app=nginx,deployment!={digits}", foo.uid, generation + 1))
    assert isinstance(label, Label)
    assert (len(label.pods), label.key, label.value) == (2, "deployment", digits)
    assert label.events == (Labelling("foo", 2, "deployment", digits),)
    assert isinstance(selector, Patch)
    assert selector.desired["spec"]["selector"] == {"app": "nginx", "deployment": digits}
    written = Controller.parse(selector.desired).record
    assert (written.original, written.next_name, written.labelled) == (2, "bar", "deployment")
    assert second == Search(search=PodSearch("app=nginx,!deployment", None, generation + 2))


def test_the_selector_waits_until_the_manager_has_seen_the_labels() -> None:
    """Else it lets the pods go, and makes others. Not for long: it may never count pods as labelled that are
    older than another label of the template."""
    run = client(replicas=2)
    advance(run, lambda step: isinstance(step, Label))
    step = run.step()
    assert isinstance(step, Wait)
    assert step.reason == "the controller manager has not seen the labels of the pods of foo"
    assert step.until == run.now + SEEN_SECONDS
    run.now += SEEN_SECONDS
    step = run.step()
    assert isinstance(step, Patch)
    assert "deployment" in step.desired["spec"]["selector"]


def test_no_pod_is_searched_before_the_manager_has_seen_the_template() -> None:
    """It could still make pods without the label."""
    run = client()
    assert isinstance(run.step(), Patch)
    step = run.step()
    assert isinstance(step, Wait)
    assert step.reason == "the controller manager has not observed the template of foo"


def test_pods_that_were_let_go_are_labelled_and_so_adopted_again() -> None:
    """The manager made a pod without the label between the search and the change of the selector."""
    run = client()
    advance(
        run,
        lambda step: (
            isinstance(step, Patch) and "deployment" in run.namespace.controllers["foo"]["spec"]["selector"]
        ),
    )
    stray = run.namespace.pods[0]
    stray.labels = {"app": "nginx"}
    run.namespace.look()
    assert stray.owner is None
    run.run()
    assert all(pod.owner is not None for pod in run.namespace.pods)
    assert run.done


def test_controllers_that_can_be_told_apart_need_no_label() -> None:
    """The old one has the label already: it is created at once."""
    run = client(deployment="v1")
    assert isinstance(run.step(), Create)


# --- create and scale ---


def test_the_new_controller_is_created_once_everything_is_labelled() -> None:
    """And said so."""
    run = client(deployment="v1")
    step = run.step()
    assert run.goal.manifest is not None
    assert step == Create(manifest=run.goal.manifest, events=(Created("bar"),))


def test_an_old_record_is_replaced_before_a_new_update_begins() -> None:
    """The old command never removes its annotations: a later rollback would take a stale size (14669)."""
    stale = {record.ORIGINAL_REPLICAS: "9", record.NEXT_CONTROLLER: "gone", record.SCALED_BY: "4"}
    run = client(deployment="v1", annotations={**stale, "team": "a"})
    step = run.step()
    assert isinstance(step, Patch)
    assert step.desired["metadata"]["annotations"] == {
        record.ORIGINAL_REPLICAS: "3",
        record.NEXT_CONTROLLER: "bar",
        "team": "a",
    }
    assert isinstance(run.step(), Create)


def test_the_plan_is_announced_once() -> None:
    """With sizes and bounds; a run that created the new controller does not call it existing."""
    run = client(deployment="v1")
    run.step()
    claim = run.step()
    assert isinstance(claim, Patch)
    assert claim.effect is Effect.NOTE
    assert run.step() == Emit(events=(ScalingPlanned("bar", 0, 3, "foo", 3, 3, 4),), planned=True)
    run.namespace.look()
    assert isinstance(run.step(), Patch)


def test_the_first_pods_are_asked_for_once_the_manager_has_seen_the_controller() -> None:
    """It is about to write that down, and would have our own write refused."""
    run = client(deployment="v1")
    advance(run, lambda step: isinstance(step, Emit), ready=False)
    run.namespace.controllers["bar"]["status"] = {"replicas": 0}
    assert run.step() == Wait(reason="the controller manager has not observed bar")
    run.namespace.look()
    assert isinstance(run.step(), Patch)


def test_one_up_one_down() -> None:
    """The documented session: up by the surge, down as soon as the new pod is available, never before."""
    run = client(deployment="v1")
    run.run()
    sizes = [(each.controller, each.after) for each in run.events if isinstance(each, Scaled)]
    assert sizes == [("bar", 1), ("foo", 2), ("bar", 2), ("foo", 1), ("bar", 3), ("foo", 0)]


def test_what_it_waits_for_while_a_new_pod_is_not_available() -> None:
    """Nothing may be done: the old pods are needed, and there may be no more new ones."""
    run = client(deployment="v1")
    step = advance(run, lambda step: isinstance(step, Wait), ready=False)
    assert isinstance(step, Wait)
    assert step.reason == "0 of 1 pods of bar are available"


def test_what_it_waits_for_while_an_old_pod_is_still_to_be_deleted() -> None:
    """Pods that are still there count towards the ceiling."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    step = run.step()
    assert isinstance(step, Wait)
    assert step.reason == "1 pod of foo pending termination"


def test_every_write_to_the_old_controller_names_the_new_one_whole() -> None:
    """By name and uid, so that it is found once its own record is gone."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    known = run.namespace.parsed()["foo"].record
    bar = run.namespace.parsed()["bar"]
    assert (known.original, known.next_name, known.next_uid, known.scaled_to) == (3, "bar", bar.uid, 2)


def test_no_pods_at_all() -> None:
    """0 replicas are updated like any other number."""
    run = client(KEEPING, replicas=0)
    run.run()
    foo = run.namespace.parsed()["foo"]
    assert foo.template["spec"]["containers"][0]["image"] == "nginx:1.9.1"
    assert foo.record.empty


def test_old_pods_that_are_not_ready_do_not_block_the_fixing_update() -> None:
    """18435, 21273: the update to the image that works must be possible."""
    run = client(deployment="v1")
    for pod in run.namespace.pods:
        pod.ready = False
    run.namespace.look()

    def only_new_pods_become_ready() -> None:
        for pod in run.namespace.pods:
            pod.ready = pod.image == "nginx:1.9.1"
        run.namespace.look()

    for _ in range(60):
        if run.done:
            break
        run.step()
        only_new_pods_become_ready()
    assert run.done


def test_the_seconds_a_new_pod_must_be_ready_are_set_on_a_resumed_update() -> None:
    """The flag was added when the command was given again."""
    run = client(deployment="v1")
    run.step()
    run = another(run, RENAMING.but(min_ready_seconds=9))
    step = run.step()
    assert isinstance(step, Patch)
    assert run.namespace.parsed()["bar"].min_ready_seconds == 9
    run.run()
    assert run.namespace.parsed()["bar"].min_ready_seconds == 0


# --- finish by delete ---


def test_the_finish_that_deletes_the_old_controller() -> None:
    """The record comes off the new one first; then the old one goes, and that is the end."""
    run = client(deployment="v1")
    strip = advance(run, says(Succeeded))
    assert strip.events == (Succeeded("foo", rollback=False),)
    assert run.namespace.parsed()["bar"].record.empty
    last = run.step()
    assert isinstance(last, Delete)
    assert last.controller is not None
    assert last.controller.name == "foo"
    assert isinstance(last.events[0], Finished)
    assert run.namespace.controllers.keys() == {"bar"}


def test_the_old_controller_names_the_new_one_before_the_new_ones_record_goes() -> None:
    """An update of the old command has no uid on it: it is written first."""
    old, new = worlds.old_and_new(old=0, new=3, original=3, desired=3, old_available=0, new_available=3)
    unclaimed = copy.deepcopy(old.raw)
    for key in (record.NEXT_CONTROLLER_UID, record.TEMPLATE_SEEN):
        del unclaimed["metadata"]["annotations"][key]
    goal = Goal(original="foo-v1", successor="foo-v2", finish=Ending.DELETE_OLD, resuming=True)
    snapshot = Snapshot(Controller.parse(unclaimed), new)
    step = decide(snapshot, goal, Session(0.0, announced=True), 0.0)
    assert isinstance(step, Patch)
    assert step.desired["metadata"]["name"] == "foo-v1"
    assert Controller.parse(step.desired).record.next_uid == "uid-foo-v2"


def test_a_delete_whose_answer_was_lost() -> None:
    """The object is gone, so it worked: the end is told all the same."""
    run = client(deployment="v1")
    advance(run, says(Succeeded))
    snapshot = run.snapshot()
    assert snapshot.old is not None
    assert snapshot.new is not None
    sent = DeleteLast(controller=snapshot.old, owner=snapshot.new)
    session = replace(run.session, deleting=sent)
    gone = Snapshot(None, snapshot.new)
    assert decide(gone, run.goal, session, 0.0) == done(snapshot.new)
    assert isinstance(decide(snapshot, run.goal, session, 0.0), Delete)


# --- finish by hand-over ---


def test_the_finish_that_keeps_the_name() -> None:
    """Rung by rung: each write with the wait that belongs to it, no pod made, deleted or without an owner."""
    run = client(KEEPING, deployment="v1", movable=True)
    name = run.goal.successor
    advance(run, lambda step: isinstance(step, Rehearse))
    pods, made = {pod.name for pod in run.namespace.pods}, run.namespace.made
    told: list[str] = []
    while not run.done:
        step = run.step()
        match step:
            case Patch(controller=controller, effect=effect):
                told.append(f"{effect.name} {'foo' if controller.name == 'foo' else 'new'}")
            case Wait(reason=reason):
                told.append(reason)
            case _:
                told.append(type(step).__name__)
        if isinstance(step, Wait):
            run.namespace.look()
        assert None not in {pod.owner for pod in run.namespace.pods}
    assert told == [
        "NOTE foo",
        "HOLD new",
        f"the controller manager has not observed {name}",
        "HOLD foo",
        "the controller manager has not observed foo",
        "ListPods",
        "Move",
        "the controller manager has not counted the pods of foo",
        "ListPods",
        "ADOPT foo",
        "EMPTY new",
        "Move",
        "the controller manager has not observed foo",
        "DeleteLast",
    ]
    assert (run.namespace.made, {pod.name for pod in run.namespace.pods}) == (made, pods)
    assert all(pod.owner == "uid-foo" and not pod.owners for pod in run.namespace.pods)
    foo = run.namespace.controllers["foo"]
    assert "annotations" not in foo["metadata"]
    assert "priorityClassName" not in foo["spec"]["template"]["spec"]


def test_the_finish_that_keeps_the_name_where_pods_cannot_be_moved() -> None:
    """Let go, take over, delete: each with the wait that belongs to it, no pod made or deleted."""
    run = client(KEEPING, deployment="v1")
    name = run.goal.successor
    advance(run, says(Succeeded))
    pods = {pod.name for pod in run.namespace.pods}
    step = run.step()
    assert isinstance(step, Wait)
    assert step.reason == f"{name} is releasing its pods"
    run.namespace.look()
    assert {pod.owner for pod in run.namespace.pods} == {None}
    assert isinstance(run.step(), ListPods)
    step = run.step()
    assert isinstance(step, Wait)
    assert step.until == run.now + 1.0
    run.now = step.until
    step = run.step()
    assert step.events == (Renaming(name, "foo"),)
    step = run.step()
    assert isinstance(step, Wait)
    assert step.reason == f"foo is adopting the pods of {name}"
    run.namespace.look()
    step = run.step()
    assert isinstance(step, Delete)
    assert step.controller.name == name
    run.namespace.look()
    assert {pod.name for pod in run.namespace.pods} == pods
    foo = run.namespace.parsed()["foo"]
    assert foo.uid == "uid-foo"
    assert foo.record.empty
    assert foo.labels["deployment"] == name.removeprefix("foo-")


def test_at_every_instant_a_live_object_holds_the_new_specification() -> None:
    """From the creation of the new controller to the end."""
    run = client(KEEPING)
    advance(run, lambda step: isinstance(step, Create))
    while not run.done:
        images = [
            each["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in run.namespace.controllers.values()
        ]
        assert "nginx:1.9.1" in images
        run.pass_time(run.step())
        run.namespace.all_ready()


def test_the_handover_waits_for_the_last_old_pod_to_go() -> None:
    """The old controller may not take over while it still has pods of the old template."""
    run = client(KEEPING, deployment="v1")
    advance(run, says(Succeeded))
    run.namespace.look()
    snapshot = run.snapshot()
    assert snapshot.old is not None
    late = replace(snapshot.old, current=1)
    step = decide(replace(snapshot, old=late), run.goal, run.session, 0.0)
    assert isinstance(step, Wait)
    assert step.reason == "1 pod of foo pending termination"


def test_the_temporary_controller_stays_until_all_pods_are_available_under_the_new_owner() -> None:
    """Nothing is deleted before what replaces it is available and owned."""
    run = client(KEEPING, deployment="v1")
    advance(run, says(Renaming))
    run.namespace.pods[0].ready = False
    run.namespace.look()
    assert isinstance(run.step(), Wait)
    run.namespace.all_ready()
    assert isinstance(run.step(), Delete)


def test_scaled_in_the_middle_of_the_handover() -> None:
    """The old controller would make pods of the old template: it goes back to 0, the size into the goal."""
    run = client(KEEPING, deployment="v1")
    advance(run, says(Succeeded))
    run.namespace.scale("foo", 5)
    run.namespace.look()
    step = run.step()
    assert step.events == (ScaledByOthers("foo", 0, 5, 5), Scaled("foo", 5, 0))
    run.namespace.all_ready()
    run.run()
    assert run.namespace.parsed()["foo"].replicas == 5
    assert len(run.namespace.pods) == 5


# --- resuming ---


def test_resuming_says_so() -> None:
    """The documented three lines, with the counts as they are."""
    run = client(deployment="v1")
    advance(
        run,
        lambda step: any(
            isinstance(each, Scaled) and each.after == 1 and each.controller == "foo" for each in step.events
        ),
    )
    run.namespace.all_ready()
    run = another(run)
    assert run.step() == Emit(
        events=(Resuming("bar"), Continuing("bar"), ScalingPlanned("bar", 2, 3, "foo", 1, 3, 4)), planned=True
    )


@pytest.mark.parametrize("until", [Succeeded, Renaming])
def test_resuming_in_the_handover_says_so_once(until: type) -> None:
    """There is nothing to scale any more, so no sizes are announced."""
    run = client(KEEPING, deployment="v1")
    advance(run, says(until))
    run = another(run)
    name = run.goal.successor
    assert run.step() == Emit(events=(Resuming(name), Continuing(name)))
    run.namespace.all_ready()
    run.run()
    assert sum(isinstance(each, Resuming) for each in run.events) == 1
    assert run.namespace.parsed()["foo"].record.empty


def alone() -> Namespace:
    digits = "0123456789abcdef" * 2
    return Namespace(worlds.raw(f"foo-{digits}", deployment=digits, image="nginx:1.9.1"))


def test_an_update_that_lost_its_old_controller_is_finished() -> None:
    """The old command was killed after it had deleted the old one: the pods get a controller of that name."""
    space = alone()
    pods = {pod.name for pod in space.pods}
    run = Client(space, KEEPING)
    run.run()
    name = run.goal.successor
    kinds = [type(each) for each in run.events]
    assert kinds == [Resuming, Continuing, Renaming, Finished]
    assert run.events[2] == Renaming(name, "foo")
    assert space.controllers.keys() == {"foo"}
    assert {pod.name for pod in space.pods} == pods


@pytest.mark.parametrize("writes", [1, 2])
def test_and_finished_as_well_when_that_is_killed(writes: int) -> None:
    """After letting go, and after the controller was created."""
    space = alone()
    run = Client(space, KEEPING)
    while writes:
        writes -= isinstance(run.step(), (Patch, Create))
        space.all_ready()
    run = Client(space, KEEPING)
    run.run()
    assert space.controllers.keys() == {"foo"}
    assert len(space.pods) == 3


# --- back ---


def test_back_says_what_is_documented() -> None:
    """transcripts.md, section 2."""
    run = client(deployment="v1", replicas=1)
    advance(run, lambda step: any(isinstance(each, Scaled) for each in step.events))
    run.namespace.all_ready()
    run = back(run)
    run.run()
    assert [each for each in run.events if not isinstance(each, Finished)] == [
        RollingBack("foo", 1),
        Continuing("foo"),
        ScalingPlanned("foo", 1, 1, "bar", 1, 1, 2),
        Scaled("bar", 1, 0),
        Succeeded("bar", rollback=True),
    ]
    assert run.namespace.controllers.keys() == {"foo"}


@pytest.mark.parametrize("request_", [KEEPING, RENAMING], ids=["keeping the name", "new name"])
@pytest.mark.parametrize("manager", ["quick", "slow"])
def test_back_from_every_state(request_: Asking, manager: str) -> None:
    """The controller, its template, its selector and its pods' labels are as they were."""
    start = worlds.raw("foo")
    for steps in range(60):
        space = Namespace(start)
        run = Client(space, request_)
        for _ in range(steps):
            if run.done:
                break
            if isinstance(run.step(), Wait) or manager == "quick":
                space.all_ready()
        if run.done:
            break
        try:
            run = back(run)
        except RefusedError as nothing:
            assert nothing.message.startswith("Could not find")
            assert space.controllers["foo"]["spec"] == start["spec"]
            continue
        run.run()
        space.all_ready()
        assert space.controllers.keys() == {"foo"}
        foo = space.controllers["foo"]
        assert foo["spec"] == start["spec"]
        assert foo["metadata"].keys() == start["metadata"].keys(), "no annotation is left"
        assert [(pod.labels, pod.owner) for pod in space.pods] == [({"app": "nginx"}, "uid-foo")] * 3
    else:
        raise AssertionError("the update never came to its end")


def test_back_after_the_handover() -> None:
    """The pods are handed back first: their template is not the old one's. Before that, the new controller
    is marked, so that nobody deletes it any more."""
    run = client(KEEPING, deployment="v1")
    advance(run, says(Renaming))
    run.namespace.all_ready()
    name = run.goal.successor
    run = back(run)
    assert run.step().events == ()
    assert record.RETURNING in run.namespace.controllers[name]["metadata"]["annotations"]
    assert run.step().events == (Returning(name, "foo"), RollingBack("foo", 3))
    run.namespace.all_ready()
    run.run()
    assert {pod.image for pod in run.namespace.pods} == {"nginx:1.7.9"}


def test_back_after_the_handover_where_the_old_specification_is_lost() -> None:
    """There was no old controller to remember it of: says so, and changes nothing."""
    space = alone()
    run = Client(space, KEEPING)
    advance(run, says(Renaming))
    space.all_ready()
    run = Client(space, KEEPING.but(rollback=True))
    assert "its former template is lost; nothing was changed" in error_of(run)


def test_back_after_the_handover_and_a_scale_to_nothing() -> None:
    """The record that is written is one that the next client can read."""
    asked = worlds.raw("foo", replicas=5, image="nginx:2")
    run = client(asking("foo", change=FileChange(asked, "f"), keep_name=True), replicas=1)
    advance(run, says(Renaming))
    run.namespace.scale("foo", 0)
    run = back(run)
    run.run()
    assert run.namespace.parsed()["foo"].replicas == 0


def test_back_when_the_new_controller_was_deleted() -> None:
    """The old one gets its size back, and the record comes off."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.delete("bar")
    run = back(run)
    run.run()
    foo = run.namespace.parsed()["foo"]
    assert (foo.replicas, foo.record.empty) == (3, True)
    assert run.events[:2] == [RollingBack("foo", 3), Scaled("foo", 2, 3)]


def test_back_when_the_new_controller_was_deleted_and_the_old_one_scaled() -> None:
    """A size that somebody else has set since is theirs; so is one that only an old record speaks of."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.delete("bar")
    run.namespace.scale("foo", 1)
    run = back(run)
    run.run()
    assert run.namespace.parsed()["foo"].replicas == 1
    stale = {record.ORIGINAL_REPLICAS: "9", record.NEXT_CONTROLLER: "gone"}
    run = client(asking("foo", rollback=True), annotations=stale)
    run.run()
    assert run.namespace.parsed()["foo"].replicas == 3


def test_turned_round_and_round_again() -> None:
    """Forwards, back and forwards: the last command counts."""
    run = client(KEEPING)
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.all_ready()
    run = back(run)
    advance(run, says(Scaled))
    run.namespace.all_ready()
    run = another(run, KEEPING)
    run.run()
    foo = run.namespace.parsed()["foo"]
    assert foo.template["spec"]["containers"][0]["image"] == "nginx:1.9.1"
    assert foo.record.empty


# --- somebody else ---


def test_overtaken_by_a_rollback() -> None:
    """The client that came first stops, with the status of an update that can go on."""
    first = client(deployment="v1")
    advance(first, lambda step: any(isinstance(each, Scaled) for each in step.events))
    first.namespace.all_ready()
    back(first).step()
    error = stopped(first)
    assert isinstance(error, StoppedError)
    assert error.message == "another client started a rollback of foo; stopping"


def test_a_rollback_overtaken_by_the_update() -> None:
    """And the other way round."""
    first = client(deployment="v1")
    advance(first, lambda step: any(isinstance(each, Scaled) for each in step.events))
    first.namespace.all_ready()
    second = back(first)
    second.step()
    another(first).step()
    assert error_of(second) == "another client resumed the update of foo; stopping"


def test_two_clients_on_the_same_update() -> None:
    """Neither breaks it, and both are told that it is finished."""
    first = client(deployment="v1")
    first.step()
    second = another(first)
    for _ in range(60):
        for run in (first, second):
            if not run.done:
                run.step()
                run.namespace.all_ready()
    assert (first.done, second.done) == (True, True)
    assert first.namespace.controllers.keys() == {"bar"}
    assert len(first.namespace.pods) == 3


@pytest.mark.parametrize("request_", [KEEPING, RENAMING], ids=["keeping the name", "new name"])
def test_the_old_controller_deleted_by_somebody_else(request_: Asking) -> None:
    """A clear error that says what is left."""
    run = client(request_, deployment="v1")
    advance(run, lambda step: any(isinstance(each, Scaled) for each in step.events))
    run.namespace.delete("foo")
    assert error_of(run) == (
        f'replicationcontroller "foo" was deleted by another client during the update; {run.goal.successor} '
        "keeps running with 1 pod as it is"
    )


def test_the_new_controller_deleted_by_somebody_else() -> None:
    """A clear error, and the same command may be given again."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.delete("bar")
    error = stopped(run)
    assert isinstance(error, StoppedError)
    assert error.message == (
        'replicationcontroller "bar" was deleted by another client during the update; foo has 2 pods'
    )


def test_both_deleted_by_somebody_else() -> None:
    """Their pods may be there all the same."""
    run = client(deployment="v1")
    run.step()
    run.step()
    run.namespace.delete("bar")
    run.namespace.delete("foo")
    error = stopped(run)
    assert "and bar does not exist either" in error.message
    assert "create it from its file" in str(error.hint)


@pytest.mark.parametrize("name", ["foo", "bar"])
def test_a_controller_replaced_by_somebody_else(name: str) -> None:
    """Deleted and created again it is another one, by its uid."""
    run = client(deployment="v1")
    advance(run, lambda step: any(isinstance(each, Scaled) for each in step.events))
    run.namespace.delete(name)
    run.namespace.create({key: value for key, value in worlds.raw(name).items() if key != "status"})
    assert error_of(run).startswith(f'replicationcontroller "{name}" was deleted and recreated')


def test_the_name_of_the_new_controller_taken_in_the_last_moment() -> None:
    """Between the look and the create: refused, nothing was changed."""
    run = client(deployment="v1")
    run.namespace.create({key: value for key, value in worlds.raw("bar").items() if key != "status"})
    error = stopped(run)
    assert isinstance(error, RefusedError)
    assert '"bar" already exists' in error.message


def test_the_old_controller_deleted_by_the_finish_of_another_client() -> None:
    """Before our first look: the update is finished, and nothing is created under the old name."""
    first = client(deployment="v1")
    advance(first, says(Succeeded))
    second = another(first)
    first.step()
    second.step()
    assert second.done
    assert first.namespace.controllers.keys() == {"bar"}


@pytest.mark.parametrize("name", ["foo", "bar"])
def test_a_deletion_under_way_is_waited_for(name: str) -> None:
    """An object with a finalizer is not worked on any more."""
    run = client(deployment="v1")
    run.step()
    run.namespace.controllers[name]["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    step = run.step()
    assert isinstance(step, Wait)
    assert step.reason == f"replicationcontroller {name} is being deleted"


# --- scaled by somebody else ---


def test_a_growth_is_carried_into_the_goal() -> None:
    """And said, with the goal that it makes."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.scale("foo", 5)
    run.namespace.all_ready()
    step = run.step()
    assert step.events == (ScaledByOthers("foo", 2, 5, 5),)
    run.run()
    assert run.namespace.parsed()["bar"].replicas == len(run.namespace.pods) == 5


def test_a_growth_of_the_new_controller_is_carried_into_the_goal() -> None:
    """Whichever of the two was scaled."""
    run = client(KEEPING, deployment="v1")
    advance(run, lambda step: any(isinstance(each, Scaled) for each in step.events))
    run.namespace.scale(run.goal.successor, 5)
    run.namespace.all_ready()
    run.run()
    assert run.namespace.parsed()["foo"].replicas == len(run.namespace.pods) == 5


def test_a_shrink_is_carried_into_the_goal() -> None:
    """Two pods less were asked for."""
    run = client(deployment="v1", replicas=5)
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.scale("foo", 2)
    run.namespace.all_ready()
    run.run()
    assert run.namespace.parsed()["bar"].replicas == 3


def test_an_autoscaler_that_holds_a_minimum() -> None:
    """It writes the old controller's size back after each of our scale-downs, and must not drive the goal
    up with it; the update still gets there."""
    run = client(deployment="v1")
    for _ in range(120):
        if run.done:
            break
        step = run.step()
        scaled_down = any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
        if scaled_down and run.namespace.controllers["foo"]["spec"]["replicas"] in (1, 2):
            run.namespace.scale("foo", 3)
        run.namespace.all_ready()
        bar = run.namespace.parsed().get("bar")
        assert bar is None or bar.replicas <= 3
    foreign = [each for each in run.events if isinstance(each, ScaledByOthers)]
    assert foreign
    assert {each.goal for each in foreign} == {3}


def test_scaled_while_the_old_pods_are_labelled() -> None:
    """Before there is a new controller at all."""
    run = client(KEEPING)
    advance(run, says(Labelling))
    run.namespace.scale("foo", 5)
    run.namespace.all_ready()
    run.run()
    assert run.namespace.parsed()["foo"].replicas == len(run.namespace.pods) == 5


def test_scaled_during_a_rollback() -> None:
    """The size of the old controller is the goal then."""
    run = client(deployment="v1")
    advance(
        run, lambda step: any(isinstance(each, Scaled) and each.controller == "foo" for each in step.events)
    )
    run.namespace.all_ready()
    run = back(run)
    advance(run, says(ScalingPlanned))
    run.namespace.scale("foo", 6)
    run.namespace.all_ready()
    run.run()
    assert run.namespace.parsed()["foo"].replicas == 6
    assert run.namespace.controllers.keys() == {"foo"}


# --- time ---


def test_no_progress_for_the_timeout() -> None:
    """The documented message, the reason as a hint, and a status that says: can be continued."""
    run = client(RENAMING.but(timeout=20.0), deployment="v1")
    advance(run, lambda step: isinstance(step, Wait), ready=False)
    run.now = 19.9
    assert isinstance(run.step(), Wait)
    run.now = 20.0
    error = stopped(run)
    assert isinstance(error, StoppedError)
    assert error.message == "timed out waiting for any update progress to be made"
    assert error.hint == "0 of 1 pods of bar are available"


def test_any_progress_starts_the_time_anew() -> None:
    """A pod that becomes available is progress, although nothing can be done yet."""
    request = RENAMING.but(timeout=20.0, budget=Budget(Amount(3), Amount(0)))
    run = client(request, deployment="v1")
    advance(run, lambda step: isinstance(step, Wait), ready=False)
    run.namespace.look()
    run.step()
    for now in (15.0, 30.0):
        run.now = now
        run.namespace.one_ready()
        run.namespace.look()
        assert not isinstance(run.step(), Stop)


def test_a_pod_that_comes_and_goes_is_no_progress() -> None:
    """A crash loop makes it available again and again: what does not beat the best is none."""
    request = RENAMING.but(timeout=20.0)
    run = client(request, deployment="v1", replicas=2)
    advance(run, lambda step: isinstance(step, Wait), ready=False)
    snapshot = run.snapshot()
    assert snapshot.new is not None
    up = replace(snapshot, new=replace(snapshot.new, current=1, status_available=1))
    down = replace(snapshot, new=replace(snapshot.new, current=1, status_available=0))
    session = observe(run.session, up, run.goal, 5.0)
    for now, snapshot in ((10.0, down), (15.0, up), (20.0, down), (24.0, up)):
        session = observe(session, snapshot, run.goal, now)
    assert session.progress_at == 5.0


def test_a_timeout_of_nothing_waits_for_ever() -> None:
    """0 switches it off."""
    run = client(RENAMING.but(timeout=0.0), deployment="v1")
    advance(run, lambda step: isinstance(step, Wait), ready=False)
    run.now = 1e9
    assert isinstance(run.step(), Wait)


def test_the_update_period_passes_before_old_pods_go() -> None:
    """Counted from the scale-up that they make room for; it is no lack of progress."""
    run = client(RENAMING.but(update_period=60.0, timeout=20.0), deployment="v1")
    run.now = 100.0
    run.session = Session(started=100.0, progress_at=100.0)
    advance(run, lambda step: any(isinstance(each, Scaled) for each in step.events))
    run.namespace.all_ready()
    run.now = 159.0
    step = run.step()
    assert step == Wait(reason="--update-period has not passed", until=160.0)
    run.now = 160.0
    assert run.step().events == (Scaled("foo", 3, 2),)


# --- every state has an answer ---

numbers = st.integers(0, 6).map(str)
small = st.integers(0, 6)
keys, values = st.sampled_from(["app", "deployment"]), st.sampled_from(["nginx", "v1", "v2"])
selectors: st.SearchStrategy[dict[str, str]] = st.dictionaries(keys, values, min_size=1)
handovers = st.builds(
    Transfer,
    selector=selectors,
    labels=st.dictionaries(keys, values),
    replicas=small,
    original=small,
    previous=st.sampled_from([None, {}, worlds.raw("foo")["spec"]]),
    former=st.sampled_from([None, Former({"app": None}, {"x": "1"}, Belongings(finalizers=("a/b",)))]),
)
notes = st.fixed_dictionaries(
    {},
    optional={
        record.SOURCE_ID: st.sampled_from(["foo:uid-foo", "bar:uid-bar", "x:y", ""]),
        record.DESIRED_REPLICAS: numbers,
        record.ORIGINAL_REPLICAS: numbers,
        record.NEXT_CONTROLLER: st.sampled_from(["foo", "bar", "x"]),
        record.NEXT_CONTROLLER_UID: st.sampled_from(["uid-foo", "uid-bar", "x"]),
        record.SOURCE_REPLICAS: numbers,
        record.SCALED_TO: numbers,
        record.SCALED_BY: st.integers(-6, 6).map(str),
        record.TEMPLATE_HASH: st.sampled_from(["", "0123456789abcdef" * 2]),
        record.MIN_READY_SECONDS: numbers,
        record.LABELLED: st.sampled_from(["deployment", "app", "x"]),
        record.TRANSFER: handovers.map(Transfer.encode),
        record.RAN: st.sampled_from(
            [
                '[{"at":["spec","containers",0,"image"],"is":"nginx:1.7.8"}]',
                '[{"at":["metadata"],"is":"x"}]',
                '[{"at":["metadata","labels"]}]',
                '[{"at":["spec"]}]',
            ]
        ),
        record.BELONGINGS: st.sampled_from(
            [
                '{"finalizers":["a/b"],"ownerReferences":[]}',
                '{"finalizers":[],"ownerReferences":[{"uid":"x"}]}',
            ]
        ),
    },
)


@st.composite
def controllers(draw: st.DrawFn, name: str) -> Controller | None:
    """Any state of one, however little it agrees with itself."""
    if draw(st.integers(0, 5)) == 0:
        return None
    obj = worlds.raw(
        name,
        replicas=draw(small),
        current=draw(small),
        available=draw(small),
        ready=draw(small),
        deployment=draw(st.sampled_from([None, "v1", "v2"])),
        annotations=draw(notes),
    )
    obj["metadata"]["generation"] += draw(st.integers(0, 1))
    if draw(st.booleans()):
        obj["spec"]["selector"] = draw(selectors)
    if draw(st.integers(0, 9)) == 0:
        obj["spec"]["template"] = draw(
            st.sampled_from([{}, {"metadata": None}, {"metadata": {"labels": None}}])
        )
    if draw(st.integers(0, 9)) == 0:
        obj["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    if draw(st.integers(0, 9)) == 0:
        obj["metadata"]["finalizers"] = draw(st.sampled_from([[], ["a/b"], "x", [1]]))
    if draw(st.integers(0, 9)) == 0:
        obj["metadata"]["uid"] = "another"
    found = Controller.parse(obj)
    if draw(st.integers(0, 3)) == 0:
        chosen = Evictions(tuple((f"p{number}", "1") for number in range(draw(small))))
        found = Controller.parse(writes.evicting(found, found.replicas, chosen, {}))
    return found


TARGET = aimed(RENAMING, {"foo": worlds.controller("foo")}).target
goals = st.builds(
    Goal,
    original=st.just("foo"),
    successor=st.just("bar"),
    rollback=st.booleans(),
    finish=st.sampled_from(Ending),
    policy=st.builds(
        Policy,
        budget=st.builds(Budget, st.builds(Amount, small), st.builds(Amount, small)),
        min_ready_seconds=st.none() | small,
        update_period=st.sampled_from([0.0, 5.0]),
        timeout=st.sampled_from([0.0, 10.0]),
        evicts=st.booleans(),
    ),
    target=st.sampled_from([None, TARGET]),
    digest=st.none() | st.just("x"),
    resuming=st.booleans(),
    label_key=st.sampled_from(["deployment", "app", "rev"]),
    carry_metadata=st.booleans(),
)
uids = st.sampled_from([None, "uid-foo", "uid-bar", "another"])
sessions = st.builds(
    Session,
    started=st.just(0.0),
    announced=st.booleans(),
    claimed=st.booleans(),
    created=st.booleans(),
    stripped=st.booleans(),
    seen_original=uids,
    seen_successor=uids,
    seen_template=st.none() | st.just("x"),
    deleting=st.none()
    | st.just(DeleteLast(controller=worlds.controller("bar"), owner=worlds.controller("foo"))),
    scaled_up_at=st.none() | st.floats(0, 20),
    progress_at=st.floats(0, 20),
    best=st.none() | st.tuples(small, small, small, small),
    evictions=st.builds(
        EvictionMemory,
        refuses_pods=st.booleans(),
        at=st.none() | st.floats(0, 40),
        going=small,
        in_vain=small,
        refused=st.none()
        | st.builds(Refused, st.builds(Objection, st.just("no"), st.floats(0, 5)), st.floats(0, 40)),
    ),
)
GUARD = {"spec": {"selector": {}}, "apiVersion": "policy/v1"}


looks = st.lists(
    st.builds(
        PodLook,
        uid=st.sampled_from(["uid-foo", "uid-bar"]),
        seen=st.tuples(small, small),
        at=st.floats(0, 40),
        pods=small.map(lambda count: tuple(EvictablePod(f"p{one}", f"u{one}", "1") for one in range(count))),
        allowances=st.none() | st.just((Allowance("guard", 0, 1, 2, of_sizes=True, budget=GUARD),)),
        fresh=st.booleans(),
        unknown=st.booleans(),
    ),
    max_size=2,
).map(tuple)


@given(
    controllers("foo"),
    controllers("bar"),
    st.none() | st.builds(PodSearch, st.sampled_from(["app=nginx", "app=nginx,!deployment"]), uids),
    st.lists(st.sampled_from(["a", "b"]), unique=True).map(tuple),
    looks,
    goals,
    sessions,
    st.floats(0, 40),
)
def test_every_state_of_the_cluster_has_an_answer(
    original: Controller | None,
    successor: Controller | None,
    searched: PodSearch | None,
    pods: tuple[str, ...],
    looked: tuple[PodLook, ...],
    goal: Goal,
    session: Session,
    now: float,
) -> None:
    """Whatever is seen, remembered and asked for: a step, complete, on one of the two objects seen; what was
    seen stays as it is; and asked again the answer is the same."""
    snapshot = Snapshot(original, successor, searched, pods, looks=looked)
    before = copy.deepcopy([each.raw for each in (original, successor) if each is not None])
    session = observe(session, snapshot, goal, now)
    step = decide(snapshot, goal, session, now)
    assert repr(step) == repr(decide(snapshot, goal, session, now))
    assert before == [each.raw for each in (original, successor) if each is not None]
    assert isinstance(apply(session, step, now), Session)
    match step:
        case Patch(controller=controller, desired=wanted):
            assert controller in (original, successor)
            assert wanted["metadata"]["uid"] == controller.uid
            assert wanted["spec"]["replicas"] >= 0
            assert Controller.parse(wanted).name == controller.name
        case Delete(controller=controller):
            assert controller in (original, successor)
            assert controller.uid == {"foo": original, "bar": successor}[controller.name].uid  # type: ignore[union-attr]
        case Create() | Search():
            pass
        case Label(pods=some) | Evict(pods=some) | TouchPods(pods=some):
            assert some
        case LookAtPods(controller=controller):
            assert controller in (original, successor)
        case Stop(error=error):
            assert error.message
        case Wait(reason=reason):
            assert reason
        case Emit(events=told):
            assert told
        case Done(events=told, owner=owner):
            assert told == (Finished(owner.name, owner.raw),)
        case _:
            raise AssertionError(step)
