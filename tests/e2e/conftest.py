"""Every scenario runs twice: on the sandbox, and on the real control plane, there as a user who has no more
rights than docs/rbac.yaml gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testing.command import ROOT
from tests.e2e.world import World, opened
from tests.support.openshift import OpenShift

ROLE = next(
    role
    for role in yaml.safe_load_all((ROOT / "docs" / "rbac.yaml").read_text())
    if role["metadata"]["name"] == "rolling-update"
)
EVICTION_ROLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "rbac-evict.yaml").read_text())
"""Of who evicts pods."""
MIGRATION_ROLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "rbac-migration.yaml").read_text())
"""Of who moves pods to another kind of controller."""
CONFIG_ROLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "rbac-deploymentconfig.yaml").read_text())
"""Of who moves the pods of DeploymentConfigs."""


PLANES = ("sandbox", pytest.param("real", marks=pytest.mark.realplane))


@pytest.fixture(params=PLANES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty namespace of its own, on each kind of cluster."""
    yield from _namespace(request, tmp_path)


@pytest.fixture(params=PLANES, scope="module")
def unchanged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A namespace that tests of a module share because they change nothing in it."""
    yield from _namespace(request, tmp_path_factory.mktemp("unchanged"))


@pytest.fixture(params=PLANES)
def migrating(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty namespace of its own, for a user who may move pods to another kind of controller."""
    yield from _namespace(request, tmp_path, MIGRATION_ROLE)


@pytest.fixture(params=PLANES)
def evicting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty namespace of its own, for a user who may evict pods."""
    yield from _namespace(request, tmp_path, EVICTION_ROLE)


@pytest.fixture
def openshift(openshift_cluster: OpenShift, tmp_path: Path) -> Iterator[World]:
    """An empty namespace on an OpenShift, for a user who may move the pods of DeploymentConfigs."""
    with opened(openshift_cluster.kubeconfig, "e2e", tmp_path) as world:
        world.is_real = openshift_cluster.is_real
        with openshift_cluster.control(world.namespace):
            if world.is_real:
                world.limit(CONFIG_ROLE)
            yield world


def _namespace(request: pytest.FixtureRequest, folder: Path, role: dict[str, Any] = ROLE) -> Iterator[World]:
    kubeconfig: Path = request.getfixturevalue(f"{request.param}_kubeconfig")
    with opened(kubeconfig, "e2e", folder) as world:
        world.is_real = request.param == "real"
        if world.is_real:
            world.limit(role)
        yield world
