"""Pods are moved between two held controllers, by plain requests. The same on both clusters."""

from __future__ import annotations

import time
from collections import Counter

from testing.client import MERGE_PATCH
from testing.objects import Json
from tests.contract.story import (
    HOLD,
    failure,
    give,
    hold,
    observed,
    owners,
    plain,
    reference,
    running,
    status,
    uids,
    version,
)
from tests.contract.wire import Ask, Wire
from tests.support.manifests import my_nginx

_SIZE = 5
_A_WHILE = 1.0
"""Seconds in which a controller that wanted something else would have begun with it."""


def _write(cluster: Wire, controller: Json, spec: Json, claim: str | None = "me") -> Json:
    """On the condition that nobody else has written since."""
    name = controller["metadata"]["name"]
    annotations = {"tests.io/claim": claim}
    metadata = {"resourceVersion": controller["metadata"]["resourceVersion"], "annotations": annotations}
    return cluster.merge(name, {"metadata": metadata, "spec": spec})


def _class(name: str | None) -> Json:
    return {"spec": {"priorityClassName": name}}


def _begin(cluster: Wire) -> tuple[Json, Json]:
    """``new`` has the pods; ``old`` is at 0 and is to have them. Both are held then, and proved to be."""
    running(cluster, "new", _SIZE, labels={"deployment": "b"}, image="nginx:1.9.1")
    cluster.create(my_nginx("old", replicas=0, labels={"deployment": "a"}, selector=True))
    cluster.wait(lambda: observed(cluster, "old"), "old is seen")
    for name in ("old", "new"):
        _write(cluster, cluster.controller(name), {})

    # One more than it has, of which nothing comes: that it is held is known.
    _write(cluster, cluster.controller("new"), {"replicas": _SIZE + 1, "template": _class(HOLD)})
    cluster.wait(lambda: HOLD in failure(cluster, "new"), "new says that it is held")

    labels = {"app": "nginx", "deployment": "b"}
    template = {"metadata": {"labels": labels}, **_class(HOLD)}
    spec = {"replicas": _SIZE, "selector": labels, "template": template}
    _write(cluster, cluster.controller("old"), spec)
    cluster.wait(lambda: observed(cluster, "old") and observed(cluster, "new"), "both are seen")
    return cluster.controller("old"), cluster.controller("new")


def _move(cluster: Wire, pod: Json, source: Json, target: Json) -> None:
    """In one request. The former controller stays as an owner: no pod goes if the other is deleted."""
    uid = source["metadata"]["uid"]
    give(cluster, pod, {"uid": uid, "controller": None, "blockOwnerDeletion": None}, reference(target))


def _counts(cluster: Wire, **expected: int) -> bool:
    return all(status(cluster, name)["replicas"] == count for name, count in expected.items())


def _controllers_of(pod: Json) -> list[str]:
    found = pod["metadata"].get("ownerReferences", [])
    return [owner["name"] for owner in found if owner.get("controller")]


def test_pods_are_moved_one_by_one_and_none_is_ever_alone(cluster: Wire) -> None:
    """The watch of the pods tells of no birth and no death, and each pod has one controller at any time."""
    old, new = _begin(cluster)
    before, start = uids(cluster), version(cluster)
    for pod in cluster.pods():
        _move(cluster, pod, new, old)
    cluster.wait(lambda: _counts(cluster, old=_SIZE, new=0), "both count them so")

    _write(cluster, cluster.controller("old"), {"template": _class(None)}, None)
    nothing = {"rest": "x"}
    template = {"metadata": {"labels": nothing}, **_class(None)}
    off = {"replicas": 0, "selector": nothing, "template": template}
    _write(cluster, cluster.controller("new"), off, None)
    for pod in cluster.pods():
        give(cluster, pod, {"$patch": "delete", "uid": new["metadata"]["uid"]})
    options = {"propagationPolicy": "Background", "preconditions": {"uid": new["metadata"]["uid"]}}
    assert cluster.send(Ask("DELETE", "replicationcontrollers/new", options)).status == 200

    cluster.wait_available("old", _SIZE)
    cluster.settle()
    time.sleep(_A_WHILE)
    assert "conditions" not in status(cluster, "old")
    assert uids(cluster) == before
    assert owners(cluster) == [reference(cluster.controller("old"))] * _SIZE
    events = cluster.past_events("pods", start)
    assert {event["type"] for event in events} == {"MODIFIED"}
    assert len(events) == 2 * _SIZE, "each pod was moved once, and once its former owner was taken off"
    assert {len(_controllers_of(event["object"])) for event in events} == {1}


def test_a_move_that_is_left_half_way_stands_still_and_can_be_undone(cluster: Wire) -> None:
    """Each controller has its share. Nothing is made for the rest, and nothing is deleted."""
    old, new = _begin(cluster)
    before, start = uids(cluster), version(cluster)
    for pod in cluster.pods()[:2]:
        _move(cluster, pod, new, old)
    cluster.wait(lambda: _counts(cluster, old=2, new=3), "both count them so")
    time.sleep(_A_WHILE)
    assert HOLD in failure(cluster, "old")
    assert Counter(name for pod in cluster.pods() for name in _controllers_of(pod)) == {"old": 2, "new": 3}

    for pod in cluster.pods():
        if _controllers_of(pod) == ["old"]:
            _move(cluster, pod, old, new)
    cluster.wait(lambda: _counts(cluster, old=0, new=_SIZE), "new has all of them again")
    _write(cluster, cluster.controller("new"), {"replicas": _SIZE, "template": _class(None)}, None)
    cluster.wait_available("new", _SIZE)
    cluster.merge("old", {"spec": {"replicas": 0}})
    cluster.wait(lambda: observed(cluster, "old"), "old is seen")
    time.sleep(_A_WHILE)
    assert uids(cluster) == before
    assert {event["type"] for event in cluster.past_events("pods", start)} == {"MODIFIED"}


def test_a_pod_is_moved_as_it_was_seen_or_not_at_all(cluster: Wire) -> None:
    """Whoever comes too late, with a version from before, is refused: 409. One of another uid is: 422."""
    old, new = _begin(cluster)
    seen = cluster.pods()[0]
    name = seen["metadata"]["name"]
    touched = Ask(
        "PATCH", f"pods/{name}", {"metadata": {"annotations": {"a": "b"}}}, content_type=MERGE_PATCH
    )
    assert cluster.send(touched).status == 200
    for pod, code in (
        (seen, 409),
        ({**seen, "metadata": {"name": name, "uid": new["metadata"]["uid"]}}, 422),
        ({**seen, "metadata": {"name": "nobody", "uid": seen["metadata"]["uid"]}}, 404),
    ):
        move = ({"uid": new["metadata"]["uid"], "controller": None}, reference(old))
        assert give(cluster, pod, *move, refused=True) == code
    assert plain(new) not in owners(cluster)
    assert owners(cluster) == [reference(new)] * _SIZE
    hold(cluster, "new", _SIZE)
