"""Requests for ReplicaSets and Deployments: created, changed, scaled, read, deleted, owned.

Most are asked of both kinds. What their controllers make of it is in the stories: a Deployment is paused
here, and nothing has pods.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testing.client import JSON_PATCH, STRATEGIC_PATCH
from testing.objects import Json
from tests.contract.case import (
    DEPLOYMENTS,
    NOTHING,
    REVS,
    SETS,
    Case,
    app,
    at,
    case,
    controller,
    delete,
    get,
    json_patch,
    merge,
    op,
    post,
    put,
    revision,
    strategic,
)
from tests.contract.wire import Ask

_PLURALS = {"ReplicaSet": SETS, "Deployment": DEPLOYMENTS}
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_CONTAINER = "spec.template.spec.containers.0"
_SCALE_KIND = {"apiVersion": "autoscaling/v1", "kind": "Scale"}


def _without(kind: str, *path: str) -> Json:
    found = app(kind)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return found


def _template(kind: str, **fields: Any) -> Json:
    found = app(kind)
    found["spec"]["template"]["spec"].update(fields)
    return found


def _expressions(kind: str, *requirements: tuple[str, ...]) -> Json:
    expressions: list[Json] = []
    for key, operator, *values in requirements:
        expressions.append({"key": key, "operator": operator, **({"values": values} if values else {})})
    return app(kind, selector={"matchExpressions": expressions})


def _created(kind: str) -> tuple[Case, ...]:
    def create(name: str, body: Any, **query: str) -> Case:
        return case(f"create a {kind}: {name}", NOTHING, post(_PLURALS[kind], body, **query))

    return (
        create("as it is", app(kind)),
        create("a dry run", app(kind), dryRun="All"),
        create("one pod, dry", app(kind, replicas=1), dryRun="All"),
        create("with seconds", app(kind, minReadySeconds=5)),
        create("0 seconds", app(kind, minReadySeconds=0)),
        create("with a status", {**app(kind), "status": {"replicas": 7, "observedGeneration": 3}}),
        create("with labels", app(kind, metadata={"labels": {"a": "b"}, "annotations": {"c": "d"}})),
        create("with a version", app(kind, metadata={"resourceVersion": "12"})),
        create("without replicas", _without(kind, "spec", "replicas"), dryRun="All"),
        create("null replicas", app(kind, replicas=None), dryRun="All"),
        create("without a selector", _without(kind, "spec", "selector")),
        create("a null selector", app(kind, selector=None)),
        create("an empty selector", app(kind, selector={})),
        create("without a template", _without(kind, "spec", "template")),
        create("without labels for pods", _without(kind, "spec", "template", "metadata")),
        create("without a pod", _without(kind, "spec", "template", "spec")),
        create("without a spec", _without(kind, "spec")),
        create("a selector of others", app(kind, selector={"matchLabels": {"app": "db"}})),
        create("a selector of more", app(kind, selector={"matchLabels": {"app": "web", "a": "b"}})),
        create("a selector of no label", app(kind, selector={"matchLabels": {"-a": "b c"}})),
        create("in", _expressions(kind, ("app", "In", "web", "db"))),
        create("in others", _expressions(kind, ("app", "In", "db"))),
        create("not in", _expressions(kind, ("app", "NotIn", "db"))),
        create("not in it", _expressions(kind, ("app", "NotIn", "web", "a"))),
        create("exists", _expressions(kind, ("app", "Exists"), ("tier", "DoesNotExist"))),
        create("does not exist", _expressions(kind, ("app", "DoesNotExist"))),
        create("in nothing", _expressions(kind, ("app", "In"))),
        create("exists with values", _expressions(kind, ("app", "Exists", "x"))),
        create("an operator there is not", _expressions(kind, ("app", "Like", "x"))),
        create("an expression without a key", _expressions(kind, ("", "Exists"))),
        create("negative replicas", app(kind, replicas=-1)),
        create("negative seconds", app(kind, minReadySeconds=-1)),
        create("a capital in the name", app(kind, "Web")),
        create("a bad label", app(kind, metadata={"labels": {"a": "b c"}})),
        create("no containers", _template(kind, containers=[])),
        create("no image", app(kind, container={"image": ""})),
        create("never restarted", _template(kind, restartPolicy="Never")),
        create("several mistakes", {**app(kind, replicas=-1, minReadySeconds=-1), "metadata": {"name": "A"}}),
        create("replicas of text", app(kind, replicas="3")),
        create("labels to match of a list", app(kind, selector={"matchLabels": ["app"]})),
        create("a controller among them", controller()),
        create("the core's version", {**app(kind), "apiVersion": "v1"}),
        create("no kind", {key: value for key, value in app(kind).items() if key != "kind"}),
        case(f"create a {kind}: twice", app(kind), post(_PLURALS[kind], app(kind))),
    )


def _changed(kind: str) -> tuple[Case, ...]:
    web = f"{_PLURALS[kind]}/web"
    status, scale = f"{web}/status", f"{web}/scale"

    def change(name: str, path: str, value: Any, **query: str) -> Case:
        return case(f"put a {kind}: {name}", app(kind), put(web, at(path, value), **query), get(web))

    def patched(name: str, *asks: Ask) -> Case:
        return case(f"patch a {kind}: {name}", app(kind), *asks, get(web))

    def scaled(replicas: Any, **metadata: Any) -> Callable[[Json], Json]:
        def body(obj: Json) -> Json:
            meta = {"name": "web", "namespace": obj["metadata"]["namespace"], **metadata}
            return {**_SCALE_KIND, "metadata": meta, "spec": {"replicas": replicas}}

        return body

    image = {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:2"}]}}}
    return (
        case(f"put a {kind}: nothing new", app(kind), get(web), put(web, at("kind", kind)), get(web)),
        change("a label", "metadata.labels", {"a": "b"}),
        change("an annotation", "metadata.annotations.a", "b"),
        change("seconds", "spec.minReadySeconds", 3),
        change("an image", f"{_CONTAINER}.image", "nginx:2"),
        change("a template's label", "spec.template.metadata.labels.a", "b"),
        change("a template of others", "spec.template.metadata.labels", {"a": "b"}),
        change("another selector", "spec.selector.matchLabels.a", "b"),
        change("a selector of others", "spec.selector.matchLabels", {"a": "b"}),
        change("expressions", "spec.selector.matchExpressions", [{"key": "app", "operator": "Exists"}]),
        change("no selector", "spec.selector", None),
        change("negative replicas", "spec.replicas", -1),
        change("no containers", "spec.template.spec.containers", []),
        change("a bad label", "metadata.labels", {"a": "b c"}),
        change("a dry run", "spec.minReadySeconds", 3, dryRun="All"),
        change("a status", "status.replicas", 7),
        change("an old version", "metadata.resourceVersion", "1"),
        change("another uid", "metadata.uid", _NOBODY),
        change("a finalizer", "metadata.finalizers", ["a.io/b"]),
        case(f"put a {kind}: not there", NOTHING, put(web, app(kind))),
        # Statuses and scales. The controllers take back what is said in a status: it is not read again.
        case(f"put a {kind}'s status", app(kind), put(status, at("status.replicas", 1))),
        case(
            f"put a {kind}'s status, with a label", app(kind), put(status, at("metadata.labels", {"a": "b"}))
        ),
        case(
            f"put a {kind}'s status, with an annotation",
            app(kind),
            put(status, at("metadata.annotations.a", "b")),
        ),
        case(f"put a {kind}'s status, with a spec", app(kind), put(status, at("spec.minReadySeconds", 5))),
        case(f"put a {kind}'s status: negative", app(kind), put(status, at("status.replicas", -1))),
        case(f"put a {kind}'s status: more are ready", app(kind), put(status, at("status.readyReplicas", 3))),
        case(f"get a {kind}'s scale", app(kind), get(scale)),
        case(
            f"get the scale of a {kind} by expressions",
            _expressions(
                kind, ("b", "NotIn", "d", "c"), ("app", "Exists"), ("a", "DoesNotExist"), ("app", "In", "web")
            ),
            get(scale),
        ),
        case(f"put a {kind}'s scale", app(kind), put(scale, scaled(0)), get(web)),
        case(f"put a {kind}'s scale, dry", app(kind), put(scale, scaled(1), dryRun="All"), get(web)),
        case(f"put a {kind}'s scale: old", app(kind), put(scale, scaled(1, resourceVersion="1"))),
        case(f"put a {kind}'s scale: another uid", app(kind), put(scale, scaled(1, uid="a"))),
        case(f"put a {kind}'s scale: negative", app(kind), put(scale, scaled(-1))),
        case(
            f"patch a {kind}'s scale, dry", app(kind), merge(scale, {"spec": {"replicas": 1}}, dryRun="All")
        ),
        case(f"patch the scale of a {kind} that is not there", NOTHING, merge(scale, {}), get(scale)),
        # Patches
        patched("merged", merge(web, {"spec": {"minReadySeconds": 3}, "metadata": {"labels": {"a": "b"}}})),
        patched("an annotation", merge(web, {"metadata": {"annotations": {"a": "b"}}})),
        patched("a container, by its name", strategic(web, {"spec": image})),
        patched("all containers", merge(web, {"spec": image})),
        patched(
            "a class that does not exist",
            merge(web, {"spec": {"template": {"spec": {"priorityClassName": "held"}}}}),
        ),
        patched(
            "a class, and none",
            merge(web, {"spec": {"template": {"spec": {"priorityClassName": "held"}}}}),
            merge(web, {"spec": {"template": {"spec": {"priorityClassName": ""}}}}),
        ),
        patched(
            "operations",
            json_patch(web, op("test", "/spec/replicas", 0), op("add", "/spec/minReadySeconds", 3)),
        ),
        patched("a test that fails", json_patch(web, op("test", "/spec/replicas", 5))),
        patched("a selector", merge(web, {"spec": {"selector": {"matchLabels": {"a": "b"}}}})),
        patched("an old version", merge(web, {"metadata": {"resourceVersion": "1"}})),
        patched("another uid", merge(web, {"metadata": {"uid": _NOBODY}})),
        patched("a dry run", merge(web, {"spec": {"minReadySeconds": 3}}, dryRun="All")),
        patched("nothing", merge(web, {})),
        case(f"patch a {kind}: not there", NOTHING, merge(web, {})),
    )


def _read(kind: str) -> tuple[Case, ...]:
    plural = _PLURALS[kind]
    web, two = f"{plural}/web", (app(kind, "b", metadata={"labels": {"x": "y"}}), app(kind, "a"))
    return (
        case(f"get a {kind}", app(kind), get(web), get(f"{web}/status")),
        case(f"get a {kind} that is not there", NOTHING, get(web), get(f"{web}/status"), get(f"{web}/scale")),
        case(f"list {plural}", two, get(plural), get(plural, labelSelector="x=y")),
        case(
            f"list {plural} by fields",
            two,
            get(plural, fieldSelector="metadata.name=a"),
            get(plural, fieldSelector="status.replicas=0"),
        ),
        case(f"{plural} as a table", two, get(plural, _TABLE)),
        case(f"a {kind} as a table", app(kind), get(web, _TABLE)),
        case(f"the metadata of {plural}", two, get(plural, _PARTIAL)),
        case(f"{plural} in the core", NOTHING, get(f"/api/v1/namespaces/default/{plural}")),
    )


def _deleted(kind: str) -> tuple[Case, ...]:
    web = f"{_PLURALS[kind]}/web"

    def deleted(name: str, body: Any = None, **query: str) -> Case:
        return case(f"delete a {kind}: {name}", app(kind), delete(web, body, **query))

    def of_uid(obj: Json) -> Json:
        return {"preconditions": {"uid": obj["metadata"]["uid"]}, "propagationPolicy": "Background"}

    return (
        case(
            f"delete a {kind}: in the background",
            app(kind),
            delete(web, {"propagationPolicy": "Background"}),
            get(web),
        ),
        deleted("without a word"),
        deleted("orphaning", {"propagationPolicy": "Orphan"}),
        deleted("in the foreground", {"propagationPolicy": "Foreground"}),
        deleted("by query", None, propagationPolicy="Background"),
        case(f"delete a {kind}: by uid", app(kind), delete(web, of_uid), get(web)),
        deleted("another uid", {"preconditions": {"uid": _NOBODY}}),
        deleted("an old version", {"preconditions": {"resourceVersion": "1"}}),
        case(f"delete a {kind}: a dry run", app(kind), delete(web, {"dryRun": ["All"]}), get(web)),
        case(f"delete all {_PLURALS[kind]}", app(kind), delete(_PLURALS[kind]), get(_PLURALS[kind])),
    )


def _owned(kind: str) -> tuple[Case, ...]:
    """By revisions, for which nobody acts."""
    web, have = f"{_PLURALS[kind]}/web", (revision("first"), revision("second"), app(kind))

    def plain(owner: Json, **fields: Any) -> Json:
        metadata = owner["metadata"]
        known = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "name": metadata["name"]}
        return {**known, "uid": metadata["uid"], **fields}

    def moved(obj: Json, first: Json, second: Json) -> Json:
        gone = {"$patch": "delete", "uid": first["metadata"]["uid"]}
        return {
            "metadata": {"ownerReferences": [gone, plain(second, controller=True, blockOwnerDeletion=True)]}
        }

    def begun(obj: Json, first: Json, second: Json) -> Json:
        return {"metadata": {"ownerReferences": [plain(first, controller=True)]}}

    def ask(patch: Callable[[Json, Json, Json], Any], content_type: str = STRATEGIC_PATCH) -> Ask:
        return Ask("PATCH", web, patch, None, content_type, also=(f"{REVS}/first", f"{REVS}/second"))

    def as_seen(obj: Json, first: Json, second: Json) -> Json:
        patch = moved(obj, first, second)
        seen = {field: obj["metadata"][field] for field in ("uid", "resourceVersion")}
        return {"metadata": {**patch["metadata"], **seen}}

    def of_another(obj: Json, first: Json, second: Json) -> Json:
        return {"metadata": {**moved(obj, first, second)["metadata"], "uid": _NOBODY}}

    def two(obj: Json, first: Json, second: Json) -> list[Json]:
        return [op("add", "/metadata/ownerReferences/-", plain(second, controller=True))]

    return (
        case(f"owners of a {kind}: moved", have, ask(begun), ask(moved), get(web)),
        case(f"owners of a {kind}: moved, as it was seen", have, ask(begun), ask(as_seen), get(web)),
        case(f"owners of a {kind}: moved, of another uid", have, ask(begun), ask(of_another), get(web)),
        case(f"owners of a {kind}: two controllers", have, ask(begun), ask(two, JSON_PATCH)),
        case(
            f"owners of a {kind}: none",
            have,
            ask(begun),
            merge(web, {"metadata": {"ownerReferences": None}}),
            get(web),
        ),
    )


CASES = (
    *(
        found
        for kind in _PLURALS
        for table in (_created, _changed, _read, _deleted, _owned)
        for found in table(kind)
    ),
)
