"""A typed reading of one Deployment as the API sends it, as far as its pods change
owners. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollupdate.core.model import record
from rollupdate.core.model.controller import checked_template
from rollupdate.core.model.migration import REVISION
from rollupdate.core.model.shape import mapping, number, strings
from rollupdate.counts import whole
from rollupdate.errors import ClusterError
from rollupdate.objects import DEPLOYMENT, Json


@dataclass(frozen=True)
class Deployment:
    """Identity, specification and status. Sizes and counts are pods."""

    name: str
    uid: str
    resource_version: str
    generation: int
    replicas: int
    paused: bool
    selector: dict[str, str]
    """The labels it selects by."""
    has_expressions: bool
    """It selects by more than labels."""
    template: Json
    observed_generation: int
    current: int
    updated: int
    """Pods of its template."""
    available: int
    revision: str
    """Of its template, as it has found; empty where it has found none yet."""
    deleting: bool
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Json) -> Deployment:
        """Raises ClusterError where the object has not the shape of an apps/v1 Deployment."""
        meta = mapping(raw, "metadata", "a Deployment")
        name, uid, version = (meta.get(key) for key in ("name", "uid", "resourceVersion"))
        if not (isinstance(name, str) and name and isinstance(uid, str) and isinstance(version, str)):
            raise ClusterError("the API server sent a Deployment without a name, uid or resourceVersion")
        what = f'{DEPLOYMENT.word} "{name}"'
        spec, status = mapping(raw, "spec", what), mapping(raw, "status", what)
        selector, annotations = mapping(spec, "selector", what), strings(meta, "annotations", what)
        return cls(
            name=name,
            uid=uid,
            resource_version=version,
            generation=number(meta, "generation", what),
            replicas=number(spec, "replicas", what, 1),
            paused=bool(spec.get("paused")),
            selector=strings(selector, "matchLabels", what),
            has_expressions=bool(selector.get("matchExpressions")),
            template=checked_template(mapping(spec, "template", what), what),
            observed_generation=number(status, "observedGeneration", what),
            current=number(status, "replicas", what),
            updated=number(status, "updatedReplicas", what),
            available=number(status, "availableReplicas", what),
            revision=annotations.get(REVISION, ""),
            deleting=bool(meta.get("deletionTimestamp")),
            annotations=annotations,
            labels=strings(meta, "labels", what),
            raw=raw,
        )

    @property
    def observed(self) -> bool:
        """Its controller has acted on this specification; its status speaks of it."""
        return self.observed_generation >= self.generation

    @property
    def complete(self) -> bool:
        """As `kubectl rollout status` has it."""
        return self.observed and self.updated == self.replicas == self.current == self.available

    @property
    def migrated_from(self) -> str | None:
        """``name:uid`` of the controller that it was made from."""
        return self.annotations.get(record.MIGRATED_FROM)

    @property
    def source_uid(self) -> str:
        """uid of the controller from or to which it is being moved; empty if it is not."""
        return self.labels.get(record.MIGRATION, "").partition(".")[0]

    @property
    def epoch(self) -> int:
        """Of the direction in which a client has written to it last."""
        return whole(self.labels.get(record.MIGRATION, "").partition(".")[2]) or 0
