"""The writes of an update: what each changes, what it leaves alone, and which undoes which."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.hold import CLASS
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import writes
from testing.objects import Json
from tests.core.worlds import raw

KEY = "deployment"


def old(**state: Any) -> Controller:
    """The old controller at the finish: no pods, and annotations and labels of its own."""
    obj = raw(
        "foo",
        **{
            "replicas": 0,
            "deployment": "v1",
            "annotations": {
                "example.com/owner": "team",
                record.ORIGINAL_REPLICAS: "3",
                record.NEXT_CONTROLLER: "foo-v2",
                record.NEXT_CONTROLLER_UID: "uid-foo-v2",
                record.SCALED_TO: "0",
                record.LABELLED: KEY,
            },
            **state,
        },
    )
    obj["metadata"]["labels"]["tier"] = "web"
    return Controller.parse(obj)


def new(**state: Any) -> Controller:
    """The new controller at the finish: all pods."""
    return Controller.parse(
        raw(
            "foo-v2",
            **{
                "replicas": 3,
                "deployment": "v2",
                "image": "nginx:1.9.1",
                "annotations": {
                    "example.com/change": "2",
                    record.SOURCE_ID: "foo:uid-foo",
                    record.DESIRED_REPLICAS: "3",
                    record.SCALED_TO: "3",
                },
                **state,
            },
        )
    )


def transfer_of(original: Controller, successor: Controller) -> Transfer:
    return Transfer(
        selector=successor.selector,
        labels=successor.labels,
        replicas=successor.replicas - original.record.scaled_by,
        original=3,
        previous={**original.raw["spec"], "replicas": 0},
    )


def parsed(obj: Json) -> Controller:
    return Controller.parse(obj)


CHANGES = {
    "annotated": lambda a, b: writes.annotated(a, {"x": "1", record.SCALED_TO: None}),
    "without_record": lambda a, b: writes.without_record(a),
    "scaled": lambda a, b: writes.scaled(a, 2, {}),
    "template_labelled": lambda a, b: writes.template_labelled(a, "rev", "x"),
    "selector_labelled": lambda a, b: writes.selector_labelled(a, "rev", "x", {}),
    "selector_unlabelled": lambda a, b: writes.selector_unlabelled(a, KEY),
    "template_unlabelled": lambda a, b: writes.template_unlabelled(a, KEY),
    "min_ready_seconds": lambda a, b: writes.min_ready_seconds(a, 9),
    "released": lambda a, b: writes.released(b, a, transfer_of(a, b), KEY),
    "reclaimed": lambda a, b: writes.reclaimed(b, transfer_of(a, b), 3),
    "adopting": lambda a, b: writes.adopting(a, b, transfer_of(a, b), 3, carry_metadata=True),
    "returned": lambda a, b: writes.returned(a, b, transfer_of(a, b)),
    "holding": lambda a, b: writes.holding(b, 4, {}),
    "lifted": lambda a, b: writes.lifted(parsed(writes.holding(b, 4, {})), 3),
    "respecified": lambda a, b: writes.respecified(a, b, transfer_of(a, b), 3),
    "restored": lambda a, b: writes.restored(a, transfer_of(a, b)),
    "committed": lambda a, b: writes.committed(a, b, 3, carry_metadata=True),
    "emptied": lambda a, b: writes.emptied(b, transfer_of(a, b), KEY),
    "probing": lambda a, b: writes.probing(b, transfer_of(a, b)),
    "recreated": lambda a, b: writes.recreated(b, "foo", transfer_of(a, b), 3),
}


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_touches_what_it_was_made_from(name: str) -> None:
    """The patch is the difference between the two: were the first changed too, nothing would be sent."""
    original, successor = old(), new()
    before = copy.deepcopy((original.raw, successor.raw))
    result = CHANGES[name](original, successor)
    assert (original.raw, successor.raw) == before
    result["metadata"].setdefault("labels", {})["spoilt"] = "x"
    result["spec"]["template"]["metadata"]["labels"]["spoilt"] = "x"
    result["spec"]["template"]["spec"]["containers"][0]["image"] = "spoilt"
    result["spec"].setdefault("selector", {})["spoilt"] = "x"
    assert (original.raw, successor.raw) == before, "the result shares a part with what it was made from"


@pytest.mark.parametrize("name", sorted(CHANGES.keys() - {"recreated"}))
def test_every_change_keeps_identity_and_what_others_wrote(name: str) -> None:
    """uid, version, labels, status and the annotations of others go through every write."""
    original, successor = old(), new()
    result = CHANGES[name](original, successor)
    source = successor if result["metadata"]["name"] == successor.name else original
    for field in ("name", "namespace", "uid", "resourceVersion", "generation"):
        assert result["metadata"][field] == source.raw["metadata"][field]
    assert source.raw["metadata"]["labels"].items() <= result["metadata"]["labels"].items()
    for key, value in source.raw["metadata"]["annotations"].items():
        if key not in record.KEYS:
            assert result["metadata"]["annotations"][key] == value
    assert result["status"] == source.raw["status"]


def test_annotations_are_set_as_text_and_taken_off() -> None:
    """Numbers are written as text; None removes; where none is left there is no field."""
    each = Controller.parse(raw("foo", annotations={record.SCALED_TO: "3"}))
    assert writes.annotated(each, {"n": 5})["metadata"]["annotations"] == {record.SCALED_TO: "3", "n": "5"}
    assert "annotations" not in writes.annotated(each, {record.SCALED_TO: None, "absent": None})["metadata"]


def test_a_scale_leaves_its_size_in_the_record() -> None:
    """By it a scale by somebody else is noticed."""
    obj = writes.scaled(old(), 2, {record.NEXT_CONTROLLER: "bar"})
    assert obj["spec"]["replicas"] == 2
    assert parsed(obj).record.scaled_to == 2
    assert parsed(obj).record.next_name == "bar"


@given(st.dictionaries(st.sampled_from(record.KEYS), st.just("1")))
def test_no_key_of_ours_outlives_the_finish(annotations: dict[str, str]) -> None:
    """Whatever there was of the record, and nothing else, is gone."""
    for key in (record.TRANSFER, record.BELONGINGS, record.RAN, record.MIGRATION, record.EVICTING):
        annotations.pop(key, None)
    each = Controller.parse(raw("foo", annotations={**annotations, "example.com/owner": "x"}))
    obj = writes.without_record(each)
    assert obj["metadata"]["annotations"] == {"example.com/owner": "x"}
    assert parsed(obj).record.empty


# --- labelling ---


def test_labelling_and_unlabelling_are_inverse() -> None:
    """Template and selector are as they were; the label of the user is not touched."""
    each = Controller.parse(raw("foo"))
    labelled = parsed(writes.template_labelled(each, KEY, "h"))
    assert labelled.labels == {"app": "nginx", KEY: "h"}
    assert labelled.selector == {"app": "nginx"}
    assert labelled.record.labelled == KEY
    both = parsed(writes.selector_labelled(labelled, KEY, "h", {}))
    assert both.selector == both.labels
    plain = parsed(writes.template_unlabelled(parsed(writes.selector_unlabelled(both, KEY)), KEY))
    assert plain.raw["spec"] == each.raw["spec"]
    assert parsed(writes.without_record(plain)).raw == each.raw


# --- minReadySeconds ---


def test_min_ready_seconds_comes_back() -> None:
    """Its own value is remembered at the first change, also over a second one."""
    obj = raw("foo")
    obj["spec"]["minReadySeconds"] = 4
    once = parsed(writes.min_ready_seconds(Controller.parse(obj), 10))
    twice = parsed(writes.min_ready_seconds(once, 20))
    assert twice.min_ready_seconds == 20
    assert writes.without_record(twice) == obj


# --- the transfer ---


def test_releasing_lets_go_of_every_pod() -> None:
    """The selector matches none of its pods any more, the template still fits the selector, and no pod is
    wanted, so that none is deleted and none created."""
    original, successor = old(), new()
    obj = writes.released(successor, original, transfer_of(original, successor), KEY)
    spec = obj["spec"]
    assert spec["replicas"] == 0
    assert spec["selector"][KEY] not in (successor.selector[KEY], original.selector[KEY])
    assert spec["selector"].items() <= spec["template"]["metadata"]["labels"].items()
    assert spec["template"]["spec"] == successor.raw["spec"]["template"]["spec"]
    assert parsed(obj).record.transfer == transfer_of(original, successor)


def test_the_value_it_lets_go_with_depends_on_the_uid() -> None:
    """Two controllers of the same template let go of their pods to nobody, not to each other."""
    first, second = new(), new(uid="another")
    values = {
        writes.released(each, old(), transfer_of(old(), each), KEY)["spec"]["selector"][KEY]
        for each in (first, second)
    }
    assert len(values | {template_hash(first.template, KEY)}) == 3


def test_released_and_reclaimed_are_inverse() -> None:
    """A rollback in the middle of the transfer gives the new controller back as it was."""
    original, successor = old(), new()
    transfer = transfer_of(original, successor)
    released = parsed(writes.released(successor, original, transfer, KEY))
    assert writes.reclaimed(released, transfer, successor.replicas) == successor.raw


def test_a_successor_that_the_old_command_stripped_is_given_its_source() -> None:
    """So that it is recognised after the transfer, when the old one's record is gone."""
    successor = new(annotations=None)
    obj = writes.released(successor, old(), transfer_of(old(), successor), KEY)
    assert parsed(obj).record.source_id == "foo:uid-foo"


def test_letting_go_without_an_old_controller() -> None:
    """The uid in the record is that of a controller that is gone: it must not be looked for."""
    successor = new()
    obj = writes.released(successor, None, transfer_of(old(), successor), KEY)
    assert parsed(obj).record.source_id is None


@pytest.mark.parametrize("carry", [False, True])
def test_the_old_controller_becomes_the_new_one(carry: bool) -> None:
    """In one write: the whole new specification, its own uid, labels and annotations, no record. Labels and
    annotations of a file are added, those of an image update are the same anyway."""
    original, successor = old(), new()
    transfer = transfer_of(original, successor)
    released = parsed(writes.released(successor, original, transfer, KEY))
    obj = writes.adopting(original, released, transfer, 3, carry_metadata=carry)
    assert obj["spec"] == successor.raw["spec"]
    assert obj["metadata"]["uid"] == original.uid
    assert obj["metadata"]["labels"] == {"app": "nginx", "tier": "web"}
    carried = {"example.com/change": "2"} if carry else {}
    assert obj["metadata"]["annotations"] == {"example.com/owner": "team", **carried}


def with_class(controller: Controller, name: str) -> Controller:
    obj = copy.deepcopy(controller.raw)
    if name:
        obj["spec"]["template"]["spec"]["priorityClassName"] = name
    return parsed(obj)


classes = pytest.mark.parametrize("own", ["", "critical"])


@classes
def test_held_and_lifted_are_inverse(own: str) -> None:
    """The class comes back by value; where there was none no key is left."""
    successor = with_class(new(), own)
    held = parsed(writes.holding(successor, 4, {record.LABELLED: KEY}))
    assert (held.held, held.replicas, held.record.hold, held.record.format) == (True, 4, own, 2)
    assert held.template == successor.template
    assert held.raw["spec"]["template"]["spec"]["priorityClassName"] == CLASS
    assert writes.lifted(held, 3) == successor.raw


@classes
def test_a_second_hold_remembers_the_first_class(own: str) -> None:
    held = parsed(writes.holding(with_class(new(), own), 4, {}))
    assert parsed(writes.holding(held, 5, {})).record.hold == own


@classes
def test_respecified_and_restored_are_inverse(own: str) -> None:
    """The old controller is held with the whole new specification, then as it was at 0."""
    original, successor = old(), with_class(new(), own)
    transfer = transfer_of(original, successor)
    held = parsed(writes.respecified(original, successor, transfer, 3))
    assert (held.held, held.record.hold, held.record.scaled_to) == (True, own, 3)
    assert (held.selector, held.template) == (successor.selector, successor.template)
    assert writes.restored(held, transfer) == original.raw


@classes
@pytest.mark.parametrize("carry", [False, True])
def test_committed_is_what_adopting_writes(own: str, carry: bool) -> None:
    """Either way of moving the pods ends with the same object."""
    original, successor = old(), with_class(new(), own)
    transfer = transfer_of(original, successor)
    held = parsed(writes.respecified(original, successor, transfer, 3))
    assert writes.committed(held, successor, 3, carry_metadata=carry) == writes.adopting(
        original, successor, transfer, 3, carry_metadata=carry
    )


@classes
def test_emptied_and_probing_are_inverse(own: str) -> None:
    """But for the size, which asks for one pod, and is refused it."""
    original, successor = old(), with_class(new(), own)
    transfer = transfer_of(original, successor)
    held = parsed(writes.holding(successor, 4, {record.TRANSFER: transfer.encode()}))
    empty = parsed(writes.emptied(held, transfer, KEY))
    assert (empty.held, empty.replicas, empty.record.hold) == (False, 0, None)
    assert empty.selector.items() <= empty.labels.items()
    assert empty.selector[KEY] != successor.selector[KEY]
    again = writes.probing(empty, transfer)
    again["spec"]["replicas"] = 4
    again["metadata"]["annotations"][record.SCALED_TO] = "4"
    assert again == held.raw


def test_min_ready_seconds_of_the_new_controller_is_its_own_again_in_the_handover() -> None:
    """--min-ready-seconds was for the time of the update."""
    successor = parsed(writes.min_ready_seconds(new(), 30))
    original = old()
    obj = writes.adopting(original, successor, transfer_of(original, successor), 3, carry_metadata=False)
    assert obj["spec"]["minReadySeconds"] == 0


@given(st.integers(0, 5), st.integers(-2, 3))
def test_handed_over_and_handed_back_are_inverse(scaled_meanwhile: int, scaled_before: int) -> None:
    """A rollback after the transfer finds the old specification, with nothing running yet, and the record
    of a rollback; what others scaled before and since is what is to be added."""
    original = old()
    if scaled_before:
        original = parsed(writes.annotated(original, {record.SCALED_BY: scaled_before}))
    successor = new(replicas=3 + scaled_before)
    transfer = transfer_of(original, successor)
    released = parsed(writes.released(successor, original, transfer, KEY))
    size = transfer.replicas + scaled_before
    taken = parsed(writes.adopting(original, released, transfer, size, carry_metadata=False))
    taken = parsed({**taken.raw, "spec": {**taken.raw["spec"], "replicas": scaled_meanwhile}})
    back = parsed(writes.returned(taken, released, transfer))
    assert back.raw["spec"] == original.raw["spec"]
    assert back.raw["metadata"]["uid"] == original.uid
    known = back.record
    assert known.source_id == successor.identity
    assert (known.next_name, known.next_uid) == (successor.name, successor.uid)
    assert (known.original, known.scaled_to, known.labelled) == (3, 0, KEY)
    assert known.scaled_by == scaled_meanwhile - 3


def test_recreated_for_an_update_that_lost_its_old_controller() -> None:
    """A new object under the lasting name: the whole specification, no uid, nothing of ours."""
    successor = new()
    transfer = transfer_of(old(), successor)
    released = parsed(writes.released(successor, None, transfer, KEY))
    obj = writes.recreated(released, "foo", transfer, 3)
    assert obj == {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {
            "name": "foo",
            "namespace": "default",
            "labels": {"app": "nginx"},
            "annotations": {"example.com/change": "2"},
        },
        "spec": successor.raw["spec"],
    }
