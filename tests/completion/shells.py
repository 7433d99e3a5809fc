"""Real shells, as somebody sits in front of them: keys go in through a terminal, the line is read back."""

from __future__ import annotations

import os
import pty
import select
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testing.command import run
from tests.support import needs

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
SHOW = "\x18\x01"
"""Ctrl-X Ctrl-A: bound to writing the line as it stands into a file."""


@dataclass(frozen=True)
class Seen:
    """The line after TAB, and all that the shell has shown meanwhile."""

    line: str
    screen: str


class Terminal:
    """bash or zsh with kubectl's completion, no startup files, and an environment of its own."""

    def __init__(self, shell: str, environment: dict[str, str], folder: Path) -> None:
        self._out = folder / "line"
        self._out.unlink(missing_ok=True)
        self._master, slave = pty.openpty()
        command = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell]
        self._process = subprocess.Popen(
            [needs.program(command[0]), *command[1:]],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": "dumb", "PS1": "> ", "OUT": str(self._out)},
            cwd=folder,
            start_new_session=True,
        )
        os.close(slave)
        self._poll = select.poll()  # select knows no more than 1,024 descriptors
        self._poll.register(self._master, select.POLLIN)

    def lines(self, *commands: str) -> None:
        """Run them, and wait until they are done."""
        done = self._out.with_name("done")
        done.unlink(missing_ok=True)
        for command in (*commands, f": > {shlex.quote(str(done))}"):
            self._type(command + "\n")
        self._wait(done)

    def tab(self, line: str, reached: Callable[[Seen], bool]) -> Seen:
        """What becomes of ``line`` when TAB is pressed at its end, twice: the second time shows the choice.

        On a busy machine an answer may take longer than completion waits for a cluster, and be empty: then
        again, as people do.
        """
        for _ in range(4):
            seen = self._tab(line)
            if reached(seen):
                break
        return seen

    def _tab(self, line: str) -> Seen:
        self._out.unlink(missing_ok=True)
        self._type(line + "\t\t" + SHOW)
        screen = self._wait(self._out)
        self._type("\x15")  # Ctrl-U: the line is gone
        return Seen(self._out.read_text().removesuffix("\n"), screen)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)
        os.close(self._master)

    def _type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def _wait(self, path: Path, seconds: float = 60.0) -> str:
        limit = time.monotonic() + seconds
        screen = ""
        while not (path.exists() and (path.stat().st_size or path.name == "done")):
            screen += self._read(0.05)
            assert time.monotonic() < limit, f"{path.name} did not come; the terminal shows: {screen}"
        return screen + self._read(0.05)

    def _read(self, seconds: float) -> str:
        """What the shell writes within that time."""
        limit = time.monotonic() + seconds
        found = b""
        while (left := limit - time.monotonic()) > 0:
            if self._poll.poll(left * 1000):
                found += os.read(self._master, 65536)
        return found.decode(errors="replace")


def bash(environment: dict[str, str], folder: Path, *setup: str) -> Terminal:
    needs.file(BASH_COMPLETION)
    terminal = Terminal("bash", environment, folder)
    terminal.lines(
        f"source {BASH_COMPLETION}",
        *setup,
        'write() { printf \'%s\\n\' "$READLINE_LINE" > "$OUT"; }',
        "bind -x '\"\\C-x\\C-a\": write' 2>/dev/null",
    )
    return terminal


def zsh(environment: dict[str, str], folder: Path, *setup: str) -> Terminal:
    terminal = Terminal("zsh", environment, folder)
    terminal.lines(
        "autoload -U compinit; compinit -u -D",
        *setup,
        'write() { print -r -- "$BUFFER" > "$OUT" }',
        "zle -N write; bindkey -e; bindkey '^X^A' write",
    )
    return terminal


def fish(environment: dict[str, str], folder: Path, setup: str, line: str) -> list[str]:
    """fish says itself what it would offer: candidates, a tab and the description."""
    program = needs.program("fish")
    words = [program, "--no-config", "-c", f"{setup}\ncomplete -C {shlex.quote(line)}"]
    ended = run(words, environment, folder)
    assert ended.stderr == ""
    return ended.stdout.splitlines()
