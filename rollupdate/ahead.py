"""A read that is begun before anybody asks for its answer, so that other work is done meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Ahead(Generic[_T]):
    """One read in a thread of its own, begun at once. Its answer, or its error, is there to be taken once."""

    def __init__(self, read: Callable[[], _T]) -> None:
        self._read = read
        self._answers: list[_T] = []
        """One, once it is there."""
        self._error: Exception | None = None
        self._begun = time.monotonic()
        # A daemon: a server that does not answer keeps no program from ending.
        self._thread = threading.Thread(target=self._run, name="first read", daemon=True)
        self._thread.start()

    def age(self) -> float:
        """Seconds since it was begun."""
        return time.monotonic() - self._begun

    def take(self) -> _T:
        """Waits for the answer. Raises what the read has raised."""
        while self._thread.is_alive():
            self._thread.join(1.0)  # in slices: Ctrl-C does not get through everywhere
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def _run(self) -> None:
        try:
            self._answers.append(self._read())
        except Exception as error:  # it is the error of whoever takes the answer
            self._error = error
