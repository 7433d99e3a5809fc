"""An update, a rollback or an undo, and their dry run: one run of the engine, and what is said at its end.

The decisions are the engine's; what is asked for is read in ``wanted``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from rollupdate.advice import RollBack, Setting
from rollupdate.commands.connection import SystemClock, stdin_taken
from rollupdate.commands.ending import last_words, stopped
from rollupdate.commands.hints import backwards, connected, resume_commands, telling, written
from rollupdate.commands.missing import explain
from rollupdate.commands.result import Result
from rollupdate.commands.review import lines_for, refuse_without_terminal, show
from rollupdate.commands.wanted import read_intent, read_policy
from rollupdate.console import error_lines, print_note
from rollupdate.core.changes.target import Ending
from rollupdate.core.plan.intent import Intent
from rollupdate.core.status.update_status import unreplaced
from rollupdate.counts import counted
from rollupdate.engine.outcome import End, Outcome
from rollupdate.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    EditedError,
    RollingUpdateError,
    StoppedError,
)
from rollupdate.events import Event, PodsNotSeen, Stopped, Subject
from rollupdate.report.printers import Objects
from rollupdate.report.running import other_pods
from rollupdate.report.text import printable
from rollupdate.signals import Interruption

if TYPE_CHECKING:
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.commands.given import Given
    from rollupdate.core.plan.preview import Preview
    from rollupdate.engine.ports import Cluster
    from rollupdate.report.observers import Observers

Tell = Callable[[Event], None]


# --- what is asked for ---


@dataclass(frozen=True, kw_only=True)
class UpdateOptions:
    """What the command line says beside the intent and the policy, which need the namespace."""

    given: Given
    dry_run: str
    """none, client or server."""
    as_objects: bool
    """For ``-o``: standard output is for objects alone."""
    progress: str
    verbosity: int
    timeline: str | None
    diff: bool
    confirm: bool
    verify: str
    verify_timeout: float
    poll_interval: float
    new_name: str
    """NEW_NAME of an update that is not by a file; else empty."""

    @classmethod
    def read(cls, given: Given) -> UpdateOptions:
        return cls(
            given=given,
            dry_run=given.value("dry-run"),
            as_objects=given.has("output"),
            progress=given.text("progress"),
            verbosity=given.value("v"),
            timeline=given.optional("timeline"),
            diff=given.on("diff"),
            confirm=given.on("confirm"),
            verify=given.text("verify"),
            verify_timeout=given.value("verify-timeout"),
            poll_interval=given.value("poll-interval"),
            new_name=given.names[1] if len(given.names) > 1 and not given.texts("filename") else "",
        )

    @property
    def is_dry_run(self) -> bool:
        return self.dry_run != "none"

    @property
    def asks(self) -> bool:
        return self.confirm and not self.is_dry_run

    def validate(self) -> None:
        """Raises RefusedError if there is nobody to ask."""
        if self.asks:
            refuse_without_terminal(taken=stdin_taken(self.given) and not self.given.on("rollback"))


# --- the run ---


def observed(options: UpdateOptions) -> AbstractContextManager[Observers]:
    """Whoever shows the progress, in the way that was asked for."""
    from rollupdate.report.observers import Wanted, observers

    return observers(
        Wanted(
            progress=options.progress,
            to_stderr=options.as_objects,
            verbosity=options.verbosity,
            dry_run=options.dry_run,
            timeline=options.timeline,
            new_name=options.new_name,
        )
    )


def run(
    options: UpdateOptions,
    connect: Callable[[], ApiCluster],
    interruption: Interruption,
    report: Observers,
) -> Result:
    """Whatever ends it is told to ``report`` as well, also before there is a cluster."""
    subject = Subject(name=options.given.controller)
    cluster: ApiCluster | None = None
    try:
        options.validate()
        cluster = connect()
        subject = Subject(cluster.context, cluster.namespace, subject.name)
        return _on_cluster(options, cluster, interruption, report, report.about(subject))
    except RollingUpdateError as error:
        if cluster is not None:
            explain(error, options.given, cluster)
        connected(error, options.given)
        report.about(subject)(Stopped(error.message, error.hint or "", error.exit_status))
        raise


def _on_cluster(
    options: UpdateOptions, real: ApiCluster, interruption: Interruption, report: Observers, plain: Tell
) -> Result:
    from rollupdate.engine.dry_run import DryRunClock, DryRunCluster
    from rollupdate.engine.policy import run_with
    from rollupdate.engine.ports import Clock
    from rollupdate.engine.running import left_by_an_edit
    from rollupdate.engine.update import Update
    from rollupdate.verification import Verification

    given = options.given
    intent, policy = read_intent(given, real.namespace), read_policy(given)
    cluster: Cluster = real
    clock: Clock = SystemClock()
    if options.is_dry_run:
        clock = DryRunClock()
        cluster = DryRunCluster(real, clock, server=options.dry_run == "server")

    lines = lines_for(as_objects=options.as_objects, progress=options.progress)
    review = _review(lines, asks=options.asks) if options.diff or options.confirm else None

    def start(wanted: Intent) -> Outcome:
        # What a rollback that follows says to do next is said of the command that rolls back.
        said = given if wanted is intent else backwards(given, wanted)
        tell = telling(plain, said)
        check: Verification | None = None
        if policy.verifies:
            check = Verification(options.verify, options.verify_timeout, os.environ, tell)
        outcome = Update(
            cluster,
            clock,
            wanted,
            policy,
            tell,
            poll_interval=options.poll_interval,
            check=check,
            review=review if wanted is intent else None,
            shield=interruption.shield,
        ).run()
        connected(outcome.error, said)
        told = stopped(outcome.error, dry_run=options.is_dry_run)
        if told is not None:
            tell(told)
        return outcome

    if options.is_dry_run:
        planned = start(intent)
        interruption.conclude()
        return _planned(planned, options, report)

    def announce(outcome: Outcome) -> None:
        for line in (*_problem(outcome), "Rolling back because of --on-failure=rollback."):
            print_note(line)

    outcome, back = run_with(intent, policy, start, announce)
    interruption.conclude()
    result = _result(back or outcome, options)
    left = left_by_an_edit(real, back or outcome, lambda problem: plain(PodsNotSeen(intent.name, problem)))
    if left.others:
        restart = given.command(intent.name, str(Setting.RESTART))
        note = f"error: rolled back, but {other_pods(intent.name, left)}, as another client had edited that"
        result = replace(result, status=EXIT_ERROR, notes=(note, f"to replace them: {restart}"))
    elif back is not None and back.end is End.FINISHED:
        done = f"Rolled back: {intent.name} runs what it ran before the update."
        result = replace(result, notes=(done,))
    if back is not None and back.end is End.FINISHED:
        result = replace(result, status=EXIT_STOPPED)  # the requested update did not happen
    return result


def _result(outcome: Outcome, options: UpdateOptions) -> Result:
    """With the controller that owns the pods, if the run came to its end."""
    notes = _problem(outcome)
    if outcome.exit_status in (EXIT_STOPPED, EXIT_INTERRUPTED) or outcome.end is End.PAUSED:
        notes += _how_to_resume(outcome, options.given)
    owner = outcome.owner if options.as_objects else None
    return Result(
        status=outcome.exit_status,
        notes=notes,
        output=() if owner is None else [Objects((owner,))],
    )


def _problem(outcome: Outcome) -> tuple[str, ...]:
    return last_words(outcome.error, _standing(outcome))


def _review(lines: TextIO, *, asks: bool) -> Callable[[Preview], None]:
    """Shows what changes on ``lines``, then perhaps asks."""

    def review(shown: Preview) -> None:
        from rollupdate.report.diff import template_diff

        diff = lambda colour: template_diff(shown, colour=colour)  # noqa: E731
        show(diff, lines, asks=asks, resuming=shown.resuming)

    return review


def _planned(outcome: Outcome, options: UpdateOptions, report: Observers) -> Result:
    """A dry run ends with what it was about: the controllers, and (unless they are printed) the steps."""
    if isinstance(outcome.error, StoppedError):
        return Result(status=EXIT_ERROR, notes=error_lines(outcome.error))
    goal = outcome.checked().goal
    if goal is None:
        return Result()
    old, new = outcome.before.get(goal.original), outcome.before.get(goal.successor)
    names = [goal.original, goal.successor]
    objects = [old.raw if old else None, new.raw if new else goal.manifest]
    if goal.rollback:
        names.reverse()
        objects.reverse()
    if options.as_objects:
        return Result(output=[Objects(tuple(item for item in objects if item is not None))])
    if report.plain is not None:
        sys.stdout.write(printable(f"Rolling from:\n{names[0]}\nTo:\n{names[1]}\n"))
        report.plain.release()
    return Result()


# --- what is said at the end ---


def _standing(outcome: Outcome) -> str:
    """Where things stand, from what was seen last."""
    if not outcome.begun:
        return "nothing was changed"
    states = [
        f"{controller.name} has {counted(controller.replicas, 'pod')}, {controller.available} available"
        for controller in outcome.controllers
    ]
    return "; ".join(states) or "nothing is left of the update"


def _how_to_resume(outcome: Outcome, given: Given) -> tuple[str, ...]:
    """The exact commands that resume and that roll back, if an update is left to resume."""
    goal = outcome.goal
    if goal is None or not outcome.begun:
        return ()
    onwards, back = resume_commands(given, goal)
    note = unreplaced(outcome.controllers)
    after_all = "To roll back after all" if goal.undo else "To update after all"
    lines = [f"Note: {note}."] if note else []
    if not isinstance(outcome.error, EditedError):
        lines.append(f"To resume:    {onwards}")
    old = next((found for found in outcome.controllers if found.name == goal.original), None)
    if old is None or not old.deleting:
        lines.append(f"To roll back: {back}" if not goal.rollback else f"{after_all}: {back}")
    elif goal.finish is Ending.DELETE_OLD and outcome.controllers[-1].record.empty:
        lines.append(f"To undo it:   {written(RollBack(goal.successor, 0), given)}")
    return tuple(lines)
