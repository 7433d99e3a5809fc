"""Every scenario runs twice: on the sandbox, and on the real control plane, there as a user who has no more
rights than docs/rbac.yaml gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testing.command import ROOT
from tests.e2e.world import World, opened

ROLE = next(
    role
    for role in yaml.safe_load_all((ROOT / "docs" / "rbac.yaml").read_text())
    if role["metadata"]["name"] == "rolling-update"
)


PLANES = ("sandbox", pytest.param("real", marks=pytest.mark.realplane))


@pytest.fixture(params=PLANES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty namespace of its own, on each kind of cluster."""
    yield from _namespace(request, tmp_path)


@pytest.fixture(params=PLANES, scope="module")
def unchanged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A namespace that tests of a module share because they change nothing in it."""
    yield from _namespace(request, tmp_path_factory.mktemp("unchanged"))


def _namespace(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    kubeconfig: Path = request.getfixturevalue(f"{request.param}_kubeconfig")
    with opened(kubeconfig, "e2e", folder) as world:
        if request.param == "real":
            world.limit(ROLE)
        yield world
