"""Requests that create: what is filled in, what is dropped, what is refused and how."""

from __future__ import annotations

from typing import Any

from testing.objects import Json
from tests.contract.case import (
    NOTHING,
    PODS,
    RCS,
    WEB,
    Case,
    case,
    controller,
    get,
    pod,
    post,
)
from tests.contract.wire import Ask

_LONG = "a" * 254


def _rc(name: str, body: Any, **query: str) -> Case:
    return case(f"create: {name}", NOTHING, post(RCS, body, **query))


def _pod(name: str, body: Json) -> Case:
    return case(f"create a pod: {name}", NOTHING, post(PODS, body))


def _spec(**fields: Any) -> Json:
    """A controller whose template's pod has these fields."""
    found = controller()
    found["spec"]["template"]["spec"].update(fields)
    return found


def _metadata(**fields: Any) -> Json:
    return controller(metadata=fields)


def _without(*path: str) -> Json:
    found = controller()
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return found


_PROBE = {"httpGet": {"port": 80}}
_ENV = [{"name": "A", "value": "b"}, {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
_OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "1-2-3"}


def _limits(**given: str) -> Json:
    """A LimitRange of memory in which nothing is left to be filled in."""
    whole = {kind: {"memory": amount} for kind, amount in given.items()}
    item = {"type": "Container", "default": {"memory": "1Gi"}, "defaultRequest": {"memory": "1Gi"}, **whole}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "limits"},
        "spec": {"limits": [item]},
    }


def _sized(limit: str, request: str) -> Json:
    resources = {"limits": {"memory": limit}, "requests": {"memory": request}}
    return pod(containers=[{"name": "main", "image": "nginx:1.7.9", "resources": resources}])


_DISK = {"pdName": "disk", "fsType": "ext4"}


def _several(disk: Json) -> Json:
    """Two pods of that disk."""
    found = _spec(volumes=[{"name": "data", "gcePersistentDisk": disk}])
    return {**found, "spec": {**found["spec"], "replicas": 2}}


CASES = (
    case(
        "create a pod: too large for the limit range",
        NOTHING,
        post("limitranges", _limits(max="2Gi")),
        post(PODS, _sized("3Gi", "1Gi")),
    ),
    case(
        "create a pod: too small for the limit range",
        NOTHING,
        post("limitranges", _limits(min="512Mi")),
        post(PODS, _sized("1Gi", "64Mi")),
    ),
    case(
        "create a pod: as large as the limit range allows",
        NOTHING,
        post("limitranges", _limits(min="512Mi", max="2Gi")),
        post(PODS, _sized("2Gi", "512Mi")),
    ),
    _rc("a controller", controller()),
    case("create twice", NOTHING, post(RCS, controller()), post(RCS, controller())),
    case("create a pod twice", NOTHING, post(PODS, pod()), post(PODS, pod())),
    case("a dry run creates nothing", NOTHING, post(RCS, controller(), dryRun="All"), get(WEB)),
    case("create twice, dry", controller(), post(RCS, controller(), dryRun="All")),
    _rc("a mistake, dry", controller("other", replicas=-1), dryRun="All"),
    _rc("a dry run of another kind", controller(), dryRun="Some"),
    _rc("an empty dry run", controller(), dryRun=""),
    _rc("a generated name", _metadata(name=None, generateName="generated-")),
    _rc("with a manager of fields", controller(), fieldManager="tests"),
    # Left out
    _rc("without kind", {**controller(), "kind": ""}),
    _rc("without any kind", {"metadata": {"name": "web"}, "spec": controller()["spec"]}),
    _rc("without a name", _metadata(name=None)),
    _rc("without metadata", _without("metadata")),
    _rc("without a spec", _without("spec")),
    _rc("without a template", _without("spec", "template")),
    _rc("without labels", _without("spec", "template", "metadata")),
    _rc("without a pod", _without("spec", "template", "spec")),
    _rc("without replicas", _without("spec", "replicas")),
    _rc("null replicas", controller(replicas=None)),
    # What only the server says
    _rc("with a status", {**controller(), "status": {"replicas": 7, "observedGeneration": 3}}),
    _rc("with a version", _metadata(resourceVersion="12")),
    _rc(
        "with a uid and times", _metadata(uid="mine", creationTimestamp="2020-01-01T00:00:00Z", generation=7)
    ),
    _rc("with finalizers and labels", _metadata(finalizers=["a.io/b"], labels={"a": "b"})),
    _rc("with empty maps", _metadata(labels={}, annotations={}, finalizers=[], ownerReferences=[])),
    _rc("with a null label", _metadata(labels={"a": None})),
    _rc("with selector and seconds", controller(selector={"app": "web"}, minReadySeconds=5)),
    _rc("0 seconds", controller(minReadySeconds=0)),
    _rc("fields nobody knows", controller(nonsense=1)),
    # Refused
    _rc("a capital in the name", _metadata(name="Web")),
    _rc("a long name", _metadata(name=_LONG)),
    _rc("a dot at the end", _metadata(name="web.")),
    _rc("a bad label key", _metadata(labels={"-a": "b"})),
    _rc("a bad prefix", _metadata(labels={"A_b/c": "d"})),
    _rc("an empty prefix", _metadata(labels={"/c": "d"})),
    _rc("a bad label value", _metadata(labels={"a": "b c"})),
    _rc("a long label value", _metadata(labels={"a": "b" * 64})),
    _rc("a long label key", _metadata(labels={"a" * 64: "b"})),
    _rc("a bad annotation", _metadata(annotations={"a b": "c"})),
    _rc("annotations as large as they may be", _metadata(annotations={"a": "b" * 262143})),
    _rc("large annotations", _metadata(annotations={"a": "b" * 262145})),
    _rc("a bad finalizer", _metadata(finalizers=["mine"])),
    _rc("a bad owner", _metadata(ownerReferences=[{"apiVersion": "v1", "kind": "Pod"}])),
    _rc(
        "two controllers",
        _metadata(
            ownerReferences=[{**_OWNER, "controller": True}, {**_OWNER, "uid": "2", "controller": True}]
        ),
    ),
    _rc("a selector of others", controller(selector={"app": "db"})),
    _rc("a selector of more", controller(selector={"app": "web", "a": "b"})),
    _rc("negative replicas", controller(replicas=-1)),
    _rc("negative seconds", controller(minReadySeconds=-1)),
    _rc("several mistakes", {**controller(replicas=-1, minReadySeconds=-1), "metadata": {"name": "A"}}),
    _rc("no containers", _spec(containers=[])),
    _rc("a container without a name", controller(container={"name": ""})),
    _rc("a container's bad name", controller(container={"name": "A"})),
    _rc("two containers of a name", _spec(containers=[{"name": "a", "image": "b"}] * 2)),
    _rc("no image", controller(container={"image": ""})),
    _rc("an image with a blank", controller(container={"image": " nginx"})),
    _rc("port 0", controller(container={"ports": [{"containerPort": 0}]})),
    _rc("a large port", controller(container={"ports": [{"containerPort": 70000}]})),
    _rc("pulled at will", controller(container={"imagePullPolicy": "Maybe"})),
    _rc("a disk of one pod for several", _several(_DISK)),
    _rc("a disk that several can read", _several({**_DISK, "readOnly": True}), dryRun="All"),
    _rc("never restarted", _spec(restartPolicy="Never")),
    _rc("restarted at will", _spec(restartPolicy="Maybe")),
    # Of the wrong type
    _rc("replicas of text", controller(replicas="3")),
    _rc("replicas of a fraction", controller(replicas=1.5)),
    _rc("too many replicas", controller(replicas=2**40)),
    _rc("a label of a number", _metadata(labels={"a": 1})),
    _rc("labels of a list", _metadata(labels=["a"])),
    _rc("a name of a number", _metadata(name=5)),
    _rc("containers of text", _spec(containers="nginx")),
    _rc("a selector of numbers", controller(selector={"app": 1})),
    _rc("a spec of text", {**controller(), "spec": "x"}),
    # Not what the path says
    _rc("a pod among controllers", pod()),
    _rc("a kind there is not", {**controller(), "kind": "Nonsense"}),
    _rc("another version", {**controller(), "apiVersion": "v2"}),
    _rc("a group", {**controller(), "apiVersion": "apps/v1"}),
    _rc("for another namespace", _metadata(namespace="another")),
    case("create in no namespace", NOTHING, post("/api/v1/replicationcontrollers", controller())),
    case("create nowhere", NOTHING, post("/api/v1/namespaces/nowhere/pods", pod())),
    case("create at a name", NOTHING, post(WEB, controller()), post(f"{WEB}/status", controller())),
    case("put among all", NOTHING, Ask("PUT", RCS, controller()), Ask("PATCH", RCS, {})),
    # No object at all
    case("create: nothing", NOTHING, Ask("POST", RCS)),
    case("create: a list", NOTHING, post(RCS, [1])),
    case("create: text", NOTHING, post(RCS, "web")),
    case("create: no JSON", NOTHING, post(RCS, b'{"kind": "Repl')),
    case("create: as form data", NOTHING, post(RCS, b"a=b", "application/x-www-form-urlencoded")),
    case("create: as plain text", NOTHING, post(RCS, controller(), "text/plain")),
    case("create: of no type", NOTHING, post(RCS, controller(), "")),
    case("create: with a charset", NOTHING, post(RCS, controller(), "application/json; charset=utf-8")),
    # What is filled in
    _pod("one on no node", {**pod("lone"), "spec": {**pod()["spec"], "nodeName": ""}}),
    _pod("one with a status", {**pod(), "status": {"phase": "Running"}}),
    _rc("the latest image", controller(container={"image": "nginx"})),
    _rc("an image by digest", controller(container={"image": f"nginx@sha256:{'0' * 64}"})),
    _rc("an image with a port", controller(container={"image": "localhost:5000/nginx"})),
    _rc("variables and ports", controller(container={"env": _ENV, "ports": [{"containerPort": 80}]})),
    _rc(
        "probes",
        controller(container={"readinessProbe": _PROBE, "livenessProbe": {"tcpSocket": {"port": 1}}}),
    ),
    _rc("no grace", _spec(terminationGracePeriodSeconds=0)),
    _rc("security and networks", _spec(securityContext=None, hostNetwork=False, dnsPolicy="Default")),
)
