"""The commands that go on: the one that was given, fit to be pasted, and no secret in it."""

from __future__ import annotations

import pytest

from rollupdate.cli.pflag import read
from rollupdate.commands.hints import resume_commands
from rollupdate.core.changes.target import Ending
from rollupdate.core.model.record import Undo
from rollupdate.core.plan.goal import Goal
from tests.support import changes


def goal(*, rollback: bool = False, change: bool = True) -> Goal:
    return Goal(
        original="a",
        successor="b",
        rollback=rollback,
        finish=Ending.KEEP_NAME,
        change=changes.image("b") if change else None,
    )


def undoing(undo: Undo, *, rollback: bool = False) -> Goal:
    return Goal(original="a", successor="b", rollback=rollback, finish=Ending.KEEP_NAME, undo=undo)


@pytest.mark.parametrize(
    ("given", "onwards", "back"),
    [
        (["a", "--image=b c"], "a '--image=b c'", "a '--image=b c' --rollback"),
        (["--image", "b", "--", "a"], "--image b -- a", "--image b --rollback -- a"),
        (
            ["a", "--token", "s3cret", "-f", "x"],
            "a --token REDACTED -f x",
            "a --token REDACTED -f x --rollback",
        ),
        (["a", "--token=s3cret"], "a --token=REDACTED", "a --token=REDACTED --rollback"),
        (
            ["a", "-f", "https://me:s3cret@host/rc"],
            "a -f https://me:REDACTED@host/rc",
            "a -f https://me:REDACTED@host/rc --rollback",
        ),
        (["a", "--rollback=false", "--image=b"], "a --image=b", "a --image=b --rollback"),
    ],
)
def test_continue_or_go_back(given: list[str], onwards: str, back: str) -> None:
    """Quoted for a shell; --rollback stands where it is read as a flag."""
    said = resume_commands(read(given), goal())
    assert said == (f"kubectl rolling-update {onwards}", f"kubectl rolling-update {back}")


def test_from_a_rollback() -> None:
    """To continue is to roll back; the other way is the command without it, or is named."""
    there, other = resume_commands(read(["a", "--image=b", "--rollback"]), goal(rollback=True))
    assert there == "kubectl rolling-update a --image=b --rollback"
    assert other == "kubectl rolling-update a --image=b"
    there, other = resume_commands(read(["a", "--rollback"]), goal(rollback=True, change=False))
    assert there == "kubectl rolling-update a --rollback"
    assert other.startswith("kubectl rolling-update a (with the --image or --filename")


@pytest.mark.parametrize(
    "given",
    [
        ["a", "--rollback"],
        ["a", "--rollback=true"],
        ["a", "--rollback", "--to-revision=1"],
        ["--to-revision", "1", "a", "--rollback"],
        ["--to_revision", "0", "--rollback", "a"],
        ["a", "--to_revision=1", "--rollback"],
    ],
)
def test_from_an_undo(given: list[str]) -> None:
    """Both ways have a number: it means the same also once the other is finished."""
    undo = Undo(revision=1, running=3)
    there = "kubectl rolling-update a --rollback --to-revision=1"
    back = "kubectl rolling-update a --rollback --to-revision=3"
    assert resume_commands(read(given), undoing(undo)) == (there, back)
    assert resume_commands(read(given), undoing(undo, rollback=True)) == (back, there)


def test_from_an_undo_with_names_behind_two_hyphens() -> None:
    """What stands behind them is a name, whatever it looks like."""
    undo = Undo(revision=1, running=3)
    said = resume_commands(read(["--rollback", "-n", "x", "--", "--to-revision"]), undoing(undo))
    assert said[0] == "kubectl rolling-update -n x --rollback --to-revision=1 -- --to-revision"
