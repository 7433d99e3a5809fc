"""What the tests of the cluster package share: an authority, a home, a way to write a kubeconfig."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.servers import Authority

WriteConfig = Callable[..., Path]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own, and nothing else but the way to programs."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def kubeconfig(environ: dict[str, str]) -> WriteConfig:
    """Write ~/.kube/config (or ``path``) with one cluster ``c``, user ``u`` and context ``x``."""

    def write(
        cluster: dict[str, Any] | None = None,
        user: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        *,
        path: Path | None = None,
    ) -> Path:
        target = path or Path(environ["HOME"]) / ".kube" / "config"
        target.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", **(cluster or {})}}],
            "users": [{"name": "u", "user": user or {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", **(context or {})}}],
            "current-context": "x",
        }
        target.write_text(yaml.safe_dump(document))
        return target

    return write
