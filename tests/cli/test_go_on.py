"""The commands that go on: the one that was given, fit to be pasted, and no secret in it."""

from __future__ import annotations

import pytest

from rollupdate.core.goal import Finish, Goal
from rollupdate.core.request import Request
from rollupdate.report.go_on import go_on_commands
from tests.support import changes


def goal(*, rollback: bool = False, change: bool = True) -> Goal:
    request = Request("a", change=changes.image("b") if change else None, rollback=rollback)
    return Goal("a", "b", rollback, Finish.KEEP_NAME, request)


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
    said = go_on_commands(given, goal())
    assert said == (f"kubectl rolling-update {onwards}", f"kubectl rolling-update {back}")


def test_from_a_rollback() -> None:
    """To continue is to roll back; the other way is the command without it, or is named."""
    there, other = go_on_commands(["a", "--image=b", "--rollback"], goal(rollback=True))
    assert there == "kubectl rolling-update a --image=b --rollback"
    assert other == "kubectl rolling-update a --image=b"
    there, other = go_on_commands(["a", "--rollback"], goal(rollback=True, change=False))
    assert there == "kubectl rolling-update a --rollback"
    assert other.startswith("kubectl rolling-update a (with the --image or --filename")
