"""Real shells, as somebody sits in front of them: keys go in through a terminal, the line is read back."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from testing.command import run
from tests.support import needs
from tests.support.terminal import Terminal

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
SHOW = "\x18\x01"
"""Ctrl-X Ctrl-A: bound to writing the line as it stands into a file."""


@dataclass(frozen=True)
class Seen:
    """The line after TAB, and all that the shell has shown meanwhile."""

    line: str
    screen: str


class Shell:
    """bash or zsh in a terminal: kubectl's completion, no startup files, an environment of its own."""

    def __init__(self, name: str, environment: dict[str, str], folder: Path) -> None:
        self._out = folder / "line"
        self._out.unlink(missing_ok=True)
        words = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[name]
        variables = {**environment, "TERM": "dumb", "PS1": "> ", "OUT": str(self._out)}
        self._terminal = Terminal([needs.program(words[0]), *words[1:]], variables, folder)

    def lines(self, *commands: str) -> None:
        """Run them, and wait until they are done."""
        done = self._out.with_name("done")
        done.unlink(missing_ok=True)
        for command in (*commands, f": > {shlex.quote(str(done))}"):
            self._terminal.type(command + "\n")
        self._wait(done)

    def tab(self, line: str) -> Seen:
        """What becomes of ``line`` when TAB is pressed at its end, twice: the second shows the choice."""
        self._out.unlink(missing_ok=True)
        before = len(self._terminal.written)
        self._terminal.type(line + "\t\t" + SHOW)
        self._wait(self._out)
        self._terminal.type("\x15")  # Ctrl-U: the line is gone
        screen = self._terminal.written[before:].decode(errors="replace")
        return Seen(self._out.read_text().removesuffix("\n"), screen)

    def close(self) -> None:
        self._terminal.close()

    def _wait(self, path: Path) -> None:
        def written() -> bool:
            return path.exists() and (path.stat().st_size > 0 or path.name == "done")

        self._terminal.until(lambda _: written(), f"{path.name} is written")
        self._terminal.read(0.05)


def bash(environment: dict[str, str], folder: Path, *setup: str) -> Shell:
    needs.file(BASH_COMPLETION)
    shell = Shell("bash", environment, folder)
    shell.lines(
        f"source {BASH_COMPLETION}",
        *setup,
        'write() { printf \'%s\\n\' "$READLINE_LINE" > "$OUT"; }',
        "bind -x '\"\\C-x\\C-a\": write' 2>/dev/null",
    )
    return shell


def zsh(environment: dict[str, str], folder: Path, *setup: str) -> Shell:
    shell = Shell("zsh", environment, folder)
    shell.lines(
        "autoload -U compinit; compinit -u -D",
        *setup,
        'write() { print -r -- "$BUFFER" > "$OUT" }',
        "zle -N write; bindkey -e; bindkey '^X^A' write",
    )
    return shell


def fish(environment: dict[str, str], folder: Path, setup: str, line: str) -> list[str]:
    """fish says itself what it would offer: candidates, a tab and the description."""
    program = needs.program("fish")
    words = [program, "--no-config", "-c", f"{setup}\ncomplete -C {shlex.quote(line)}"]
    ended = run(words, environment, folder)
    assert ended.stderr == ""
    return ended.stdout.splitlines()
