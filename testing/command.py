"""The programs of this checkout as a user runs them: another process. Tests, chaos and fuzz start it here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, str(ROOT / "kubectl-rolling_update")]
COMPLETE = [sys.executable, str(ROOT / "kubectl_complete-rolling_update")]
_KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
_COVERAGE = "COVERAGE_"
MEASURED_BY = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""With either of these variables the coverage of a Python process is measured."""


def environment(**variables: str) -> dict[str, str]:
    """What a program under test finds: little of our own environment, and ``variables``.

    What has its coverage measured is passed on as well.
    """
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_COVERAGE)}
    return {**kept, **variables}


def put(folder: Path, *names: str) -> None:
    """Programs of the checkout in a folder for PATH, run by this interpreter, whose packages they find."""
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' '{ROOT / name}' \"$@\"\n")
        (folder / name).chmod(0o755)


@dataclass(frozen=True)
class Ended:
    """What a run has left: its exit status, its streams, its duration."""

    status: int
    stdout: str
    stderr: str
    seconds: float

    def __str__(self) -> str:
        return f"exit status {self.status}\n{self.stdout}{self.stderr}"


class Running:
    """A process. Its output goes to files without a name: a full pipe would stop it.

    ``stdin`` is a text, a descriptor, or nothing at all; ``options`` are Popen's.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: dict[str, str],
        folder: Path,
        *,
        stdin: str | int | None = None,
        **options: Any,
    ) -> None:
        self._out, self._err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - see close
        self._environment = environment
        self._started = time.monotonic()
        pipe = subprocess.PIPE if isinstance(stdin, str) else subprocess.DEVNULL
        given: dict[str, Any] = {"stdout": self._out, "stderr": self._err, **options}
        self._process = subprocess.Popen(
            words, env=environment, cwd=folder, stdin=stdin if isinstance(stdin, int) else pipe, **given
        )
        if isinstance(stdin, str):
            assert self._process.stdin is not None
            self._process.stdin.write(stdin.encode())
            self._process.stdin.close()

    def said(self) -> str:
        """So far, on both streams."""
        return _text(self._out) + _text(self._err)

    def until(self, text: str, seconds: float = 120.0) -> None:
        """Wait until it has said that."""
        limit = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            if text in (said := self.said()):
                return
            assert not ended, f"ended before {text!r}: {said}"
            assert time.monotonic() < limit, f"no {text!r} in {said}"
            time.sleep(0.01)

    def send(self, number: int = signal.SIGKILL) -> None:
        """A signal. After SIGKILL it is no more."""
        measured = [name for name in MEASURED_BY if name in self._environment]
        assert number == signal.SIGKILL or not measured, (
            f"coverage may hang: the test lacks the mark 'interrupted' ({', '.join(measured)})"
        )
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait(10)

    def end(self, seconds: float = 600.0) -> Ended:
        """Wait for its end; TimeoutError where it does not come, after which it is killed."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send()
            raise TimeoutError(f"still running after {seconds:g} s: {self.said()}") from None
        return Ended(status, _text(self._out), _text(self._err), time.monotonic() - self._started)

    def close(self) -> None:
        """Kill it if it still runs, and forget what it has said."""
        self.send()
        self._out.close()
        self._err.close()


def run(words: Sequence[str], environment: dict[str, str], folder: Path, **options: Any) -> Ended:
    """From start to end; see :class:`Running`."""
    running = Running(words, environment, folder, **options)
    try:
        return running.end()
    finally:
        running.close()


def _text(file: IO[bytes]) -> str:
    # Not by reading: the process writes where this descriptor stands.
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")
