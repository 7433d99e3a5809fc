"""The command of --verify: what it is told, what is told of it, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from threading import Timer

import pytest

from rollupdate.engine.ports import Batch
from rollupdate.errors import InterruptedBySignal
from rollupdate.events import Event, VerifyOutput
from rollupdate.verification import Verification

BATCH = Batch("default", "old", "new", 3, 2, 1, 1, 4)


def run(
    command: str, timeout: float = 60.0, environ: dict[str, str] | None = None
) -> tuple[str | None, list[str]]:
    """What was wrong, and the lines that were told."""
    told: list[Event] = []
    problem = Verification(command, timeout, environ or dict(os.environ), told.append)(BATCH)
    return problem, [each.text for each in told if isinstance(each, VerifyOutput)]


def test_what_it_finds_in_its_environment() -> None:
    """Names and sizes, beside the user's own variables."""
    problem, lines = run(
        "env | grep -E '^(ROLLING_UPDATE_|MINE)' | sort", environ={"MINE": "1", **os.environ}
    )
    assert problem is None
    assert lines == [
        "MINE=1",
        "ROLLING_UPDATE_NAMESPACE=default",
        "ROLLING_UPDATE_NEW=new",
        "ROLLING_UPDATE_NEW_AVAILABLE=1",
        "ROLLING_UPDATE_NEW_REPLICAS=1",
        "ROLLING_UPDATE_OLD=old",
        "ROLLING_UPDATE_OLD_AVAILABLE=2",
        "ROLLING_UPDATE_OLD_REPLICAS=3",
        "ROLLING_UPDATE_TARGET=4",
    ]


def test_both_streams_are_told_and_the_status_decides() -> None:
    """A status other than 0 is what is wrong, and so is a signal."""
    assert run("echo a; echo b >&2; exit 3") == ("exit status 3", ["a", "b"])
    assert run("kill -9 $$") == ("it was ended by signal 9", [])
    assert run("cat") == (None, [])  # nothing is typed to it


def test_bytes_that_are_no_text() -> None:
    """Whatever it writes, and however long its lines are, it is told in lines of a bounded length."""
    problem, lines = run("printf '\\377\\n'; head -c 10000 /dev/zero | tr '\\0' x")
    assert problem is None
    assert lines[0] == "\ufffd"
    assert "".join(lines[1:]) == "x" * 10000
    assert max(map(len, lines)) <= 4096


def test_it_is_ended_with_its_children(tmp_path: Path) -> None:
    """At its time limit: also what it has started in the background."""
    problem, _ = run(f"sleep 600 & echo $! >{tmp_path}/pid; wait", timeout=0.5)
    assert problem == "--verify has not ended within 500ms and was stopped"
    assert_gone(int((tmp_path / "pid").read_text()))


def test_what_it_leaves_running_is_ended_as_well(tmp_path: Path) -> None:
    """A batch is checked when the command has ended; what holds its output is not waited for."""
    problem, _ = run(f"sleep 600 & echo $! >{tmp_path}/pid")
    assert problem is None
    assert_gone(int((tmp_path / "pid").read_text()))


def test_an_interruption_ends_it(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a check leaves nothing running."""

    def interrupted(number: int, _frame: object) -> None:
        raise InterruptedBySignal("SIGINT")

    before = signal.signal(signal.SIGUSR1, interrupted)
    timer = Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(InterruptedBySignal):
            run(f"echo $$ >{tmp_path}/pid; exec sleep 600")
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert_gone(int((tmp_path / "pid").read_text()))


def assert_gone(pid: int) -> None:
    """It is no more, or waits for whoever is to hear of its end."""
    path = Path(f"/proc/{pid}/stat")
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        if not path.exists() or path.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} is still running")
