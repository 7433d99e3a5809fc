"""The man page and ``docs/reference.md``, from the table of flags, and the Roles in ``docs/``, from the rules
of ``rollupdate.rights``. Never edited by hand: a test compares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from rollupdate.cli import kinds, pflag
from rollupdate.cli.flag import GROUPS, Flag
from rollupdate.cli.flags import FLAGS
from rollupdate.cli.help import USAGE
from rollupdate.commands import rbac
from rollupdate.errors import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_OK, EXIT_STOPPED
from rollupdate.version import __version__

MARKDOWN = Path("docs") / "reference.md"
MAN = Path("man") / "kubectl-rolling_update.1"
ROLES = {
    Path("docs") / "rbac.yaml": (
        ("NAME", "--image=IMAGE"),
        ("NAME", "--image=IMAGE", "--dry-run=client"),
    ),
    Path("docs") / "rbac-evict.yaml": (("NAME", "--image=IMAGE", "--evict"),),
    Path("docs") / "rbac-migration.yaml": (("NAME", "--to=deployment"),),
    Path("docs") / "rbac-deploymentconfig.yaml": (
        ("deploymentconfig/NAME", "--to=deployment", "--keep-old=false"),
    ),
}
"""Of each file the commands whose Roles it has."""
STATUS = (
    (EXIT_OK, "The update is finished, or paused by --pause-at."),
    (EXIT_ERROR, "An error. Nothing was changed unless the message says so."),
    (EXIT_STOPPED, "The update stopped before it was complete; the same command resumes it."),
    (EXIT_INTERRUPTED, "Interrupted by a signal; the same command resumes the update."),
)


def write(root: Path) -> list[Path]:
    """All of them, where they belong; their paths."""
    for path, text in pages().items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return [root / path for path in pages()]


def pages() -> dict[Path, str]:
    return {MARKDOWN: markdown(), MAN: man(), **{path: roles(path) for path in ROLES}}


def roles(path: Path) -> str:
    """What the commands print, one behind the other."""
    return "---\n".join(rbac.printed(pflag.read([*words, "--print-rbac"])) for words in ROLES[path])


def _usage() -> tuple[str, list[str], list[tuple[str, list[str]]]]:
    """Of the help: what the command does, its synopsis, and the examples with their commands."""
    about, _, rest = USAGE.partition("Usage:\n")
    synopsis, _, examples = rest.partition("Examples:\n")
    found: list[tuple[str, list[str]]] = []
    for line in map(str.strip, examples.splitlines()):
        if line.startswith("# "):
            found.append((line[2:], []))
        elif line:
            found[-1][1].append(line)
    return about.strip(), [line.strip() for line in synopsis.splitlines() if line.strip()], found


def _names(flag: Flag) -> list[str]:
    names = [f"-{flag.short}"] if flag.short else []
    return [*names, f"--{flag.name}"]


def _value(flag: Flag) -> str:
    """What comes behind the name: nothing for a switch."""
    if flag.bare is not None:
        return "" if flag.kind is kinds.SWITCH else f"[={flag.takes}]"
    return f"={flag.takes}"


def _default(flag: Flag) -> str:
    return "" if flag.default in ("", "false") else flag.default


def _of(group: str) -> Iterable[Flag]:
    return (flag for flag in FLAGS if flag.group == group)


# --- Markdown ---


def markdown() -> str:
    about, synopsis, examples = _usage()
    lines = [
        "# Reference",
        "",
        "<!-- Made by `make reference`. Edit rollupdate/cli/flags.py instead. -->",
        "",
    ]
    lines += [" ".join(about.split()), "", "```text", *synopsis, "```", ""]
    for group in GROUPS:
        lines += [f"## {group}", "", "| flag | default | |", "|---|---|---|"]
        for flag in _of(group):
            names = ", ".join(_names(flag)) + _value(flag)
            default = f"`{_default(flag)}`" if _default(flag) else ""
            lines.append(f"| `{_cell(names)}` | {_cell(default)} | {_cell(flag.help)} |")
        lines.append("")
    lines += ["## Exit status", "", "| | |", "|---|---|"]
    lines += [f"| {status} | {meaning} |" for status, meaning in STATUS]
    lines += ["", "## Examples", ""]
    for what, commands in examples:
        lines += [f"{what}:", "", "```text", *commands, "```", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- the man page (man(7)) ---


def man() -> str:
    about, synopsis, examples = _usage()
    lines = [
        '.\\" Made by `make reference`. Edit rollupdate/cli/flags.py instead.',
        f'.TH "KUBECTL\\-ROLLING_UPDATE" "1" "" "kubectl rolling\\-update v{__version__}" "kubectl plugins"',
        ".SH NAME",
        "kubectl\\-rolling_update \\- update the pods of a ReplicationController batch by batch",
        ".SH SYNOPSIS",
        *(f".B {_roff(line)}" for line in synopsis),
        ".SH DESCRIPTION",
    ]
    for number, paragraph in enumerate(about.split("\n\n")):
        lines += [".PP"] * bool(number) + [_roff(" ".join(paragraph.split()))]
    lines.append(".SH OPTIONS")
    for group in GROUPS:
        lines.append(f'.SS "{_roff(group)}"')
        for flag in _of(group):
            names = ", ".join(f"\\fB{_roff(name)}\\fR" for name in _names(flag))
            default = f" Default: {_roff(_default(flag))}." if _default(flag) else ""
            lines += [".TP", names + _roff(_value(flag)), _roff(flag.help) + default]
    lines.append('.SH "EXIT STATUS"')
    for status, meaning in STATUS:
        lines += [".TP", f"\\fB{status}\\fR", _roff(meaning)]
    lines.append(".SH EXAMPLES")
    for what, commands in examples:
        lines += [_roff(what) + ":", ".PP", ".nf", ".RS", *map(_roff, commands), ".RE", ".fi", ".PP"]
    lines += ['.SH "SEE ALSO"', ".BR kubectl (1)"]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    """Text as it is: no escapes, no requests, and hyphens that can be copied."""
    return re.sub(r"\A([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"))
