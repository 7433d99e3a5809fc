"""What all tests share: hypothesis profiles, the real control plane, and a last word on what was missed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from controlplane.plane import ControlPlane
from controlplane.pytest_plugin import summary

pytest_plugins = ["controlplane.pytest_plugin"]

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tests that had no control plane are named at the very end, with the reason."""
    for line in summary(terminalreporter):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def real_kubeconfig(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The administrator's kubeconfig of the real control plane."""
    return control_plane.write_kubeconfig(tmp_path_factory.mktemp("real") / "kubeconfig")
