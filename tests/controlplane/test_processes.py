"""Whatever happens to the owner, no server and no folder stays. ``sleep`` is the server, for speed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testing.controlplane.processes import Processes, ServerExited, free_ports

SLEEP = shutil.which("sleep") or "sleep"
OWNER = """\
import signal, sys
from testing.controlplane.processes import Processes
processes = Processes()
pid = processes.start("server", [sys.argv[1], "300"])
print(processes.folder, processes.keeper_pid, pid, flush=True)
signal.pause()
"""


@pytest.fixture
def processes() -> Iterator[Processes]:
    """A keeper with nothing to keep yet."""
    kept = Processes()
    yield kept
    kept.close()


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait(condition: Callable[[], bool]) -> None:
    """Until it holds, a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_closing_ends_servers_and_removes_the_folder(processes: Processes) -> None:
    """The usual end; a second close does nothing."""
    pid = processes.start("server", [SLEEP, "300"])
    processes.check("server")
    assert alive(pid) and processes.pid("server") == pid
    processes.close()
    assert not alive(pid) and not alive(processes.keeper_pid)
    assert not processes.folder.exists()
    processes.close()


def test_a_server_that_ends_by_itself_is_reported_with_its_last_words(processes: Processes) -> None:
    """A port that is taken shows there."""
    processes.start("server", ["/bin/sh", "-c", "echo address already in use; exit 3"])
    wait(lambda: "address" in processes.log("server").read_text())
    with pytest.raises(ServerExited, match=r"server exited with status 3; .*\naddress already in use"):
        while True:
            processes.check("server")


def test_a_program_that_does_not_exist(processes: Processes) -> None:
    """The keeper answers instead of dying."""
    with pytest.raises(RuntimeError, match="/no/such/program: No such file or directory"):
        processes.start("server", ["/no/such/program"])
    assert alive(processes.start("server", [SLEEP, "300"]))


def test_a_server_deaf_to_sigterm_is_killed_when_asked_to(processes: Processes) -> None:
    """Used for crashes of the API server."""
    pid = processes.start("server", ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
    wait(lambda: "ready" in processes.log("server").read_text())
    processes.stop("server", kill=True)
    assert not alive(pid)


def test_servers_heed_sigterm_although_the_keeper_ignores_it(processes: Processes) -> None:
    """An ignored signal is inherited across exec unless reset."""
    pid = processes.start("server", [SLEEP, "300"])
    started = time.monotonic()
    processes.stop("server")
    assert not alive(pid)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_owner_that_is_killed_leaves_nothing(number: signal.Signals) -> None:
    """No handler of the owner's runs on SIGKILL: the keeper notices the closed pipe."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, SLEEP], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with owner:
        assert owner.stdout is not None
        folder, keeper, server = owner.stdout.readline().split()
        assert alive(int(keeper)) and alive(int(server)) and Path(folder).is_dir()
        owner.send_signal(number)
        owner.wait()
    wait(lambda: not alive(int(keeper)) and not alive(int(server)) and not Path(folder).exists())


def test_a_keeper_that_is_killed_takes_its_servers_along(processes: Processes) -> None:
    """The kernel sees to that; the owner hears of it at the next question."""
    pid = processes.start("server", [SLEEP, "300"])
    os.kill(processes.keeper_pid, signal.SIGKILL)
    wait(lambda: not alive(pid))
    with pytest.raises(RuntimeError, match="the process that keeps the control plane is gone"):
        processes.check("server")
    processes.close()
    assert not processes.folder.exists()


def test_ports_are_different_and_free() -> None:
    """All are reserved before the first is let go."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(port > 1023 for port in ports)
