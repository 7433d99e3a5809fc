"""A control plane of our own that passes for an OpenShift, as far as DeploymentConfigs go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from testing.controlplane.private import PrivatePlane
from testing.openshift.definition import DEFINITION
from testing.openshift.runner import CONNECTIONS, Runner


@contextmanager
def openshift(plane: PrivatePlane, namespace: str = "") -> Iterator[Runner]:
    """Serve the kind, and run its controller for that namespace, or for all of them."""
    plane.define(DEFINITION)
    with Runner(plane.client("admin", connections=CONNECTIONS), namespace) as runner:
        yield runner
