"""The pieces of the benchmark: figures, the relay, the counts, the report. No time is asserted."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from pathlib import Path

import pytest

from bench import loads, plot, report, simulation, startup, steps, versus
from bench.command import BenchError, run
from bench.figures import Goal, Row, Section, floor_seconds, ratios, rounds
from bench.relay import Relay
from bench.site import Requests, Strategy, summary
from bench.versus import Duel
from testing.controlplane.audit import Request


def duel(theirs: list[float], ours: list[float]) -> Duel:
    found = Duel(Strategy(20, "1", "0"), 0.5, theirs, ours, namespaces=["one"])
    found.start = [0.4 for _ in ours]
    found.finish = [0.1 for _ in ours]
    found.loop = [each - 0.5 for each in ours]
    return found


def asked(verb: str, resource: str, *, status: int = 200, uri: str = "") -> Request:
    return Request(verb, resource, "", "one", "", "me", "kubectl-rolling_update/1", status, uri)


@pytest.mark.parametrize(
    ("size", "surge", "unavailable", "seconds"),
    [(20, 1, 0, 10.0), (100, 25, 25, 1.0), (4, 4, 0, 0.5), (3, 0, 1, 1.5), (1, 1, 0, 0.5)],
)
def test_the_floor(size: int, surge: int, unavailable: int, seconds: float) -> None:
    """As many rounds of readiness as batches follow one another, and nothing else."""
    assert floor_seconds(size, surge, unavailable, 0.5) == seconds
    assert rounds(size, surge, unavailable) == seconds / 0.5


def test_percentages_round_as_kubernetes_rounds_them() -> None:
    assert Strategy(10, "25%", "25%").pods == (3, 2)
    assert Strategy(20, "1", "0").pods == (1, 0)


def test_ratios_are_of_pairs() -> None:
    found = ratios([1.0, 9.0, 2.0], [1.0, 3.0, 4.0])
    assert found.values == (1.0, 3.0, 0.5)
    assert (found.median, found.show()) == (1.0, "1.00 (0.50 to 3.00)")


def test_requests_are_told_apart() -> None:
    """A dry run is a read, and what the watches bring is no read at all."""
    found = summary(
        [
            asked("list", "replicationcontrollers"),
            asked("create", "replicationcontrollers", uri="/x?dryRun=All"),
            asked("watch", "replicationcontrollers"),
            asked("patch", "replicationcontrollers", status=409),
            asked("create", "controllerrevisions"),
        ]
    )
    assert (found.reads, found.watches, found.writes, found.total) == (2, 1, 2, 5)
    assert (found.conflicts, found.history) == (1, 1)


def test_a_step_is_taken_apart() -> None:
    """By the times of everybody's requests; what the client takes is from the status to its next write."""
    manager, kubelet, client = "kube-controller-manager/1", "kubelet", "kubectl-rolling_update/1"
    log = [
        (client, "patch", "replicationcontrollers", "", "web", 0.000, 0.005),
        (manager, "delete", "pods", "", "web-1", 0.006, 0.009),
        (manager, "update", "replicationcontrollers", "status", "web", 0.010, 0.012),
        (manager, "update", "replicationcontrollers", "status", "web", 0.020, 0.025),
        (client, "patch", "replicationcontrollers", "", "web-next", 0.028, 0.034),
        (manager, "create", "pods", "", "", 0.036, 0.040),
        (manager, "update", "replicationcontrollers", "status", "web-next", 0.045, 0.050),
        (kubelet, "patch", "pods", "status", "web-next-1", 0.541, 0.545),
        (manager, "update", "replicationcontrollers", "status", "web-next", 0.548, 0.553),
        (client, "patch", "replicationcontrollers", "", "web", 0.557, 0.560),
        (client, "patch", "replicationcontrollers", "", "web-next", 0.570, 0.575),
        # The finish: the controller that is held asks for a pod and is refused it.
        (manager, "create", "pods", "", "", 0.580, 0.582),
        (manager, "update", "replicationcontrollers", "status", "web-next", 0.590, 0.592),
        (client, "patch", "replicationcontrollers", "", "web", 0.600, 0.605),
    ]
    requests = [
        Request(verb, kind, sub, "one", name, "", agent, 403 if start == 0.580 else 200, "", start, end)
        for agent, verb, kind, sub, name, start, end in log
    ]
    assert [one.status for one in requests].count(403) == 1
    [step] = steps.steps(requests, "web", 0.5)
    parts = [round(part(step)) for _, part in steps.PARTS]
    assert parts == [5, 20, 3, 6, 6, 13, 4]
    assert sum(parts) == 57
    assert round(steps.client_share([step])) == 7
    assert "| all of it (the medians together) | 57 |" in steps.table([step])


def test_the_relay_counts_what_goes_through_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1000):
                    connection.sendall(data * 3)

        threading.Thread(target=serve, daemon=True).start()
        relay = Relay("127.0.0.1", server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", relay.port), timeout=30) as client:
            client.sendall(b"12345")
            got = b""
            while len(got) < 15:
                got += client.recv(1000)
        relay.close()
    assert (relay.total.sent, relay.total.received) == (5, 15)


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"exit status 3 .*\nwhat it said"):
        run(["sh", "-c", "echo what it said; exit 3"], tmp_path)


def test_lines_have_their_time_and_memory_is_looked_at(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "echo one; read x; sleep 0.2; echo two"], tmp_path, memory=True)
    assert 0 <= ran.at("one") <= ran.at("two") <= ran.seconds
    assert ran.peak_mib > 0
    with pytest.raises(BenchError, match="no line with 'three' in: one / two"):
        ran.at("three")


def test_an_update_in_this_process_is_accounted_for() -> None:
    """Each pod more is a batch of two writes, and two of its own as it changes owners; an API server that is
    slow makes it longer."""
    few, many = simulation.update(4), simulation.update(8)
    assert (few.steps, many.steps) == (8, 16)
    assert many.writes - few.writes == 4 * (2 + 2)
    assert simulation.update(4, weather=simulation.Weather(latency=1.0)).seconds > few.seconds
    assert simulation.update(4, weather=simulation.Weather(throttle_every=3)).refused > 0


def test_modules_are_summed_up_by_package() -> None:
    log = (
        "import time:      1000 |       1000 |   yaml.reader\nimport time:       500 |  9000 | yaml\nother\n"
    )
    log += "import time:      2000 |       2000 | json\n"
    assert startup.modules(log) == [(2.0, "the standard library"), (1.5, "yaml")]


def test_the_report_says_what_is_met_and_where_a_miss_comes_from() -> None:
    rows = [
        Row("one", "1", 1.0, Goal(2)),
        Row("two", "3 s", 3.0, Goal(2, " s"), "it waits"),
        Row("three", "4"),
    ]
    text = report.markdown(
        [Section("Things", "Said.", rows)], "a machine", picture="p.svg", seconds=60, quick=True
    )
    assert "**1 of 2 goals are met.**" in text
    assert "* two: 3 s; it waits." in text
    assert "| two | 3 s | at most 2 s | **missed** |" in text
    assert "| three | 4 |  |  |" in text
    assert "A quick run" in text


def test_all_sections_are_made_of_what_was_measured(tmp_path: Path) -> None:
    """From figures to the document and its picture."""
    found = duel([10.0, 12.0], [9.0, 12.0])
    counted = {"one": Requests(5, 44, 2, 0, 0, 2, Counter({"patch replicationcontrollers": 42}))}
    grown = loads.Grown(20, 1.0, 3.0, 2.0, 1.5, 0.2, 40.0, 39.0, "one", "one")
    sections = [
        versus.section([found]),
        versus.requests_section([found], counted, loads.bytes_section((20, 500), (900, 90), (1000, 95))),
        loads.labelling_section(grown, counted),
        loads.crowd_section(loads.Crowd(5, 3.0, [4.0, 5.0], 6.0, "one"), counted),
        loads.growth_section([grown], counted, [(10, 1.0)]),
    ]
    text = report.markdown(sections, report.machine(), picture="p.svg", seconds=60, quick=False)
    assert "| 20 pods, surge 1, unavailable 0: ratio | 0.95 (0.90 to 1.00) | at most 1 | met |" in text
    assert "| 20 pods, surge 1, unavailable 0: requests | 51 | at most 112 | met |" in text
    plot.draw([found], tmp_path / "p.svg")
    picture = (tmp_path / "p.svg").read_text()
    assert "<svg" in picture
    assert "<script" not in picture
    assert "20 pods, surge 1" in picture
