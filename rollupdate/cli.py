"""The command: flags to a request, wiring, exit status. The only module that prints errors.

Whatever costs time to import (the Kubernetes client, YAML, typer) is imported where it is first needed:
``--help`` and ``--version`` answer without any of it.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from rollupdate import flags
from rollupdate.core.budget import Amount, Budget
from rollupdate.core.request import FileChange, ImageChange, Request
from rollupdate.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_STOPPED,
    ClusterError,
    RollingUpdateError,
    StoppedError,
    UsageError,
)
from rollupdate.interruption import Interrupted, Interruption
from rollupdate.report.text import printable
from rollupdate.version import __version__

if TYPE_CHECKING:
    from rollupdate.cluster import ConnectionFlags, Exchange, OnRequest
    from rollupdate.core.goal import Goal
    from rollupdate.engine.update import Update
    from rollupdate.report.plain import PlainReport

COMMAND = "kubectl rolling-update"


def run() -> None:
    """The entry point: never returns."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """One run of the command. Returns the exit status; prints to the standard streams."""
    interruption = Interruption()
    interruption.install()
    try:
        status = _main(argv, interruption)
        sys.stdout.flush()
    except UsageError as error:
        _complain(error)
        _note(f"See '{COMMAND} -h' for help and examples.")
        return EXIT_ERROR
    except RollingUpdateError as error:
        _complain(error)
        return error.exit_status
    except (Interrupted, KeyboardInterrupt):
        _note("Interrupted; nothing was changed.")
        return EXIT_INTERRUPTED
    except OSError as error:
        # Standard output is a closed pipe or a full disk: nothing more can be said there, at exit neither.
        _silence_stdout()
        _note(f"error: cannot write to standard output: {error.strerror or error}")
        return EXIT_ERROR
    return status


def _main(argv: Sequence[str], interruption: Interruption) -> int:
    arguments = flags.read(argv)
    if arguments.given.get("help", ("false",))[-1] in ("true", "1", "t"):
        sys.stdout.write(flags.help_text())
        return EXIT_OK
    if arguments.given.get("version", ("false",))[-1] in ("true", "1", "t"):
        sys.stdout.write(f"{COMMAND} v{__version__}\n")
        return EXIT_OK
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    def rolling_update(**given: Any) -> int:
        return _update(Options(given), list(argv), interruption)

    rolling_update.__signature__ = signature = _signature()  # type: ignore[attr-defined]
    rolling_update.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    app.command(add_help_option=False)(rolling_update)
    return int(app(args=arguments.normalized(), standalone_mode=False, prog_name=COMMAND) or 0)


def _signature() -> Signature:
    """The table of flags as the parameters of the typer command."""
    import typer

    names: Any = list[str] | None
    parameters = [Parameter("names", Parameter.KEYWORD_ONLY, default=typer.Argument(None), annotation=names)]
    for flag in flags.FLAGS:
        kind: Any = list[str] | None if flag.many else str | None
        option = typer.Option(None, f"--{flag.name}", help=flag.help)
        parameters.append(
            Parameter("flag_" + flag.keyword, Parameter.KEYWORD_ONLY, default=option, annotation=kind)
        )
    return Signature(parameters)


class Options:
    """What typer has read, with the types of the table. A flag that was not given has its default."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.names: list[str] = list(given.get("names") or [])
        self._given = given

    def given(self, name: str) -> bool:
        return bool(self._given.get("flag_" + name.replace("-", "_")))

    def text(self, name: str) -> str:
        value = self._given.get("flag_" + name.replace("-", "_"))
        return str(value) if value is not None else _FLAG[name].default

    def optional(self, name: str) -> str | None:
        """None where the flag was not given, or empty."""
        return self.text(name) or None

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._given.get("flag_" + name.replace("-", "_")) or ())

    def value(self, name: str) -> Any:
        return _FLAG[name].parse(self.text(name))


_FLAG = {flag.name: flag for flag in flags.FLAGS}


# --- from the command line to a request ---


def read_request(options: Options, namespace: str) -> Request:
    """What is asked for. Raises UsageError in the documented words, ManifestError for the file."""
    check_usage(options)
    change: ImageChange | FileChange | None = None
    filenames = options.texts("filename")
    if filenames:
        from rollupdate.manifest import load_controller

        source = "STDIN" if filenames[0] == "-" else filenames[0]
        manifest = load_controller(filenames[0], namespace=namespace)
        change = FileChange(manifest, source, validate=options.value("validate"))
    elif options.text("image"):
        change = ImageChange(
            options.text("image"), options.optional("container"), options.optional("image-pull-policy")
        )
    surge, unavailable = options.value("max-surge"), options.value("max-unavailable")
    assert isinstance(surge, Amount)
    assert isinstance(unavailable, Amount)
    return Request(
        name=_controller_name(options.names[0]),
        new_name=options.names[1] if len(options.names) > 1 else None,
        change=change,
        rollback=options.value("rollback"),
        keep_name=options.value("keep-name"),
        label_key=options.text("deployment-label-key"),
        budget=Budget(surge, unavailable),
        min_ready_seconds=options.value("min-ready-seconds") if options.given("min-ready-seconds") else None,
        update_period=options.value("update-period"),
        timeout=options.value("timeout"),
    )


def check_usage(options: Options) -> None:
    """What is wrong with the command line whatever the cluster says. Raises UsageError."""
    filenames, image = options.texts("filename"), options.text("image")
    if not options.text("deployment-label-key"):
        raise UsageError("--deployment-label-key can not be empty")
    if len(filenames) > 1:
        raise UsageError("May only specify a single filename for new controller")
    if filenames and image:
        raise UsageError("--filename and --image can not both be specified")
    if not (filenames or image or options.value("rollback")):
        raise UsageError("Must specify --filename or --image for new controller")
    if not options.names or not options.names[0]:
        raise UsageError("Must specify the controller to update")
    if len(options.names) > 2:
        raise UsageError(f"expected NAME and NEW_NAME, got {len(options.names)}: {' '.join(options.names)}")
    name = _controller_name(options.names[0])
    if len(options.names) == 2:
        if filenames:
            raise UsageError("NEW_NAME and --filename can not both be specified: the file has the name")
        if options.names[1] == name:
            raise UsageError(f"NEW_NAME can not be NAME: with {name} alone the controller keeps its name")
        if not options.names[1]:
            raise UsageError("NEW_NAME can not be empty")
        if options.value("keep-name"):
            raise UsageError("NEW_NAME and --keep-name can not both be specified")
    if filenames and options.text("container"):
        raise UsageError("--container goes with --image, not with --filename")
    if filenames and options.text("image-pull-policy"):
        raise UsageError("--image-pull-policy goes with --image, not with --filename")


def _controller_name(text: str) -> str:
    """NAME, also in kubectl's form TYPE/NAME."""
    kind, slash, name = text.rpartition("/")
    if not slash:
        return text
    if kind.lower() not in ("rc", "replicationcontroller", "replicationcontrollers"):
        raise UsageError(
            f"{text} is not a ReplicationController", hint="kubectl rollout is for Deployments and the like"
        )
    return name


def connection_flags(options: Options) -> ConnectionFlags:
    from rollupdate.cluster import ConnectionFlags

    return ConnectionFlags(
        kubeconfig=options.text("kubeconfig"),
        context=options.text("context"),
        cluster=options.text("cluster"),
        user=options.text("user"),
        server=options.text("server"),
        namespace=options.text("namespace"),
        token=options.text("token"),
        as_user=options.text("as"),
        as_groups=options.texts("as-group"),
        as_uid=options.text("as-uid"),
        client_certificate=options.text("client-certificate"),
        client_key=options.text("client-key"),
        certificate_authority=options.text("certificate-authority"),
        insecure_skip_tls_verify=options.value("insecure-skip-tls-verify"),
        tls_server_name=options.text("tls-server-name"),
        request_timeout=options.value("request-timeout"),
        stdin_taken="-" in options.texts("filename"),
    )


# --- one update ---


def _update(options: Options, argv: list[str], interruption: Interruption) -> int:
    check_usage(options)
    from rollupdate import cluster as api
    from rollupdate.engine.ports import Clock, Cluster
    from rollupdate.engine.rehearsal import Rehearsal, RehearsalClock
    from rollupdate.engine.update import Update
    from rollupdate.report.objects import printed
    from rollupdate.report.plain import PlainReport

    verbosity = options.value("v")
    real = api.connect(
        connection_flags(options),
        environ=os.environ,
        on_warning=lambda text: _note(f"Warning: {text}"),
        on_request=_request_log(verbosity),
    )
    request = read_request(options, real.namespace)
    output, dry_run = options.optional("output"), options.value("dry-run")
    cluster: Cluster = real
    clock: Clock = SystemClock()
    suffix = ""
    if dry_run != "none":
        clock = RehearsalClock()
        cluster = Rehearsal(real, clock, server=dry_run == "server")
        suffix = " (server dry run)" if dry_run == "server" else " (dry run)"
    lines = sys.stderr if output else sys.stdout
    report = PlainReport(lines, sys.stderr, suffix=suffix, verbosity=verbosity, hold=dry_run != "none")
    update = Update(
        cluster,
        clock,
        request,
        report,
        poll_interval=options.value("poll-interval"),
        shield=interruption.shield,
    )
    try:
        obj = update.run()
    except (Interrupted, KeyboardInterrupt) as interrupted:
        signal_name = interrupted.name if isinstance(interrupted, Interrupted) else "SIGINT"
        _note(f"Interrupted by {signal_name}; {_standing(update)}.")
        _tell_how_to_go_on(update, argv)
        return EXIT_INTERRUPTED
    except StoppedError as error:
        _complain(error)
        if dry_run != "none":
            return EXIT_ERROR
        _tell_how_to_go_on(update, argv)
        return EXIT_STOPPED
    except OSError as error:
        _silence_stdout()
        _note(f"error: cannot write the progress: {error.strerror or error}; {_standing(update)}.")
        _tell_how_to_go_on(update, argv)
        return EXIT_STOPPED if update.written else EXIT_ERROR
    if dry_run != "none":
        _show_plan(update, report, output)
    elif output:
        sys.stdout.write(printed([obj], output))
    return EXIT_OK


def _show_plan(update: Update, report: PlainReport, output: str | None) -> None:
    """A dry run ends with what it was about: the controllers, and (unless they are printed) the steps."""
    from rollupdate.report.objects import printed

    goal = update.goal
    if goal is None:
        return
    old, new = update.before.get(goal.original), update.before.get(goal.successor)
    names = [goal.original, goal.successor]
    objects = [old.raw if old else None, new.raw if new else goal.manifest]
    if goal.rollback:
        names.reverse()
        objects.reverse()
    if output:
        sys.stdout.write(printed([each for each in objects if each is not None], output))
        return
    sys.stdout.write(f"Rolling from:\n{names[0]}\nTo:\n{names[1]}\n")
    report.release()


class SystemClock:
    """The engine's clock: monotonic seconds."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


# --- what is said at the end ---


def _standing(update: Update) -> str:
    """Where things stand, from what was seen last."""
    if not update.written and not (update.goal and update.goal.resuming):
        return "nothing was changed"
    states = [
        f"{each.name} has {each.replicas} pods, {each.available} available" for each in update.last_seen
    ]
    return "; ".join(states) or "nothing is left of the update"


def _tell_how_to_go_on(update: Update, argv: Sequence[str]) -> None:
    """The exact commands that continue and that go back, where there is something to continue."""
    goal = update.goal
    if goal is None or not (update.written or goal.resuming):
        return
    onwards, back = go_on_commands(argv, goal)
    _note(f"To continue: {onwards}")
    _note(f"To go back:  {back}" if not goal.rollback else f"To update after all: {back}")


def go_on_commands(argv: Sequence[str], goal: Goal) -> tuple[str, str]:
    """The same command, and the one of the other direction. Secrets are not repeated."""
    rest = [word for word in _without_secrets(argv) if not _is_rollback(word)]
    same = shlex.join(["kubectl", "rolling-update", *rest])
    there_and_back = (f"{same} --rollback", same)
    if not goal.rollback:
        return same, f"{same} --rollback"
    if goal.request.change is None:
        return there_and_back[0], f"{same} (with the --image or --filename of the update)"
    return there_and_back


def _is_rollback(word: str) -> bool:
    return word == "--rollback" or word.startswith("--rollback=")


def _without_secrets(argv: Sequence[str]) -> list[str]:
    words: list[str] = []
    hide = False
    for word in argv:
        if hide or word.startswith("--token="):
            words.append("REDACTED" if hide else "--token=REDACTED")
        else:
            words.append(word)
        hide = word == "--token"
    return words


def _complain(error: RollingUpdateError) -> None:
    """``error: ...`` as kubectl writes it; the server's own words need no such mark."""
    mark = "" if isinstance(error, ClusterError) else "error: "
    _note(mark + error.message)
    if error.hint:
        _note(error.hint)


def _note(line: str) -> None:
    try:
        sys.stderr.write(printable(line) + "\n")
        sys.stderr.flush()
    except OSError:
        pass  # nobody listens; the exit status still tells


def _silence_stdout() -> None:
    """Keep the interpreter from failing once more when it flushes at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _request_log(verbosity: int) -> OnRequest | None:
    """``-v=6`` and above: a line for each request on standard error; from 8 on the bodies as well."""
    if verbosity < 6:
        return None

    def log(exchange: Exchange) -> None:
        outcome = "no answer" if exchange.status is None else str(exchange.status)
        _note(f"{exchange.verb} {exchange.url} {outcome} in {exchange.milliseconds:.0f} milliseconds")
        if verbosity >= 8:
            for label, body in (("Request", exchange.sent), ("Response", exchange.received)):
                if body is not None:
                    _note(f"{label} Body: {json.dumps(body, ensure_ascii=False)[:_LONGEST_BODY]}")

    return log


_LONGEST_BODY = 10_000
"""Characters of one body in the log."""
