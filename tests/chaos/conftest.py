"""Clusters with short latencies: here the command is run thousands of times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.chaos.arena import Arena, Site
from testing.controlplane.plane import ControlPlane
from testing.sandbox import KubeletConfig, Sandbox
from testing.sandbox.server import Server

QUICK = KubeletConfig(ready_after=0.03, terminate_after=0.02)


@pytest.fixture(scope="session")
def sandbox_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A quick sandbox in real time, served over HTTP."""
    folder = tmp_path_factory.mktemp("chaos-sandbox")
    with (
        Sandbox(real_time=True, kubelet=QUICK, deployment_configs=True) as sandbox,
        Server(sandbox) as server,
    ):
        yield Site(server.write_kubeconfig(folder / "kubeconfig"), folder)


@pytest.fixture
def real_site(control_plane: ControlPlane, real_kubeconfig: Path, tmp_path: Path) -> Iterator[Site]:
    """The real control plane as its administrator sees it, its kubelet a quick one meanwhile."""
    site = Site(real_kubeconfig, tmp_path)
    kubelet = control_plane.kubelet
    if kubelet is None:  # somebody else's cluster
        yield site
        return
    with kubelet.configured(QUICK):
        yield site


@pytest.fixture
def arena(sandbox_site: Site) -> Iterator[Arena]:
    """An empty namespace of the sandbox, with a proxy before it."""
    with sandbox_site.arena() as arena:
        yield arena
