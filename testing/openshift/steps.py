"""What can be decided: little each, one write if possible. Who carries them out is ``controller``."""

from __future__ import annotations

from dataclasses import dataclass

from testing.objects import Json
from testing.openshift.seen import Controller


@dataclass(frozen=True)
class Create:
    """A ReplicationController, from its manifest; ``status`` is what the config says then."""

    manifest: Json
    status: Json


@dataclass(frozen=True)
class Replace:
    """A ReplicationController by ``new``, if it is still as it was seen: ``new`` has that resourceVersion."""

    new: Json


@dataclass(frozen=True)
class Delete:
    """A ReplicationController."""

    controller: Controller


@dataclass(frozen=True)
class Tell:
    """The status of the config, if that is still as it was seen."""

    status: Json


Step = Create | Replace | Delete | Tell
