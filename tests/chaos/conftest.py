"""Clusters with short latencies: here the command is run thousands of times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.chaos.arena import Arena, Site
from testing.controlplane.acquire import acquire
from testing.controlplane.plane import ControlPlane
from testing.controlplane.pytest_plugin import give_up
from testing.controlplane.unavailable import Unavailable
from testing.sandbox import KubeletConfig, Sandbox
from testing.sandbox.server import Server

QUICK = KubeletConfig(ready_after=0.03, terminate_after=0.02)


@pytest.fixture(scope="session")
def sandbox_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A quick sandbox in real time, served over HTTP."""
    folder = tmp_path_factory.mktemp("chaos-sandbox")
    with Sandbox(real_time=True, kubelet=QUICK) as sandbox, Server(sandbox) as server:
        yield Site("sandbox", server.write_kubeconfig(folder / "kubeconfig"), folder)


@pytest.fixture(scope="session")
def quick_plane() -> Iterator[ControlPlane]:
    """A real control plane with a quick kubelet."""
    try:
        plane = acquire(kubelet=QUICK)
    except Unavailable as error:
        give_up(error)
    with plane:
        yield plane


@pytest.fixture(scope="session")
def real_site(quick_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The real control plane as its administrator sees it."""
    folder = tmp_path_factory.mktemp("chaos-real")
    return Site("real", quick_plane.write_kubeconfig(folder / "kubeconfig"), folder)


@pytest.fixture
def arena(sandbox_site: Site) -> Iterator[Arena]:
    """An empty namespace of the sandbox, with a proxy before it."""
    with sandbox_site.arena() as arena:
        yield arena
