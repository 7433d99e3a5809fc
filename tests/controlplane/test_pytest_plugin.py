"""A run without a control plane says so: tests are skipped with the reason, and counted at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = """\
from testing.controlplane.pytest_plugin import summary

def pytest_terminal_summary(terminalreporter):
    for line in summary(terminalreporter):
        terminalreporter.line(line)
"""
TESTS = """\
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_needs_it(control_plane, number):
    assert control_plane.url

def test_something_else():
    pytest.skip("for another reason")
"""


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """pytest on two tests that want a control plane, on a machine that has none."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "KUBEBUILDER", "ROLLUPDATE"))}
    nowhere = {"PATH": "", "XDG_CACHE_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "testing.controlplane.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *options,
        ],
        cwd=folder,
        env={**kept, **nowhere, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_skips_are_counted_with_the_reason(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Also those of workers; other skips are not mentioned."""
    result = run(tmp_path, *options)
    assert result.returncode == 0
    assert (
        "2 tests were skipped: the real control plane is not available: etcd, kube-apiserver" in result.stdout
    )
    assert "for another reason" not in result.stdout


def test_where_it_is_required_they_fail(tmp_path: Path) -> None:
    """As in continuous integration."""
    result = run(tmp_path, ROLLUPDATE_REQUIRE_CONTROL_PLANE="1")
    assert result.returncode == 1
    assert "the real control plane is not available: etcd, kube-apiserver" in result.stdout
    assert "tests were skipped: the real" not in result.stdout
