"""A typed reading of one OpenShift DeploymentConfig as the API sends it, and of the ReplicationControllers of
its rollouts. Nothing is changed here.

Each rollout is a ReplicationController of its own, NAME-VERSION. The *active* one has the pods: it is that of
the last rollout which was complete. What the deployer adds to a controller and its pod template is no part of
what a user has asked for, and is read away (:func:`without_deployer`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller, checked_template, owner_reference
from rollupdate.core.model.history import Revision
from rollupdate.core.model.packing import compact, packed, unpacked
from rollupdate.core.model.shape import mapping, number, strings
from rollupdate.core.model.template import template_hash, with_labels
from rollupdate.counts import whole
from rollupdate.errors import ClusterError
from rollupdate.objects import CONFIG, Json

OF_CONFIG = "openshift.io/deployment-config.name"
"""A label and an annotation of each controller, and an annotation of its pods."""
VERSION = "openshift.io/deployment-config.latest-version"
PHASE = "openshift.io/deployment.phase"
REASON = "openshift.io/deployment.status-reason"
ENCODED = "openshift.io/encoded-deployment-config"
"""The DeploymentConfig as it was rolled out: a change is found by comparing pod templates with this one."""
MADE_BY = "openshift.io/deployment.name"
COMPLETE, FAILED = "Complete", "Failed"
LABEL, LABEL_OF_CONFIG = "deployment", "deploymentconfig"
"""Labels that the deployer gives the pods of a rollout: NAME-VERSION, and NAME. Services select by it."""
_DEPLOYERS = (OF_CONFIG, VERSION, MADE_BY)

LARGEST_ORIGIN = 32 * 1024
"""Characters of a manifest that is kept: a Deployment's annotations are copied to each of its ReplicaSets."""


@dataclass(frozen=True)
class Config:
    """Identity, specification and status. The size is pods."""

    name: str
    uid: str
    resource_version: str
    generation: int
    replicas: int
    paused: bool
    template: Json
    observed_generation: int
    latest_version: int
    """Of the last rollout; 0 where nothing was rolled out yet."""
    deleting: bool
    annotations: Mapping[str, str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Json) -> Config:
        """Raises ClusterError where the object has not the shape of a DeploymentConfig."""
        meta = mapping(raw, "metadata", "a DeploymentConfig")
        name, uid, version = (meta.get(key) for key in ("name", "uid", "resourceVersion"))
        if not (isinstance(name, str) and name and isinstance(uid, str) and isinstance(version, str)):
            raise ClusterError(
                "the API server sent a DeploymentConfig without a name, uid or resourceVersion"
            )
        what = f'{CONFIG.word} "{name}"'
        spec, status = mapping(raw, "spec", what), mapping(raw, "status", what)
        return cls(
            name=name,
            uid=uid,
            resource_version=version,
            generation=number(meta, "generation", what),
            replicas=number(spec, "replicas", what),
            paused=bool(spec.get("paused")),
            template=checked_template(mapping(spec, "template", what), what),
            observed_generation=number(status, "observedGeneration", what),
            latest_version=number(status, "latestVersion", what),
            deleting=bool(meta.get("deletionTimestamp")),
            annotations=strings(meta, "annotations", what),
            raw=raw,
        )

    @property
    def observed(self) -> bool:
        """Its controller has acted on this specification."""
        return self.observed_generation >= self.generation

    @property
    def emptied(self) -> bool:
        """A migration has set its size to 0, and will give it one again."""
        return record.SCALED_TO in self.annotations

    @property
    def stopped(self) -> bool:
        """A migration has paused it, and will take that off again."""
        return record.SOURCE_ID in self.annotations

    @property
    def strategy(self) -> Json:
        return self.raw["spec"].get("strategy") or {}

    @property
    def parameters(self) -> Json:
        """Of the strategy that it has."""
        key = {"Recreate": "recreateParams", "Custom": "customParams"}.get(
            str(self.strategy.get("type")), "rollingParams"
        )
        return self.strategy.get(key) or {}

    def triggers(self, kind: str) -> list[Json]:
        found = self.raw["spec"].get("triggers")
        found = [{"type": "ConfigChange"}] if found is None else found
        return [one for one in found if isinstance(one, dict) and one.get("type") == kind]


def config_of(controller: Controller) -> str:
    """The name of the DeploymentConfig that the controller belongs to; empty if it belongs to none."""
    reference = owner_reference(controller)
    if reference is None or reference.get("kind") != CONFIG.name:
        return ""
    return str(reference.get("name"))


def rollouts(name: str, controllers: Iterable[Controller]) -> tuple[Controller, ...]:
    """The controllers of that DeploymentConfig's rollouts, whoever owns them now, by version."""
    found = (one for one in controllers if _annotations(one).get(OF_CONFIG) == name)
    return tuple(sorted(found, key=version_of))


def version_of(controller: Controller) -> int:
    """Which rollout it is; -1 where it does not say."""
    number = whole(_annotations(controller).get(VERSION))
    return -1 if number is None else number


def phase_of(controller: Controller) -> str:
    return str(_annotations(controller).get(PHASE, ""))


def active(controllers: Iterable[Controller]) -> Controller | None:
    """The one with the pods, of all rollouts; None where none was complete."""
    complete = [one for one in controllers if phase_of(one) == COMPLETE]
    return max(complete, key=version_of, default=None)


def restored(kept: tuple[Revision, ...], controllers: Iterable[Controller]) -> tuple[Revision, ...]:
    """What a Deployment that gets the pods again can be rolled back to. The last writes of the way back to
    the DeploymentConfig delete what was ``kept`` of the Deployment's; of what is gone its rollouts tell."""
    lost = (
        one
        for one in revisions(controllers)
        if not any(other.number == one.number or other.is_of(one.template) for other in kept)
    )
    return tuple(sorted((*kept, *lost), key=lambda revision: revision.number))


def encoded_template(controller: Controller) -> Any:
    """The DeploymentConfig's pod template as it was rolled out; None where that cannot be read."""
    try:
        return json.loads(_annotations(controller)[ENCODED])["spec"]["template"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def without_deployer(template: Json) -> Json:
    """A controller's pod template without what its deployer has added, except the label by which Services
    select."""
    meta = dict(template.get("metadata") or {})
    labels = {key: text for key, text in (meta.get("labels") or {}).items() if key != LABEL}
    annotations = {
        key: text for key, text in (meta.pop("annotations", None) or {}).items() if key not in _DEPLOYERS
    }
    if annotations:
        meta["annotations"] = annotations
    return with_labels({**template, "metadata": meta}, labels)


def with_deployer(template: Json, controller: Controller, config: str) -> Json:
    """The inverse: the template as one of ``controller``, which is one of ``config``'s."""
    meta = dict(template.get("metadata") or {})
    labels = {**(meta.get("labels") or {}), LABEL: controller.name, LABEL_OF_CONFIG: config}
    marks = {OF_CONFIG: config, VERSION: str(version_of(controller)), MADE_BY: controller.name}
    annotations = {**(meta.get("annotations") or {}), **marks}
    return with_labels({**template, "metadata": {**meta, "annotations": annotations}}, labels)


def revisions(controllers: Iterable[Controller]) -> tuple[Revision, ...]:
    """The complete rollouts as a history, the oldest first: of several with one template the last."""
    found: dict[str, Revision] = {}
    for one in sorted((one for one in controllers if phase_of(one) == COMPLETE), key=version_of):
        template = without_deployer(one.template)
        before = found.pop(template_hash(template, LABEL), None)
        revision = Revision(
            number=version_of(one),
            template=template,
            label_key=LABEL,
            owner_uid=one.uid,
            cause=_annotations(one).get(REASON) or None,
            finished_at=one.raw["metadata"].get("creationTimestamp"),
            former=() if before is None else (*before.former, before.number),
        )
        found[revision.digits] = revision
    return tuple(found.values())


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Which DeploymentConfig a Deployment has got its pods from, kept in an annotation of the Deployment."""

    name: str
    uid: str
    manifest: Json | None = None
    """As it was, fit to be created again; None where it was too long to be kept."""

    @property
    def was_paused(self) -> bool:
        return bool(self.manifest and self.manifest["spec"].get("paused"))

    def encode(self) -> str:
        body: Json = {"name": self.name, "uid": self.uid}
        text = "" if self.manifest is None else packed(compact(self.manifest))
        return compact({**body, "packed": text} if 0 < len(text) <= LARGEST_ORIGIN else body)

    @classmethod
    def of(cls, annotations: Mapping[str, str]) -> Origin | None:
        """None if nothing is kept there, or something else."""
        try:
            body = json.loads(annotations.get(record.MIGRATED_CONFIG, "null"))
            name, uid, text = body["name"], body["uid"], body.get("packed")
            manifest = None if text is None else json.loads(unpacked(text))
            whole = manifest is None or isinstance(manifest["spec"], dict)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return None
        if not (isinstance(name, str) and name and isinstance(uid, str) and whole):
            return None
        return cls(name=name, uid=uid, manifest=manifest)


def _annotations(controller: Controller) -> Mapping[str, str]:
    return controller.raw["metadata"].get("annotations") or {}
