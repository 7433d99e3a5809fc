"""What the engine does side by side, done in turn.

In process an answer takes no time, so there is nothing to gain by threads, and to start one costs more than
what it is for. ``make chaos`` has them all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.effort import examples

_SUBMIT = ThreadPoolExecutor.submit
_tasks = threading.local()


def is_beside() -> bool:
    """Whether this is what a thread of its own would do."""
    return getattr(_tasks, "depth", 0) > 0


@contextmanager
def _beside() -> Iterator[None]:
    _tasks.depth = getattr(_tasks, "depth", 0) + 1
    try:
        yield
    finally:
        _tasks.depth -= 1


@contextmanager
def in_turn() -> Iterator[None]:
    """Meanwhile pools and reads that are begun ahead have no threads, unless the long runs are asked for."""
    if not examples(gate=1, long=0):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", _submit)
        patch.setattr("rollupdate.ahead.threading", SimpleNamespace(Thread=_Done))
        yield


@contextmanager
def side_by_side() -> Iterator[None]:
    """Meanwhile they have threads again: for what is to be asked at the same time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", _SUBMIT)
        patch.setattr("rollupdate.ahead.threading", threading)
        yield


def _submit(_pool: ThreadPoolExecutor, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
    """A future that has its answer, or its error: also the one that ends a client."""
    future: Future[Any] = Future()
    with _beside():
        try:
            future.set_result(call(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
    return future


class _Done:
    """A thread that has done its work as soon as it is started."""

    def __init__(self, target: Callable[[], object], **_options: Any) -> None:
        self._target = target

    def start(self) -> None:
        with _beside():
            self._target()

    def is_alive(self) -> bool:
        return False
