"""The live view on a terminal: what the screen shows while an update runs, and what is left in the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from testing.command import COMMAND
from tests.e2e.world import World
from tests.support.manifests import my_nginx
from tests.support.terminal import Terminal

UPDATE = ["my-nginx", "next", "--image=nginx:1.9.1"]
SLOW = "--update-period=600s"
"""It stays where the first new pod is available."""


class Terminals:
    """Those of one test, for this world."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self._all: list[Terminal] = []

    def run(
        self,
        *arguments: str,
        environment: dict[str, str] | None = None,
        command: list[str] = COMMAND,
        columns: int = 100,
        stdout: IO[bytes] | None = None,
    ) -> Terminal:
        merged = {**self._world.environment(), **(environment or {})}
        words = [*command, *arguments]
        terminal = Terminal(words, merged, self._folder, columns=columns, stdout=stdout)
        self._all.append(terminal)
        return terminal

    def close(self) -> None:
        for each in self._all:
            each.close()


@pytest.fixture
def terminals(world: World, tmp_path: Path) -> Iterator[Terminals]:
    world.have(my_nginx(labels={"deployment": "v1"}))
    terminals = Terminals(world, tmp_path)
    yield terminals
    terminals.close()


def bars(lines: list[str]) -> dict[str, str]:
    """The bars of a view, by the role of their pods."""
    return {found[1]: line for line in lines if (found := re.match(r"  (old|new)  ", line))}


def shows_both(lines: list[str]) -> bool:
    return set(bars(lines)) == {"old", "new"} and any("(ceiling" in line for line in lines)


def first_is_available(lines: list[str]) -> bool:
    return shows_both(lines) and "1 of 3 available" in bars(lines)["new"]


DOCUMENTED = [
    "Created next",
    "Scaling up next from 0 to 3, scaling down my-nginx from 3 to 0 (keep 3 pods available, don't exceed",
    "4 pods)",
    "Scaling next up to 1",
    "Scaling my-nginx down to 2",
    "Scaling next up to 2",
    "Scaling my-nginx down to 1",
    "Scaling next up to 3",
    "Scaling my-nginx down to 0",
    "Update succeeded. Deleting my-nginx",
    'replicationcontroller "my-nginx" rolling updated to "next"',
]


def test_bars_beneath_the_lines_and_nothing_left_of_them(world: World, terminals: Terminals) -> None:
    """Both bars, the bounds, the time without progress; at the end the documented lines alone."""
    world.have(my_nginx("other", labels={"app": "other", "deployment": "v1"}))
    terminal = terminals.run("other", "next-other", "--image=nginx:1.9.1", "--update-period=600s")
    lines = terminal.until(first_is_available, "a view with one new pod available")
    assert lines[0] == "Created next-other"
    at = next(number for number, line in enumerate(lines) if line.startswith("  old"))
    assert lines[at - 1] == "Scaling next-other up to 1", "the view is beneath the lines"
    assert "3 of 3 available" in bars(lines)["old"]
    assert "4 available (floor 3), 4 pods (ceiling 4)" in lines[at + 2]
    assert "no progress for" in lines[at + 3]
    assert lines[at + 4 :] == ["  Waiting: --update-period has not passed"]
    terminal = terminals.run(*UPDATE)
    assert terminal.end() == 0
    assert terminal.lines == DOCUMENTED
    assert b"\xe2\x96\x88" in terminal.written, "there was a view"


@pytest.mark.interrupted
def test_ctrl_c_leaves_the_last_words_alone(world: World, terminals: Terminals) -> None:
    """Interrupted in the middle: where things stand and how to go on, and no view."""
    terminal = terminals.run(*UPDATE, SLOW)
    terminal.until(first_is_available, "a view")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert not bars(terminal.lines)
    ending = [
        "Scaling next up to 1",
        "Interrupted by SIGINT; my-nginx has 3 pods, 3 available; next has 1 pod, 1 available.",
        "To resume:    kubectl rolling-update my-nginx next --image=nginx:1.9.1 --update-period=600s",
        "To roll back: kubectl rolling-update my-nginx next --image=nginx:1.9.1 --update-period=600s "
        "--rollback",
    ]
    assert "".join(terminal.lines[-len(ending) - 1 :]).endswith("".join(ending))


def test_a_failure_is_told_above_nothing(world: World, terminals: Terminals) -> None:
    """While it lasts the view says why; the error stands alone."""
    terminal = terminals.run("my-nginx", "next", "--image=nginx:missing", "--timeout=8s")
    lines = terminal.until(lambda lines: any("cannot be pulled" in line for line in lines), "the reason")
    assert "1 failing" in bars(lines)["new"]
    assert terminal.end() == 3
    assert not bars(terminal.lines)
    assert "error: timed out waiting for any update progress to be made" in terminal.lines


def test_a_piped_standard_output_has_the_lines_and_the_terminal_the_view(
    world: World, terminals: Terminals, tmp_path: Path
) -> None:
    """The documented lines go where they belong; not one of them is on the screen."""
    with (tmp_path / "out").open("wb") as out:
        terminal = terminals.run(*UPDATE, stdout=out)
        terminal.until(shows_both, "a view")
        assert terminal.end() == 0
    assert terminal.lines == []
    written = (tmp_path / "out").read_text()
    assert written == (Path(__file__).parents[1] / "golden" / "live_piped.txt").read_text()


def test_notes_come_above_the_view(world: World, terminals: Terminals) -> None:
    """What else goes to standard error while there is a view: each line whole, above it."""
    terminal = terminals.run(*UPDATE, SLOW, "-v=6")
    lines = terminal.until(first_is_available, "a view")
    at = next(number for number, line in enumerate(lines) if line.startswith("  old"))
    assert any(line.startswith("PATCH http") for line in lines[:at])
    assert not any("http" in line for line in lines[at:])


@pytest.mark.interrupted
def test_narrow_and_resized(world: World, terminals: Terminals) -> None:
    """In every width each line fits, and none of another width is left behind."""
    terminal = terminals.run(*UPDATE, SLOW, columns=44)
    lines = terminal.until(first_is_available, "a view in 44 columns")
    assert "█" in bars(lines)["old"]
    for columns in (110, 30, 70):
        terminal.resize(columns, 50)

        def fits(lines: list[str], columns: int = columns) -> bool:
            below = lines[next(n for n, line in enumerate(lines) if line.startswith("  old")) :]
            wide = "my-nginx" in below[0]
            return first_is_available(lines) and len(below[0]) < columns and wide == (columns > 60)

        lines = terminal.until(
            lambda lines: shows_both(lines) and fits(lines), f"a view in {columns} columns"
        )
        assert sum(line.startswith("  old") for line in lines) == 1
        assert sum(line.startswith("  new") for line in lines) == 1
    terminal.resize(20, 50)
    terminal.until(lambda lines: not bars(lines), "no view where there is no room for it")
    terminal.resize(100, 50)
    terminal.until(first_is_available, "a view again")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert not bars(terminal.lines)


@pytest.mark.interrupted
def test_suspended_and_continued(world: World, terminals: Terminals) -> None:
    """Ctrl-Z takes the view off, whoever comes next has the terminal; it is back with the command."""
    shell = ["bash", "-c", 'set -m; "$@"; echo suspended; read line; fg', "bash"]
    terminal = terminals.run(*UPDATE, SLOW, command=[*shell, *COMMAND])
    terminal.until(first_is_available, "a view")
    terminal.type("\x1a")
    lines = terminal.until(lambda lines: "suspended" in lines, "the shell")
    assert not bars(lines)
    terminal.type("\n")
    lines = terminal.until(first_is_available, "a view")
    assert lines.index("suspended") < min(n for n, line in enumerate(lines) if line.startswith("  old"))


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {"TERM": "dumb"}),
        (("--progress=live",), {"TERM": ""}),
        (("--progress=plain",), {}),
        (("--progress=none",), {}),
    ],
    ids=["dumb", "no-term", "plain", "none"],
)
def test_terminals_without_a_view(
    world: World, terminals: Terminals, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    """Not one escape sequence where the terminal has none, or nobody wants any."""
    terminal = terminals.run(*UPDATE, *arguments, environment=environment)
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.written
    assert terminal.lines == (DOCUMENTED[-1:] if "--progress=none" in arguments else DOCUMENTED)


def test_no_color(world: World, terminals: Terminals) -> None:
    """NO_COLOR: the view is there, in no colour."""
    coloured, plain = (
        terminals.run("my-nginx", "next", "--image=nginx:1.9.1", SLOW, environment=environment)
        for environment in ({"NO_COLOR": ""}, {"NO_COLOR": "1"})
    )
    for terminal in (coloured, plain):
        terminal.until(first_is_available, "a view")
    colour = re.compile(rb"\x1b\[[0-9;]*(3[0-7]|38;)[0-9;]*m")
    assert colour.search(coloured.written)
    assert not colour.search(plain.written)


def test_json_lines(world: World) -> None:
    """One event a line, standard error empty; with -o they make room for the object."""
    world.have(my_nginx(labels={"deployment": "v1"}))
    ended = world.run(*UPDATE, "--progress=json")
    assert (ended.status, ended.stderr) == (0, "")
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {each["schema"] for each in told} == {2}
    assert [each["event"] for each in told if each["event"] == "Created"] == ["Created"]
    assert (told[-1]["event"], told[-1]["controller"]) == ("Finished", "next")
    last = [each for each in told if each["event"] == "Progress"][-1]
    assert [(each["role"], each["available"]) for each in last["pods"]] == [("old", 0), ("new", 3)]
    ended = world.run("next", "third", "--image=nginx:1.9.2", "--progress=json", "-o", "json")
    assert json.loads(ended.stdout)["metadata"]["name"] == "third"
    assert json.loads(ended.stderr.splitlines()[-1])["event"] == "Finished"


def test_json_lines_tell_how_it_ended(world: World) -> None:
    """An error is the last line as well, with the exit status."""
    ended = world.run("nobody", "--image=a", "--progress=json")
    (told,) = map(json.loads, ended.stdout.splitlines())
    assert (told["event"], told["status"], ended.status) == ("Stopped", 1, 1)
    assert told["reason"] == 'Error from server (NotFound): replicationcontrollers "nobody" not found'
    world.have(my_nginx(labels={"deployment": "v1"}))
    ended = world.run("my-nginx", "next", "--image=nginx:missing", "--timeout=1s", "--progress=json")
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["event"], told["status"], ended.status) == ("Stopped", 3, 3)


def test_json_lines_tell_what_they_are_about(world: World) -> None:
    """Context, namespace and the NAME given, on every line: of an image update through a temporary controller
    with a check, of a rollback by itself, of a refusal; only the name before the kubeconfig is read."""
    world.have(my_nginx(replicas=1))

    def told(*arguments: str) -> list[str]:
        lines = [json.loads(line) for line in world.run(*arguments, "--progress=json").stdout.splitlines()]
        subjects = {(line["context"], line["namespace"], line["name"]) for line in lines}
        assert subjects == {("test", world.namespace, "my-nginx")}
        return [line["event"] for line in lines]

    events = told("rc/my-nginx", "--image=nginx:1.9.1", "--verify=echo fine")
    assert {"Labelling", "Progress", "VerifyOutput", "Renaming", "Finished"} <= set(events)
    events = told("my-nginx", "--image=nginx:missing", "--on-failure=rollback", "--timeout=1s")
    ends = [event for event in events if event in ("Stopped", "RollingBack", "Finished")]
    assert ends == ["Stopped", "RollingBack", "Finished"]
    assert told("my-nginx", "--rollback") == ["Stopped"]
    (line,) = world.run("my-nginx", "--image=a", "--context=x", "--progress=json").stdout.splitlines()
    unread = json.loads(line)
    assert [unread[key] for key in ("event", "context", "namespace", "name")] == [
        "Stopped",
        "",
        "",
        "my-nginx",
    ]


def test_only_the_final_answer(world: World) -> None:
    """--progress=none."""
    world.have(my_nginx(labels={"deployment": "v1"}))
    ended = world.run(*UPDATE, "--progress=none")
    assert (ended.stdout, ended.stderr) == (
        'replicationcontroller "my-nginx" rolling updated to "next"\n',
        "",
    )
    ended = world.run("next", "third", "--image=nginx:1.9.2", "--progress=none", "--dry-run")
    assert ended.stdout == "Rolling from:\nnext\nTo:\nthird\n" + (
        'replicationcontroller "next" rolling updated to "third" (dry run)\n'
    )


def test_a_dry_run_in_json(world: World) -> None:
    """The steps that it would take, and nothing else on standard output."""
    world.have(my_nginx(labels={"deployment": "v1"}))
    ended = world.run(*UPDATE, "--progress=json", "--dry-run")
    told = [json.loads(line)["event"] for line in ended.stdout.splitlines()]
    assert (told[-1], ended.status) == ("Finished", 0)
    assert "Created" in told
