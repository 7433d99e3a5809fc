"""What all tests share: hypothesis profiles, the real control plane, and a last word on what was missed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from controlplane.plane import ControlPlane
from controlplane.pytest_plugin import summary
from sandbox import KubeletConfig, Sandbox

pytest_plugins = ["controlplane.pytest_plugin"]

READY_AFTER = 0.2
"""Seconds until a pod of the sandbox is ready: long enough to be caught in the middle of an update."""

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


@pytest.fixture(scope="session")
def sandbox_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a sandbox in real time, served over HTTP."""
    with Sandbox(real_time=True, kubelet=KubeletConfig(ready_after=READY_AFTER)) as sandbox:
        yield sandbox.write_kubeconfig(tmp_path_factory.mktemp("sandbox") / "kubeconfig")
