"""The archive is built once for all tests that look into it; a cluster to try an installation on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.world import World, opened
from tests.packaging import krew
from tests.support import needs

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Built:
    """What ``make krew-archive`` leaves in ``dist``."""

    archive: Path
    manifest: dict[str, Any]


def make_archive(checkout: Path, dist: Path) -> Built:
    ran = subprocess.run(
        [sys.executable, "-m", "release", "archive", "--dist", str(dist)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    archive, manifest = map(Path, ran.stdout.splitlines())
    return Built(archive, yaml.safe_load(manifest.read_text()))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The archive for this platform."""
    needs.module("PyInstaller")
    needs.program("objdump")
    return make_archive(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that krew asks its users to have on PATH, with the plugin installed."""
    labels = built.manifest["spec"]["platforms"][0]["selector"]["matchLabels"]
    root = tmp_path_factory.mktemp("krew")
    return krew.install(built.manifest, built.archive, root, system=labels["os"], machine=labels["arch"])


@pytest.fixture
def world(sandbox_kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    """An empty namespace of its own on the sandbox."""
    with opened(sandbox_kubeconfig, "packaging", tmp_path) as world:
        yield world


@pytest.fixture
def kubectl_alone(tmp_path: Path, kubectl: str) -> Path:
    """A folder with kubectl and nothing else: no Python, no shell."""
    folder = tmp_path / "kubectl-alone"
    folder.mkdir()
    (folder / "kubectl").symlink_to(kubectl)
    return folder
