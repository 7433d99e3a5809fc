"""Wheel and sdist: built, checked, installed where nothing else is, and an update run from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from rollupdate.version import __version__
from tests.e2e.world import World
from tests.packaging.conftest import ROOT
from tests.support import needs
from tests.support.manifests import my_nginx

pytestmark = [pytest.mark.built, pytest.mark.xdist_group("packages")]  # built once


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what ``python -m release python`` builds; twine has checked it."""
    needs.module("build")
    needs.module("twine")
    dist = tmp_path_factory.mktemp("packages")
    _run([sys.executable, "-m", "release", "python", "--dist", str(dist)])
    return dist


@pytest.fixture(scope="module")
def environment(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel in it."""
    venv = tmp_path_factory.mktemp("environment") / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    [wheel] = packages.glob("*.whl")
    # The pip of the tests; and nothing compiled beforehand, as a run needs few of the thousands of modules.
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    _run([*pip, "install", "--quiet", "--no-compile", str(wheel)])
    return venv / "bin"


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = ran.stdout + ran.stderr
    if ran.returncode != 0 and ("No matching distribution" in output or "connection" in output):
        needs.give_up(f"packages cannot be downloaded: {output.strip().splitlines()[-1]}")
    assert ran.returncode == 0, output


def test_the_wheel_holds_the_program_and_nothing_else(packages: Path) -> None:
    [wheel] = packages.glob("*.whl")
    assert wheel.name == f"kubectl_rolling_update-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
        declared = archive.read(entry_points).decode()
    assert {name.split("/")[0] for name in names} == {
        "rollupdate",
        f"kubectl_rolling_update-{__version__}.dist-info",
        f"kubectl_rolling_update-{__version__}.data",
    }
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rollupdate").rglob("*.py")}
    assert sources <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("share/man/man1/kubectl-rolling_update.1") for name in names)
    assert "kubectl-rolling_update = rollupdate.cli.main:run" in declared
    assert "kubectl_complete-rolling_update = rollupdate.cli.completion:run" in declared


def test_the_sdist_has_what_building_takes(packages: Path) -> None:
    [sdist] = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "rollupdate/cli/main.py",
        "man/kubectl-rolling_update.1",
    } <= names


def test_an_update_runs_from_the_installed_wheel(
    environment: Path, world: World, kubectl_alone: Path
) -> None:
    world.have(my_nginx())
    path = f"{kubectl_alone}{os.pathsep}{environment}"
    ran = subprocess.run(
        [str(kubectl_alone / "kubectl"), "rolling-update", "my-nginx", "--image=nginx:1.9.1"],
        env={"PATH": path, "KUBECONFIG": str(world.kubeconfig)},
        cwd=kubectl_alone,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith('\nreplicationcontroller "my-nginx" rolling updated\n')
    completed = subprocess.run(
        [str(environment / "kubectl_complete-rolling_update"), "--request-timeout=60", "my"],
        env={"KUBECONFIG": str(world.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.stdout, completed.stderr) == ("my-nginx\t3 replicas, nginx:1.9.1\n:4\n", "")
