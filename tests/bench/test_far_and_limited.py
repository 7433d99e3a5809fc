"""What is measured under default limits, over links and with slow pods: the pieces, without a plane."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import limits, links, moves, pairs, readiness
from bench.command import BenchError, Ran, run
from bench.links import DRY_RUN, STATUS, UPDATE, Link
from bench.moments import Moments, moments
from bench.moves import Moves
from bench.pairs import Pairs
from bench.relay import Relay
from bench.site import Strategy, summary
from bench.versus import SLOW, Duel
from testing.controlplane.acquire import KUBECONFIG
from testing.controlplane.audit import Request

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
OLD, NEW = "web", "web-next"


def told(*events: tuple[float, str, dict[str, Any]]) -> Ran:
    lines = [
        (
            seconds,
            json.dumps(
                {"time": datetime.fromtimestamp(NOON + seconds, UTC).isoformat(), "event": name, **more}
            ),
        )
        for seconds, name, more in events
    ]
    return Ran(9.0, ((0.1, "a note on standard error"), *lines), 0.0)


def progress(old: int, new: int) -> dict[str, Any]:
    pods = [
        {"role": "old", "current": old, "available": old},
        {"role": "new", "current": new, "available": new},
    ]
    return {"pods": pods, "target": 4}


def update(*, ended: float = 10.0, finish: float = 1.0, created: float = 0.5) -> Moments:
    replaced = ended - finish
    return Moments(
        created=created,
        available=replaced - 0.5,
        replaced=replaced,
        finished=ended,
        ended=ended,
        window=(NOON + replaced, NOON + ended),
    )


def asked(verb: str, resource: str, name: str, received: float, answered: float) -> Request:
    agent = "kubectl-rolling_update/1"
    return Request(verb, resource, "", "one", name, "", agent, 200, "", NOON + received, NOON + answered)


FINISH = [
    asked("patch", "replicationcontrollers", NEW, 9.10, 9.11),
    asked("watch", "replicationcontrollers", NEW, 9.11, 9.90),
    asked("patch", "replicationcontrollers", OLD, 9.20, 9.21),
    asked("get", "replicationcontrollers", OLD, 9.25, 9.26),
    asked("get", "replicationcontrollers", NEW, 9.25, 9.26),
    asked("patch", "pods", "a", 9.30, 9.36),
    asked("patch", "pods", "b", 9.32, 9.34),
    asked("delete", "replicationcontrollers", NEW, 9.50, 9.51),
]


def test_the_moments_of_an_update() -> None:
    """The new pods may all be available while old ones are still there; the finish begins after them."""
    found = moments(
        told(
            (0.5, "Created", {}),
            (0.6, "Progress", progress(4, 0)),
            (3.0, "Progress", progress(2, 4)),
            (4.0, "Progress", progress(0, 4)),
            (6.0, "Progress", progress(0, 4)),
            (7.0, "Finished", {}),
        )
    )
    assert (found.created, found.available, found.replaced, found.finished) == (0.5, 3.0, 4.0, 7.0)
    assert (found.loop, found.finish, found.ended) == (3.5, 3.0, 9.0)
    assert found.window == (NOON + 4.0, NOON + 7.0)


def test_an_update_that_did_not_come_to_its_end_has_no_moments() -> None:
    with pytest.raises(BenchError, match="no event Finished as expected in: Created, Progress"):
        moments(told((0.5, "Created", {}), (3.0, "Progress", progress(0, 4))))


def test_the_requests_of_a_finish() -> None:
    """A watch is none of them, and what is under way at once counts once."""
    found = pairs.within(
        [asked("get", "pods", "a", 8.0, 8.1), *FINISH, asked("get", "pods", "a", 11.0, 11.1)],
        update().window,
    )
    assert [one.verb for one in found] == ["patch", "patch", "get", "get", "patch", "patch", "delete"]
    assert pairs.in_flight(found) == pytest.approx(0.10, abs=1e-4)
    assert pairs.finish_table(found, OLD, NOON + 9.0).splitlines()[2:] == [
        "| patch the new controller | 1 | 100 | 10 |",
        "| patch the old controller | 1 | 90 | 10 |",
        "| get both controllers | 2 | 40 | 10 |",
        "| patch pods | 2 | 40 | 60 |",
        "| delete the new controller | 1 | 140 | 10 |",
    ]


@pytest.mark.parametrize(
    ("finish", "misses"), [(0.2, ""), (1.5, "by the finish"), (0.1, "by more than the finish")]
)
def test_the_text_says_whether_the_finish_is_what_misses_the_goal(finish: float, misses: str) -> None:
    ended = 12.0 if misses == "by more than the finish" else 10.5 + finish
    found = Pairs(Strategy(100, "25%", "25%"), [10.0], [update(ended=ended, finish=finish)], [FINISH])
    text = pairs.explained(found, "100 pods", 1.10)
    assert misses in text if misses else text == ""


def test_the_section_of_default_limits() -> None:
    """The ratio has its goal and its explanation, and one row of the raised limits stands beside it."""
    hundred = Pairs(Strategy(100, "25%", "25%"), [10.0, 10.0], [update(ended=12.0), update(ended=12.2)])
    hundred.finishes = [pairs.within(FINISH, one.window) for one in [update(), update()]]
    duel = Duel(SLOW, 0.5, [10.0], [10.2], [0.4], [9.6], [0.2])
    section = limits.section(limits.Limited([hundred], [], []), [duel])
    rows = {row.what: row for row in section.rows}
    ratio = rows["default limits, 100 pods: ratio"]
    assert (ratio.shown, ratio.verdict) == ("1.21 (1.20 to 1.22)", "**missed**")
    assert "0.10 s of it with a request of the client under way" in ratio.explained
    assert rows["limits of 1000 and 2000, 20 pods, surge 1, unavailable 0: ratio"].verdict == "met"
    assert "misses its goal by the finish" not in section.table  # it is 1.11 without it
    assert "by more than the finish: the last new pod is available after 10.60 s" in section.table
    assert "| patch pods | 2 |" in section.table


def test_default_limits_are_not_measured_on_a_cluster_of_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(KUBECONFIG, str(tmp_path / "kubeconfig"))
    found = limits.measured([(100, 1)], [], [(20, 1)], [], 0.5, tmp_path / "limited", lambda _: None)
    section = limits.section(found, [])
    assert section.said.startswith("Not measured: the controller manager of the cluster that")
    assert not section.rows


def link(round_trip: float, updates: list[Moments], status: list[float], finish: str = "") -> Link:
    counts = {what: [5 for _ in updates] for what in (UPDATE, STATUS, DRY_RUN)}
    return Link(round_trip, updates, {STATUS: status, DRY_RUN: status}, counts, [finish for _ in updates])


def test_round_trips_are_what_a_link_adds() -> None:
    near = link(0.0, [update(ended=10.0), update(ended=10.1)], [0.5, 0.5])
    short = link(0.02, [update(ended=11.0), update(ended=11.1)], [0.6, 0.6])
    far = link(0.1, [update(ended=16.0, finish=2.0), update(ended=16.1, finish=2.0)], [0.9, 0.9], "a table")
    section = links.section(Strategy(20, "1", "0"), [near, short, far])
    rows = {row.what: row for row in section.rows}
    assert rows["100 ms: round trips"].shown == "60.0 (60.0 to 60.0)"
    assert rows["100 ms: in the finish, which moves the pods"].shown == "10.0 (10.0 to 10.0)"
    assert rows["100 ms: in a step"].shown == "2.50 (2.50 to 2.50)"
    beside = rows["100 ms: round trips without the finish"]
    assert (beside.shown, beside.verdict) == ("50.0 (50.0 to 50.0)", "**missed**")
    assert "2.50 in each of the 20 steps" in beside.explained
    assert "runs without a link differ by 1.0" in beside.explained
    assert rows["20 ms: round trips"].goal is None
    assert "20 ms: round trips without the finish" not in rows
    assert (
        rows["100 ms: `--status`"].shown
        == "0.90 (0.90 to 0.90) s, 4.0 (4.0 to 4.0) round trips, requests: 5 (5 to 5)"
    )
    assert "needs 4.0 round trips more than the budget" in section.table
    assert section.table.endswith("a table")


def test_slow_pods_are_the_larger_part() -> None:
    found = [
        (ready, Pairs(readiness.STRATEGY, [ready * 2 + 1], [update(ended=ready * 2 + 2)]))
        for ready in (5.0, 20.0)
    ]
    section = readiness.section(found)
    rows = {row.what: row.shown for row in section.rows}
    assert rows["ready after 20 s: ratio"] == "1.02"
    assert rows["ready after 20 s: readiness alone"] == "40 s, 95 % of the update"
    assert "1.00 s at 5 s (the finish alone takes 1.00 s), 1.00 s at 20 s" in section.table
    assert "Not measured" in readiness.section([]).said


def test_a_relay_is_as_far_away_as_its_link() -> None:
    """Both ways together take a round trip, a connection one more, and what follows at once does not wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1000):
                    connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        relay = Relay("127.0.0.1", server.getsockname()[1], round_trip=0.2)
        took = []
        with socket.create_connection(("127.0.0.1", relay.port), timeout=30) as client:
            for text in (b"one", b"two"):
                started = time.monotonic()
                client.sendall(text)
                assert client.recv(1000) == text
                took.append(time.monotonic() - started)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1000) == b""
        relay.close()
    assert took[0] >= 0.4
    assert took[1] >= 0.2
    assert (relay.total.sent, relay.total.received) == (6, 6)


def test_a_command_may_be_expected_to_end_with_another_status(tmp_path: Path) -> None:
    assert run(["sh", "-c", "exit 3"], tmp_path, status=3).seconds > 0
    with pytest.raises(BenchError, match="exit status 0"):
        run(["sh", "-c", "true"], tmp_path, status=3)


def test_labels_are_told_from_moves() -> None:
    """Both are writes to pods: the ones come before the new controller, the others after it."""
    controller = asked("create", "replicationcontrollers", NEW, 0.5, 0.6)
    tried = replace(controller, received=NOON, uri="/x?dryRun=All")
    label, move = asked("patch", "pods", "a", 0.2, 0.3), asked("patch", "pods", "a", 0.8, 0.9)
    rehearsed = replace(move, uri="/x?dryRun=All")
    found = summary([tried, asked("list", "pods", "", 0.1, 0.2), label, controller, rehearsed, move, move])
    assert (found.labels, found.label_lists, found.moves) == (1, 1, 2)
    assert (summary([controller, move]).labels, summary([label]).moves) == (0, 1)


def test_the_section_of_moves() -> None:
    """Each step with its time, and a miss that says what it was made of."""

    def ran(*steps: tuple[float, str]) -> Ran:
        end = steps[-1][0] + 0.5
        arranged = (
            (seconds, "Arranged", {"act": act, "object": "replicaset/web-1"}) for seconds, act in steps
        )
        return replace(told(*arranged, (end, "Migrated", {})), seconds=end)

    found = Moves(200, [ran((0.5, "created"), (2.0, "moved"))], [ran((0.4, "held"))])
    section = moves.section([found])
    there, back = section.rows
    assert (there.what, there.shown, there.verdict) == ("200 pods to a Deployment", "2.50 s", "**missed**")
    steps = "created replicaset/web-1 at 0.50 s", "moved replicaset/web-1 at 2.00 s", "the end at 2.50 s"
    assert there.explained == ", ".join(steps)
    assert (back.what, back.verdict) == ("200 pods back", "met")
    assert "| created replicaset/web-1 | 0.50 | held replicaset/web-1 | 0.40 |" in section.table
    assert "| the end | 2.50 |  |  |" in section.table
    found.source = moves.CONFIG
    assert moves.section([found]).rows[1].what == "200 pods of a DeploymentConfig back"
    assert moves.section([]).said.startswith("Not measured")
