"""The flags of the command, and reading a command line as kubectl (spf13/pflag) reads it.

The table here is the only place where a flag is named, described and given its default; help, parser and
completion come from it. It imports nothing but the standard library, so that ``--help`` costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rollupdate.core.model.budget import Amount
from rollupdate.core.model.duration import parse_duration
from rollupdate.errors import UsageError

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def boolean(text: str) -> bool:
    if text in _TRUE + _FALSE:
        return text in _TRUE
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def duration(text: str) -> float:
    """Seconds, not negative."""
    seconds = parse_duration(text)
    if seconds < 0:
        raise ValueError("must not be negative")
    return seconds


def timeout(text: str) -> float:
    """kubectl's --request-timeout takes whole seconds without a unit as well."""
    return duration(text + "s" if text.isascii() and text.isdigit() else text)


def number(text: str) -> int:
    """A whole number of 32 bits, not negative."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    if len(text) > 20 or int(text) >= 2**31:
        raise ValueError(f'strconv.ParseInt: parsing "{text[:40]}": value out of range')
    if int(text) < 0:
        raise ValueError("must not be negative")
    return int(text)


def ordinal(text: str) -> int:
    """A number from 1 on; nothing is none."""
    if text and number(text) == 0:
        raise ValueError("the first is 1")
    return number(text) if text else 0


@dataclass(frozen=True)
class OneOf:
    """Reads one of a few words."""

    choices: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if text in self.choices:
            return text
        raise ValueError("must be " + ", ".join(self.choices[:-1]) + " or " + self.choices[-1])


def env_setting(text: str) -> tuple[str, str | None]:
    """``NAME=VALUE``, or ``NAME-`` (None)."""
    name, equals, value = text.partition("=")
    if not equals and text.endswith("-"):
        name = text[:-1]
    elif not equals:
        raise ValueError("must be NAME=VALUE, or NAME- to take it away")
    if not name or any(each.isspace() for each in name):
        raise ValueError("has no name of an environment variable")
    return name, value if equals else None


def image(text: str) -> tuple[str | None, str]:
    """``IMAGE``, or ``CONTAINER=IMAGE``; an image's name holds no ``=``."""
    container, equals, name = text.partition("=")
    if equals and not (container and name):
        raise ValueError("must be IMAGE or CONTAINER=IMAGE")
    return (container, name) if equals else (None, text)


def one_of(*choices: str) -> OneOf:
    return OneOf(choices)


def dry_run(text: str) -> str:
    """``none``, ``client`` or ``server``; until 1.18 it was a boolean."""
    if text in _TRUE + _FALSE:
        return "client" if text in _TRUE else "none"
    return one_of("none", "client", "server")(text)


def validation(text: str) -> bool:
    """A boolean until 1.25, a word since; what is not switched off is strict."""
    if text in ("strict", "warn", "ignore"):
        return text == "strict"
    return boolean(text)


_CHOICES: dict[Callable[[str], object], tuple[str, ...]] = {
    boolean: ("true", "false"),
    dry_run: ("none", "client", "server"),
    validation: ("strict", "warn", "ignore", "true", "false"),
}


@dataclass(frozen=True)
class Flag:
    """One flag. ``bare``: the value it has when it is given without one (None: it needs a value).

    ``many``: it may be given several times; ``separated``: one value may hold several, with commas.
    """

    name: str
    group: str
    help: str
    default: str = ""
    short: str = ""
    bare: str | None = None
    many: bool = False
    separated: bool = False
    parse: Callable[[str], object] = field(default=str, compare=False)

    @property
    def keyword(self) -> str:
        return self.name.replace("-", "_")

    @property
    def choices(self) -> tuple[str, ...]:
        """The values there are to choose from; none where the value is any text."""
        return self.parse.choices if isinstance(self.parse, OneOf) else _CHOICES.get(self.parse, ())


CHANGE, PACE, OUTPUT, CLUSTER = (
    "What changes",
    "How it goes",
    "What is shown",
    "Which cluster (as in kubectl)",
)

FLAGS: tuple[Flag, ...] = (
    Flag(
        "image",
        CHANGE,
        "The new image, or CONTAINER=IMAGE; may be repeated. With NAME alone the controller keeps its name.",
        many=True,
        parse=image,
    ),
    Flag(
        "container",
        CHANGE,
        "The container that --image=IMAGE (where the pod has several) and --set-env are about.",
    ),
    Flag(
        "image-pull-policy",
        CHANGE,
        "Always, Never or IfNotPresent. Required when --image is the image that is running already.",
        parse=one_of("Always", "Never", "IfNotPresent"),
    ),
    Flag(
        "set-env",
        CHANGE,
        "NAME=VALUE, or NAME- to take it away, in --container or in all containers; may be repeated.",
        many=True,
        parse=env_setting,
    ),
    Flag(
        "patch",
        CHANGE,
        "A patch of the pod template: a list is a JSON Patch, an object a strategic merge; may be repeated.",
        short="p",
        many=True,
    ),
    Flag(
        "patch-file",
        CHANGE,
        "A file, URL or - (standard input) with such a patch; may be repeated.",
        many=True,
    ),
    Flag(
        "restart",
        CHANGE,
        "New pods, also of the same template.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "filename",
        CHANGE,
        "A file, URL or - (standard input) with the new ReplicationController, in JSON or YAML.",
        short="f",
        many=True,
        separated=True,
    ),
    Flag(
        "keep-name",
        CHANGE,
        "With -f: the update ends under the old controller's name, whatever name the file gives.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "rollback",
        CHANGE,
        "Go back to before the update in progress. With none in progress it is refused and changes nothing.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "supersede",
        CHANGE,
        "Take the place of an update in progress to something else: its new pods go with the old ones.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "to-revision",
        CHANGE,
        "With --rollback: undo a finished update, to this revision of the history; 0 is the one before.",
        parse=number,
    ),
    Flag(
        "deployment-label-key",
        CHANGE,
        "The label that tells the pods of the two controllers apart.",
        default="deployment",
    ),
    Flag(
        "max-surge",
        PACE,
        "Pods, or percentage, that may exist above the smaller of the two sizes.",
        default="1",
        parse=Amount.parse,
    ),
    Flag(
        "max-unavailable",
        PACE,
        "Pods, or percentage, that may be unavailable of the smaller of the two sizes.",
        default="0",
        parse=Amount.parse,
    ),
    Flag(
        "min-ready-seconds",
        PACE,
        "Seconds a new pod must be ready before it counts, while the update runs. Default: the controller's "
        "own.",
        parse=number,
    ),
    Flag(
        "update-period",
        PACE,
        "Time to wait after each scale-up, before old pods are removed.",
        default="0s",
        parse=duration,
    ),
    Flag(
        "poll-interval",
        PACE,
        "Time between two looks at the cluster where it cannot be watched.",
        default="3s",
        parse=duration,
    ),
    Flag(
        "timeout",
        PACE,
        "The longest time without any progress before the update stops; 0 waits for ever.",
        default="5m0s",
        parse=duration,
    ),
    Flag(
        "on-failure",
        PACE,
        "stop, rollback or wait, when the new pods or their check fail or nothing has moved for --timeout.",
        default="stop",
        parse=one_of("stop", "rollback", "wait"),
    ),
    Flag(
        "pause-at",
        PACE,
        "Pause once so many new pods (or percentage) are available; repeatable. The same command goes on.",
        many=True,
        separated=True,
        parse=Amount.parse,
    ),
    Flag(
        "verify",
        PACE,
        "A command to check each batch of new pods before it counts; a status other than 0 is a failure.",
    ),
    Flag(
        "verify-timeout",
        PACE,
        "The longest time that one --verify may take; 0 waits for ever.",
        default="5m0s",
        parse=duration,
    ),
    Flag(
        "failure-grace",
        PACE,
        "How long every new pod must have failed beyond hope before that counts; 0 leaves it to --timeout.",
        default="30s",
        parse=duration,
    ),
    Flag(
        "revision-history-limit",
        PACE,
        "How many revisions to keep for --rollback, beside the one that runs; 0 keeps none.",
        default="10",
        parse=number,
    ),
    Flag(
        "status",
        OUTPUT,
        "What is in progress for the controller, and why it waits. Exit status 0: nothing; 3: an update.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "watch",
        OUTPUT,
        "With --status: a line for each change, until nothing is in progress any more.",
        default="false",
        short="w",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "history",
        OUTPUT,
        "List the revisions of the controller: what its finished updates have run.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag("revision", OUTPUT, "With --history: show the pod template of that revision.", parse=ordinal),
    Flag(
        "dry-run",
        OUTPUT,
        "none, client (write nothing, show the planned steps) or server (have the server check them, too).",
        default="none",
        bare="client",
        parse=dry_run,
    ),
    Flag(
        "diff",
        OUTPUT,
        "Show what changes in the pod template before anything is done.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "confirm",
        OUTPUT,
        "Show it, and ask on the terminal before anything is done.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag(
        "progress",
        OUTPUT,
        "auto (live on a terminal, else plain), live (a view beneath the lines), plain, json or none.",
        default="auto",
        parse=one_of("auto", "live", "plain", "json", "none"),
    ),
    Flag(
        "timeline",
        OUTPUT,
        "A file, ending in .svg, for a picture of the update: pods over time, steps and stalls.",
    ),
    Flag(
        "output",
        OUTPUT,
        "json, yaml or name: print the controller instead of the progress, which goes to standard error.",
        short="o",
        parse=one_of("json", "yaml", "name"),
    ),
    Flag(
        "validate",
        OUTPUT,
        "Refuse a file, or a patch, with fields that the server does not know.",
        default="true",
        bare="true",
        parse=validation,
    ),
    Flag(
        "v",
        OUTPUT,
        "How much to tell: 6 shows each request, 8 what was sent.",
        default="0",
        short="v",
        parse=number,
    ),
    Flag("version", OUTPUT, "Print the version and exit.", default="false", bare="true", parse=boolean),
    Flag("help", OUTPUT, "Print this help and exit.", default="false", short="h", bare="true", parse=boolean),
    Flag("namespace", CLUSTER, "The namespace of the controller.", short="n"),
    Flag("server", CLUSTER, "The address of the API server.", short="s"),
    Flag("kubeconfig", CLUSTER, "The kubeconfig file to use."),
    Flag("context", CLUSTER, "The context of the kubeconfig to use."),
    Flag("cluster", CLUSTER, "The cluster of the kubeconfig to use."),
    Flag("user", CLUSTER, "The user of the kubeconfig to use."),
    Flag("token", CLUSTER, "A bearer token."),
    Flag("as", CLUSTER, "The user to impersonate."),
    Flag("as-group", CLUSTER, "A group to impersonate; may be repeated.", many=True),
    Flag("as-uid", CLUSTER, "The uid to impersonate."),
    Flag("client-certificate", CLUSTER, "A client certificate file."),
    Flag("client-key", CLUSTER, "The key file of the client certificate."),
    Flag("certificate-authority", CLUSTER, "The file of the certificate authority of the server."),
    Flag(
        "insecure-skip-tls-verify",
        CLUSTER,
        "Do not check the server's certificate.",
        default="false",
        bare="true",
        parse=boolean,
    ),
    Flag("tls-server-name", CLUSTER, "The name to expect in the server's certificate."),
    Flag(
        "request-timeout",
        CLUSTER,
        "The longest time one request may take; 0 sets no limit.",
        default="0",
        parse=timeout,
    ),
)

_LONG = {flag.name: flag for flag in FLAGS}
_SHORT = {flag.short: flag for flag in FLAGS if flag.short}


@dataclass(frozen=True)
class Arguments:
    """A command line, read: positional arguments, and for each flag given its values as text, in order."""

    positional: tuple[str, ...]
    given: dict[str, tuple[str, ...]]


def read(argv: Sequence[str]) -> Arguments:
    """Read flags anywhere among the arguments, ``--flag value`` and ``--flag=value``, ``-f x`` and ``-fx``;
    ``--`` ends them. Raises UsageError in pflag's words; values are checked, too."""
    positional: list[str] = []
    given: dict[str, list[str]] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            positional += rest
            break
        if word.startswith("--"):
            _read_long(word, rest, given)
        elif word.startswith("-") and word != "-":
            _read_short(word, rest, given)
        else:
            positional.append(word)
    return Arguments(tuple(positional), {name: tuple(values) for name, values in given.items()})


def _read_long(word: str, rest: list[str], given: dict[str, list[str]]) -> None:
    name, equals, value = word[2:].partition("=")
    if not name or name.startswith("-"):
        raise UsageError(f"bad flag syntax: {word}")
    flag = _LONG.get(name.replace("_", "-"))
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    if not equals:
        if flag.bare is not None:
            value = flag.bare
        elif rest:
            value = rest.pop(0)
        else:
            raise UsageError(f"flag needs an argument: {word}")
    _keep(flag, value, given)


def _read_short(word: str, rest: list[str], given: dict[str, list[str]]) -> None:
    letters = word[1:]
    while letters:
        group = f"-{letters}"
        letter, letters = letters[0], letters[1:]
        flag = _SHORT.get(letter)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: {letter!r} in {group}")
        if letters.startswith("=") and len(letters) > 1:
            value, letters = letters[1:], ""
        elif flag.bare is not None:
            value = flag.bare
        elif letters:
            value, letters = letters, ""
        elif rest:
            value = rest.pop(0)
        else:
            raise UsageError(f"flag needs an argument: {letter!r} in {group}")
        _keep(flag, value, given)


def _keep(flag: Flag, value: str, given: dict[str, list[str]]) -> None:
    shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
    try:
        values = _separated(value) if flag.separated else [value]
        for each in values:
            flag.parse(each)
    except ValueError as error:
        raise UsageError(f'invalid argument "{_cut(value)}" for "{shown}" flag: {_cut(str(error))}') from None
    if flag.many:
        given.setdefault(flag.name, []).extend(values)
    else:
        given[flag.name] = [value]


def _cut(text: str) -> str:
    """A line has an end."""
    return text if len(text) <= 300 else text[:300] + "..."


def _separated(text: str) -> list[str]:
    """The values of one line of CSV, as pflag reads them: quotes protect a comma, nothing is no value."""
    if '"' not in text:
        return text.split(",") if text else []
    import csv

    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from None


USAGE = """\
Replace the pods of a ReplicationController batch by batch, with no interruption of service.

The new pods are started and the old ones removed step by step, so that the service keeps its size. Whatever
stops the command: the same command continues, and with --rollback appended it goes back.

Usage:
  kubectl rolling-update NAME ([NEW_NAME] --image=IMAGE | -f FILE) [flags]

Examples:
  # Update the pods of frontend to another image, keeping the name of the controller
  kubectl rolling-update frontend --image=image:v2

  # The same, ending with a controller of another name
  kubectl rolling-update frontend-v1 frontend-v2 --image=image:v2

  # Update the pods of frontend-v1 with the controller in a file, or on standard input
  kubectl rolling-update frontend-v1 -f frontend-v2.json
  cat frontend-v2.json | kubectl rolling-update frontend-v1 -f -

  # Change anything else in the pods: an environment variable, a field of the template; or just restart them
  kubectl rolling-update frontend --set-env=LOG_LEVEL=debug
  kubectl rolling-update frontend --patch='{"spec": {"terminationGracePeriodSeconds": 60}}' --diff
  kubectl rolling-update frontend --restart

  # Go back to what was before the update in progress
  kubectl rolling-update frontend-v1 frontend-v2 --rollback

  # See what has run before, and undo a finished update: to the revision before, or to any
  kubectl rolling-update frontend --history
  kubectl rolling-update frontend --rollback --to-revision=0
  kubectl rolling-update frontend --rollback --to-revision=3
"""


def help_text() -> str:
    """The whole help page, grouped."""
    lines = [USAGE]
    for group in (CHANGE, PACE, OUTPUT, CLUSTER):
        lines.append(f"{group}:")
        for flag in FLAGS:
            if flag.group != group:
                continue
            names = (
                f"-{flag.short}, --{flag.name}" if flag.short not in ("", flag.name) else f"    --{flag.name}"
            )
            if flag.short == flag.name:
                names = f"-{flag.short}, --{flag.name}"
            shown = "''" if flag.default == "" and not flag.many else flag.default or "[]"
            lines.append(f"  {names}={shown}:")
            lines.append(f"        {flag.help}")
        lines.append("")
    lines.append(
        "Exit status: 0 finished, or paused; 1 an error, nothing changed unless the message says so;\n"
        "3 stopped before it was complete, can be continued; 130 interrupted."
    )
    return "\n".join(lines) + "\n"
