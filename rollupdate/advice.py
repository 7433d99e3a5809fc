"""What to do next, as data: what, and on which controller. The command line makes commands of it.

The core and the engine know neither flags nor commands. They name a :class:`Setting`, or say what is to be
run (:class:`RollBack` and the others); whoever prints it adds the connection flags of the command that was
given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple


class Setting(Enum):
    """Something that a command can ask for. As text it is the flag."""

    CONTAINER = "--container"
    DRY_RUN = "--dry-run"
    EVICT = "--evict"
    FILE = "--filename"
    HISTORY_LIMIT = "--revision-history-limit"
    IMAGE = "--image"
    KEEP_OLD = "--keep-old"
    KEEP_NAME = "--keep-name"
    LABEL_KEY = "--deployment-label-key"
    MANIFEST = "-f"
    MAX_SURGE = "--max-surge"
    MAX_UNAVAILABLE = "--max-unavailable"
    MIN_READY_SECONDS = "--min-ready-seconds"
    OUTPUT = "--output"
    PRINT_RBAC = "--print-rbac"
    PULL_POLICY = "--image-pull-policy"
    RESTART = "--restart"
    ROLLBACK = "--rollback"
    SUPERSEDE = "--supersede"
    TO = "--to"
    TO_REVISION = "--to-revision"
    UPDATE_PERIOD = "--update-period"
    VALIDATE = "--validate"

    def __str__(self) -> str:
        return self.value


class Resume(NamedTuple):
    """The command that began the update; only its names are known."""

    names: tuple[str, ...]


class RollBack(NamedTuple):
    """End what is in progress by going back, or go to a revision."""

    name: str
    to_revision: int | None = None


class Annotate(NamedTuple):
    """Set an annotation right."""

    name: str
    key: str


class Unannotate(NamedTuple):
    """Take an annotation off."""

    name: str
    key: str


class DeleteController(NamedTuple):
    name: str


class Again(NamedTuple):
    """The command that was given, with one setting more, or several."""

    setting: Setting
    value: str | None = None
    further: tuple[tuple[Setting, str | None], ...] = ()


class Without(NamedTuple):
    """The command that was given, without a setting."""

    setting: Setting


class Named(NamedTuple):
    """The command that was given, for these names."""

    names: tuple[str, ...]


class PatchObject(NamedTuple):
    """Change an object of any kind by a merge patch (JSON)."""

    resource: str
    name: str
    patch: str


class Edit(NamedTuple):
    """Change an object of any kind by hand."""

    resource: str
    name: str


class Kubectl(NamedTuple):
    """A command of kubectl on the same cluster."""

    words: tuple[str, ...]


def pods_with(selector: str) -> Kubectl:
    """``selector``: as the API takes it."""
    return Kubectl(("get", "pods", "-l", selector))


ORPHANING = ("--cascade=orphan",)
"""Of a deletion: what the object owns stays."""


class Oc(NamedTuple):
    """A command of OpenShift's client on the same cluster."""

    words: tuple[str, ...]


class Upgrade(NamedTuple):
    """The plugin itself."""


Action = (
    Resume
    | RollBack
    | Annotate
    | Unannotate
    | DeleteController
    | Again
    | Without
    | Named
    | PatchObject
    | Edit
    | Kubectl
    | Oc
    | Upgrade
)


class Commands(NamedTuple):
    """How a command is written: this tool's for a controller with some flags, the one that was given with
    flags more, without one or for other names, and kubectl's."""

    tool: Callable[[str, Sequence[str]], str]
    again: Callable[[Sequence[tuple[Setting, str | None]]], str]
    without: Callable[[Setting], str]
    named: Callable[[Sequence[str]], str]
    kubectl: Callable[[Sequence[str]], str]


class Advice:
    """A text with actions in it. Two with the same parts are equal."""

    __slots__ = ("parts",)

    def __init__(self, *parts: str | Action) -> None:
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Advice) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __str__(self) -> str:
        return self.written(PLAIN)

    def written(self, commands: Commands) -> str:
        return "".join(part if isinstance(part, str) else _written(part, commands) for part in self.parts)


def _written(action: Action, commands: Commands) -> str:
    match action:
        case Resume(names):
            return commands.tool(names[0], names[1:])
        case RollBack(name, None):
            return commands.tool(name, [str(Setting.ROLLBACK)])
        case RollBack(name, number):
            return commands.tool(name, [str(Setting.ROLLBACK), f"{Setting.TO_REVISION}={number}"])
        case Annotate(name, key):
            return commands.kubectl(["annotate", "rc", name, f"{key}=VALUE", "--overwrite"])
        case Unannotate(name, key):
            return commands.kubectl(["annotate", "rc", name, f"{key}-"])
        case DeleteController(name):
            return commands.kubectl(["delete", "rc", name])
        case Again(setting, value, further):
            return commands.again([(setting, value), *further])
        case Without(setting):
            return commands.without(setting)
        case Named(names):
            return commands.named(names)
        case PatchObject(resource, name, patch):
            return commands.kubectl(["patch", resource, name, "--type=merge", "-p", patch])
        case Edit(resource, name):
            return commands.kubectl(["edit", resource, name])
        case Kubectl(words):
            return commands.kubectl(words)
        case Oc(words):
            return f"oc{commands.kubectl(words).removeprefix('kubectl')}"
        case Upgrade():
            return "kubectl krew upgrade rolling-update"


PLAIN = Commands(
    tool=lambda name, further: " ".join(["kubectl rolling-update", name, *further]),
    again=lambda settings: (
        "the same command with "
        + " ".join(f"{setting}={value}" if value else str(setting) for setting, value in settings)
    ),
    without=lambda setting: f"the same command without {setting}",
    named=lambda names: f"the same command for {' '.join(names)}",
    kubectl=lambda words: " ".join(["kubectl", *words]),
)
"""Without connection flags."""
