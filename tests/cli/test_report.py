"""What an update says: a line for each fact, on the right stream, fit for a terminal."""

from __future__ import annotations

import io
import json
import unicodedata
from dataclasses import fields, replace
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from rollupdate import events
from rollupdate.events import (
    ApiReachable,
    ApiUnreachable,
    Arranged,
    BudgetBroken,
    Continuing,
    Created,
    EditLeft,
    Event,
    Evicted,
    Finished,
    HistoryNotKept,
    Labelling,
    LeftBehind,
    LookLeftOut,
    Migrated,
    NoRoom,
    NotMoved,
    Paused,
    PodRefused,
    PodsDiffer,
    PodsNotSeen,
    Progress,
    ReferencesUnseen,
    Renaming,
    Resuming,
    Returning,
    RollingBack,
    Scaled,
    ScaledByOthers,
    ScalingPlanned,
    Shortage,
    SizeContested,
    Stopped,
    Subject,
    Succeeded,
    SupersededGone,
    Superseding,
    TemplateRestored,
    Undoing,
    UpToDate,
    Verified,
    Verifying,
    VerifyOutput,
    Waiting,
)
from rollupdate.report.plain import PlainReport, documented_line, further_line
from rollupdate.report.printers import Objects, printed
from rollupdate.report.text import printable
from tests.core.worlds import raw

DOCUMENTED = [
    (Resuming("foo-H"), "Found existing update in progress (foo-H), resuming."),
    (Continuing("foo-H"), "Continuing update with existing controller foo-H."),
    (Created("foo-H"), "Created foo-H"),
    (RollingBack("foo", 1), 'Setting "foo" replicas to 1'),
    (
        ScalingPlanned("new", 0, 3, "old", 3, 3, 4),
        "Scaling up new from 0 to 3, scaling down old from 3 to 0 "
        "(keep 3 pods available, don't exceed 4 pods)",
    ),
    (Scaled("new", 0, 1), "Scaling new up to 1"),
    (Scaled("old", 3, 2), "Scaling old down to 2"),
    (Evicted("old", ("old-1",), 2), "Evicted old-1 of old, 2 left"),
    (Evicted("old", ("old-1", "old-2"), 1), "Evicted 2 pods of old, 1 left"),
    (Succeeded("foo", rollback=False), "Update succeeded. Deleting old controller: foo"),
    (Succeeded("foo-H", rollback=True), "Update succeeded. Deleting foo-H"),
    (Renaming("foo-H", "foo"), "Renaming foo-H to foo"),
    (Finished("foo", {}), 'replicationcontroller "foo" rolling updated'),
    (UpToDate("foo", {}), 'replicationcontroller "foo" is up to date'),
    (Arranged("created", "replicaset/foo-a1"), "Created replicaset/foo-a1"),
    (
        Migrated("replicationcontroller/foo", "deployment.apps/foo", 3, undone=False),
        "deployment.apps/foo created from replicationcontroller/foo; 3 pods kept",
    ),
    (
        Migrated("replicationcontroller/foo", "deployment.apps/foo", 1, undone=True),
        "deployment.apps/foo rolled back from replicationcontroller/foo; 1 pod kept",
    ),
    (
        Arranged("moved", "replicationcontroller/foo", 1, "replicaset/foo-a1"),
        "Moved 1 pod from replicaset/foo-a1 to replicationcontroller/foo",
    ),
]
"""transcripts.md, to the letter: standard output."""
FURTHER = [
    (Labelling("foo", 3, "deployment", "v"), "Labelling 3 pods of foo with deployment=v"),
    (
        EditLeft(
            "replicationcontroller/foo", "deployment/foo", ("spec.containers[web].image", "spec.volumes")
        ),
        "Warning: another client edited the pod template of replicationcontroller/foo meanwhile "
        "(spec.containers[web].image, spec.volumes); deployment/foo does not have that",
    ),
    (
        LeftBehind("deploymentconfig/foo", "a Deployment has nothing like intervalSeconds"),
        "deploymentconfig/foo: a Deployment has nothing like intervalSeconds",
    ),
    (
        NotMoved("foo-H", "denied"),
        "The pods of foo-H are released and adopted, as they cannot be moved: denied",
    ),
    (
        TemplateRestored("foo"),
        "Restoring the template of foo, which another client edited during the update",
    ),
    (
        PodsDiffer("foo", 2, 3, ("a", "b", "c", "d"), None),
        "2 of 3 pods of foo do not run its pod template (a, b, c, ...); all are replaced",
    ),
    (
        PodsDiffer("foo", 2, 3, ("spec.hostname",), 4),
        "2 of 3 pods of foo do not run its pod template but revision 4 (spec.hostname); all are replaced",
    ),
    (PodsNotSeen("foo", "forbidden"), "What the pods of foo run was not looked at: forbidden"),
    (Returning("foo-H", "foo"), "Returning the pods of foo to foo-H"),
    (
        ScaledByOthers("foo", 2, 5, 6),
        "foo was scaled from 2 to 5 by another client; the update now targets 6 pods",
    ),
    (Waiting("0 of 1 pods of foo are available", 12.3), "Waiting: 0 of 1 pods of foo are available "),
    (Paused("foo-H", 2, 5), "Paused: 2 of 5 pods of foo-H are available"),
    (Verifying("foo-H", 2), "Verifying 2 pods of foo-H"),
    (VerifyOutput("all is well"), "  all is well"),
    (Verified("foo-H", 2, None), "Verified 2 pods of foo-H"),
    (Verified("foo-H", 2, "exit status 1"), "The check of 2 pods of foo-H failed: exit status 1"),
    (
        Superseding("foo-H", 2, "foo-I"),
        "Superseding the update to foo-H (2 pods to scale down) by foo-I",
    ),
    (Superseding("foo-H", 1, "foo-I"), "Superseding the update to foo-H (1 pod to scale down) by foo-I"),
    (Labelling("foo", 1, "deployment", "v"), "Labelling 1 pod of foo with deployment=v"),
    (Verifying("foo-H", 1), "Verifying 1 pod of foo-H"),
    (Verified("foo-H", 1, None), "Verified 1 pod of foo-H"),
    (Verified("foo-H", 1, "exit status 1"), "The check of 1 pod of foo-H failed: exit status 1"),
    (
        ScaledByOthers("foo", 2, 1, 1),
        "foo was scaled from 2 to 1 by another client; the update now targets 1 pod",
    ),
    (SupersededGone("foo-H"), "Deleted foo-H, which has no pods left"),
    (
        BudgetBroken("web", 1, 0, "do that"),
        "Warning: PodDisruptionBudget web requires 1 available pod, but this update keeps 0; their nodes "
        "cannot be drained meanwhile; do that",
    ),
    (
        BudgetBroken("web", 3, 2, "to keep them: do this"),
        "Warning: PodDisruptionBudget web requires 3 available pods, but this update keeps 2; their nodes "
        "cannot be drained meanwhile; to keep them: do this",
    ),
    (
        BudgetBroken("web", 4, 4, "do that", evicts=True),
        "Warning: PodDisruptionBudget web requires 4 available pods, which leaves none of 4 to be evicted; "
        "evictions wait for it; do that",
    ),
    (
        NoRoom("foo", 1, (Shortage("mem", "memory", "512Mi", "0", "4Gi"),), True, "do that"),
        "Warning: surge 1 needs 512Mi of memory, quota mem has 0 free of 4Gi; the update of foo waits for "
        "room; do that",
    ),
    (
        NoRoom(
            "foo",
            0,
            (Shortage("mem", "memory", "1Gi", "0", "4Gi"), Shortage("few", "pods", "3", "1", "9")),
            True,
            "do that",
        ),
        "Warning: the new pods need 1Gi more of memory, quota mem has 0 free of 4Gi; 3 more pods, quota "
        "few has 1 free of 9; the update of foo waits for room; do that",
    ),
    (
        NoRoom("foo", 3, (Shortage("few", "pods", "3", "1", "5"),), False, "do that"),
        "Warning: surge 3 needs 3 pods, quota few has 1 free of 5; the update of foo goes on with the "
        "pods that fit; do that",
    ),
    (
        PodRefused("foo", "admission webhook denied it", False),
        "Warning: the server refuses a new pod of foo now: admission webhook denied it; the update goes on",
    ),
    (
        ReferencesUnseen(("Service", "NetworkPolicy"), "forbidden"),
        "Warning: whether a Service or NetworkPolicy selects by the label that this update changes, or names "
        "a controller that it deletes, could not be seen: forbidden",
    ),
    (
        SizeContested("foo", 3, "another client", "forbidden"),
        "another client scales foo to 3 again whenever the update changes that; the update waits longer each "
        "time, and goes on as soon as the size stays (autoscalers could not be looked for: forbidden)",
    ),
    (
        SizeContested("foo", 3, 'HorizontalPodAutoscaler "foo"'),
        'HorizontalPodAutoscaler "foo" scales foo to 3 again whenever the update changes that; the update '
        "waits longer each time, and goes on as soon as the size stays",
    ),
    (Undoing("foo", 3), "Rolling foo back to revision 3"),
    (
        HistoryNotKept("foo", "forbidden", "a Role has to allow it"),
        "Warning: the history of foo could not be kept: forbidden; a Role has to allow it",
    ),
    (LookLeftOut("resourcequotas", "forbidden"), "Not looked at: resourcequotas: forbidden"),
    (ApiUnreachable("connection refused"), "API server unreachable, retrying: connection refused"),
    (ApiReachable(75.0), "API server reachable again after 1m15s"),
]
"""What the old command did not tell: standard error."""


def reported(*told: Event, **options: Any) -> tuple[str, str]:
    out, notes = io.StringIO(), io.StringIO()
    report = PlainReport(out, notes, **options)
    for event in told:
        report(event)
    return out.getvalue(), notes.getvalue()


@pytest.mark.parametrize(("event", "line"), DOCUMENTED)
def test_documented_lines_go_to_standard_output(event: Event, line: str) -> None:
    """As the documentation has them, and nothing on standard error."""
    assert documented_line(event) == line
    assert reported(event) == (line + "\n", "")


@pytest.mark.parametrize(("event", "line"), FURTHER)
def test_further_lines_go_to_standard_error(event: Event, line: str) -> None:
    """A script that reads standard output sees only what it knows."""
    out, notes = reported(event, verbosity=2)
    assert out == ""
    assert notes.startswith(line)
    assert notes.count("\n") == 1


def test_every_event_has_a_line() -> None:
    """None is lost, and none is said twice."""
    kinds = {each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)}
    # Progress is for the live view and for programs; the last words of a stop are printed as an error.
    assert {type(event) for event, _ in DOCUMENTED + FURTHER} == kinds - {Event, Progress, Stopped}
    for event, _ in DOCUMENTED + FURTHER:
        assert (documented_line(event) is None) != (further_line(event) is None)


def test_a_wait_says_for_how_long() -> None:
    """There may be a reason to look."""
    assert reported(Waiting("x", 12.0))[1] == "Waiting: x (no progress for 12s)\n"


def test_labelling_is_told_on_demand() -> None:
    """With ``-v=1``: the documented session has no such line."""
    event = Labelling("foo", 3, "deployment", "v")
    assert reported(event) == ("", "")
    assert reported(event, verbosity=1) == ("", "Labelling 3 pods of foo with deployment=v\n")


def test_why_pods_are_not_moved_is_told_on_demand() -> None:
    """With ``-v=2``: the update comes to the same end."""
    event = NotMoved("foo-H", "denied")
    assert reported(event, verbosity=1) == ("", "")
    assert reported(event, verbosity=2)[1].endswith("as they cannot be moved: denied\n")


def test_the_last_line_of_a_dry_run_says_so() -> None:
    """Only the last one."""
    out, _ = reported(Created("foo"), Finished("foo", {}), suffix=" (dry run)")
    assert out == 'Created foo\nreplicationcontroller "foo" rolling updated (dry run)\n'


def test_lines_held_back_come_in_their_order() -> None:
    """A dry run prints what it is about first; standard error does not wait."""
    out, notes = io.StringIO(), io.StringIO()
    report = PlainReport(out, notes, hold=True)
    report(Created("foo"))
    report(ApiUnreachable("x"))
    assert out.getvalue() == ""
    assert notes.getvalue() != ""
    report.release()
    report(Scaled("foo", 0, 1))
    report.release()
    assert out.getvalue() == "Created foo\nScaling foo up to 1\n"


def test_every_line_is_flushed() -> None:
    """Whoever reads along in a pipe sees it when it happens."""
    flushed: list[str] = []

    class Pipe(io.StringIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

    report = PlainReport(Pipe(), Pipe())
    report(Created("foo"))
    report(ApiUnreachable("x"))
    assert flushed == ["Created foo\n", "API server unreachable, retrying: x\n"]


# --- control characters ---


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcödé 😀", "plain, ünïcödé 😀"),
        ("two\nlines", "two\nlines"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb", "a\\rb"),
        ("a\tb", "a\\tb"),
        ("\x07\x00\x7f", "\\x07\\x00\\x7f"),
        ("\x9b31m", "\\x9b31m"),  # the one-byte form of ESC [
        ("a\u202eb", "a\\u202eb"),  # turns the writing direction round
        ("a\u200bb", "a\\u200bb"),
        ("a\u2028b", "a\\u2028b"),
        ("\udcff", "\\udcff"),  # a byte of an argument that is no UTF-8
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    """No name and no message of a server can drive the terminal."""
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_nothing_that_is_printed_can_drive_a_terminal(text: str) -> None:
    """Whatever comes from outside: it can be encoded, and only the newline is a control character."""
    shown = printable(text)
    shown.encode()
    assert all(
        each == "\n" or unicodedata.category(each)[0] != "C" or unicodedata.category(each) in ("Co", "Cn")
        for each in shown
    )
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "event", [event for event, _ in DOCUMENTED + FURTHER], ids=lambda each: type(each).__name__
)
def test_every_text_of_every_event_is_escaped(event: Event) -> None:
    """Names come from the cluster, and a cluster may be somebody else's."""
    texts = [field.name for field in fields(event) if isinstance(getattr(event, field.name), str)]
    spoilt: dict[str, Any] = dict.fromkeys(texts, "\x1b]0;")
    said = "".join(reported(replace(event, **spoilt), verbosity=2))
    assert "\x1b" not in said
    assert ("\\x1b]0;" in said) == bool(texts)


# --- -o ---


def test_printed_as_names() -> None:
    """One a line."""
    assert (
        printed(Objects((raw("foo"), raw("bar"))), "name")
        == "replicationcontroller/foo\nreplicationcontroller/bar\n"
    )


@pytest.mark.parametrize(("output", "reader"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_printed_as_objects(output: str, reader: Any) -> None:
    """One as it is, without the bookkeeping of the server; several as a list."""
    obj = raw("foo")
    obj["metadata"]["managedFields"] = [{"manager": "x"}]
    text = printed(Objects((obj,)), output)
    assert text.endswith("\n")
    assert reader(text) == raw("foo")
    assert "managedFields" in obj["metadata"], "the object itself is not changed"
    both = reader(printed(Objects((raw("foo"), raw("bar"))), output))
    assert (both["apiVersion"], both["kind"]) == ("v1", "List")
    assert [each["metadata"]["name"] for each in both["items"]] == ["foo", "bar"]


@pytest.mark.parametrize(("output", "reader"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_printed_with_its_kind_where_the_server_left_it_out(output: str, reader: Any) -> None:
    """Items of a list have none."""
    obj = {key: value for key, value in raw("foo").items() if key not in ("apiVersion", "kind")}
    assert reader(printed(Objects((obj,)), output)) == raw("foo")


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("\x85")
@example("\x1b[2J \x9b2J \x7f \u202e \u2066 é")
def test_what_is_printed_can_be_read_again(text: str) -> None:
    """Any annotation survives being printed and read, and none drives the terminal."""
    obj = raw("foo", annotations={"note": text})
    as_json, as_yaml = printed(Objects((obj,)), "json"), printed(Objects((obj,)), "yaml")
    assert json.loads(as_json) == obj
    assert yaml.safe_load(as_yaml) == obj
    for shown in (as_json, as_yaml):
        assert not {"\x1b", "\x7f", "\x85", "\x9b", "\u202e", "\u2066"} & set(shown)


def test_the_last_lines_of_an_update_to_another_name() -> None:
    """In the words of kubectl 1.17, unless it is by a file; a rollback ends under the old name."""
    subject = Subject(name="web")
    told = (Succeeded("web", rollback=False), Finished("web-2", {}, subject=subject))
    assert reported(*told, new_name="web-2")[0] == (
        'Update succeeded. Deleting web\nreplicationcontroller "web" rolling updated to "web-2"\n'
    )
    back = (Succeeded("web-2", rollback=True), Finished("web", {}, subject=subject))
    assert reported(*back, new_name="web-2")[0] == (
        'Update succeeded. Deleting web-2\nreplicationcontroller "web" rolling updated\n'
    )
