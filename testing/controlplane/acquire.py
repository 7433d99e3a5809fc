"""The control plane for a test run: the cluster somebody named, or one of our own. Never builds anything.

A build takes longer than a test may; ``python -m testing.controlplane binaries`` does it beforehand.
"""

from __future__ import annotations

import os
from pathlib import Path

from testing.controlplane import binaries
from testing.controlplane.attached import AttachedPlane
from testing.controlplane.plane import ControlPlane
from testing.controlplane.private import PrivatePlane
from testing.controlplane.processes import ServerExited
from testing.controlplane.servers import RAISED_LIMITS, Limits
from testing.controlplane.unavailable import Unavailable
from testing.kubelet.behaviour import KubeletConfig

KUBECONFIG = "ROLLUPDATE_E2E_KUBECONFIG"
"""Names a kubeconfig of a cluster to run the tests on. They create and delete namespaces there."""
REQUIRE = "ROLLUPDATE_REQUIRE_CONTROL_PLANE"
"""Set to 1, what would be skipped for want of a control plane fails."""


def acquire(
    *,
    kubelet: KubeletConfig | None = None,
    audit_log: Path | None = None,
    limits: Limits = RAISED_LIMITS,
) -> ControlPlane:
    """A running plane, to be stopped by the caller (``with`` does). Raises :class:`Unavailable`.

    On a named cluster, ``kubelet`` and ``audit_log`` mean nothing: it is run by somebody else. ``limits``
    other than usual are refused there, as whoever asks for them measures what they do.
    """
    if named := os.environ.get(KUBECONFIG):
        if limits != RAISED_LIMITS:
            raise Unavailable(f"the controller manager of the cluster that {KUBECONFIG} names is not ours")
        return AttachedPlane.attach(Path(named))
    found = binaries.require()
    try:
        return PrivatePlane.start(found, kubelet=kubelet, audit_log=audit_log, limits=limits)
    except (ServerExited, TimeoutError, RuntimeError, OSError) as error:
        raise Unavailable(f"the control plane in {found.folder} did not start: {error}") from error


def required() -> bool:
    """Whether doing without is a failure."""
    return os.environ.get(REQUIRE, "") not in ("", "0")
