"""New objects from old ones. Each keeps the resourceVersion of what it is made from: so its write is
conditional. Nothing is decided here."""

from __future__ import annotations

import json
from typing import Any

from testing.objects import Json
from testing.openshift import names
from testing.openshift.seen import Config, Controller


def owner_reference(config: Config) -> Json:
    return {
        "apiVersion": names.VERSION,
        "kind": names.KIND,
        "name": config.name,
        "uid": config.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def adopted(controller: Controller, config: Config) -> Json:
    """Beside other owners, and in the place of a plain reference to the config."""
    others = [reference for reference in controller.owners if reference["uid"] != config.uid]
    return _with_metadata(controller, ownerReferences=[*others, owner_reference(config)])


def released(controller: Controller, config: Config) -> Json:
    others = [reference for reference in controller.owners if reference["uid"] != config.uid]
    return _with_metadata(controller, ownerReferences=others)


def annotated(controller: Controller, **annotations: str) -> Json:
    """By the names of the constants in ``names``: ``PHASE="Running"``."""
    added = {str(getattr(names, constant)): value for constant, value in annotations.items()}
    return _with_metadata(controller, annotations={**controller.annotations, **added})


def scaled(controller: Controller, size: int) -> Json:
    return {**controller.object, "spec": {**controller.object["spec"], "replicas": size}}


def new_controller(config: Config) -> Json:
    """The one of the rollout that the config's status announces, of size 0: the rollout makes it grow."""
    name = names.controller_name(config.name, config.latest_version)
    version = str(config.latest_version)
    template, metadata = config.template, config.template.get("metadata") or {}
    marked = {names.DEPLOYMENT: name, names.DEPLOYMENT_CONFIG: config.name}
    of_pods = {
        names.LATEST_VERSION: version,
        names.CONFIG: config.name,
        names.DEPLOYMENT_NAME: name,
    }
    annotations = {
        names.CONFIG: config.name,
        names.LATEST_VERSION: version,
        names.PHASE: names.NEW,
        names.REASON: (config.status.get("details") or {}).get("message", ""),
        names.REPLICAS: "",
        names.DESIRED: str(config.replicas),
        names.ENCODED: json.dumps(config.object),
    }
    spec: Json = {
        "replicas": 0,
        "selector": {**(config.spec.get("selector") or {}), **marked},
        "template": {
            **template,
            "metadata": {
                **metadata,
                "labels": {**(metadata.get("labels") or {}), **marked},
                "annotations": {**(metadata.get("annotations") or {}), **of_pods},
            },
        },
    }
    if seconds := config.spec.get("minReadySeconds"):
        spec["minReadySeconds"] = seconds
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {
            "name": name,
            "namespace": config.metadata["namespace"],
            "labels": {**(config.metadata.get("labels") or {}), names.CONFIG: config.name},
            "annotations": annotations,
            "ownerReferences": [owner_reference(config)],
        },
        "spec": spec,
    }


def _with_metadata(controller: Controller, **fields: Any) -> Json:
    return {**controller.object, "metadata": {**controller.metadata, **fields}}
