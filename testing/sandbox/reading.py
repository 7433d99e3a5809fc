"""Reading: lists with selectors and pages, and the opening of watches. Writing is in ``verbs``."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Literal

from testing.objects import Json
from testing.sandbox import selectors, statuses
from testing.sandbox.clock import Clock
from testing.sandbox.objects import Predicate, name_of, namespace_of
from testing.sandbox.options import parse_version
from testing.sandbox.resources import Resource
from testing.sandbox.store import Store
from testing.sandbox.watch import Watch

_EXPIRED_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a "
    "new list without the continue parameter, or use the continue token in this response to retrieve "
    "the remainder of the results. Continuing with the provided token results in an inconsistent list "
    "- objects that were created, modified, or deleted between the time the first chunk was returned "
    "and now may show up in the list."
)
_LISTS_BY_WATCH = 32
"""The release from which on a watch may begin with a list that has an end."""
_INCONSISTENT = -1
"""In a continue token, instead of a version: go on with whatever there is by then."""


class Reading:
    """``expired_watch``: how a watch from too old a version ends: by an ERROR in it, or by status 410."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.expired_watch: Literal["event", "status"] = "event"
        self._store = store
        self._clock = clock

    def select(self, resource: Resource, query: Mapping[str, str]) -> Predicate | None:
        return selectors.both(
            selectors.label_predicate(query.get("labelSelector", "")),
            selectors.field_predicate(resource, query.get("fieldSelector", "")),
        )

    def page(self, resource: Resource, namespace: str | None, query: Mapping[str, str]) -> Json:
        """A list object; its items have no kind, as the server sends them."""
        _check_match(query)
        predicate = self.select(resource, query)
        limit = _integer(query.get("limit", "0"))
        objects, version, start = self._page_start(resource, namespace, query)
        if start:
            objects = [obj for obj in objects if _key(obj, namespace) >= start]
        if predicate is not None:
            objects = [obj for obj in objects if predicate(obj)]
        metadata: Json = {"resourceVersion": str(version)}
        if resource.custom:
            metadata["continue"] = ""
        if 0 < limit < len(objects):
            last = _key(objects[limit - 1], namespace)
            metadata["continue"] = _token(version, last + "\0")
            if predicate is None:
                metadata["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        left_out = () if resource.custom else ("apiVersion", "kind")
        items = [{field: value for field, value in obj.items() if field not in left_out} for obj in objects]
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.version,
            "metadata": metadata,
            "items": items,
        }

    def _page_start(
        self, resource: Resource, namespace: str | None, query: Mapping[str, str]
    ) -> tuple[list[Json], int, str]:
        """What to list from, the version it is, and the key to start at."""
        token = query.get("continue")
        if token:
            if query.get("resourceVersion", "0") != "0":
                message = "specifying resource version is not allowed when using continue"
                raise statuses.bad_request(message)
            version, start = _parse_token(token)
            if version == _INCONSISTENT:
                return self._store.objects(resource, namespace), self._store.version, start
            if version < self._store.compacted:
                again = {"continue": _token(_INCONSISTENT, start)}
                raise statuses.expired(_EXPIRED_CONTINUE, metadata=again)
            return self._store.list_at(resource, namespace, version), version, start
        version = parse_version(query.get("resourceVersion", ""), listing=True) or 0
        if version > self._store.version:
            raise statuses.too_large_version(version, self._store.version)
        if query.get("resourceVersionMatch") == "Exact":
            if version < self._store.compacted:
                raise statuses.expired("The resourceVersion for the provided list is too old.")
            return self._store.list_at(resource, namespace, version), version, ""
        return self._store.objects(resource, namespace), self._store.version, ""

    def watch(
        self,
        resource: Resource,
        namespace: str | None,
        predicate: Predicate | None,
        query: Mapping[str, str],
        minor: int,
    ) -> Watch:
        """Without a resourceVersion, or with 0, it begins with an ADDED for everything there is.

        So it does for ``sendInitialEvents``, as kubectl asks today, and tells where these end.
        """
        version = parse_version(query.get("resourceVersion", ""), listing=True)
        if version and version < self._store.compacted and self.expired_watch == "status":
            raise statuses.expired(f"too old resource version: {version} ({self._store.compacted})")
        timeout = query.get("timeoutSeconds")
        lists = minor >= _LISTS_BY_WATCH and query.get("sendInitialEvents") == "true"
        watch = Watch(self._store, self._clock, resource, namespace, predicate)
        return watch.open(
            None if lists else version or None,
            tells_end=lists,
            bookmarks=query.get("allowWatchBookmarks") in ("1", "true"),
            timeout=None if timeout is None else float(_integer(timeout)),
        )


def _check_match(query: Mapping[str, str]) -> None:
    """Raises 422 for a ``resourceVersionMatch`` that does not fit the rest."""
    field, match = "resourceVersionMatch", query.get("resourceVersionMatch", "")
    if not match:
        return
    version = query.get("resourceVersion", "")
    if not version:
        cause = statuses.forbidden_field(field, f"{field} is forbidden unless resourceVersion is provided")
    elif match not in ("Exact", "NotOlderThan"):
        cause = statuses.unsupported(field, match, "Exact", "NotOlderThan", "")
    elif match == "Exact" and version == "0":
        cause = statuses.forbidden_field(field, f'{field} "exact" is forbidden for resourceVersion "0"')
    else:
        return
    raise statuses.invalid("ListOptions", "", [cause], group="meta.k8s.io")


def _key(obj: Json, namespace: str | None) -> str:
    return name_of(obj) if namespace is not None else f"{namespace_of(obj)}/{name_of(obj)}"


def _token(version: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parse_token(token: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        found = json.loads(text)
        return int(found["rv"]), str(found["start"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise statuses.bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error
