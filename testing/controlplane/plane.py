"""What a control plane offers, whoever runs it: the interface for tests, the demo and measurements.

``private`` starts one, ``attached`` wraps one that somebody else runs; ``acquire`` chooses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from testing.client import Client
from testing.controlplane.kubelet import HollowKubelet
from testing.kubelet.behaviour import KubeletConfig

User = Literal["admin", "limited"]
Auth = Literal["token", "certificate"]


class ControlPlane(ABC):
    """A running control plane; a context manager that stops what it started. ``admin`` may do everything."""

    def __init__(self, url: str, admin: Client) -> None:
        self.url = url
        self.admin = admin
        self.kubelet: HollowKubelet | None = None
        self.audit_log: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def write_kubeconfig(self, path: Path, user: User = "admin", auth: Auth = "token") -> Path:
        """Write a kubeconfig (mode 0600) for a user and give its path back.

        ``admin`` may do everything; ``limited`` may read pods and controllers, and is refused the rest (403).
        """

    @abstractmethod
    def restart_apiserver(self, *, kill: bool = False, pause: float = 0.0) -> None:
        """End the API server and start it on the same port ``pause`` seconds later; wait until ready."""

    def stop(self) -> None:
        """Stop what was started. May be called more than once."""
        if self.kubelet is not None:
            self.kubelet.stop()
            self.kubelet = None
        self.admin.close()

    def _start_kubelet(self, client: Client, config: KubeletConfig | None) -> HollowKubelet:
        self.kubelet = HollowKubelet(client, config)
        self.kubelet.start()
        return self.kubelet
