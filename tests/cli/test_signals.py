"""An interruption waits for the end of a write, and is never forgotten."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import RawIOBase

import pytest

from rollupdate.errors import ApiError, InterruptedBySignal
from rollupdate.signals import Interruption


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def interruption(clock: Clock) -> Iterator[Interruption]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    hook = sys.unraisablehook
    interruption = Interruption(clock)
    interruption.install()
    yield interruption
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_comes_at_once_outside_of_a_write(interruption: Interruption) -> None:
    with pytest.raises(InterruptedBySignal, match="SIGTERM"):
        signal.raise_signal(signal.SIGTERM)


def test_it_comes_at_the_end_of_a_write(interruption: Interruption) -> None:
    written = []
    with pytest.raises(InterruptedBySignal, match="SIGTERM"), interruption.shield():
        signal.raise_signal(signal.SIGTERM)
        written.append(1)
    assert written


def test_it_comes_at_the_end_of_a_write_that_fails(interruption: Interruption) -> None:
    """Else the run would go on, perhaps for an hour, as if nothing had been asked of it."""
    with pytest.raises(InterruptedBySignal, match="SIGTERM"), interruption.shield():
        signal.raise_signal(signal.SIGTERM)
        raise ApiError(409, "Conflict", "changed meanwhile")


def test_the_second_does_not_wait(interruption: Interruption, clock: Clock) -> None:
    written = []
    with pytest.raises(InterruptedBySignal, match="SIGINT"), interruption.shield():
        signal.raise_signal(signal.SIGTERM)
        clock.seconds += 1
        signal.raise_signal(signal.SIGINT)
        written.append(1)
    assert not written


def test_what_comes_twice_at_once_is_one(interruption: Interruption) -> None:
    """``timeout`` sends its signal to the command and to its group: neither the write in flight nor what is
    said of it is cut off."""
    written, said = [], []
    with pytest.raises(InterruptedBySignal, match="SIGINT"), interruption.shield():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        written.append(1)
    signal.raise_signal(signal.SIGINT)
    said.append(1)
    assert written
    assert said


def test_one_that_is_lost_comes_again(interruption: Interruption) -> None:
    """An exception that is raised in a finalizer goes no further: Python would print it and wait on."""

    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(InterruptedBySignal, match="SIGTERM"):
        Finalized()
        time.sleep(20)


def test_no_write_is_begun_after_it(interruption: Interruption) -> None:
    """An exception that a signal handler raises in a finalizer is lost: Python goes on."""

    class Finalized(RawIOBase):
        def close(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    Finalized()
    written = []
    with pytest.raises(InterruptedBySignal, match="SIGTERM"), interruption.shield():
        written.append(1)
    assert not written


@pytest.mark.interrupted
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_after_the_last_word_it_only_hastens_the_end(number: signal.Signals) -> None:
    """Also while the interpreter ends, where an exception would be a traceback and another status."""
    program = f"""
import atexit, os, signal, sys
from rollupdate.cli import main
main.main = lambda argv: 7
atexit.register(lambda: (os.kill(os.getpid(), {number.value}), print("not hastened")))
main.run()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "", "")


@pytest.mark.interrupted
def test_a_second_one_ends_the_process_while_it_says_how_it_ended() -> None:
    program = """
import signal, time
from rollupdate.signals import SAME, Interruption
interruption = Interruption()
interruption.install()
interruption.conclude()
signal.raise_signal(signal.SIGTERM)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGTERM, "", "")
