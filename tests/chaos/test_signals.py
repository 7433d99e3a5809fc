"""Signals, closed pipes, full disks, no terminal: it stops between two writes and says how to go on.

Where things stand, the commands that continue and go back, no traceback, no file left behind.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from testing.chaos.arena import Arena
from testing.chaos.faults import Asked, Fault
from testing.chaos.stories import FIRST, SECOND, UPDATE
from testing.chaos.storms import at_write
from testing.command import Ended

pytestmark = pytest.mark.interrupted

STOPPED, INTERRUPTED = 3, 130


def assert_can_be_resumed(arena: Arena, ended: Ended) -> None:
    """It says how, and the same command does."""
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "To resume:    kubectl rolling-update my-nginx" in ended.stderr
    assert "To roll back: kubectl rolling-update my-nginx" in ended.stderr
    assert not list((arena.folder / "tmp").iterdir())
    assert arena.run(*SECOND.command(arena)).status == 0
    SECOND.assert_ended(arena)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("write", [1, 3, 6])
def test_a_signal_in_the_middle_of_a_write(arena: Arena, name: str, write: int) -> None:
    """The answer to the write in flight is waited for; then it says where things stand, status 130."""
    SECOND.prepare(arena)
    running = arena.start(*SECOND.command(arena))
    # The proxy has the server's answer, and the command has not got it yet.
    at_write(arena, write, lambda: running.send(getattr(signal, name)))
    ended = running.end()
    assert ended.status == INTERRUPTED, str(ended)
    assert f"Interrupted by {name}; " in ended.stderr
    assert " available" in ended.stderr
    assert arena.proxy.writes == write
    assert_can_be_resumed(arena, ended)


def test_a_signal_while_it_waits(arena: Arena) -> None:
    """Nothing is in flight: it stops at once."""
    SECOND.prepare(arena)
    words = [*SECOND.command(arena), "--update-period=1h"]
    running = arena.start(*words)
    running.until("up to 1")
    running.send(signal.SIGINT)
    ended = running.end()
    assert ended.status == INTERRUPTED, str(ended)
    assert_can_be_resumed(arena, ended)


def test_a_hangup_is_ignored_under_nohup(arena: Arena) -> None:
    """A signal that is ignored when the command starts stays ignored, as for any program: the update ends."""
    SECOND.prepare(arena)
    running = arena.start(*SECOND.command(arena), preexec_fn=_ignore_hangups)
    at_write(arena, 3, lambda: running.send(signal.SIGHUP))
    ended = running.end()
    assert ended.status == 0, str(ended)
    SECOND.assert_ended(arena)


def _ignore_hangups() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_second_signal_does_not_wait(arena: Arena) -> None:
    """The server does not answer the write in flight; a second Ctrl-C ends it all the same."""
    SECOND.prepare(arena)
    running = arena.start(*SECOND.command(arena))
    released = threading.Event()

    def stall() -> None:
        # Again and again, as two at once are one; but not when it has stopped and is about to end.
        while not released.wait(0.5) and "Interrupted" not in running.said():
            running.send(signal.SIGINT)

    at_write(arena, 3, stall)
    try:
        ended = running.end(60)
    finally:
        released.set()
    assert ended.status == INTERRUPTED, str(ended)
    assert_can_be_resumed(arena, ended)


def test_a_signal_before_anything_was_written(arena: Arena) -> None:
    """It says that nothing was changed, and offers nothing to continue."""
    FIRST.prepare(arena)
    asked = itertools.count(1)

    def after_the_first(_asked: Asked) -> Fault | None:
        if next(asked) == 1:
            return None
        arena.proxy.go_away(3600)
        return Fault.RESET

    arena.proxy.plan = after_the_first
    running = arena.start(*UPDATE)
    running.until("unreachable")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.status == INTERRUPTED, str(ended)
    assert "nothing was changed" in ended.stderr
    assert "To resume" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_reader_of_a_pipe_goes_away(arena: Arena) -> None:
    """``| head -1``: it stops, says so on standard error, and can be continued."""
    SECOND.prepare(arena)
    reader = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    running = arena.start(*SECOND.command(arena), stdout=reader.stdin)
    reader.stdin.close()
    ended = running.end()
    assert reader.wait(60) == 0
    assert ended.status == STOPPED, str(ended)
    assert "error: cannot write the progress" in ended.stderr
    assert_can_be_resumed(arena, ended)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk(arena: Arena) -> None:
    """Progress that cannot be written stops the update as soon as that is noticed."""
    SECOND.prepare(arena)
    with Path("/dev/full").open("wb") as full:
        ended = arena.start(*SECOND.command(arena), stdout=full).end()
    assert ended.status == STOPPED, str(ended)
    assert "No space left on device" in ended.stderr
    assert_can_be_resumed(arena, ended)


def test_both_streams_closed(arena: Arena) -> None:
    """Nobody listens at all: no traceback anywhere, and the same command continues."""
    SECOND.prepare(arena)
    with Path("/dev/full").open("wb") as full:
        ended = arena.start(*SECOND.command(arena), stdout=full, stderr=full).end()
    assert ended.status == STOPPED
    assert arena.run(*SECOND.command(arena)).status == 0
    SECOND.assert_ended(arena)


def test_no_terminal_and_no_standard_streams(arena: Arena) -> None:
    """From a daemon, in a session of its own, standard input closed: the update is carried out."""
    SECOND.prepare(arena)
    ended = arena.start(*SECOND.command(arena), start_new_session=True).end()
    assert ended.status == 0, str(ended)
    SECOND.assert_ended(arena)
