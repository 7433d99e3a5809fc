"""What was asked for of a migration, and what there is to say if it was done before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollupdate.objects import Json


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for."""

    name: str
    to_deployment: bool
    new_name: str = ""
    """NEW_NAME; empty if none was given."""
    config: bool = False
    """The other end is a DeploymentConfig, not a ReplicationController."""
    rollback: bool = False
    label_key: str = "deployment"
    spec: Mapping[str, Any] = field(default_factory=dict)
    """Of the Deployment: strategy, revisionHistoryLimit, minReadySeconds."""
    keep: bool | None = None
    """What had the pods stays, without any. None: a DeploymentConfig does."""
    timeout: float = 300.0
    manifest_only: bool = False
    """Nothing is done: only the manifest of the other kind is wanted, for a tool that manages this one."""

    @property
    def ends_as(self) -> str:
        """The name of what gets the pods."""
        return self.new_name or self.name

    @property
    def deployment(self) -> str:
        return self.ends_as if self.to_deployment else self.name

    @property
    def controller(self) -> str:
        """The name of the other end."""
        return self.name if self.to_deployment else self.ends_as

    @property
    def keeps(self) -> bool:
        return self.config if self.keep is None else self.keep


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """It was done before: ``obj`` has the pods."""

    obj: Json
    scaled: bool
    """Its size is an autoscaler's."""
    source: str
    """What had them: ``deployment.apps/NAME``."""
    back: tuple[str, ...]
    """The command of the way back: names and flags."""
    left: str = ""
    """The name of the DeploymentConfig that is the way back; empty if there is none."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """There is no way, but a manifest that was kept, which was asked for."""

    manifest: Json
