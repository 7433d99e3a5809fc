"""The controller that a change asks for, before it exists. The only place that builds one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from rollupdate.core.model import record
from rollupdate.core.model.belonging import FINALIZERS, OWNERS, Belongings
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.difference import Difference
from rollupdate.core.model.rollout import intended_size
from rollupdate.core.model.template import template_hash
from rollupdate.objects import Json

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl apply's memory of one object: it must not travel to an object of another name."""

_NOT_CARRIED = frozenset({*record.KEYS, LAST_APPLIED})

_SERVERS_OWN = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generateName",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""What a file exported from a cluster has in its metadata that is the server's to write."""


class Ending(Enum):
    """How an update ends once all new pods are available."""

    DELETE_OLD = "delete-old"
    """The old controller is deleted; the new one keeps its own name."""
    KEEP_NAME = "keep-name"
    """The pods go to the old controller, which becomes the new one; the temporary one is deleted."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who began an update and with which words: written down for whoever finds it."""

    started_by: str | None = None
    """``user@host``"""
    command: str | None = None
    """The command line, without secrets: the cause of the change."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The new controller of an update."""

    name: str
    """A temporary one if the old name is kept."""
    source_id: str
    """``name:uid`` of the old controller."""
    namespace: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    """Without ours."""
    selector: Mapping[str, str]
    template: Json = field(repr=False)
    """With the identifying label."""
    digest: str
    """Hash of the template without the identifying label."""
    replicas: int
    """The size it is to reach."""
    baseline: int
    """Size of the old controller when this was planned: the annotations of an update that is still to be
    begun say the same everywhere, and what others scale from then on is noticed."""
    min_ready_seconds: int
    extra: Json = field(default_factory=dict, repr=False)
    """What else a file says of it, for the server to keep or to refuse."""
    undo: record.Undo | None = None
    ran: Difference | None = None
    """From the old controller's template to what its pods run; None if they run it."""

    @property
    def pod_labels(self) -> dict[str, str]:
        labels: dict[str, str] = (self.template.get("metadata") or {}).get("labels") or {}
        return labels

    @property
    def belongings(self) -> Belongings:
        """The owners and finalizers that a file gives it."""
        return Belongings.of(self.extra.get("metadata") or {})

    def manifest(self, origin: Origin, min_ready_seconds: int | None = None) -> Json:
        """The object to create: no pods yet, and all that another client needs to resume. It has no owners
        and no finalizers as long as a rollback may have to delete it.

        ``min_ready_seconds`` replaces its own while the update runs.
        """
        ours = {
            record.SOURCE_ID: self.source_id,
            record.DESIRED_REPLICAS: str(self.replicas),
            record.SOURCE_REPLICAS: str(self.baseline),
            record.SCALED_TO: "0",
            record.TEMPLATE_HASH: self.digest,
        }
        if origin.started_by is not None:
            ours[record.STARTED_BY] = origin.started_by
        seconds = self.min_ready_seconds
        if min_ready_seconds is not None and min_ready_seconds != seconds:
            ours[record.MIN_READY_SECONDS] = str(seconds)
            seconds = min_ready_seconds
        if self.undo is not None:
            ours |= self.undo.marks
        if self.ran:
            ours[record.RAN] = self.ran.encode()
        if self.belongings:
            ours[record.BELONGINGS] = self.belongings.encode()
        spec: Json = {
            **(self.extra.get("spec") or {}),
            "replicas": 0,
            "selector": dict(self.selector),
            "template": copy.deepcopy(self.template),
        }
        if not any(self.template.values()):
            del spec["template"]  # a file without one: the server says that it is required
        if seconds:
            spec["minReadySeconds"] = seconds
        given = self.extra.get("metadata") or {}
        left_out = _SERVERS_OWN | {OWNERS, FINALIZERS}
        further = {key: value for key, value in given.items() if key not in left_out}
        metadata: Json = {**further, "name": self.name, "annotations": {**self.annotations, **ours}}
        if self.labels:
            metadata["labels"] = dict(self.labels)
        if self.namespace:
            metadata["namespace"] = self.namespace
        rest = {key: value for key, value in self.extra.items() if key != "status"}
        kind = {"apiVersion": "v1", "kind": "ReplicationController"}
        return {**rest, **kind, "metadata": metadata, "spec": spec}


def beside(
    old: Controller,
    *,
    name: str,
    selector: Mapping[str, str],
    template: Json,
    digest: str,
    metadata: Json,
    replicas: int | None = None,
    min_ready_seconds: int | None = None,
    extra: Json | None = None,
    undo: record.Undo | None = None,
) -> Target:
    """The target beside ``old``, whose size and ``minReadySeconds`` it gets unless it has its own.

    ``metadata``: labels and annotations are taken from there.
    """
    size = intended_size(old)
    annotations = metadata.get("annotations") or {}
    return Target(
        name=name,
        source_id=old.identity,
        namespace=old.raw["metadata"].get("namespace"),
        labels=metadata.get("labels") or {},
        annotations={key: text for key, text in annotations.items() if key not in _NOT_CARRIED},
        selector=selector,
        template=template,
        digest=digest,
        replicas=size if replicas is None else replicas,
        baseline=size,
        min_ready_seconds=old.min_ready_seconds if min_ready_seconds is None else min_ready_seconds,
        extra=extra or {},
        undo=undo,
    )


def label_value(digest: str, key: str, old: Controller) -> str:
    """The identifying label of the new controller: the hash, unless the old one selects by that very value
    already (its template was edited since), as two controllers must never select the same pods."""
    if digest not in (old.selector.get(key), old.labels.get(key)):
        return digest
    return template_hash(old.template, key, salt=digest)
