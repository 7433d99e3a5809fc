"""Namespaces on the real cluster and on the sandbox, and for stories one of the two at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import namespace
from testing.client import Client
from testing.controlplane.plane import ControlPlane
from testing.controlplane.private import PrivatePlane
from testing.kubeconfig import read
from testing.sandbox import Sandbox
from testing.sandbox.server import Server
from tests.contract.configs import World
from tests.contract.wire import Wire
from tests.support.openshift import OpenShift


class Namespaces:
    """Makes them on one cluster, and has them deleted in the end.

    Not earlier: the clearing of hundreds of namespaces would be most of what the control plane does.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._client = Client(read(kubeconfig), connections=64)
        self._made: list[Wire] = []

    def make(self, name: str) -> Wire:
        wire = Wire(self._client, name)
        wire.make()
        self._made.append(wire)
        return wire

    def delete(self) -> None:
        for wire in self._made:
            self._client.delete(f"/api/v1/namespaces/{wire.name}")
        self._client.close()


def new_name() -> str:
    """Of a namespace."""
    return namespace.new_name("contract")


@pytest.fixture(scope="session")
def minor(real_kubeconfig: Path) -> int:
    """The release of the real control plane: 1.minor."""
    told = Client(read(real_kubeconfig)).get("/version")["minor"]
    return int(told.rstrip("+"))  # "31+", as some clouds say it


@pytest.fixture(scope="session")
def like_real_kubeconfig(minor: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a sandbox that has the objects of the release that the real control plane is."""
    with Sandbox(real_time=True, minor=minor, deployment_configs=True) as sandbox, Server(sandbox) as server:
        assert sandbox.deployment_configs is not None
        sandbox.deployment_configs.pause()  # on the real one there is no controller for them either
        yield server.write_kubeconfig(tmp_path_factory.mktemp("like-real") / "kubeconfig")


@pytest.fixture(scope="session")
def like_real_namespaces(like_real_kubeconfig: Path) -> Iterator[Namespaces]:
    namespaces = Namespaces(like_real_kubeconfig)
    yield namespaces
    namespaces.delete()


@pytest.fixture(scope="session")
def real_namespaces(real_kubeconfig: Path) -> Iterator[Namespaces]:
    namespaces = Namespaces(real_kubeconfig)
    yield namespaces
    namespaces.delete()


@pytest.fixture(scope="session")
def sandbox_namespaces(sandbox_kubeconfig: Path) -> Iterator[Namespaces]:
    namespaces = Namespaces(sandbox_kubeconfig)
    yield namespaces
    namespaces.delete()


@pytest.fixture
def logs(request: pytest.FixtureRequest) -> None:
    """Of containers, in whichever cluster the test is run."""
    if "real" in request.node.callspec.params.values():
        plane: ControlPlane = request.getfixturevalue("control_plane")
        if not isinstance(plane, PrivatePlane):
            pytest.skip("another's cluster does not reach the hollow kubelet, which has the logs")


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.realplane)])
def cluster(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """An empty namespace, on each kind of cluster."""
    namespaces: Namespaces = request.getfixturevalue(f"{request.param}_namespaces")
    wire = namespaces.make(new_name())
    yield wire
    wire.remove_controllers()


@pytest.fixture
def openshift(openshift_cluster: OpenShift) -> Iterator[World]:
    """An empty namespace, on each kind of cluster that knows DeploymentConfigs, and their controller."""
    namespaces = Namespaces(openshift_cluster.kubeconfig)
    wire = namespaces.make(new_name())
    with openshift_cluster.control(wire.name) as controller:
        yield World(wire, controller)
    wire.remove_controllers()
    namespaces.delete()
