"""A cluster that somebody else runs, named by ROLLUPDATE_E2E_KUBECONFIG, behind the interface of a plane."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Self

from testing import kubeconfig
from testing.client import TROUBLE, Client
from testing.controlplane.kubelet import CONNECTIONS, register_node
from testing.controlplane.plane import Auth, ControlPlane, User
from testing.controlplane.unavailable import Unavailable

_HEARTBEAT = 10.0
"""Seconds. A node that is silent for 40 is unreachable: its pods are not ready then, and evicted later."""


class AttachedPlane(ControlPlane):
    """A cluster that somebody else runs; its own kubelets run the pods, unless ROLLUPDATE_E2E_HOLLOW=1."""

    def __init__(self, access: kubeconfig.Access) -> None:
        client = Client(access, connections=CONNECTIONS + 2)
        super().__init__(client.url, client)
        self._access = access
        self._stopped = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="hollow-node", daemon=True)

    @classmethod
    def attach(cls, path: Path) -> Self:
        """Wrap the cluster of a kubeconfig. Raises :class:`Unavailable` when it does not answer."""
        try:
            access = kubeconfig.read(path)
        except ValueError as error:
            raise Unavailable(str(error)) from error
        if not access.token and not access.certificate:
            raise Unavailable(
                f"kubeconfig {path}: the user of the current context has no token and no certificate"
            )
        try:
            plane = cls(access)
            plane.admin.get("/version")
            if os.environ.get("ROLLUPDATE_E2E_HOLLOW") == "1":
                register_node(plane.admin)
                plane._start_kubelet(plane.admin, None)
                plane._heart.start()
        except TROUBLE as error:
            raise Unavailable(f"the cluster of {path} does not answer: {error}") from error
        return plane

    def write_kubeconfig(
        self,
        path: Path,
        user: User = "admin",
        auth: Auth = "token",  # noqa: ARG002 - its kubeconfig has what it has
    ) -> Path:
        if user != "admin":
            raise Unavailable("a cluster named by ROLLUPDATE_E2E_KUBECONFIG has no limited user of ours")
        return kubeconfig.write(path, self._access)

    def restart_apiserver(self, *, kill: bool = False, pause: float = 0.0) -> None:  # noqa: ARG002
        raise Unavailable("a cluster named by ROLLUPDATE_E2E_KUBECONFIG is not ours to restart")

    def _beat(self) -> None:
        """Say that the hollow node is there: a cluster of others has a controller that looks after nodes."""
        while not self._stopped.wait(_HEARTBEAT):
            with contextlib.suppress(*TROUBLE):
                register_node(self.admin)

    def stop(self) -> None:
        self._stopped.set()
        super().stop()
