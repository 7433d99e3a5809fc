"""An interruption waits for the end of a write, and is never forgotten."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from io import RawIOBase

import pytest

from rollupdate.errors import ApiError, InterruptedBySignal
from rollupdate.signals import Interruption


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    interruption = Interruption()
    interruption.install()
    yield interruption
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


def test_the_second_does_not_wait(interruption: Interruption) -> None:
    written = []
    with pytest.raises(InterruptedBySignal, match="SIGINT"), interruption.shield():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        written.append(1)
    assert not written


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
