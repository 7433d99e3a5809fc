"""A namespace of the sandbox with controllers to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World, opened
from tests.support.manifests import my_nginx


@pytest.fixture
def world(sandbox_kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    """Two controllers, ``my-nginx`` with two containers and ``other``."""
    with opened(sandbox_kubeconfig, "complete", tmp_path) as world:
        manifest = my_nginx()
        containers = manifest["spec"]["template"]["spec"]["containers"]
        containers.append({"name": "sidecar", "image": "registry.test:5000/side:v1"})
        world.have(manifest)
        world.have(my_nginx("other", replicas=1, labels={"app": "other"}))
        yield world
