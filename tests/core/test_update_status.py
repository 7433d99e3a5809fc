"""``--status``: what is in progress, read from the controllers alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rollupdate.core.diagnosis.problems import PodProblem
from rollupdate.core.diagnosis.summary import NOTHING_KNOWN, Diagnosis
from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.core.phases.steps import Step
from rollupdate.core.status.update_status import UpdateStatus, update_status
from rollupdate.errors import ApiError
from rollupdate.report.status import text
from tests.core.cluster import Client, Namespace
from tests.core.worlds import controller, old_and_new, raw
from tests.support.asking import asking
from tests.support.changes import image


def of(name: str, *controllers: Controller, diagnosis: Diagnosis | None = None) -> UpdateStatus:
    found = {each.name: each for each in controllers}
    return update_status(name, found) if diagnosis is None else update_status(name, found, diagnosis)


def halfway(**more: Any) -> tuple[Controller, Controller]:
    state = {"old": 2, "new": 2, "original": 3, "desired": 4, "old_available": 2, "new_available": 1}
    return old_and_new(**{**state, **more})


def test_nothing_in_progress() -> None:
    """The pods there are, and nothing else."""
    seen = of("foo", controller("foo", replicas=3, available=2), controller("bar"))
    assert (seen.in_progress, seen.phase, seen.started_by) == (False, None, None)
    assert [(each.controller, each.size, each.available) for each in seen.pods] == [("foo", 3, 2)]


def test_no_such_controller() -> None:
    """In the server's words."""
    with pytest.raises(ApiError, match='replicationcontrollers "foo" not found'):
        of("foo", controller("bar"))


@pytest.mark.parametrize("name", ["foo-v1", "foo-v2"])
def test_half_way_asked_for_by_either_name(name: str) -> None:
    """Both controllers, the sizes, what is waited for."""
    seen = of(name, *halfway(), controller("other"))
    assert (seen.name, seen.in_progress, seen.rollback, seen.phase) == ("foo-v1", True, False, "scaling")
    assert (seen.original, seen.target) == (3, 4)
    assert [(each.role, each.controller, each.available) for each in seen.pods] == [
        ("old", "foo-v1", 2),
        ("new", "foo-v2", 1),
    ]
    assert seen.waiting == "1 of 2 pods of foo-v2 are available"
    assert seen.waiting_for is not None
    assert seen.waiting_for.name == "foo-v2"
    assert dict(seen.images) == {"foo-v1": ("nginx:1.7.9",), "foo-v2": ("nginx:1.9.1",)}


def test_what_is_known_to_fail_is_counted() -> None:
    """Among the pods that are waited for."""
    seen = of("foo-v1", *halfway(), diagnosis=Diagnosis(((PodProblem("Image", "no such image"), 1),)))
    assert [each.failing for each in seen.pods] == [0, 1]


def test_paused_and_continued() -> None:
    """The number it was paused at; once it is continued it is not paused any more."""
    old, new = halfway(new_available=2)

    def marked(key: str) -> UpdateStatus:
        new.raw["metadata"]["annotations"][key] = "2"
        seen = of("foo-v1", old, Controller.parse(new.raw))
        del new.raw["metadata"]["annotations"][key]
        return seen

    assert marked(record.PAUSED).paused == 2
    assert marked(record.PASSED).paused is None


def test_superseded() -> None:
    """Three controllers, each with its role; the target is that of the newest."""
    old, earlier = halfway()
    earlier.raw["metadata"]["annotations"][record.SUPERSEDED_BY] = "foo-v3"
    newest = raw("foo-v3", replicas=1, image="nginx:1.9.2", deployment="v3")
    newest["metadata"]["annotations"] = {
        record.SOURCE_ID: "foo-v1:uid-foo-v1",
        record.DESIRED_REPLICAS: "5",
        record.STARTED_BY: "alice@laptop",
    }
    newest["metadata"]["creationTimestamp"] = "2031-01-02T03:04:05Z"
    seen = of("foo-v1", old, Controller.parse(earlier.raw), Controller.parse(newest))
    assert [(each.role, each.controller) for each in seen.pods] == [
        ("old", "foo-v1"),
        ("superseded", "foo-v2"),
        ("new", "foo-v3"),
    ]
    assert (seen.target, seen.started_by, seen.started_at) == (5, "alice@laptop", "2031-01-02T03:04:05Z")


def test_who_and_when_where_only_the_server_knows() -> None:
    """The first manager of the fields, and the last write of this command; the status is nobody's write."""
    old, new = halfway()
    new.raw["metadata"]["managedFields"] = [
        {"manager": "kubectl", "time": "2031-01-01T00:00:01Z"},
        {"manager": "kubectl-rolling-update", "time": "2031-01-01T00:00:09Z"},
        {"manager": "kube-controller-manager", "time": "2031-01-01T00:01:00Z", "subresource": "status"},
        "nonsense",
    ]
    seen = of("foo-v1", old, Controller.parse(new.raw))
    assert (seen.started_by, seen.last_write) == ("kubectl", "2031-01-01T00:00:09Z")


def test_the_old_controller_is_gone() -> None:
    """What is left of the update is told under the name asked for."""
    seen = of("foo-v1", halfway()[1])
    assert (seen.in_progress, seen.name, seen.target) == (True, "foo-v1", 4)
    assert [(each.role, each.controller) for each in seen.pods] == [("new", "foo-v2")]


def test_every_state_of_an_update_and_of_a_rollback_is_told() -> None:
    """From the first write to the last something is in progress, in the direction it goes; then nothing."""
    namespace = Namespace(raw("foo"))
    seen: list[UpdateStatus] = []

    def note(_client: Client, _step: Step) -> None:
        seen.append(update_status("foo", namespace.parsed()))

    client = Client(namespace, asking("foo", change=image("nginx:1.9.1")), before_write=note)
    while len(namespace.owned("foo")) > 1:
        client.step()
        namespace.all_ready()
    assert [each.in_progress for each in seen] == sorted(each.in_progress for each in seen)
    seen.clear()
    Client(namespace, asking("foo", rollback=True), before_write=note).run()
    assert all(each.in_progress for each in seen)
    assert [each.rollback for each in seen] == sorted(each.rollback for each in seen)
    assert seen[-1].rollback
    assert not update_status("foo", namespace.parsed()).in_progress
    seen.clear()
    Client(namespace, asking("foo", change=image("nginx:1.9.1")), before_write=note).run()
    assert list(dict.fromkeys(each.phase for each in seen if each.in_progress)) == [
        "preparing",
        "scaling",
        "handing over",
    ]
    assert not update_status("foo", namespace.parsed()).in_progress


@pytest.mark.parametrize(
    ("started_at", "started_by", "last_write", "says"),
    [
        (None, None, None, None),
        ("", None, "", None),
        (None, None, "2031-01-01T00:00:09Z", "last written to 1s ago"),
        (None, "alice@laptop", None, "by alice@laptop"),
        ("2031-01-01T00:00:00Z", "", "", "10s ago"),
        (
            "2031-01-01T00:00:00Z",
            "kubectl",
            "2031-01-01T00:00:09Z",
            "10s ago by kubectl, last written to 1s ago",
        ),
    ],
)
def test_times_that_are_not_known_are_left_out(
    started_at: str | None, started_by: str | None, last_write: str | None, says: str | None
) -> None:
    """The line has no gap, and is not there if nothing is known."""
    seen = replace(
        of("foo-v1", *halfway()), started_at=started_at, started_by=started_by, last_write=last_write
    )
    now = datetime(2031, 1, 1, 0, 0, 10, tzinfo=UTC)
    lines = text(seen, NOTHING_KNOWN, now, "back").splitlines()
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("  Started:")]
    assert found == ([] if says is None else [says])
