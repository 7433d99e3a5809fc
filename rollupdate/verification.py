"""``--verify``: a command of the user's that says whether a batch of new pods may count.

It runs in the user's shell and environment, with the names and sizes of the batch (pods) in variables; what
it writes is told line by line, as it comes. It and all that it has started are ended at its time limit, and
when the update is interrupted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from rollupdate.core.model.duration import format_duration
from rollupdate.engine.ports import Batch
from rollupdate.environment import clean_environment
from rollupdate.events import Event, VerifyOutput

LONGEST_LINE = 4096
"""Bytes of one line that are told at once; a longer one is told in parts."""
_LINGERING = 1.0
"""Seconds that output is waited for once the command itself has ended: what it left behind may hold it."""


class Verification:
    """A check as the engine calls it: None where the command ended with status 0, else what went wrong."""

    def __init__(
        self, command: str, timeout: float, environ: Mapping[str, str], observer: Callable[[Event], None]
    ) -> None:
        """``timeout``: seconds, 0 for none."""
        self._command = command
        self._timeout = timeout or None
        self._environ = clean_environment(environ)
        self._tell = observer

    def __call__(self, batch: Batch) -> str | None:
        try:
            process = subprocess.Popen(
                self._command,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**self._environ, **variables(batch)},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"--verify cannot be run: {error}"
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        try:
            reader.start()
            status = process.wait(self._timeout)
            reader.join(_LINGERING)
        except subprocess.TimeoutExpired:
            return f"--verify has not ended within {format_duration(self._timeout or 0)} and was stopped"
        finally:
            _end(process)
            reader.join(_LINGERING)
        if status == 0:
            return None
        return f"exit status {status}" if status > 0 else f"it was ended by signal {-status}"

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for line in iter(lambda: stream.readline(LONGEST_LINE), b""):
                self._tell(VerifyOutput(line.decode("utf-8", "replace").rstrip("\r\n")))


def variables(batch: Batch) -> dict[str, str]:
    """What the command finds in its environment."""
    return {
        "ROLLING_UPDATE_NAMESPACE": batch.namespace,
        "ROLLING_UPDATE_OLD": batch.old_name,
        "ROLLING_UPDATE_NEW": batch.new_name,
        "ROLLING_UPDATE_OLD_REPLICAS": str(batch.old_replicas),
        "ROLLING_UPDATE_OLD_AVAILABLE": str(batch.old_available),
        "ROLLING_UPDATE_NEW_REPLICAS": str(batch.new_replicas),
        "ROLLING_UPDATE_NEW_AVAILABLE": str(batch.new_available),
        "ROLLING_UPDATE_TARGET": str(batch.target),
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """It and its children, which have a process group of their own (Windows has none: it alone)."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
