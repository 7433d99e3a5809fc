"""A command line as a value: what was given, and how to write it down again.

``pflag`` makes one; nothing is parsed here. An invocation renders itself with a flag added, without some
flags, shortened, or as another command with the same connection flags. A rendered command is quoted for a
shell and holds no secret.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from rollupdate.cli import kinds
from rollupdate.cli.flag import CLUSTER, NO_EFFECT, Flag
from rollupdate.cli.flags import LONG
from rollupdate.errors import UsageError
from rollupdate.objects import CONFIGS

COMMAND = "kubectl rolling-update"
_LONGEST = 1000
"""Characters of a command that is kept in an annotation."""


_TYPES = ("rc", "replicationcontroller", "replicationcontrollers")
DEPLOYMENTS = ("deploy", "deployment", "deployments", "deployment.apps", "deployments.apps")
"""Words of kubectl for the types."""
TO_DEPLOYMENT = ("deployment", "deploy")
"""Values of ``--to`` for which NAME is not a Deployment."""
TO_CONTROLLER = ("replicationcontroller", "rc")
TO_CONFIG = ("deploymentconfig", "dc")
"""Values of ``--to`` for which NAME is a Deployment."""


class Item:
    """A name, or a flag with its values.

    ``words`` are those that were typed, if the item stands alone. ``joined``: it does not, but follows the
    item before it in one word (``-hn prod``).
    """

    __slots__ = ("flag", "joined", "values", "words")

    def __init__(
        self,
        words: Sequence[str],
        flag: Flag | None = None,
        values: Sequence[str] = (),
        *,
        joined: bool = False,
    ) -> None:
        self.words = tuple(words)
        self.flag = flag
        self.values = tuple(values)
        self.joined = joined

    def redacted(self) -> Item:
        from rollupdate.redaction import REDACTED, without_login, without_passwords

        if self.flag is None or not (self.flag.secret or self.flag.kind is kinds.ADDRESS):
            words, values = map(without_passwords, self.words), map(without_passwords, self.values)
            return Item(tuple(words), self.flag, tuple(values), joined=self.joined)
        *front, last = self.words
        typed = len(last) - sum(map(len, self.values))
        value = REDACTED if self.flag.secret else "".join(map(without_login, self.values))
        return Item((*front, last[:typed] + value), self.flag, (value,), joined=self.joined)


class Invocation:
    """The one reading of a command line.

    ``names``: the positional arguments. ``given``: by flag, the values as text, in order; of a flag that may
    not be repeated only the last one.
    """

    __slots__ = ("_behind", "_items", "given", "names")

    def __init__(self, items: Sequence[Item], behind: Sequence[str] | None = None) -> None:
        """``behind``: the names behind ``--``; None if there is no ``--``."""
        self._items = tuple(items)
        self._behind = None if behind is None else tuple(behind)
        self.names: tuple[str, ...] = (
            *(item.words[0] for item in self._items if item.flag is None),
            *(self._behind or ()),
        )
        self.given: dict[str, tuple[str, ...]] = {}
        for item in self._items:
            if item.flag is not None:
                before = self.given.get(item.flag.name, ()) if item.flag.many else ()
                self.given[item.flag.name] = (*before, *item.values)

    # --- what was given ---

    @property
    def controller(self) -> str:
        """NAME, also if it was given in kubectl's form TYPE/NAME. Raises UsageError."""
        kind, slash, name = self.names[0].rpartition("/")
        if not slash:
            return name
        if not kind or "/" in kind:
            raise UsageError(f"{self.names[0]} is not TYPE/NAME")
        self.refuse_other_kinds()
        if kind.lower() not in (*_TYPES, *DEPLOYMENTS, *CONFIGS):
            hint = f"for a Deployment and the like: {self.of_kubectl(self.names[0])}"
            if self.on("to"):
                hint = "pods are moved from and to these, Deployments and DeploymentConfigs alone"
            raise UsageError(f"{self.names[0]} is not a ReplicationController", hint=hint)
        return name

    def refuse_other_kinds(self) -> None:
        """Raises UsageError if NAME is that of a kind that has no such command."""
        if self.is_deployment and not self.on("to"):
            self._refuse_deployment()
        if self.is_config and not (self.on("to") or self.on("status")):
            self._refuse_config()

    def _refuse_deployment(self) -> NoReturn:
        """Its pods are replaced by the cluster, and can be moved from here."""
        named = self.names[0]
        back = _pasted([named, "--to=replicationcontroller", *self.connection().redacted().words()])
        raise UsageError(
            f"{named} is not a ReplicationController",
            hint=f"for a Deployment and the like: {self.of_kubectl(named)}\n"
            f"to move its pods to a ReplicationController: {back}",
        )

    def _refuse_config(self) -> NoReturn:
        """Its pods are replaced by its deployer, and can be moved from here."""
        named = self.names[0]
        there = _pasted([named, "--to=deployment", *self.connection().redacted().words()])
        raise UsageError(
            f"{named} is not a ReplicationController",
            hint=f"to move its pods to a Deployment, without a restart: {there}",
        )

    @property
    def is_deployment(self) -> bool:
        """Whether NAME was given as that of a Deployment."""
        return self.names[0].rpartition("/")[0].lower() in DEPLOYMENTS

    @property
    def is_config(self) -> bool:
        """Whether NAME was given as that of a DeploymentConfig."""
        return self.names[0].rpartition("/")[0].lower() in CONFIGS

    @property
    def type_and_name(self) -> str | None:
        """TYPE/NAME, if several names were given and the first is a word for the type. It may be a name all
        the same."""
        apart = len(self.names) > 1 and self.names[0].lower() in _TYPES
        return "/".join(self.names[:2]) if apart else None

    def has(self, name: str) -> bool:
        """Whether the flag was given, with any value but an empty one. The name of a file may be empty."""
        values = self.given.get(name, ())
        return bool(values) if LONG[name].separated else any(values)

    def on(self, name: str) -> bool:
        """Whether it was given, and not with the value that is the same as no flag (``--restart=false``)."""
        kind = LONG[name].kind
        return self.has(name) and (kind.off is None or kind.parse(self.text(name)) != kind.off)

    def text(self, name: str) -> str:
        """The value as it was given, or the default."""
        values = self.given.get(name)
        return values[-1] if values else LONG[name].default

    def optional(self, name: str) -> str | None:
        """None if the flag was not given, or is empty."""
        return self.text(name) or None

    def texts(self, name: str) -> tuple[str, ...]:
        return self.given.get(name, ())

    def value(self, name: str) -> Any:
        """The value in the type of its kind, or the default."""
        return LONG[name].kind.parse(self.text(name))

    def values(self, name: str) -> tuple[Any, ...]:
        return tuple(map(LONG[name].kind.parse, self.texts(name)))

    @property
    def without_effect(self) -> tuple[str, ...]:
        """The flags that were given and have none, by name."""
        return tuple(name for name in self.given if LONG[name].group == NO_EFFECT)

    # --- other command lines ---

    def with_flag(self, name: str, value: str | None = None) -> Invocation:
        """With that flag behind the others; in place of the same flag, unless it may be repeated."""
        flag = LONG[name]
        item = Item(
            (f"--{name}" if value is None else f"--{name}={value}",),
            flag,
            (flag.bare or "" if value is None else value,),
        )
        others = self if flag.many else self.without(name)
        return Invocation((*others._items, item), self._behind)

    def without(self, *names: str) -> Invocation:
        return Invocation(
            self._chosen(lambda item: item.flag is None or item.flag.name not in names), self._behind
        )

    def named(self, *names: str) -> Invocation:
        """With those names in place of its own."""
        flags = self._chosen(lambda item: item.flag is not None)
        if any(name.startswith("-") for name in names):
            return Invocation(flags, names)
        return Invocation((*(Item((name,)) for name in names), *flags))

    def connection(self) -> Invocation:
        """Only what says which cluster, which namespace, and as whom."""
        return Invocation(self._chosen(lambda item: item.flag is not None and item.flag.group == CLUSTER))

    def redacted(self) -> Invocation:
        """Without the values of secret flags, and without passwords in URLs."""
        from rollupdate.redaction import without_passwords

        behind = None if self._behind is None else tuple(map(without_passwords, self._behind))
        return Invocation([item.redacted() for item in self._items], behind)

    def _chosen(self, wanted: Callable[[Item], bool]) -> list[Item]:
        chosen: list[Item] = []
        headless = False  # the word's first flag is gone, and no other has taken its place
        for item in self._items:
            headless = headless and item.joined
            if wanted(item):
                chosen.append(Item(item.words, item.flag, item.values, joined=item.joined and not headless))
                headless = False
            elif not item.joined:
                headless = True
        return chosen

    # --- as text ---

    def words(self) -> list[str]:
        """As it was typed."""
        words: list[str] = []
        for item in self._items:
            if item.joined:
                words[-1] += item.words[0][1:]
                words += item.words[1:]
            else:
                words += item.words
        return words if self._behind is None else [*words, "--", *self._behind]

    def shown(self) -> str:
        """The whole command, fit to be pasted."""
        return _pasted(self.redacted().words())

    def shortened(self) -> str:
        """The same for an annotation: one that is very long ends in three dots."""
        text = self.shown()
        return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

    def command(self, name: str, *further: str) -> str:
        """Another command on the same cluster, for the controller ``name``, with further names and flags."""
        connection = self.connection().redacted().words()
        if name.startswith("-"):
            return _pasted([*further, *connection, "--", name])
        return _pasted([name, *further, *connection])

    def kubectl(self, *words: str) -> str:
        """A command of kubectl on the same cluster."""
        return _pasted([*words, *self.connection().redacted().words()], "kubectl")

    def of_kubectl(self, workload: str, container: str = "") -> str:
        """What kubectl has for the same with TYPE/NAME of another type. ``container``: its only one."""
        if self.on("rollback"):
            number = self.optional("to-revision")
            return self.kubectl("rollout", "undo", workload, *([f"--to-revision={number}"] if number else []))
        for flag, verb in (("status", "status"), ("history", "history"), ("restart", "restart")):
            if self.on(flag):
                return self.kubectl("rollout", verb, workload)
        if self.texts("filename"):
            return self.kubectl("apply", "-f", self.texts("filename")[0])
        change = self._change_of(workload, container)
        if not change and self.on("to"):
            return self.kubectl("rollout", "status", workload)
        return self.kubectl(*(change or self._images_of(workload, container)))

    def of_oc(self, config: str) -> str:
        """What OpenShift's client has for a change of the pods of a DeploymentConfig."""
        change = self._change_of(f"dc/{config}", "")
        if self.on("restart"):
            change = ["rollout", "latest", f"dc/{config}"]
        return _pasted([*(change or ["edit", f"dc/{config}"]), *self.connection().redacted().words()], "oc")

    def _change_of(self, workload: str, container: str) -> list[str]:
        """The words that change its pod template so; empty if no flag asks for it."""
        if any(image for _, image in self.values("image")):
            return self._images_of(workload, container)
        if settings := self.redacted().texts("set-env"):
            only = self.optional("container")  # or all, as with this command
            return ["set", "env", workload, *([f"--containers={only}"] if only else []), *settings]
        return ["edit", workload] if self.texts("patch") or self.texts("patch-file") else []

    def _images_of(self, workload: str, container: str) -> list[str]:
        only = container or self.optional("container") or "CONTAINER"
        images = [f"{named or only}={image}" for named, image in self.values("image") if image]
        return ["set", "image", workload, *(images or [f"{only}=IMAGE"])]


def _pasted(words: Sequence[str], command: str = COMMAND) -> str:
    import shlex

    # The dots of a command that is only known in part are no word.
    return f"{command} {' '.join(word if word == '...' else shlex.quote(word) for word in words)}"
