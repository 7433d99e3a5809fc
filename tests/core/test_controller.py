"""Reading a ReplicationController as the API sends it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.model import record
from rollupdate.core.model.controller import Controller
from rollupdate.errors import ClusterError, RefusedError
from tests.core.worlds import controller, raw

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_everything_is_read() -> None:
    """Identity, specification, status and record, each in its place."""
    obj = raw("foo", replicas=3, current=4, ready=2, available=1, deployment="v1", version=7)
    obj["spec"]["minReadySeconds"] = 5
    obj["metadata"]["annotations"] = {record.DESIRED_REPLICAS: "3"}
    read = Controller.parse(obj)
    assert (read.name, read.uid, read.identity) == ("foo", "uid-foo", "foo:uid-foo")
    assert (read.resource_version, read.generation, read.observed_generation) == ("7", 7, 7)
    assert (read.replicas, read.current, read.ready, read.status_available) == (3, 4, 2, 1)
    assert read.selector == read.labels == {"app": "nginx", "deployment": "v1"}
    assert read.min_ready_seconds == 5
    assert read.record.desired == 3
    assert not read.deleting
    assert read.raw is obj


def test_a_template_that_says_it_was_never_created_is_the_same_without_that() -> None:
    """Servers until 1.33 say so, those from 1.34 on do not; a write made of either fits both."""
    said, silent = raw("foo"), raw("foo")
    said["spec"]["template"]["metadata"]["creationTimestamp"] = None
    read = Controller.parse(said)
    assert read == Controller.parse(silent)
    assert read.raw == silent
    assert said["spec"]["template"]["metadata"]["creationTimestamp"] is None, "what was read is left as it is"


def test_what_the_api_leaves_out_has_its_default() -> None:
    """One replica, the template's labels as the selector, and nothing seen by the manager yet."""
    obj = raw("foo")
    obj["spec"] = {"template": obj["spec"]["template"]}
    del obj["status"]
    read = Controller.parse(obj)
    assert read.replicas == 1
    assert read.selector == {"app": "nginx"}
    assert read.current == read.available == 0
    assert not read.observed


def test_a_deletion_under_way_is_seen() -> None:
    """An object with a finalizer lives on for a while."""
    obj = raw("foo")
    obj["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    assert Controller.parse(obj).deleting


def test_a_status_from_before_a_scale_down_counts_pods_that_will_go() -> None:
    """Five are available, two are to stay: no more than two may be reckoned with."""
    each = controller("foo", replicas=2, current=5, available=5)
    assert each.available == 2
    assert each.max_pods == 5
    assert not each.settled


def test_a_status_from_before_a_scale_up_lacks_pods_that_will_come() -> None:
    """Two pods there are, five there may be any moment."""
    each = controller("foo", replicas=5, current=2)
    assert each.available == 2
    assert each.max_pods == 5


def test_settled_means_seen_and_done() -> None:
    """The manager has seen the specification and has as many pods as it says."""
    assert controller("foo").settled
    obj = raw("foo")
    obj["metadata"]["generation"] += 1
    assert not Controller.parse(obj).settled


def test_pods_ready_but_not_yet_available() -> None:
    """``minReadySeconds`` has not passed for them."""
    assert controller("foo", replicas=4, ready=3, available=1).ready_not_available == 2
    assert controller("foo", replicas=4, ready=0, available=1).ready_not_available == 0


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("metadata",), [], "metadata is not an object"),
        (("metadata", "name"), None, "without a name"),
        (("metadata", "name"), 3, "without a name"),
        (("metadata", "uid"), None, 'replicationcontroller "foo": the API server sent no uid'),
        (("metadata", "annotations"), {"a": 1}, "annotations holds more than text"),
        (("spec",), "x", "spec is not an object"),
        (("spec", "replicas"), "3", "replicas is not a number"),
        (("spec", "replicas"), True, "replicas is not a number"),
        (("spec", "selector"), {"app": None}, "selector holds more than text"),
        (("spec", "template"), [], "template is not an object"),
        (("spec", "template", "metadata", "labels"), "x", "labels is not an object"),
        (("status", "availableReplicas"), 1.5, "availableReplicas is not a number"),
    ],
)
def test_another_shape_is_an_error_of_the_server(path: tuple[str, ...], value: Any, message: str) -> None:
    """The object and the field are named."""
    obj = raw("foo")
    parent: Any = obj
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    with pytest.raises(ClusterError, match=r"API server|ReplicationController") as caught:
        Controller.parse(obj)
    assert message in caught.value.message


@given(
    st.sampled_from(
        [
            ("metadata",),
            ("metadata", "name"),
            ("metadata", "annotations"),
            ("spec",),
            ("spec", "replicas"),
            ("spec", "selector"),
            ("spec", "template"),
            ("spec", "template", "metadata"),
            ("spec", "template", "metadata", "labels"),
            ("status",),
        ]
    ),
    json_values,
)
def test_nothing_else_ever_escapes(path: tuple[str, ...], value: Any) -> None:
    """Whatever the server sends is read, or refused as what it is."""
    obj = raw("foo")
    parent: Any = obj
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    try:
        read = Controller.parse(obj)
    except (ClusterError, RefusedError):
        return
    assert read.labels is not None
    assert read.max_pods >= read.available
