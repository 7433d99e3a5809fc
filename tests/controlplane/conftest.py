"""Fixtures for the tests of the control plane itself: the shared plane if it is ours, a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.controlplane import binaries
from testing.controlplane.plane import ControlPlane
from testing.controlplane.private import PrivatePlane
from testing.controlplane.pytest_plugin import give_up
from testing.controlplane.servers import Binaries
from testing.controlplane.unavailable import Unavailable
from testing.namespace import Namespace, new_name


@pytest.fixture
def own_plane(control_plane: ControlPlane) -> PrivatePlane:
    """The session's plane, where it is one that we started: another's kubelets do as they like."""
    if not isinstance(control_plane, PrivatePlane):
        pytest.skip("runs on a plane of our own only")
    return control_plane


@pytest.fixture
def namespace(own_plane: PrivatePlane) -> Iterator[Namespace]:
    """An empty namespace."""
    namespace = Namespace(own_plane.admin, new_name("controlplane"))
    namespace.make()
    yield namespace
    namespace.remove()


@pytest.fixture
def programs() -> Binaries:
    """etcd, API server and controller manager, for tests that start planes themselves."""
    try:
        return binaries.require()
    except Unavailable as error:
        give_up(error)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has none of the programs anywhere; gives the (missing) folder of their cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.delenv("ROLLUPDATE_E2E_KUBECONFIG", raising=False)
    monkeypatch.delenv("ROLLUPDATE_REQUIRE_CONTROL_PLANE", raising=False)
    return tmp_path / "cache" / "rollupdate"
