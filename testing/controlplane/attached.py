"""A cluster that somebody else runs, named by ROLLUPDATE_E2E_KUBECONFIG, behind the interface of a plane."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Self

import urllib3

from testing.controlplane import kubeconfig, kubelet
from testing.controlplane.client import ApiError, Client
from testing.controlplane.kubelet import KubeletConfig
from testing.controlplane.plane import Auth, ControlPlane, User
from testing.controlplane.unavailable import Unavailable

_HEARTBEAT = 10.0
"""Seconds. A node that is silent for 40 is unreachable: its pods are not ready then, and evicted later."""


class AttachedPlane(ControlPlane):
    """A cluster that somebody else runs; its own kubelets run the pods, unless ROLLUPDATE_E2E_HOLLOW=1."""

    def __init__(self, path: Path, client: Client, folder: Path) -> None:
        super().__init__(client.url, client, folder)
        self._path = path
        self._stopped = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="hollow-node", daemon=True)

    @classmethod
    def connect(cls, path: Path) -> Self:
        """See :meth:`ControlPlane.attach`."""
        folder = Path(tempfile.mkdtemp(prefix="rollupdate-attached-"))
        try:
            client = kubeconfig.connect(path, folder, connections=KubeletConfig().workers + 4)
            client.get("/version")
            plane = cls(path, client, folder)
            if os.environ.get("ROLLUPDATE_E2E_HOLLOW") == "1":
                kubelet.register_node(client)
                plane._start_kubelet(client, None)
                plane._heart.start()
        except (ApiError, urllib3.exceptions.HTTPError, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise Unavailable(f"the cluster of {path} does not answer: {error}") from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return plane

    def write_kubeconfig(
        self,
        path: Path,
        user: User = "admin",
        auth: Auth = "token",  # noqa: ARG002 - its kubeconfig has what it has
    ) -> Path:
        if user != "admin":
            raise Unavailable("a cluster named by ROLLUPDATE_E2E_KUBECONFIG has no limited user of ours")
        kubeconfig.copy(self._path, path)
        return path

    def restart_apiserver(self, *, kill: bool = False, pause: float = 0.0) -> None:  # noqa: ARG002
        raise Unavailable("a cluster named by ROLLUPDATE_E2E_KUBECONFIG is not ours to restart")

    def _beat(self) -> None:
        """Say that the hollow node is there: a cluster of others has a controller that looks after nodes."""
        while not self._stopped.wait(_HEARTBEAT):
            with contextlib.suppress(ApiError, urllib3.exceptions.HTTPError, OSError):
                kubelet.register_node(self.admin)

    def stop(self) -> None:
        self._stopped.set()
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)
