"""What a request brings: its body as an object of the kind that the path names. Raises what the server says.

Which types the fields of a kind must have is in ``decoding``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from testing.objects import Json
from testing.sandbox import decoding, options, statuses
from testing.sandbox.messages import Request, Target
from testing.sandbox.resources import BY_KIND

_BODY_TYPES = ("application/json", "application/yaml", "")


def dry_run(request: Request, kind: str) -> bool:
    """Whether the query says so; ``kind``: of the options, for what is said of another value."""
    return options.dry_run(dry_run_values(request), kind)


def dry_run_values(request: Request) -> list[str]:
    """As they were sent."""
    return [request.query["dryRun"]] if "dryRun" in request.query else []


def obj(request: Request, target: Target) -> Json:
    """An object of the target's kind, in its namespace."""
    resource = target.resource
    if resource.custom:
        _check_version(request, resource.version)
    found = of_kind(request, resource.kind, resource.group or "core", (resource.version,))
    if detail := decoding.problem(resource, found):
        raise not_as(resource.kind, resource.kind, resource.version, detail)
    metadata: dict[str, Any] = found.get("metadata") or {}
    found["metadata"] = metadata
    space = metadata.get("namespace")
    if not target.name and resource.namespaced and space not in (None, "", target.namespace):
        raise statuses.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return found


def _check_version(request: Request, version: str) -> None:
    told = request.body.get("apiVersion") if isinstance(request.body, dict) else None
    if told and told != version:
        raise statuses.bad_request(
            f"the API version in the data ({told}) does not match the expected API version ({version})"
        )


def of_kind(request: Request, kind: str, group: str, versions: Sequence[str]) -> Json:
    """An object that says of itself that it is of that kind, in one of the versions, or says nothing."""
    found = _body(request, kind)
    told, version = found.get("kind") or kind, found.get("apiVersion") or versions[0]
    found["kind"] = told
    if told != kind and told in BY_KIND and BY_KIND[told].version == version:
        raise not_as(told, kind, version, f"converting (v1.{told}) to ({group}.{kind}): unknown conversion")
    if told != kind or version not in versions:
        detail = (
            f'no kind "{told}" is registered for version "{version}" in scheme '
            '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
        )
        raise not_as(told, kind, version, detail)
    return found


def not_as(told: str, kind: str, version: str, detail: str) -> statuses.ApiError:
    """What says that it is the kind ``told`` is no ``kind``."""
    short = version.rpartition("/")[2]
    return statuses.bad_request(f'{told} in version "{short}" cannot be handled as a {kind}: {detail}')


def _body(request: Request, kind: str) -> Json:
    if request.content_type not in _BODY_TYPES:
        raise statuses.unknown_body_type(request.content_type)
    if not isinstance(request.body, dict):
        # The server shows what is no object as the bytes it is.
        sent = "<empty>" if request.body is None else json.dumps(request.body).encode().hex()
        raise statuses.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
            f"json parse error: {decoding.no_object(request.body)} ({sent})"
        )
    return request.body
