"""What a client asks before it asks for anything: versions, groups, resources, health, some OpenAPI."""

from __future__ import annotations

import functools
from typing import Any

from testing.objects import Json
from testing.sandbox.resources import ALL_VERBS, RESOURCES, Resource

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
_POLICY: Json = {
    "name": "policy",
    "versions": [{"groupVersion": "policy/v1", "version": "v1"}],
    "preferredVersion": {"groupVersion": "policy/v1", "version": "v1"},
}
_SUBRESOURCE_VERBS = {
    "log": ("get",),
    "scale": ("get", "patch", "update"),
    "status": ("get", "patch", "update"),
}


def answer(path: str, minor: int) -> Any:
    """The body for a fixed path (JSON, or text for health checks); None for any other path. ``minor``: the
    release of Kubernetes, 1.minor, that it is said to be."""
    match path:
        case "/api":
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case "/apis":
            groups = [_APPS, _AUTHORIZATION, _POLICY]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case "/apis/authorization.k8s.io":
            return {"kind": "APIGroup", "apiVersion": "v1", **_AUTHORIZATION}
        case "/apis/authorization.k8s.io/v1":
            return _authorization_resources()
        case "/apis/apps":
            return {"kind": "APIGroup", "apiVersion": "v1", **_APPS}
        case "/apis/policy":
            return {"kind": "APIGroup", "apiVersion": "v1", **_POLICY}
        case "/api/v1":
            return _resources("v1")
        case "/apis/apps/v1" | "/apis/policy/v1":
            return {"apiVersion": "v1", **_resources(path.removeprefix("/apis/"))}
        case "/version":
            return _version(minor)
        case "/healthz" | "/livez" | "/readyz":
            return "ok"
        case "/openapi/v2":
            return {"swagger": "2.0", "info": _info(), "paths": {}, "definitions": {}}
        case "/openapi/v3":
            roots = ("api/v1", "apis/apps/v1", "apis/policy/v1")
            return {"paths": {each: {"serverRelativeURL": f"/openapi/v3/{each}"} for each in roots}}
        case "/openapi/v3/api/v1":
            return _openapi("v1")
        case "/openapi/v3/apis/apps/v1" | "/openapi/v3/apis/policy/v1":
            return _openapi(path.removeprefix("/openapi/v3/apis/"))
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
def _resources(version: str) -> Json:
    found = (resource for resource in RESOURCES.values() if resource.version == version)
    entries = [entry for resource in found for entry in _entries(resource)]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": entries}


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
    return {"title": "Kubernetes", "version": "unversioned"}


def _version(minor: int) -> Json:
    return {
        "major": "1",
        "minor": str(minor),
        "gitVersion": f"v1.{minor}.0+sandbox",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }


@functools.cache
def _openapi(version: str) -> Json:
    """Just enough for kubectl to leave validation to the server: each kind's PATCH knows fieldValidation."""
    paths: Json = {}
    for resource in RESOURCES.values():
        if resource.version != version:
            continue
        prefix = f"{resource.root}/namespaces/{{namespace}}" if resource.namespaced else resource.root
        parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
        paths[f"{prefix}/{resource.plural}/{{name}}"] = {
            "patch": {
                "parameters": [parameter],
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": {
                    "group": resource.group,
                    "kind": resource.kind,
                    "version": "v1",
                },
            }
        }
    return {"openapi": "3.0.0", "info": _info(), "paths": paths, "components": {"schemas": {}}}
