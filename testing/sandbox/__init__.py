"""An embedded cluster: object store, Kubernetes API, controllers and a hollow kubelet, in one process.

For the demo and for fast tests. It behaves like the real API server and its controllers where this project
touches them, under a fake clock or the real one, called in the process or over HTTP on loopback. It knows
nothing of ``rollupdate``.
"""

from testing.kubelet.behaviour import DEFAULT_RULES, Behaviour, KubeletConfig, Rule
from testing.objects import Json
from testing.sandbox.faults import DroppedError
from testing.sandbox.messages import Request, Response
from testing.sandbox.replication import ManagerConfig
from testing.sandbox.statuses import ApiError
from testing.sandbox.store import Change
from testing.sandbox.watch import Watch
from testing.sandbox.world import Sandbox

__all__ = [
    "DEFAULT_RULES",
    "ApiError",
    "Behaviour",
    "Change",
    "DroppedError",
    "Json",
    "KubeletConfig",
    "ManagerConfig",
    "Request",
    "Response",
    "Rule",
    "Sandbox",
    "Watch",
]
