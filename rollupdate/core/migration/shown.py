"""An object as it is kept in a repository: what a user has said of it, and nothing of a server or of ours."""

from __future__ import annotations

import copy

from rollupdate.core.changes.target import LAST_APPLIED
from rollupdate.core.migration import tools
from rollupdate.core.model import record
from rollupdate.core.model.belonging import FINALIZERS
from rollupdate.core.model.hold import class_of, is_held, with_class
from rollupdate.core.model.migration import HASH_LABEL, REVISION
from rollupdate.objects import DEPLOYMENT, Json

_KEPT = ("name", "namespace", "labels", "annotations", FINALIZERS)
_NOT_KEPT = frozenset((*record.KEYS, *record.LASTING, LAST_APPLIED, REVISION, HASH_LABEL))

_DEFAULTS = {
    "progressDeadlineSeconds": 600,
    "revisionHistoryLimit": 10,
    "minReadySeconds": 0,
    "paused": False,
}
"""Of a Deployment: what it has where nothing is said."""
_ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}


def fit(obj: Json, *, scaled: bool) -> Json:
    """``obj`` for a repository. ``scaled``: its size is an autoscaler's."""
    meta = {key: copy.deepcopy(obj["metadata"][key]) for key in _KEPT if obj["metadata"].get(key)}
    managed = {(mark.field, mark.key) for mark in tools.marks_of(obj)}  # by its tool, not by its repository
    for field in ("labels", "annotations"):
        meta[field] = {
            key: text
            for key, text in meta.get(field, {}).items()
            if key not in _NOT_KEPT and (field, key) not in managed
        }
    spec = {key: copy.deepcopy(part) for key, part in obj["spec"].items() if key != "replicas"}
    if not scaled:
        spec["replicas"] = obj["spec"].get("replicas", 1)
    if obj["kind"] == DEPLOYMENT.name:
        spec = _said(spec)
    template = spec["template"]
    if is_held(template):
        before = (obj["metadata"].get("annotations") or {}).get(record.HOLD) or class_of(template)
        template = with_class(template, before)
    template["metadata"] = {key: part for key, part in (template.get("metadata") or {}).items() if part}
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "metadata": {key: part for key, part in meta.items() if part},
        "spec": {**spec, "template": template},
    }


def _said(spec: Json) -> Json:
    """Without what the server adds."""
    spec = {key: part for key, part in spec.items() if _DEFAULTS.get(key) != part}
    strategy = dict(spec.pop("strategy", None) or {})
    rolling = {
        key: amount
        for key, amount in (strategy.pop("rollingUpdate", None) or {}).items()
        if _ROLLING.get(key) != amount
    }
    if rolling:
        strategy["rollingUpdate"] = rolling
    if strategy.get("type", "RollingUpdate") != "RollingUpdate" or rolling:
        spec["strategy"] = strategy
    return spec
