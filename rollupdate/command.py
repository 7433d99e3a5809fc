"""One run against a cluster, from the flags: an update or a rollback, ``--status``, ``--history``.

The wiring of connection, request, engine and report, and what is said at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from rollupdate.console import complain, note, silence
from rollupdate.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_STOPPED,
    InterruptedBySignal,
    RefusedError,
    RollingUpdateError,
    StoppedError,
)
from rollupdate.events import Event, Stopped, Subject
from rollupdate.interruption import Interruption
from rollupdate.options import (
    Options,
    check_usage,
    connection_flags,
    controller_name,
    read_intent,
    read_policy,
    stdin_taken,
)
from rollupdate.report.text import printable
from rollupdate.secrecy import shown_command

if TYPE_CHECKING:
    from rollupdate.cluster import Exchange, OnRequest
    from rollupdate.cluster.api import ApiCluster
    from rollupdate.core.plan.intent import Intent
    from rollupdate.core.plan.preview import Preview
    from rollupdate.engine.outcome import Outcome
    from rollupdate.engine.ports import Cluster
    from rollupdate.engine.update import Update
    from rollupdate.report.observers import Observers


def carry_out(options: Options, argv: list[str], interruption: Interruption) -> int:
    check_usage(options)
    if options.value("history"):
        return _show_history(options, _connect(options))
    if options.value("status"):
        return _show_status(options, _connect(options))
    with _observers(options) as report:
        subject = Subject(name=controller_name(options.names[0]))
        try:
            if _asks(options):
                _check_terminal(options)
            cluster = _connect(options)
            subject = Subject(cluster.context, cluster.namespace, subject.name)
            return _update_observed(options, argv, interruption, cluster, report, subject)
        except RollingUpdateError as error:
            report.about(subject)(Stopped(error.message, error.hint or "", error.exit_status))
            raise


def _observers(options: Options) -> AbstractContextManager[Observers]:
    """How it is to be shown, read from the flags."""
    from rollupdate.report.observers import Wanted, observers

    dry_run = options.value("dry-run")
    wanted = Wanted(
        progress=options.text("progress"),
        to_stderr=options.given("output"),
        verbosity=options.value("v"),
        dry_run=dry_run != "none",
        timeline=options.optional("timeline"),
        suffix={"none": "", "client": " (dry run)", "server": " (server dry run)"}[dry_run],
    )
    return observers(wanted)


def _connect(options: Options) -> ApiCluster:
    from rollupdate import cluster as api

    return api.connect(
        connection_flags(options),
        environ=os.environ,
        on_warning=lambda text: note(f"Warning: {text}"),
        on_request=_request_log(options.value("v")),
    )


def _asks(options: Options) -> bool:
    return bool(options.value("confirm") and options.value("dry-run") == "none")


def _update_observed(
    options: Options,
    argv: list[str],
    interruption: Interruption,
    real: ApiCluster,
    report: Observers,
    subject: Subject,
) -> int:
    output, dry_run = options.optional("output"), options.value("dry-run")
    from rollupdate.engine.outcome import End
    from rollupdate.engine.policy import run
    from rollupdate.engine.ports import Clock
    from rollupdate.engine.rehearsal import Rehearsal, RehearsalClock
    from rollupdate.engine.update import Update
    from rollupdate.report.objects import printed
    from rollupdate.verification import Verification

    tell = report.about(subject)
    intent, policy = read_intent(options, real.namespace, shown_command(argv)), read_policy(options)
    cluster: Cluster = real
    clock: Clock = SystemClock()
    check: Verification | None = None
    if dry_run != "none":
        clock = RehearsalClock()
        cluster = Rehearsal(real, clock, server=dry_run == "server")

    # Standard output is for sentences, or for objects alone.
    lines = sys.stderr if output or options.text("progress") == "json" else sys.stdout
    shows = options.value("diff") or options.value("confirm")
    review = _review(lines, asks=_asks(options)) if shows else None

    if policy.verifies:
        check = Verification(options.text("verify"), options.value("verify-timeout"), os.environ, tell)

    def update_for(wanted: Intent, review: Callable[[Preview], None] | None = None) -> Update:
        return Update(
            cluster,
            clock,
            wanted,
            policy,
            tell,
            poll_interval=options.value("poll-interval"),
            check=check,
            review=review,
            shield=interruption.shield,
        )

    def start(wanted: Intent) -> Outcome:
        """The same command, forwards or back; what it came to is told at once."""
        outcome = update_for(wanted, review if wanted is intent else None).run()
        _tell_end(outcome, argv if wanted is intent else [*argv, "--rollback"], tell)
        return outcome

    if dry_run != "none":
        return _show_plan(update_for(intent, review).run(), tell, report, output)
    outcome, back = run(
        intent, policy, start, lambda: note("Rolling back, as --on-failure=rollback asks for.")
    )
    last = back or outcome
    if back is None:
        status = outcome.exit_status
        if status == EXIT_STOPPED or outcome.end is End.PAUSED:
            _tell_how_to_go_on(outcome, argv)
    elif back.end is End.STOPPED:
        status = back.exit_status
        _tell_how_to_go_on(back, [*argv, "--rollback"])
    elif back.end is End.INTERRUPTED:
        status = EXIT_INTERRUPTED
    else:
        note(f"Rolled back: {intent.name} runs what it ran before the update.")
        status = EXIT_STOPPED  # the requested update did not happen
    if last.owner is not None and output:
        sys.stdout.write(printed([last.owner], output))
    return status


def _show_status(options: Options, cluster: Cluster) -> int:
    """``--status``: reading is all there is to it."""
    from rollupdate.engine.following import follow, look
    from rollupdate.report.status import one_line, printed, text

    name, output = controller_name(options.names[0]), options.optional("output")
    if not options.value("watch"):
        seen, why = look(cluster, name)
        now = datetime.now(UTC)
        sys.stdout.write(printed(seen, why, output) if output else text(seen, why, now))
        return EXIT_STOPPED if seen.in_progress else EXIT_OK
    followed = follow(
        cluster,
        SystemClock(),
        name,
        timeout=options.value("timeout"),
        poll_interval=options.value("poll-interval"),
        away=lambda problem: note(f"The API server is away, trying again: {problem}"),
    )
    told = ""
    for seen, why in followed:
        line = printed(seen, why, output, more=True) if output else one_line(seen, why) + "\n"
        if line != told:
            sys.stdout.write(line)
            sys.stdout.flush()
        told = line
    return EXIT_OK


def _show_history(options: Options, cluster: Cluster) -> int:
    """``--history``: reading is all there is to it."""
    from rollupdate.core.model.controller import Controller
    from rollupdate.core.model.history import running
    from rollupdate.core.plan.aim import revision_of
    from rollupdate.core.plan.refusals import not_found
    from rollupdate.engine.history import history_of
    from rollupdate.report.history import as_objects, one, table

    name = controller_name(options.names[0])
    raw = cluster.get_controller(name)
    if raw is None:
        raise not_found(name)
    controller = Controller.parse(raw)
    known = history_of(cluster, controller)
    number, output = options.value("revision"), options.optional("output")
    wanted = revision_of(controller, number, known) if number else None
    if output:
        sys.stdout.write(as_objects(known if wanted is None else wanted, output))
        return EXIT_OK
    now = running(known, controller.template)
    sys.stdout.write(printable(table(name, known, now) if wanted is None else one(name, wanted)))
    if known and now is None:
        note(f"What {name} runs now is no revision yet: it was not a finished update that brought it.")
    return EXIT_OK


def _tell_end(outcome: Outcome, argv: Sequence[str], tell: Callable[[Event], None]) -> None:
    """Why a run did not come to its end."""
    match outcome.error:
        case InterruptedBySignal() | KeyboardInterrupt() as interrupted:
            signal_name = interrupted.name if isinstance(interrupted, InterruptedBySignal) else "SIGINT"
            tell(Stopped(f"interrupted by {signal_name}", "", EXIT_INTERRUPTED))
            note(f"Interrupted by {signal_name}; {_standing(outcome)}.")
            _tell_how_to_go_on(outcome, argv)
        case StoppedError() as error:
            tell(Stopped(error.message, error.hint or "", EXIT_STOPPED))
            complain(error)
        case OSError() as error:
            silence(sys.stdout)
            note(f"error: cannot write the progress: {error.strerror or error}; {_standing(outcome)}.")


def _check_terminal(options: Options) -> None:
    """There must be somebody to ask."""
    taken = stdin_taken(options) and not options.value("rollback")
    if taken or sys.stdin is None or not sys.stdin.isatty():
        what = "which is what the file is read from" if taken else "which is no terminal"
        raise RefusedError(
            f"--confirm asks on standard input, {what}; nothing was changed",
            hint="to look first, use --diff with --dry-run; then run the command without --confirm",
        )


def _review(lines: TextIO, *, asks: bool) -> Callable[[Preview], None]:
    """Shows what changes on ``lines``, then perhaps asks."""

    def review(shown: Preview) -> None:
        from rollupdate.report.diff import template_diff

        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        lines.write(template_diff(shown, colour=lines.isatty() and not plain))
        lines.flush()
        if not asks:
            return
        sys.stderr.write("Go on? [y/N] ")
        sys.stderr.flush()
        reply = sys.stdin.readline()
        if not reply.endswith("\n"):
            note("")  # the end of the input, not of the line
        if reply.strip().lower() not in ("y", "yes"):
            more = "nothing more was changed" if shown.resuming else "nothing was changed"
            raise RefusedError(f"not confirmed; {more}")

    return review


def _show_plan(outcome: Outcome, tell: Callable[[Event], None], report: Observers, output: str | None) -> int:
    """A dry run ends with what it was about: the controllers, and (unless they are printed) the steps."""
    from rollupdate.report.objects import printed

    if isinstance(outcome.error, StoppedError):
        tell(Stopped(outcome.error.message, outcome.error.hint or "", EXIT_ERROR))
        complain(outcome.error)
        return EXIT_ERROR
    goal = outcome.checked().goal
    if goal is None:
        return EXIT_OK
    old, new = outcome.before.get(goal.original), outcome.before.get(goal.successor)
    names = [goal.original, goal.successor]
    objects = [old.raw if old else None, new.raw if new else goal.manifest]
    if goal.rollback:
        names.reverse()
        objects.reverse()
    if output:
        sys.stdout.write(printed([raw for raw in objects if raw is not None], output))
    elif report.plain is not None:
        sys.stdout.write(printable(f"Rolling from:\n{names[0]}\nTo:\n{names[1]}\n"))
        report.plain.release()
    return EXIT_OK


class SystemClock:
    """The engine's clock: monotonic seconds."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


# --- what is said at the end ---


def _standing(outcome: Outcome) -> str:
    """Where things stand, from what was seen last."""
    if not outcome.begun:
        return "nothing was changed"
    states = [
        f"{controller.name} has {controller.replicas} pods, {controller.available} available"
        for controller in outcome.controllers
    ]
    return "; ".join(states) or "nothing is left of the update"


def _tell_how_to_go_on(outcome: Outcome, argv: Sequence[str]) -> None:
    """The exact commands that continue and that go back, if there is something to continue."""
    from rollupdate.report.go_on import go_on_commands

    goal = outcome.goal
    if goal is None or not outcome.begun:
        return
    onwards, back = go_on_commands(argv, goal)
    note(f"To continue: {onwards}")
    after_all = "To roll back after all" if goal.undo else "To update after all"
    note(f"To go back:  {back}" if not goal.rollback else f"{after_all}: {back}")


def _request_log(verbosity: int) -> OnRequest | None:
    """``-v=6`` and above: a line for each request on standard error; from 8 on the bodies as well."""
    if verbosity < 6:
        return None

    def log(exchange: Exchange) -> None:
        outcome = "no answer" if exchange.status is None else str(exchange.status)
        note(f"{exchange.verb} {exchange.url} {outcome} in {exchange.milliseconds:.0f} milliseconds")
        if verbosity >= 8:
            for label, body in (("Request", exchange.sent), ("Response", exchange.received)):
                if body is not None:
                    note(f"{label} Body: {json.dumps(body, ensure_ascii=False)[:_LONGEST_BODY]}")

    return log


_LONGEST_BODY = 10_000
"""Characters of one body in the log."""
