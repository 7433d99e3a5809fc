"""Running commands as a user runs them, with the time of each line they say and the memory they take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from testing import command
from testing.command import ROOT

LONGEST = 300.0
"""Seconds after which a command is taken for stuck."""
_LOOK = 0.02
"""Seconds between two looks at the memory of a process."""


class BenchError(Exception):
    """A measurement that came to nothing; the message says what was run and what it said."""


@dataclass(frozen=True)
class Ran:
    """One run. Times are seconds from its start."""

    seconds: float
    lines: tuple[tuple[float, str], ...]
    peak_mib: float
    """The most memory it held, where that was looked at."""

    def at(self, text: str) -> float:
        """When it first said a line with that text."""
        for seconds, line in self.lines:
            if text in line:
                return seconds
        raise BenchError(f"no line with {text!r} in: " + " / ".join(line for _, line in self.lines))


def environment(kubeconfig: Path | None = None) -> dict[str, str]:
    """The checkout first on PATH, where kubectl finds the plugin; then the interpreter itself, since what
    stands before it on PATH may be the wrapper of a version manager, which takes longer to start than it."""
    interpreter = Path(sys.executable).resolve().parent
    path = os.pathsep.join([str(ROOT), str(interpreter), os.environ["PATH"]])
    more = {} if kubeconfig is None else {"KUBECONFIG": str(kubeconfig)}
    return command.environment(PATH=path, **more)


def run(
    argv: Sequence[str],
    kubeconfig: Path,
    *,
    memory: bool = False,
    until: str = "",
    on_line: Callable[[str], None] = lambda _: None,
    limit: float = LONGEST,
    status: int = 0,
) -> Ran:
    """Run to its end, or (``until``) to a line with that text, where it is interrupted. ``memory``: look at
    what it holds, which costs a little time. ``on_line`` gets each line as it comes. Raises BenchError unless
    it ends with ``status``."""
    started = time.perf_counter()
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(kubeconfig),
        text=True,
        bufsize=1,
    )
    timer = threading.Timer(limit, process.kill)
    timer.start()
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    if memory:
        watcher.start()
    lines: list[tuple[float, str]] = []
    stopped = False
    assert process.stdout is not None
    for line in process.stdout:
        lines.append((time.perf_counter() - started, line.rstrip("\n")))
        on_line(line)
        if until and until in line and not stopped:
            stopped = True
            process.send_signal(signal.SIGINT)
    ended = process.wait()
    seconds = time.perf_counter() - started
    timer.cancel()
    if memory:
        watcher.join(1)
    process.stdout.close()
    if ended != status and not stopped:
        said = "\n".join(line for _, line in lines[-8:])
        raise BenchError(f"{' '.join(argv)}: exit status {ended} after {seconds:.1f} s\n{said}")
    return Ran(seconds, tuple(lines), peak[0])


def _watch(pid: int, peak: list[float]) -> None:
    """The kernel keeps the high-water mark; it is gone with the process, so it is read while there is one."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            found = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        except OSError:
            return
        if not found:
            return  # it has ended, and only waits to be asked how
        peak[0] = float(found[0].split()[1]) / 1024
        time.sleep(_LOOK)
