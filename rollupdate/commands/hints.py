"""What to do next as commands that work when pasted: made of the one that was given, on the same cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from rollupdate.advice import Action, Advice, Commands, Setting
from rollupdate.commands.given import Given
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.intent import Intent
from rollupdate.errors import RollingUpdateError
from rollupdate.events import BudgetBroken, Event, NoRoom


def connected(error: BaseException | None, given: Given) -> None:
    """Writes the advice of an error, if it has one, with the connection flags of ``given``."""
    if isinstance(error, RollingUpdateError) and isinstance(error.advice, Advice):
        error.advice = error.advice.written(_commands(given))


def telling(tell: Callable[[Event], None], given: Given) -> Callable[[Event], None]:
    """The same for the advice of events."""

    def told(event: Event) -> None:
        if isinstance(event, (NoRoom, BudgetBroken)) and isinstance(event.hint, Advice):
            event = replace(event, hint=event.hint.written(_commands(given)))
        tell(event)

    return told


def written(action: Action, given: Given) -> str:
    """The command for ``action``, on the cluster of ``given``."""
    return Advice(action).written(_commands(given))


def _commands(given: Given) -> Commands:
    return Commands(
        tool=lambda name, further: given.command(name, *further),
        again=lambda settings: _with(given, settings).shown(),
        without=lambda setting: given.without(str(setting).lstrip("-")).shown(),
        named=lambda names: given.named(*names).shown(),
        kubectl=lambda words: given.kubectl(*words),
    )


def _with(given: Given, settings: Iterable[tuple[Setting, str | None]]) -> Given:
    for setting, value in settings:
        given = given.with_flag(str(setting).lstrip("-"), value)
    return given


def backwards(given: Given, intent: Intent) -> Given:
    """The command line of the rollback that follows ``given``."""
    back = given.without("rollback", "to-revision").with_flag("rollback")
    number = intent.to_revision
    return back if number is None else back.with_flag("to-revision", str(number))


def resume_commands(given: Given, goal: Goal) -> tuple[str, str]:
    """The same command, and the one of the other direction. Secrets are not repeated.

    For an undo each names its revision: ``--rollback`` alone only continues it, and is refused once it is
    finished.
    """
    forward = given.without("rollback", "to-revision")
    back = forward.with_flag("rollback")
    if goal.undo is not None:
        there = back.with_flag("to-revision", str(goal.undo.revision)).shown()
        back_again = back.with_flag("to-revision", str(goal.undo.running)).shown()
        return (back_again, there) if goal.rollback else (there, back_again)
    if not goal.rollback:
        return forward.shown(), back.shown()
    if goal.change is None:
        return back.shown(), f"{forward.shown()} (with the --image or --filename of the update)"
    return back.shown(), forward.shown()
