"""What a client asks before it asks for anything: versions, groups, resources, health, some OpenAPI."""

from __future__ import annotations

import functools
from typing import Any

from testing.objects import Json
from testing.sandbox import eviction
from testing.sandbox.resources import ALL_VERBS, Resource, served

Custom = tuple[Resource, ...]

_AUTHORIZATION = "authorization.k8s.io/v1"
_SUBRESOURCE_VERBS = {
    "log": ("get",),
    "scale": ("get", "patch", "update"),
    "status": ("get", "patch", "update"),
}


def answer(path: str, minor: int, custom: Custom = ()) -> Any:
    """The body for a fixed path (JSON, or text for health checks); None for any other path. ``minor``: the
    release of Kubernetes, 1.minor, that it is said to be; ``custom``: the kinds beside its own."""
    match path:
        case "/api":
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case "/apis":
            groups = [_group(version) for version in sorted([_AUTHORIZATION, *_versions(minor, custom)])]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case "/apis/authorization.k8s.io/v1":
            return _authorization_resources()
        case "/api/v1":
            return _resources("v1", minor, custom)
        case "/version":
            return _version(minor)
        case "/healthz" | "/livez" | "/readyz":
            return "ok"
        case "/openapi/v2":
            return {"swagger": "2.0", "info": _info(), "paths": {}, "definitions": {}}
        case "/openapi/v3":
            roots = ("api/v1", *(f"apis/{version}" for version in _versions(minor, custom)))
            return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
        case "/openapi/v3/api/v1":
            return _openapi("v1", minor, custom)
        case _:
            return _of_group(path, minor, custom)


def _versions(minor: int, custom: Custom) -> list[str]:
    """Of the kinds that are stored, those of the groups: each group has one."""
    return sorted({resource.version for resource in served(minor, custom).values() if resource.group})


def _group(group_version: str) -> Json:
    name, _, short = group_version.partition("/")
    version = {"groupVersion": group_version, "version": short}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _of_group(path: str, minor: int, custom: Custom) -> Any:
    """What is said of one of the groups; None for another path."""
    asked = path.partition("/apis/")[2]
    if path.startswith("/openapi/"):
        return _openapi(asked, minor, custom) if asked in _versions(minor, custom) else None
    for version in (_AUTHORIZATION, *_versions(minor, custom)):
        if version == asked:
            return {"apiVersion": "v1", **_resources(version, minor, custom)}
        if version.startswith(f"{asked}/"):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(version)}
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
def _resources(version: str, minor: int, custom: Custom) -> Json:
    found = (resource for resource in served(minor, custom).values() if resource.version == version)
    entries = [entry for resource in found for entry in _entries(resource, minor)]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": entries}


def _entries(resource: Resource, minor: int) -> list[Json]:
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
        elif subresource == "eviction":
            group, version = eviction.versions(minor)[0].split("/")
            sub |= {"group": group, "version": version, "kind": eviction.KIND}
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
def _openapi(version: str, minor: int, custom: Custom) -> Json:
    """Just enough for kubectl to leave validation to the server: each kind's PATCH knows fieldValidation."""
    paths: Json = {}
    for resource in served(minor, custom).values():
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
                    "version": version.rpartition("/")[2],
                },
            }
        }
    return {"openapi": "3.0.0", "info": _info(), "paths": paths, "components": {"schemas": {}}}
