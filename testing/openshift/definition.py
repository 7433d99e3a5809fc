"""The kind as a CustomResourceDefinition, with those defaults of OpenShift's API server that it can express.

OpenShift serves the kind from an API server of its own. What a schema can't say is left out: the parameters
of a strategy that names none, the selector that follows from the template, and the defaults of the template.
"""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from testing.openshift.names import GROUP, KIND, PLURAL


def _object(default: Any = None, **properties: Json) -> Json:
    found: Json = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": properties,
    }
    return found if default is None else {**found, "default": default}


def _count(default: int | None = None) -> Json:
    found: Json = {"type": "integer", "format": "int32", "minimum": 0}
    return found if default is None else {**found, "default": default}


def _value(kind: str, default: Any = None) -> Json:
    return {"type": kind} if default is None else {"type": kind, "default": default}


def _amount() -> Json:
    return {"x-kubernetes-int-or-string": True, "default": "25%"}


_STRATEGY = _object(
    {},
    type=_value("string", "Rolling"),
    activeDeadlineSeconds=_value("integer", 21600),
    resources=_object({}),
    rollingParams=_object(
        updatePeriodSeconds=_value("integer", 1),
        intervalSeconds=_value("integer", 1),
        timeoutSeconds=_value("integer", 600),
        maxUnavailable=_amount(),
        maxSurge=_amount(),
    ),
    recreateParams=_object(timeoutSeconds=_value("integer", 600)),
)
_SPEC = _object(
    {},
    replicas=_count(0),
    revisionHistoryLimit=_count(10),
    minReadySeconds=_count(),
    paused=_value("boolean"),
    test=_value("boolean", False),
    triggers={
        "type": "array",
        "items": _object(type=_value("string")),
        "default": [{"type": "ConfigChange"}],
    },
    strategy=_STRATEGY,
)
SCHEMA: Json = _object(spec=_SPEC, status=_object())
"""Of one object, without what every kind has."""

DEFINITION: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"{PLURAL}.{GROUP}",
        # The API server wants to know that a name of the community is used on purpose.
        "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
    },
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {
            "kind": KIND,
            "listKind": f"{KIND}List",
            "plural": PLURAL,
            "singular": KIND.lower(),
            "shortNames": ["dc"],
            "categories": ["all"],
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "schema": {"openAPIV3Schema": SCHEMA},
            }
        ],
    },
}
