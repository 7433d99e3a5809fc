"""The process: its streams, signals, errors and exit status; help, version and completion answered at once.

A command returns its result, which is shown here. Whatever costs time to import (the commands, the Kubernetes
client, YAML, typer) is imported where it is first needed: ``--help`` and ``--version`` answer without any of
it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from rollupdate.cli import pflag
from rollupdate.cli.invocation import COMMAND
from rollupdate.console import print_error, print_note, redirect_to_devnull
from rollupdate.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    InterruptedBySignal,
    RollingUpdateError,
    UsageError,
)
from rollupdate.signals import Interruption, leave
from rollupdate.version import __version__

if TYPE_CHECKING:
    from rollupdate.cli.invocation import Invocation
    from rollupdate.commands.connection import ServerWarnings
    from rollupdate.commands.result import Result

COMPLETED_SHELLS = ("bash", "zsh", "fish")


def run() -> None:
    """The entry point: never returns."""
    status = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody reads it; the interpreter would end with status 120
            redirect_to_devnull(stream)
    leave(status)
    sys.exit(status)


def main(argv: Sequence[str]) -> int:
    """One run of the command. Returns the exit status; prints to the standard streams."""
    interruption = Interruption()
    interruption.install()
    # Closed by whoever started the command (>&-): what would go there goes nowhere.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    try:
        status = _main(argv, interruption)
        sys.stdout.flush()
    except UsageError as error:
        print_error(error)
        print_note(f"See '{COMMAND} -h' for help and examples.")
        return EXIT_ERROR
    except RollingUpdateError as error:
        print_error(error)
        return error.exit_status
    except (InterruptedBySignal, KeyboardInterrupt):
        interruption.conclude()
        print_note("Interrupted; nothing was changed.")
        return EXIT_INTERRUPTED
    except OSError as error:
        # Standard output is a closed pipe or a full disk: nothing more can be said there, at exit neither.
        redirect_to_devnull(sys.stdout)
        print_note(f"error: cannot write to standard output: {error.strerror or error}")
        return EXIT_ERROR
    return status


def _main(argv: Sequence[str], interruption: Interruption) -> int:
    if argv[:1] == ["__complete"]:  # no controller can have this name
        from rollupdate.cli import completion

        completion.main(argv[1:])
    if len(argv) == 2 and argv[0] == "completion" and argv[1] in COMPLETED_SHELLS:
        from rollupdate.cli import shells

        sys.stdout.write(shells.script(argv[1]))  # without --image, -f or --rollback it is no update
        return EXIT_OK
    invocation = pflag.read(argv)
    if invocation.on("help"):
        from rollupdate.cli.help import help_text

        sys.stdout.write(help_text())
        return EXIT_OK
    if invocation.on("version"):
        sys.stdout.write(f"{COMMAND} v{__version__}\n")
        return EXIT_OK
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    # The flags have been read, as pflag reads them. A parameter of typer for each would have pydantic read
    # them once more, which takes longer than all else before the first request.
    @app.command(add_help_option=False)
    def rolling_update() -> int:
        return _carry_out(invocation, interruption)

    return int(app(args=[], standalone_mode=False, prog_name=COMMAND) or 0)


def _carry_out(invocation: Invocation, interruption: Interruption) -> int:
    """The command that the flags select."""
    from rollupdate.cli import usage
    from rollupdate.commands.connection import ServerWarnings

    usage.check(invocation)
    if invocation.without_effect:
        listed = ", ".join(f"--{name}" for name in invocation.without_effect)
        print_note(f"No effect on an update, and ignored: {listed}")
    if invocation.on("print-rbac"):
        from rollupdate.commands import rbac

        return _show(rbac.run(invocation), "")
    warnings = ServerWarnings()
    try:
        status = _command(invocation, interruption, warnings)
    except RollingUpdateError as error:
        from rollupdate.commands.hints import connected

        connected(error, invocation)
        raise
    if status == EXIT_OK and invocation.on("warnings-as-errors"):
        warnings.refuse()
    return status


def _command(invocation: Invocation, interruption: Interruption, warnings: ServerWarnings) -> int:
    from rollupdate.commands.connection import begin, connect

    output = invocation.text("output")
    if invocation.on("history"):
        from rollupdate.commands import history

        return _show(
            history.run(history.HistoryOptions.read(invocation), connect(invocation, warnings)), output
        )
    # The first request is on its way while the rest of the program is imported.
    begun = begin(invocation, warnings)
    if invocation.on("status"):
        from rollupdate.commands import status

        return _show(status.run(status.StatusOptions.read(invocation), begun()), output)
    if invocation.on("to"):
        from rollupdate.commands import migrate

        wanted = migrate.MigrationOptions.read(invocation)
        with migrate.observed(wanted) as report:
            return _show(migrate.run(wanted, begun, interruption, report), output)
    from rollupdate.commands import update

    options = update.UpdateOptions.read(invocation)
    with update.observed(options) as report:
        return _show(update.run(options, begun, interruption, report), output)


def _show(result: Result, output: str) -> int:
    """Prints what a command returned, as ``-o`` asks for. Returns its exit status."""
    for line in result.notes:
        print_note(line)
    for part in result.output:
        if isinstance(part, str):
            sys.stdout.write(part)
        else:
            from rollupdate.report.printers import printed

            sys.stdout.write(printed(part, output))
        if result.streams:
            sys.stdout.flush()
    for line in result.remarks:
        print_note(line)
    return result.status
