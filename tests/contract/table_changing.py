"""Requests that put: whole objects, statuses and scales, and the conditions on them."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.case import LONE, NOTHING, WEB, Case, at, case, controller, get, merge, pod, put
from tests.contract.wire import Ask

_SCALE_KIND = {"apiVersion": "autoscaling/v1", "kind": "Scale"}
_STATUS, _SCALE = f"{WEB}/status", f"{WEB}/scale"


def _web(name: str, path: str, value: Any, **query: str) -> Case:
    """Put the controller as it is, with one thing changed; and look."""
    return case(f"put: {name}", controller(), put(WEB, at(path, value), **query), get(WEB))


def _pod(name: str, path: str, value: Any) -> Case:
    return case(f"put a pod: {name}", pod(), put(LONE, at(path, value)))


def _scale(replicas: Any, **metadata: Any) -> Any:
    """A whole Scale, of the namespace it is sent to."""

    def scale(obj: Json) -> Json:
        meta = {"name": "web", "namespace": obj["metadata"]["namespace"], **metadata}
        return {**_SCALE_KIND, "metadata": meta, "spec": {"replicas": replicas}}

    return scale


def _bare(obj: Json) -> Json:
    """As a user would write it anew."""
    return controller()


def _scale_now(obj: Json) -> Json:
    meta = {key: obj["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
    return {**_SCALE_KIND, "metadata": meta, "spec": {"replicas": 0}}


def _mistakes(obj: Json) -> Json:
    obj["metadata"]["labels"]["a"] = "b c"
    obj["spec"] = {**obj["spec"], "replicas": -1, "minReadySeconds": -1}
    return obj


def _two_labels(obj: Json) -> Json:
    obj["spec"]["selector"]["a"] = "b"
    obj["spec"]["template"]["metadata"]["labels"]["a"] = "b"
    return obj


_CONTAINER = "spec.template.spec.containers.0"
_PUT_BARE = put(WEB, _bare)

CASES = (
    case("put: nothing new", controller(), get(WEB), put(WEB, at("kind", "ReplicationController")), get(WEB)),
    case("put: written anew", controller(), get(WEB), _PUT_BARE, get(WEB)),
    _web("a label", "metadata.labels.a", "b"),
    _web("no labels", "metadata.labels", None),
    _web("an annotation", "metadata.annotations", {"a": "b"}),
    _web("a spec", "spec.minReadySeconds", 3),
    _web("an image", f"{_CONTAINER}.image", "nginx:2"),
    _web("a template's label", "spec.template.metadata.labels.a", "b"),
    _web("no selector", "spec.selector", None),
    case("put: a label into selector and template", controller(), put(WEB, _two_labels), get(WEB)),
    _web("a dry run", "spec.minReadySeconds", 3, dryRun="All"),
    _web("a dry run of another kind", "spec.minReadySeconds", 3, dryRun="Some"),
    _web("a status", "status.replicas", 7),
    _web("no status", "status", None),
    _web("a generation", "metadata.generation", 7),
    _web("a time of creation", "metadata.creationTimestamp", "2020-01-01T00:00:00Z"),
    _web("a time of deletion", "metadata.deletionTimestamp", "2020-01-01T00:00:00Z"),
    _web("a finalizer", "metadata.finalizers", ["a.io/b"]),
    _web("without kind", "kind", None),
    # Conditions
    _web("an old version", "metadata.resourceVersion", "1"),
    _web("no version", "metadata.resourceVersion", None),
    _web("version 0", "metadata.resourceVersion", "0"),
    _web("a version that is none", "metadata.resourceVersion", "x"),
    _web("another uid", "metadata.uid", "00000000-0000-0000-0000-000000000000"),
    _web("no uid", "metadata.uid", None),
    case("put: not there", NOTHING, put(WEB, controller())),
    case("put: not there, with a uid", NOTHING, put(WEB, controller(metadata={"uid": "a"}))),
    # Refused
    _web("another name", "metadata.name", "another"),
    _web("no name", "metadata.name", None),
    _web("another namespace", "metadata.namespace", "another"),
    _web("no namespace", "metadata.namespace", None),
    _web("another kind", "kind", "Pod"),
    _web("another version of the API", "apiVersion", "apps/v1"),
    _web("a selector of others", "spec.selector", {"a": "b"}),
    _web("negative replicas", "spec.replicas", -1),
    _web("text for replicas", "spec.replicas", "many"),
    _web("a bad label", "metadata.labels.a", "b c"),
    case("put: several mistakes", controller(), put(WEB, _mistakes)),
    _web("no containers", "spec.template.spec.containers", []),
    case("put: no JSON", controller(), Ask("PUT", WEB, b"{")),
    case("put: nothing", controller(), Ask("PUT", WEB)),
    case("put: as a patch", controller(), put(WEB, controller(), "application/merge-patch+json")),
    # Pods
    _pod("a label", "metadata.labels.a", "b"),
    _pod("a bad label", "metadata.labels.a", "b c"),
    _pod(
        "an owner", "metadata.ownerReferences", [{"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c"}]
    ),
    _pod("an image", "spec.containers.0.image", "nginx:2"),
    _pod("a container's name", "spec.containers.0.name", "other"),
    _pod("another node", "spec.nodeName", "another"),
    _pod("a deadline", "spec.activeDeadlineSeconds", 5),
    _pod("a status", "status.phase", "Running"),
    case("put a pod's status", pod(), put(f"{LONE}/status", at("status.phase", "Running")), get(LONE)),
    # Statuses and scales
    case("put a status", controller(), put(_STATUS, at("status.readyReplicas", 0))),
    case("put a status with a spec", controller(), put(_STATUS, at("spec.minReadySeconds", 5))),
    case("put a status with a label", controller(), put(_STATUS, at("metadata.labels.a", "b"))),
    case("put a status, old", controller(), put(_STATUS, at("metadata.resourceVersion", "1"))),
    case("put a negative status", controller(), put(_STATUS, at("status.replicas", -1))),
    case("put more ready than there are", controller(), put(_STATUS, at("status.readyReplicas", 3))),
    case("get a scale", controller(), get(_SCALE)),
    case("get a scale of some", controller(replicas=1), Ask("GET", _SCALE, accept="application/json")),
    case("put a scale", controller(), put(_SCALE, _scale(0)), get(WEB)),
    case("put a scale of one", controller(), put(_SCALE, _scale(1))),
    case("put a scale at its version", controller(), put(_SCALE, _scale_now)),
    case("put a scale, old", controller(), put(_SCALE, _scale(1, resourceVersion="1"))),
    case("put a scale of another uid", controller(), put(_SCALE, _scale(1, uid="a"))),
    case("put a scale, dry", controller(), put(_SCALE, _scale(1), dryRun="All"), get(WEB)),
    case("put a negative scale", controller(), put(_SCALE, _scale(-1))),
    case("put a scale of text", controller(), put(_SCALE, _scale("x"))),
    case("put a scale of another", controller(), put(_SCALE, _scale(1, name="another"))),
    case("put a scale without namespace", controller(), put(_SCALE, {"metadata": {"name": "web"}})),
    case("put a scale of none", NOTHING, put(_SCALE, {"metadata": {"name": "web"}})),
    case("put a controller for a scale", controller(), put(_SCALE, controller())),
    case("patch a scale", controller(), merge(_SCALE, {"spec": {"replicas": 1}})),
    case("patch a scale of none", NOTHING, merge(_SCALE, {})),
    case("patch a scale with text", controller(), merge(_SCALE, {"spec": {"replicas": "1"}})),
    case("delete a scale", controller(), Ask("DELETE", _SCALE), Ask("DELETE", _STATUS)),
)
