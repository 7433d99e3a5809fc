"""Namespaces on the real cluster and on the sandbox, and for stories one of the two at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import namespace
from testing.client import Client
from testing.kubeconfig import read
from tests.contract.wire import Wire


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
def real_namespaces(real_kubeconfig: Path) -> Iterator[Namespaces]:
    namespaces = Namespaces(real_kubeconfig)
    yield namespaces
    namespaces.delete()


@pytest.fixture(scope="session")
def sandbox_namespaces(sandbox_kubeconfig: Path) -> Iterator[Namespaces]:
    namespaces = Namespaces(sandbox_kubeconfig)
    yield namespaces
    namespaces.delete()


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.realplane)])
def cluster(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """An empty namespace, on each kind of cluster."""
    namespaces: Namespaces = request.getfixturevalue(f"{request.param}_namespaces")
    wire = namespaces.make(new_name())
    yield wire
    wire.remove_controllers()
