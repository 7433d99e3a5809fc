"""The shape of a Kubernetes object, and of its parts, as JSON gives it; which kinds there are for us; what no
name can be."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]


class Kind(NamedTuple):
    """A kind of object that is read and written."""

    version: str
    """``apiVersion``: ``apps/v1`` has its group before it."""
    name: str
    """As ``kind`` has it."""
    plural: str
    """As paths have it."""

    @property
    def word(self) -> str:
        """As messages name one object, and as kubectl takes it."""
        return self.name.lower()

    @property
    def group(self) -> str:
        """Of the API; the core has none."""
        return self.version.rpartition("/")[0]

    @property
    def qualified(self) -> str:
        """As kubectl prints one: ``deployment.apps``."""
        return f"{self.word}.{self.group}" if self.group else self.word


CONTROLLER = Kind("v1", "ReplicationController", "replicationcontrollers")
REPLICA_SET = Kind("apps/v1", "ReplicaSet", "replicasets")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
REVISION = Kind("apps/v1", "ControllerRevision", "controllerrevisions")
AUTOSCALER = Kind("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
CONFIG = Kind("apps.openshift.io/v1", "DeploymentConfig", "deploymentconfigs")
"""OpenShift's: the owner of ReplicationControllers, one for each rollout."""

CONFIGS = (
    "dc",
    CONFIG.word,
    CONFIG.plural,
    CONFIG.qualified,
    f"{CONFIG.plural}.{CONFIG.group}",
)
"""Words of kubectl and oc for the last."""


def kind_of(obj: Json) -> Kind:
    """Of an object that names its kind. KeyError for another one."""
    return _BY_NAME[obj["kind"]]


_BY_NAME = {kind.name: kind for kind in (CONTROLLER, REPLICA_SET, DEPLOYMENT, REVISION, AUTOSCALER, CONFIG)}


def name_problem(name: str) -> str:
    """Why no object and no namespace can have that name, as it would be read as another part of a path: in
    the words of kubectl. Empty if it would not; the rest is left to the server."""
    if name in (".", ".."):
        return f"[may not be '{name}']"
    problems = [f"may not contain '{found}'" for found in "/%" if found in name]
    return f"[{' '.join(problems)}]" if problems else ""
