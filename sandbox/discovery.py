"""What a client asks before it asks for anything: versions, groups, resources, health, some OpenAPI."""

from __future__ import annotations

import functools
from typing import Any

from sandbox.objects import Json
from sandbox.resources import ALL_VERBS, RESOURCES, Resource

VERSION: Json = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2024-12-11T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}

_AUTHORIZATION: Json = {
    "name": "authorization.k8s.io",
    "versions": [{"groupVersion": "authorization.k8s.io/v1", "version": "v1"}],
    "preferredVersion": {"groupVersion": "authorization.k8s.io/v1", "version": "v1"},
}
_APPS: Json = {
    "name": "apps",
    "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
    "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
}
_SUBRESOURCE_VERBS = {"status": ("get", "patch", "update"), "scale": ("get", "patch", "update")}


def answer(path: str) -> Any:
    """The body for a fixed path (JSON, or text for health checks); None for any other path."""
    match path:
        case "/api":
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case "/apis":
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_APPS, _AUTHORIZATION]}
        case "/apis/authorization.k8s.io":
            return {"kind": "APIGroup", "apiVersion": "v1", **_AUTHORIZATION}
        case "/apis/authorization.k8s.io/v1":
            return _authorization_resources()
        case "/apis/apps":
            return {"kind": "APIGroup", "apiVersion": "v1", **_APPS}
        case "/apis/apps/v1":
            return _resources("apps")
        case "/api/v1":
            return _resources("")
        case "/version":
            return VERSION
        case "/healthz" | "/livez" | "/readyz":
            return "ok"
        case "/openapi/v2":
            return {"swagger": "2.0", "info": _info(), "paths": {}, "definitions": {}}
        case "/openapi/v3":
            groups = ("api/v1", "apis/apps/v1")
            return {"paths": {each: {"serverRelativeURL": f"/openapi/v3/{each}"} for each in groups}}
        case "/openapi/v3/api/v1":
            return _openapi("")
        case "/openapi/v3/apis/apps/v1":
            return _openapi("apps")
        case _:
            return None


def _authorization_resources() -> Json:
    review = {
        "name": "selfsubjectaccessreviews",
        "singularName": "selfsubjectaccessreview",
        "namespaced": False,
        "kind": "SelfSubjectAccessReview",
        "verbs": ["create"],
    }
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": "authorization.k8s.io/v1",
        "resources": [review],
    }


@functools.cache
def _resources(group: str) -> Json:
    entries = [entry for resource in _of_group(group) for entry in _entries(resource)]
    about = {"kind": "APIResourceList", "groupVersion": f"{group}/v1" if group else "v1"}
    if group:  # the older list is said without it
        about["apiVersion"] = "v1"
    return {**about, "resources": entries}


def _of_group(group: str) -> list[Resource]:
    return [resource for resource in RESOURCES.values() if resource.group == group]


def _entries(resource: Resource) -> list[Json]:
    entry: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(ALL_VERBS),
        "shortNames": list(resource.short_names),
    }
    if resource.categories:
        entry["categories"] = list(resource.categories)
    entries = [entry]
    for subresource in resource.subresources:
        sub: Json = {
            "name": f"{resource.plural}/{subresource}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(_SUBRESOURCE_VERBS.get(subresource, ("create",))),
        }
        if subresource == "scale":
            sub |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        entries.append(sub)
    return entries


def _info() -> Json:
    return {"title": "Kubernetes", "version": str(VERSION["gitVersion"])}


@functools.cache
def _openapi(group: str) -> Json:
    """Just enough for kubectl to leave validation to the server: each kind's PATCH knows fieldValidation."""
    paths: Json = {}
    for resource in _of_group(group):
        prefix = f"{resource.root}/namespaces/{{namespace}}" if resource.namespaced else resource.root
        parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
        paths[f"{prefix}/{resource.plural}/{{name}}"] = {
            "patch": {
                "parameters": [parameter],
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": {"group": group, "kind": resource.kind, "version": "v1"},
            }
        }
    return {"openapi": "3.0.0", "info": _info(), "paths": paths, "components": {"schemas": {}}}
