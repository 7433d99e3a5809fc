"""What a command may ask of its command line. ``cli.invocation`` implements it; nothing is read here."""

from __future__ import annotations

from typing import Any, Protocol


class Given(Protocol):
    """A command line that was read and checked. Flags are named as in the table of flags, without hyphens in
    front; one that was not given has its default."""

    names: tuple[str, ...]

    @property
    def type_and_name(self) -> str | None:
        """TYPE/NAME, if several names were given and the first is a word for ReplicationControllers."""
        ...

    @property
    def controller(self) -> str:
        """NAME, without a TYPE."""
        ...

    @property
    def is_deployment(self) -> bool:
        """Whether NAME was given as that of a Deployment."""
        ...

    @property
    def is_config(self) -> bool:
        """Whether NAME was given as that of a DeploymentConfig."""
        ...

    def has(self, name: str) -> bool:
        """Whether the flag was given, with any value but an empty one."""
        ...

    def on(self, name: str) -> bool:
        """Whether it was given, and not with the value that is the same as no flag."""
        ...

    def text(self, name: str) -> str: ...

    def optional(self, name: str) -> str | None:
        """None if the flag was not given, or is empty."""
        ...

    def texts(self, name: str) -> tuple[str, ...]: ...

    def value(self, name: str) -> Any:
        """In the type of its kind."""
        ...

    def values(self, name: str) -> tuple[Any, ...]: ...

    def with_flag(self, name: str, value: str | None = None) -> Given:
        """The command line with that flag behind the others."""
        ...

    def named(self, *names: str) -> Given:
        """The command line with those names in place of its own."""
        ...

    def without(self, *names: str) -> Given: ...

    def shown(self) -> str:
        """The whole command, fit to be pasted, without secrets."""
        ...

    def shortened(self) -> str:
        """The same for an annotation."""
        ...

    def command(self, name: str, *further: str) -> str:
        """Another command with this one's connection flags."""
        ...

    def kubectl(self, *words: str) -> str:
        """A command of kubectl with the same connection flags."""
        ...

    def of_kubectl(self, workload: str, container: str = "") -> str:
        """What kubectl has for the same with TYPE/NAME of another type. ``container``: its only one, as far
        as is known."""
        ...
