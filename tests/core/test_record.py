"""The record of an update on the cluster: written, read again, and refused where somebody spoilt it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model import record
from rollupdate.core.model.record import Record, Transfer
from rollupdate.counts import LARGEST
from rollupdate.errors import RefusedError

NUMBERS = {
    record.DESIRED_REPLICAS: "desired",
    record.ORIGINAL_REPLICAS: "original",
    record.SOURCE_REPLICAS: "source_replicas",
    record.SCALED_TO: "scaled_to",
    record.SCALED_BY: "scaled_by",
    record.MIN_READY_SECONDS: "min_ready_seconds",
    record.EPOCH: "epoch",
    record.RETURNING: "returning",
    record.UNDO_TO: "undo_to",
    record.UNDO_FROM: "undo_from",
    record.PAUSED: "paused",
    record.PASSED: "passed",
    record.FORMAT: "format",
}
TEXTS = {
    record.HOLD: "hold",
    record.NOT_MOVED: "not_moved",
    record.SOURCE_ID: "source_id",
    record.NEXT_CONTROLLER: "next_name",
    record.NEXT_CONTROLLER_UID: "next_uid",
    record.TEMPLATE_HASH: "template_hash",
    record.LABELLED: "labelled",
    record.TEMPLATE_SEEN: "template_seen",
    record.TEMPLATE_BEFORE: "template_before",
    record.SUPERSEDED_BY: "superseded_by",
    record.STARTED_BY: "started_by",
    record.RESTORED: "restored",
}

VALUES = {record.TRANSFER, record.BELONGINGS, record.RAN, record.MIGRATION, record.EVICTING}

labels = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
handovers = st.builds(
    Transfer,
    selector=st.dictionaries(st.text(max_size=8), st.text(max_size=8), min_size=1, max_size=3),
    labels=labels,
    replicas=st.integers(0, LARGEST),
    original=st.integers(0, LARGEST),
    previous=st.none() | st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4)),
)


def most(key: str) -> int:
    return record.KNOWN_FORMAT if key == record.FORMAT else LARGEST


def test_the_keys_of_the_old_command_are_kept() -> None:
    """An update that it began can be continued here, and the other way round (reference/record.md)."""
    assert record.SOURCE_ID == "kubectl.kubernetes.io/update-source-id"
    assert record.DESIRED_REPLICAS == "kubectl.kubernetes.io/desired-replicas"
    assert record.ORIGINAL_REPLICAS == "kubectl.kubernetes.io/original-replicas"
    assert record.NEXT_CONTROLLER == "kubectl.kubernetes.io/next-controller-id"


def test_every_key_is_cleared_at_the_end() -> None:
    """What is written is on the list of what is taken off; the mark on a template is there to stay."""
    assert set(record.KEYS) == {*NUMBERS, *TEXTS, *VALUES, record.TOUCHED}
    assert Record.parse("foo", {record.TOUCHED: "1"}).empty
    assert record.RESTART not in record.KEYS


def test_no_annotation_is_an_empty_record() -> None:
    """Annotations of others do not count, nor does a mark that others' scaling has added nothing."""
    assert Record.parse("foo", {"example.com/owner": "x"}).empty
    assert not Record.parse("foo", {record.LABELLED: "deployment"}).empty


@given(
    st.fixed_dictionaries({}, optional={key: st.integers(0, most(key)) for key in NUMBERS}),
    st.fixed_dictionaries({}, optional={key: st.text() for key in TEXTS}),
    st.none() | handovers,
)
def test_what_is_written_is_read(
    numbers: dict[str, int], texts: dict[str, str], transfer: Transfer | None
) -> None:
    """Every value comes back as it was."""
    annotations = {**{key: str(value) for key, value in numbers.items()}, **texts}
    if transfer is not None:
        annotations[record.TRANSFER] = transfer.encode()
    read = Record.parse("foo", annotations)
    for key, name in (NUMBERS | TEXTS).items():
        default: Any = 0 if key in (record.SCALED_BY, record.EPOCH) else None
        assert getattr(read, name) == {**texts, **numbers}.get(key, default)
    assert read.transfer == transfer


@given(handovers)
def test_a_handover_is_written_the_same_each_time(transfer: Transfer) -> None:
    """Key order does not matter: a repeated write is no write."""
    again = Transfer.decode(transfer.encode())
    assert again == transfer
    assert again.encode() == transfer.encode()


@pytest.mark.parametrize("number", ["1", "2"])
def test_a_known_format(number: str) -> None:
    """All annotations are read. The number itself is one of ours, and is removed with them."""
    read = Record.parse("foo", {record.FORMAT: number, record.EPOCH: "4"})
    assert (read.format, read.epoch, read.newer) == (int(number), 4, False)
    assert not Record.parse("foo", {record.FORMAT: number}).empty


def test_an_unknown_format() -> None:
    """Only names and uids are read: the other annotations may have another syntax or meaning."""
    newer = record.KNOWN_FORMAT + 1
    links = {record.SOURCE_ID: "a:1", record.NEXT_CONTROLLER: "b", record.NEXT_CONTROLLER_UID: "2"}
    more = {record.EPOCH: "four", record.TRANSFER: "gone", record.TEMPLATE_HASH: "sha512"}
    read = Record.parse("foo", {record.FORMAT: str(newer), **links, **more})
    assert read.newer
    assert read == Record(source_id="a:1", next_name="b", next_uid="2", format=newer)


def test_others_may_have_taken_pods_away() -> None:
    """The one number that may be negative."""
    assert Record.parse("foo", {record.SCALED_BY: "-3"}).scaled_by == -3


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize(
    "text", ["", "three", "1.5", " 3", "3\n", "1_000", "٣", "0x3", "2147483648", "9" * 5000, "--3", "true"]
)
def test_a_number_that_is_none(key: str, text: str) -> None:
    """The annotation and the controller are named, and how to take it off."""
    with pytest.raises(RefusedError) as caught:
        Record.parse("foo", {key: text})
    assert caught.value.message.startswith(
        f'replicationcontroller "foo": the annotation {key} cannot be read: {text[:80]!r}'
    )
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"kubectl annotate rc foo {key}=VALUE --overwrite")
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("key", sorted(NUMBERS.keys() - {record.SCALED_BY}))
def test_a_size_is_not_negative(key: str) -> None:
    """Minus one pod is no size."""
    with pytest.raises(RefusedError, match=key):
        Record.parse("foo", {key: "-1"})


GOOD: dict[str, Any] = {
    "selector": {"app": "a"},
    "labels": {"app": "a"},
    "replicas": 3,
    "original": 3,
    "previous": None,
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        "[" * 100_000,
        *(
            json.dumps({**GOOD, key: value})
            for key, value in (
                ("selector", {}),
                ("selector", None),
                ("selector", {"app": 1}),
                ("labels", []),
                ("labels", {"app": None}),
                ("replicas", "3"),
                ("replicas", True),
                ("replicas", -1),
                ("replicas", 1.5),
                ("original", None),
                ("original", 2**31),
                ("previous", "spec"),
            )
        ),
    ],
)
def test_a_handover_that_somebody_edited(text: str) -> None:
    """It is refused by name rather than acted on."""
    with pytest.raises(RefusedError, match=record.TRANSFER):
        Record.parse("foo", {record.TRANSFER: text})


@given(st.dictionaries(st.sampled_from(record.KEYS), st.text()))
def test_nothing_but_a_refusal_ever_escapes(annotations: dict[str, str]) -> None:
    """Any text in any of our annotations is read or refused."""
    try:
        Record.parse("foo", annotations)
    except RefusedError as error:
        assert any(key in error.message for key in annotations)
