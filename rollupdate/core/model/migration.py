"""What is written onto a ReplicationController whose pods go to a Deployment, or come from one.

It is all that another client needs to go on, and to go back: what the controller selects when it has the
pods, what the Deployment is, what named the one of the two that had them, and which DeploymentConfig the
controller belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollupdate.core.model.belonging import FINALIZERS, OWNERS
from rollupdate.core.model.packing import PACKED_FROM, compact, packed, unpacked
from rollupdate.objects import CONFIG, CONTROLLER, DEPLOYMENT, Json, Kind

HASH_LABEL = "pod-template-hash"
"""Of the pods of each ReplicaSet that a Deployment owns."""
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
FORMER = "deployment.kubernetes.io/revision-history"
"""Annotations of a Deployment's ReplicaSets."""


@dataclass(frozen=True, kw_only=True)
class Around:
    """The DeploymentConfig that the controller belongs to: it stands still meanwhile."""

    name: str
    uid: str
    version: int
    """Of its last rollout, when it began: a later one is another client's."""
    was_paused: bool = False
    """It was paused before, and is to stay so."""
    edited: bool = False
    """It gets the pod template that the pods run: they are not of its last rollout any more."""

    def body(self) -> Json:
        return {
            "name": self.name,
            "uid": self.uid,
            "version": self.version,
            "wasPaused": self.was_paused,
            "edited": self.edited,
        }

    @classmethod
    def parse(cls, body: Any) -> Around:
        """Raises ValueError, and KeyError for what is missing."""
        if not isinstance(body, dict):
            raise ValueError("not an object")
        found = cls(
            name=body["name"],
            uid=body["uid"],
            version=body["version"],
            was_paused=body["wasPaused"],
            edited=body["edited"],
        )
        switches = (found.was_paused, found.edited)
        if not (
            found.name
            and all(map(_is_text, (found.name, found.uid)))
            and isinstance(found.version, int)
            and all(isinstance(switch, bool) for switch in switches)
        ):
            raise ValueError("something of another type")
        return found


@dataclass(frozen=True, kw_only=True)
class Migration:
    """From a controller to a Deployment, or from a Deployment to a controller."""

    to_deployment: bool
    """What was asked for."""
    undone: bool = False
    """It goes back."""
    why: str = ""
    """Why it goes back of itself; empty where a user has asked for that."""
    selector: Mapping[str, str]
    """Of the controller when it has the pods."""
    labels: Mapping[str, str]
    """Of its pod template then."""
    deployment: Json = field(repr=False)
    """The Deployment without its pod template and its size."""
    replica_set: str
    """The name of the ReplicaSet that has the pods of the Deployment."""
    digest: str
    """The value of ``HASH_LABEL`` on them."""
    revision: int
    """Of the history: what the pods run."""
    label_key: str
    """Of the label that tells the pods of two controllers apart; the Deployment does without it."""
    autoscalers: Mapping[str, Json] = field(default_factory=dict)
    """By name, what each has named as its target before."""
    keep: bool = False
    """The controller stays, without pods, once the Deployment has them."""
    moved: int | None = None
    """How many pods have changed owners, once all of them have; None before, and where nobody has counted."""
    available: int | None = None
    """How many pods were available when it began; None where nobody has noted that."""
    config: Around | None = None
    """None where the controller is nobody's."""

    @property
    def upwards(self) -> bool:
        """Whether the pods are on their way to the Deployment."""
        return self.to_deployment != self.undone

    @property
    def name(self) -> str:
        """Of the Deployment."""
        return str(self.deployment["metadata"]["name"])

    @property
    def home(self) -> Kind:
        """What users have in the place of the Deployment."""
        return CONTROLLER if self.config is None else CONFIG

    def home_of(self, controller: str) -> str:
        """The name of that, where the controller is of that name."""
        return controller if self.config is None else self.config.name

    @property
    def goal(self) -> Kind:
        """What is to have the pods in the end."""
        return DEPLOYMENT if self.upwards else self.home

    def come_along(self, size: int) -> int:
        """How many pods have come along, where there are to be ``size``."""
        return size if self.moved is None else min(size, self.moved)

    def goal_of(self, controller: str) -> str:
        """Its name, where the controller is of that name."""
        return self.name if self.upwards else self.home_of(controller)

    def encode(self) -> str:
        body: dict[str, Any] = {
            "toDeployment": self.to_deployment,
            "undone": self.undone,
            "why": self.why,
            "selector": dict(self.selector),
            "labels": dict(self.labels),
            "deployment": self.deployment,
            "replicaSet": self.replica_set,
            "hash": self.digest,
            "revision": self.revision,
            "labelKey": self.label_key,
            "autoscalers": dict(self.autoscalers),
            "keep": self.keep,
            **({} if self.moved is None else {"moved": self.moved}),
            **({} if self.available is None else {"available": self.available}),
            **({} if self.config is None else {"config": self.config.body()}),
        }
        text = compact(body)
        return compact({"packed": packed(text)}) if len(text) > PACKED_FROM else text

    @classmethod
    def decode(cls, text: str) -> Migration:
        """Raises ValueError if another client has made something else of it."""
        body = json.loads(text)
        if isinstance(body, dict) and body.keys() == {"packed"}:
            body = json.loads(unpacked(str(body["packed"])))
        if not isinstance(body, dict):
            raise ValueError("not an object")
        try:
            found = cls(
                to_deployment=body["toDeployment"],
                undone=body["undone"],
                why=body["why"],
                selector=body["selector"],
                labels=body["labels"],
                deployment=body["deployment"],
                replica_set=body["replicaSet"],
                digest=body["hash"],
                revision=body["revision"],
                label_key=body["labelKey"],
                autoscalers=body["autoscalers"],
                keep=body["keep"],
                moved=body.get("moved"),
                available=body.get("available"),
                config=Around.parse(body["config"]) if "config" in body else None,
            )
        except KeyError as error:
            raise ValueError(f"no {error}") from error
        if not found._is_whole():
            raise ValueError("something of another type")
        return found

    def _is_whole(self) -> bool:
        switches = (self.to_deployment, self.undone, self.keep)
        texts = (self.why, self.replica_set, self.digest, self.label_key)
        maps = (self.selector, self.labels)
        return (
            all(isinstance(switch, bool) for switch in switches)
            and all(isinstance(text, str) for text in texts)
            and all(map(_are_texts, maps))
            and isinstance(self.revision, int)
            and all(count is None or isinstance(count, int) for count in (self.moved, self.available))
            and bool(self.selector and self.replica_set and self.digest)
            and isinstance(self.autoscalers, dict)
            and all(isinstance(one, dict) for one in self.autoscalers.values())
            and _is_deployment(self.deployment)
        )


def _is_deployment(obj: Any) -> bool:
    """As far as it is read here; the server looks at the rest when it is created."""
    if not isinstance(obj, dict) or (obj.get("kind"), obj.get("apiVersion")) != (
        DEPLOYMENT.name,
        DEPLOYMENT.version,
    ):
        return False
    meta, spec = obj.get("metadata"), obj.get("spec")
    return isinstance(meta, dict) and isinstance(spec, dict) and _is_metadata(meta) and _is_spec(spec)


def _is_metadata(meta: Json) -> bool:
    owners, finalizers = (meta.get(key, []) for key in (OWNERS, FINALIZERS))
    return (
        _is_text(meta.get("name"))
        and all(_is_text(meta.get(key, "")) for key in ("namespace", "uid"))
        and all(_are_texts(meta.get(key, {})) for key in ("labels", "annotations"))
        and isinstance(owners, list)
        and all(isinstance(owner, dict) for owner in owners)
        and isinstance(finalizers, list)
        and all(map(_is_text, finalizers))
    )


def _is_spec(spec: Json) -> bool:
    selector, strategy = spec.get("selector"), spec.get("strategy") or {}
    rolling = (strategy.get("rollingUpdate") or {}) if isinstance(strategy, dict) else None
    return (
        isinstance(selector, dict)
        and bool(selector.get("matchLabels"))
        and _are_texts(selector["matchLabels"])
        and isinstance(rolling, dict)
        and all(isinstance(amount, int | str) for amount in rolling.values())
        and all(isinstance(spec.get(key, 0), int) for key in ("minReadySeconds", "revisionHistoryLimit"))
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
