"""Which kinds there are, and how they differ. What is done with them is in ``verbs`` and the controllers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One kind as the API serves it. ``generation``: whether it counts changes of its spec.

    ``default_policy`` is what becomes of dependants when a deletion does not say. ``returns_deleted``:
    whether the answer to a deletion is the object rather than a Status.
    """

    plural: str
    kind: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: bool = False
    default_policy: str = "Background"
    returns_deleted: bool = False
    fields: tuple[str, ...] = ()
    """Field selectors beside metadata.name and metadata.namespace."""
    version: str = "v1"
    """As objects have it: ``policy/v1`` has its group before it."""
    since: int = 0
    """The first release, 1.since, that has it in this version; before, it was in the version ``earlier``."""
    earlier: str = ""
    conditional: bool = False
    """Whether a PUT must say which resourceVersion it replaces."""
    custom: bool = False
    """Whether a CustomResourceDefinition made it: see ``custom``."""

    def at(self, minor: int) -> Resource:
        """As a server 1.``minor`` has it."""
        return self if minor >= self.since else replace(self, version=self.earlier)

    @property
    def group(self) -> str:
        """Of the API; the core has none."""
        return self.version.rpartition("/")[0]

    @property
    def root(self) -> str:
        """Where paths to it begin."""
        return f"/apis/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def qualified(self) -> str:
        """As messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources


_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
)

RESOURCES: dict[str, Resource] = {
    resource.plural: resource
    for resource in (
        Resource("configmaps", "ConfigMap", ("cm",)),
        Resource("controllerrevisions", "ControllerRevision", version="apps/v1"),
        Resource(
            "deployments",
            "Deployment",
            ("deploy",),
            categories=("all",),
            subresources=("scale", "status"),
            generation=True,
            version="apps/v1",
        ),
        Resource("events", "Event", ("ev",), fields=_EVENT_FIELDS),
        Resource(
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            ("hpa",),
            categories=("all",),
            subresources=("status",),
            version="autoscaling/v1",
        ),
        Resource("limitranges", "LimitRange", ("limits",)),
        Resource(
            "namespaces",
            "Namespace",
            ("ns",),
            namespaced=False,
            subresources=("status",),
            fields=("status.phase",),
        ),
        Resource(
            "networkpolicies",
            "NetworkPolicy",
            ("netpol",),
            generation=True,
            version="networking.k8s.io/v1",
        ),
        Resource(
            "nodes",
            "Node",
            ("no",),
            namespaced=False,
            subresources=("status",),
            fields=("spec.unschedulable",),
        ),
        Resource(
            "poddisruptionbudgets",
            "PodDisruptionBudget",
            ("pdb",),
            subresources=("status",),
            generation=True,
            version="policy/v1",
            since=21,
            earlier="policy/v1beta1",
            conditional=True,
        ),
        Resource(
            "pods",
            "Pod",
            ("po",),
            categories=("all",),
            subresources=("binding", "eviction", "log", "status"),
            returns_deleted=True,
            fields=_POD_FIELDS,
        ),
        Resource(
            "priorityclasses",
            "PriorityClass",
            ("pc",),
            namespaced=False,
            generation=True,
            version="scheduling.k8s.io/v1",
        ),
        Resource(
            "replicasets",
            "ReplicaSet",
            ("rs",),
            categories=("all",),
            subresources=("scale", "status"),
            generation=True,
            version="apps/v1",
        ),
        Resource(
            "replicationcontrollers",
            "ReplicationController",
            ("rc",),
            categories=("all",),
            subresources=("scale", "status"),
            generation=True,
            # Only for this kind of core/v1: before there was a garbage collector, its pods stayed.
            default_policy="Orphan",
            fields=("status.replicas",),
        ),
        Resource("resourcequotas", "ResourceQuota", ("quota",), subresources=("status",)),
        Resource("services", "Service", ("svc",), categories=("all",), subresources=("status",)),
    )
}

AUTOSCALERS = RESOURCES["horizontalpodautoscalers"]
BUDGETS = RESOURCES["poddisruptionbudgets"]
PODS = RESOURCES["pods"]
CONTROLLERS = RESOURCES["replicationcontrollers"]
DEPLOYMENTS = RESOURCES["deployments"]
EVENTS = RESOURCES["events"]
LIMIT_RANGES = RESOURCES["limitranges"]
NAMESPACES = RESOURCES["namespaces"]
NODES = RESOURCES["nodes"]
PRIORITY_CLASSES = RESOURCES["priorityclasses"]
QUOTAS = RESOURCES["resourcequotas"]
REPLICA_SETS = RESOURCES["replicasets"]

WITH_TEMPLATES = (CONTROLLERS, REPLICA_SETS, DEPLOYMENTS)
"""The kinds that have a template of pods."""

BY_KIND = {resource.kind: resource for resource in RESOURCES.values()}


@functools.cache
def served(minor: int, custom: tuple[Resource, ...] = ()) -> Mapping[str, Resource]:
    """By plural, what a server 1.``minor`` has: each kind in one version, and the custom ones."""
    return {resource.plural: resource.at(minor) for resource in (*RESOURCES.values(), *custom)}


def resource_of(kind_or_plural: str, kinds: Mapping[str, Resource]) -> Resource:
    """By plural, kind, singular or short name. KeyError for what there is not."""
    wanted = kind_or_plural.lower()
    for resource in kinds.values():
        if wanted in (resource.plural, resource.singular, *resource.short_names):
            return resource
    raise KeyError(kind_or_plural)
