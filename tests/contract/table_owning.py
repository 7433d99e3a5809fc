"""Requests that change whose a pod is: several owners, by each kind of patch, under conditions.

The owners are ControllerRevisions, which nobody acts for: so the answers are of the requests alone. What the
controllers make of owners is in the stories.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testing.client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from testing.objects import Json
from tests.contract.case import LONE, PODS, REVS, Case, case, get, op, pod, revision
from tests.contract.wire import Ask

_FIRST, _SECOND = f"{REVS}/first", f"{REVS}/second"
_HAVE = (revision("first"), revision("second"), pod())
_NOBODY = "00000000-0000-0000-0000-000000000000"
_AT = "/metadata/ownerReferences"

_Patch = Callable[[Json, Json, Json], Any]
"""From the pod and the two owners."""


def _plain(owner: Json, **fields: Any) -> Json:
    metadata = owner["metadata"]
    known = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "name": metadata["name"]}
    return {**known, "uid": metadata["uid"], **fields}


def _control(owner: Json, **fields: Any) -> Json:
    return _plain(owner, controller=True, blockOwnerDeletion=True, **fields)


def _off(owner: Json) -> Json:
    return {"$patch": "delete", "uid": owner["metadata"]["uid"]}


def _references(*references: Json, **metadata: Any) -> Json:
    return {"metadata": {"ownerReferences": list(references), **metadata}}


def _ask(content_type: str, patch: _Patch) -> Ask:
    return Ask("PATCH", LONE, patch, None, content_type, also=(_FIRST, _SECOND))


_OF_FIRST = _ask(MERGE_PATCH, lambda _, first, __: _references(_control(first)))
_OF_BOTH = _ask(MERGE_PATCH, lambda _, first, second: _references(_control(first), _plain(second)))
_MOVED = _ask(STRATEGIC_PATCH, lambda _, first, second: _references(_off(first), _control(second)))


def _strategic(name: str, patch: _Patch, before: tuple[Ask, ...] = (_OF_FIRST,)) -> Case:
    return case(f"owners, merged: {name}", _HAVE, *before, _ask(STRATEGIC_PATCH, patch), get(LONE))


def _json(name: str, *operations: Callable[[Json, Json], Json]) -> Case:
    def patch(_pod: Json, first: Json, second: Json) -> list[Json]:
        return [operation(first, second) for operation in operations]

    return case(f"owners, JSON patch: {name}", _HAVE, _OF_BOTH, _ask(JSON_PATCH, patch), get(LONE))


def _as_seen(pod: Json, uid: str = "") -> Json:
    """The conditions of a move: the uid and the version that were seen."""
    metadata = pod["metadata"]
    return {"uid": uid or metadata["uid"], "resourceVersion": metadata["resourceVersion"]}


CASES = (
    # Merged by uid
    _strategic("moved", lambda _, first, second: _references(_off(first), _control(second))),
    _strategic(
        "moved, as it was seen",
        lambda pod, first, second: _references(_off(first), _control(second), **_as_seen(pod)),
    ),
    _strategic(
        "moved, of another uid",
        lambda pod, first, second: _references(_off(first), _control(second), **_as_seen(pod, _NOBODY)),
    ),
    _strategic(
        "moved, of an old version",
        lambda _, first, second: _references(_off(first), _control(second), resourceVersion="1"),
    ),
    _strategic(
        "moved, of another uid and an old version",
        lambda _, first, second: _references(_off(first), _control(second), uid=_NOBODY, resourceVersion="1"),
    ),
    case("owners, merged: moved twice", _HAVE, _OF_FIRST, _MOVED, _MOVED),
    _strategic(
        "moved, the former stays",
        lambda _, first, second: _references(
            {"uid": first["metadata"]["uid"], "controller": None, "blockOwnerDeletion": None},
            _control(second),
        ),
    ),
    _strategic(
        "moved, the former says no",
        lambda _, first, second: _references(
            {"uid": first["metadata"]["uid"], "controller": False, "blockOwnerDeletion": False},
            _control(second),
        ),
    ),
    _strategic(
        "the roles exchanged",
        lambda _, first, second: _references(
            {"uid": first["metadata"]["uid"], "controller": None},
            {"uid": second["metadata"]["uid"], "controller": True},
        ),
        (_OF_BOTH,),
    ),
    _strategic("a second owner", lambda _, __, second: _references(_plain(second))),
    _strategic("a second controller", lambda _, __, second: _references(_control(second))),
    case(
        "owners, merged: an owner that does not exist",
        _HAVE,
        _OF_FIRST,
        # What the garbage collector makes of it is in the stories.
        _ask(STRATEGIC_PATCH, lambda _, __, second: _references(_plain(second, uid=_NOBODY, name="nobody"))),
    ),
    _strategic("the second goes", lambda _, __, second: _references(_off(second)), (_OF_BOTH,)),
    _strategic("both go", lambda _, first, second: _references(_off(first), _off(second)), (_OF_BOTH,)),
    _strategic("one that it has not goes", lambda _, __, second: _references(_off(second))),
    _strategic("replaced", lambda _, __, second: _references(_control(second), {"$patch": "replace"})),
    _strategic("none", lambda *_: {"metadata": {"ownerReferences": None}}),
    _strategic(
        "an order",
        lambda _, first, second: {
            "metadata": {
                "$setElementOrder/ownerReferences": [
                    {"uid": each["metadata"]["uid"]} for each in (first, second)
                ],
                "ownerReferences": [_plain(second)],
            }
        },
    ),
    _strategic("no uid", lambda *_: _references({"name": "nobody"})),
    _strategic("one goes without a uid", lambda *_: _references({"$patch": "delete"})),
    _strategic("an unknown directive", lambda _, first, __: _references({**_off(first), "$patch": "x"})),
    # Of a pod that has no owners
    _strategic("of none: moved", lambda _, first, second: _references(_off(first), _control(second)), ()),
    _strategic("of none: one goes", lambda _, first, __: _references(_off(first)), ()),
    _strategic("of none: an owner", lambda _, first, __: _references(_control(first)), ()),
    _strategic(
        "of none: the former stays",
        lambda _, first, second: _references(
            {"uid": first["metadata"]["uid"], "controller": None}, _control(second)
        ),
        (),
    ),
    # By position
    _json(
        "the roles exchanged",
        lambda first, _: op("test", f"{_AT}/0/uid", first["metadata"]["uid"]),
        lambda *_: op("remove", f"{_AT}/0/controller"),
        lambda *_: op("add", f"{_AT}/1/controller", True),
    ),
    _json(
        "another first",
        lambda _, second: op("test", f"{_AT}/0/uid", second["metadata"]["uid"]),
        lambda *_: op("remove", f"{_AT}/0"),
    ),
    _json("the first goes", lambda *_: op("remove", f"{_AT}/0")),
    _json("one beyond the end goes", lambda *_: op("remove", f"{_AT}/3")),
    _json("all go", lambda *_: op("remove", _AT)),
    _json("others", lambda _, second: op("replace", _AT, [_control(second)])),
    case(
        "owners, JSON patch: one more",
        _HAVE,
        _OF_BOTH,
        _ask(JSON_PATCH, lambda _, __, second: [op("add", f"{_AT}/-", _plain(second, uid=_NOBODY))]),
    ),
    case(
        "owners, JSON patch: one before",
        _HAVE,
        _OF_BOTH,
        _ask(JSON_PATCH, lambda _, __, second: [op("add", f"{_AT}/0", _plain(second, uid=_NOBODY))]),
    ),
    _json("the same twice", lambda first, _: op("add", f"{_AT}/-", _plain(first))),
    _json("two controllers", lambda *_: op("add", f"{_AT}/1/controller", True)),
    _json("no name", lambda *_: op("remove", f"{_AT}/1/name")),
    _json("one that only blocks", lambda *_: op("add", f"{_AT}/1/blockOwnerDeletion", True)),
    case(
        "owners, JSON patch: of none: one more",
        _HAVE,
        _ask(JSON_PATCH, lambda _, first, __: [op("add", f"{_AT}/-", _plain(first))]),
    ),
    # As a whole
    case(
        "owners, replaced: another controller",
        _HAVE,
        _OF_BOTH,
        _ask(MERGE_PATCH, lambda _, __, second: _references(_control(second))),
    ),
    case(
        "owners, replaced: of another uid",
        _HAVE,
        _ask(MERGE_PATCH, lambda _, __, second: _references(_control(second), uid=_NOBODY)),
    ),
    case(
        "owners: of a pod that is not there",
        _HAVE[:2],
        Ask("PATCH", LONE, _references(), None, STRATEGIC_PATCH),
    ),
    case(
        "owners: from the beginning",
        _HAVE[:2],
        Ask("POST", PODS, {**pod(), "metadata": {"name": "lone", "ownerReferences": []}}),
        get(LONE),
    ),
)
