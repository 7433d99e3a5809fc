"""The process: its streams, signals, errors and exit status; help, version and completion answered at once.

Whatever costs time to import (the command itself, the Kubernetes client, YAML, typer) is imported where it
is first needed: ``--help`` and ``--version`` answer without any of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from rollupdate import flags
from rollupdate.console import complain, note, silence
from rollupdate.errors import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    InterruptedBySignal,
    RollingUpdateError,
    UsageError,
)
from rollupdate.interruption import Interruption
from rollupdate.version import __version__

COMMAND = "kubectl rolling-update"
COMPLETED_SHELLS = ("bash", "zsh", "fish")


def run() -> None:
    """The entry point: never returns."""
    sys.exit(main(sys.argv[1:]))


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
        complain(error)
        note(f"See '{COMMAND} -h' for help and examples.")
        return EXIT_ERROR
    except RollingUpdateError as error:
        complain(error)
        return error.exit_status
    except (InterruptedBySignal, KeyboardInterrupt):
        note("Interrupted; nothing was changed.")
        return EXIT_INTERRUPTED
    except OSError as error:
        # Standard output is a closed pipe or a full disk: nothing more can be said there, at exit neither.
        silence(sys.stdout)
        note(f"error: cannot write to standard output: {error.strerror or error}")
        return EXIT_ERROR
    return status


def _main(argv: Sequence[str], interruption: Interruption) -> int:
    if argv[:1] == ["__complete"]:  # no controller can have this name
        from rollupdate import complete

        complete.main(argv[1:])
    if len(argv) == 2 and argv[0] == "completion" and argv[1] in COMPLETED_SHELLS:
        from rollupdate import complete

        sys.stdout.write(complete.script(argv[1]))  # without --image, -f or --rollback it is no update
        return EXIT_OK
    arguments = flags.read(argv)
    if flags.boolean(arguments.given.get("help", ("false",))[-1]):
        sys.stdout.write(flags.help_text())
        return EXIT_OK
    if flags.boolean(arguments.given.get("version", ("false",))[-1]):
        sys.stdout.write(f"{COMMAND} v{__version__}\n")
        return EXIT_OK
    import typer

    from rollupdate.command import carry_out
    from rollupdate.options import Options

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    # The flags have been read, as pflag reads them. A parameter of typer for each would have pydantic read
    # them once more, which takes longer than all else before the first request.
    @app.command(add_help_option=False)
    def rolling_update() -> int:
        return carry_out(Options(arguments), list(argv), interruption)

    return int(app(args=[], standalone_mode=False, prog_name=COMMAND) or 0)
