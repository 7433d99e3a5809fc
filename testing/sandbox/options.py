"""Options of requests: dry run, deletion, versions. What they do is in ``verbs`` and ``reading``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testing.sandbox import decoding, statuses
from testing.sandbox.statuses import Cause

_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True)
class DeleteOptions:
    """``policy`` and ``grace_seconds`` are None where the request does not say."""

    policy: str | None = None
    grace_seconds: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False


def dry_run(values: Sequence[str], kind: str) -> bool:
    """Whether ``dryRun`` says All; 422 for anything else it says."""
    unknown = [value for value in values if value != "All"]
    if unknown:
        raise _invalid(kind, statuses.unsupported("dryRun", list(values), "All"))
    return bool(values)


def delete_options(body: Any, query: Mapping[str, str]) -> DeleteOptions:
    """From the body, or, only where there is none, from the query.

    So with a body, ``?dryRun=All`` in the query is not heeded: the real server deletes.
    """
    if body:
        return _from_body(body)
    orphan = query.get("orphanDependents")
    return DeleteOptions(
        policy=_policy(query.get("propagationPolicy"), None if orphan is None else orphan == "true"),
        grace_seconds=_integer(query.get("gracePeriodSeconds")),
        dry_run=dry_run([query["dryRun"]] if "dryRun" in query else [], "DeleteOptions"),
    )


def parse_version(text: str, *, listing: bool = False) -> int | None:
    """None for an empty one. The server answers 500 to what is no number, so that is what this raises.

    ``listing``: where in the request it is.
    """
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        where = f'resourceVersion: Invalid value: "{text}": ' if listing else ""
        raise statuses.internal(f'{where}strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def _from_body(body: Any) -> DeleteOptions:
    if not isinstance(body, dict):
        raise statuses.internal("couldn't get version/kind; json parse error: " + decoding.no_object(body))
    kind = body.get("kind") or "DeleteOptions"
    if kind != "DeleteOptions":
        raise statuses.internal(
            f'no kind "{kind}" is registered for version "{body.get("apiVersion", "v1")}" in scheme '
            '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'
        )
    if not isinstance(body.get("gracePeriodSeconds") or 0, int):
        raise statuses.internal("v1.DeleteOptions.GracePeriodSeconds: readUint64: unexpected character")
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        policy=_policy(body.get("propagationPolicy"), body.get("orphanDependents")),
        grace_seconds=body.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        dry_run=dry_run(body.get("dryRun") or [], "DeleteOptions"),
    )


def _policy(named: str | None, orphan: bool | None) -> str | None:
    if named is not None and orphan is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        raise _invalid("DeleteOptions", statuses.invalid_value("propagationPolicy", named, detail))
    if named is not None and named not in _POLICIES:
        raise _invalid("DeleteOptions", statuses.unsupported("propagationPolicy", named, *_POLICIES, "nil"))
    if orphan is not None:
        return "Orphan" if orphan else "Background"
    return named


def _integer(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def _invalid(kind: str, cause: Cause) -> statuses.ApiError:
    return statuses.invalid(kind, "", [cause], group="meta.k8s.io")
