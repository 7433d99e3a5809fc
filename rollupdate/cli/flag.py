"""What a row of the table of flags can say. The rows are in ``flags``, the kinds of values in ``kinds``.

A plain class: it is loaded for ``--help`` as well, and a frozen dataclass costs more than the whole table.
"""

from __future__ import annotations

from rollupdate.cli import kinds
from rollupdate.cli.kinds import Kind

CHANGE, PACE, OUTPUT, CLUSTER = (
    "What changes",
    "How it goes",
    "What is shown",
    "Which cluster (as in kubectl)",
)
GROUPS = (CHANGE, PACE, OUTPUT, CLUSTER)
NO_EFFECT = "Accepted without effect"
"""The group of flags that are in no help."""

UPDATE, ROLLBACK, UNDO, STATUS, HISTORY = "update", "rollback", "undo", "status", "history"
MIGRATION = "migration"
"""The modes of a command line. An undo is a rollback to a revision, with no update in progress; a migration
goes to another kind of controller, or back."""
UPDATES = (UPDATE, ROLLBACK, UNDO)
RUNS = (*UPDATES, MIGRATION)
NOT_STATUS = (*UPDATES, HISTORY)
NOT_MIGRATION = (*UPDATES, STATUS, HISTORY)
_EVERYWHERE = (*RUNS, STATUS, HISTORY)
_MODES = {
    CHANGE: (UPDATE, ROLLBACK),
    PACE: UPDATES,
    OUTPUT: _EVERYWHERE,
    CLUSTER: _EVERYWHERE,
    NO_EFFECT: _EVERYWHERE,
}

NAMESPACES, CONTEXTS, CLUSTERS, USERS = "namespaces", "contexts", "clusters", "users"
CONTAINERS, IMAGES, REVISIONS = "containers", "images", "revisions"
REVISIONS_OR_PREVIOUS = "revisions or previous"
"""Where completion finds values: in the kubeconfig, or on the cluster."""


class Flag:
    """One row of the table.

    ``bare``: the value that the flag has without one (None: it needs a value). ``many``: it may be
    given several times; ``separated``: one value may hold several, with commas. ``secret``: its value is
    never shown. ``takes``: what stands for its value in a synopsis, if it is not what ``kind`` says or the
    name of the flag. ``values``: where completion finds values that ``kind`` does not know.

    ``enters``: the mode that the flag selects; ``modes``: those in which it is accepted. It ``requires`` one
    other flag, as it is to be written, and ``conflicts`` with others (``because``: why). ``hint``: what to do
    instead, if the flag that it requires is missing or, if it requires none, its value is wrong.
    """

    __slots__ = (
        "bare",
        "because",
        "conflicts",
        "default",
        "enters",
        "group",
        "help",
        "hint",
        "kind",
        "many",
        "modes",
        "name",
        "requires",
        "secret",
        "separated",
        "short",
        "takes",
        "values",
    )

    def __init__(
        self,
        name: str,
        group: str,
        help: str,
        *,
        kind: Kind = kinds.TEXT,
        default: str = "",
        short: str = "",
        bare: str | None = None,
        many: bool = False,
        separated: bool = False,
        secret: bool = False,
        takes: str = "",
        values: str = "",
        enters: str = "",
        modes: tuple[str, ...] = (),
        requires: str = "",
        hint: str | None = None,
        conflicts: tuple[str, ...] = (),
        because: str = "",
    ) -> None:
        switch = kind is kinds.SWITCH
        self.name = name
        self.group = group
        self.help = help
        self.kind = kind
        self.default = "false" if switch else default
        self.short = short
        self.bare = "true" if switch else bare
        self.many = many
        self.separated = separated
        self.secret = secret
        self.takes = takes or kind.takes or name.upper().replace("-", "_")
        self.values = values
        self.enters = enters
        self.modes = modes or _MODES[group]
        self.requires = requires
        self.hint = hint
        self.conflicts = conflicts
        self.because = because

    def __repr__(self) -> str:
        return f"<--{self.name}>"
