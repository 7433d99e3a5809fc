"""A cluster that knows DeploymentConfigs, whichever: where it is, and their controller in a namespace."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Held(Protocol):
    """The controller of DeploymentConfigs. While it is paused it does nothing."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


@dataclass(frozen=True)
class OpenShift:
    """``control`` runs the controller in a namespace for as long as its result is entered."""

    kubeconfig: Path
    control: Callable[[str], AbstractContextManager[Held]]
