"""Requests about ControllerRevisions (apps/v1): what is kept of former specifications."""

from __future__ import annotations

from typing import Any

from tests.contract.case import (
    NOTHING,
    REVS,
    Case,
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
)
from tests.contract.wire import Ask

FIRST = f"{REVS}/web-1"
_UID = "01234567-89ab-cdef-0123-456789abcdef"


def _without(*fields: str) -> dict[str, Any]:
    return {key: value for key, value in revision().items() if key not in fields}


CASES: tuple[Case, ...] = (
    case("revision: create", NOTHING, post(REVS, revision()), get(FIRST), post(REVS, revision())),
    case("revision: create, dry", NOTHING, post(REVS, revision(), dryRun="All"), get(FIRST)),
    case("revision: create without a kind", NOTHING, post(REVS, _without("apiVersion", "kind"))),
    case("revision: create without a number", NOTHING, post(REVS, _without("revision"))),
    case("revision: create without data", NOTHING, post(REVS, _without("data"))),
    case("revision: a negative number", NOTHING, post(REVS, revision(number=-1))),
    case("revision: a capital in the name", NOTHING, post(REVS, revision("Web"))),
    case("revision: of the core group", NOTHING, post(REVS, {**revision(), "apiVersion": "v1"})),
    case("revision: another kind", NOTHING, post(REVS, controller())),
    case("revision: among the core's", NOTHING, get("/api/v1/controllerrevisions")),
    case("revision: controllers among the apps", NOTHING, get("/apis/apps/v1/replicationcontrollers")),
    case(
        "revision: list by label",
        (revision("a", 1), revision("b", 2), revision("c", 3, metadata={"labels": {"app": "db"}})),
        get(REVS, labelSelector="app=web"),
        get(REVS, labelSelector="app in (db,none)"),
        get(REVS, limit="2"),
    ),
    case("revision: list none", NOTHING, get(REVS, labelSelector="app=web")),
    case(
        "revision: patch",
        revision(),
        json_patch(FIRST, op("replace", "/revision", 7)),
        merge(FIRST, {"metadata": {"annotations": {"a": "b"}}}),
        get(FIRST),
    ),
    case("revision: other data", revision(), merge(FIRST, {"data": {"spec": None}})),
    case("revision: put another number", revision(), put(FIRST, at("revision", 4)), get(FIRST)),
    case("revision: patch of an old version", revision(), json_patch(FIRST, op("test", "/revision", 9))),
    case("revision: patch what is not there", NOTHING, merge(FIRST, {"revision": 2})),
    case("revision: delete", revision(), delete(FIRST), get(FIRST), delete(FIRST)),
    case(
        "revision: delete another one",
        revision(),
        delete(FIRST, {"preconditions": {"uid": _UID}}),
        delete(FIRST, {"preconditions": {"resourceVersion": "1"}}),
    ),
    case(
        "revision: delete all of a label", revision(), Ask("DELETE", REVS, query={"labelSelector": "app=web"})
    ),
)
