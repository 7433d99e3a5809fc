"""Evictions as requests: in the version that the server has, on the condition of one version of one pod."""

from __future__ import annotations

from typing import Any

import pytest

from rollupdate.cluster import ConnectionFlags, connect
from rollupdate.errors import ApiError
from rollupdate.rights import Right
from tests.cluster.servers import Request, listing, serving, status

BASE = "/api/v1/namespaces/shop"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_version_is_asked_for_once(version: str, environ: dict[str, str]) -> None:
    """policy/v1 came with 1.22."""
    kind = {"name": "pods/eviction", "group": "policy", "version": version, "kind": "Eviction"}

    def answer(request: Request) -> dict[str, Any]:
        if request.path == "/api/v1":
            return {"kind": "APIResourceList", "resources": [{"name": "pods"}, kind]}
        return {"kind": "Status", "status": "Success"}

    with serving(answer) as server:
        cluster = connect(ConnectionFlags(server=server.url, namespace="shop"), environ=environ)
        cluster.evict_pod("a", uid="1", resource_version="7")
        cluster.evict_pod("b", uid="2", resource_version="8")
    assert [(request.verb, request.path) for request in server.requests] == [
        ("GET", "/api/v1"),
        ("POST", f"{BASE}/pods/a/eviction"),
        ("POST", f"{BASE}/pods/b/eviction"),
    ]
    assert server.requests[1].json == {
        "apiVersion": f"policy/{version}",
        "kind": "Eviction",
        "metadata": {"name": "a"},
        "deleteOptions": {"preconditions": {"uid": "1", "resourceVersion": "7"}},
    }


def test_a_server_without_evictions(environ: dict[str, str]) -> None:
    with serving(lambda request: {"kind": "APIResourceList", "resources": [1, {"name": "pods"}]}) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        with pytest.raises(ApiError, match="does not evict pods") as refused:
            cluster.evict_pod("a", uid="1", resource_version="7")
    assert not refused.value.is_transient
    assert not refused.value.is_not_found


def test_cordoned_nodes(environ: dict[str, str]) -> None:
    """Names are all that is asked for."""
    node = {"kind": "Node", "metadata": {"name": "n1", "uid": "1"}}
    with serving(lambda request: listing(node, kind="Node")) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        assert cluster.cordoned_nodes() == ["n1"]
    (request,) = server.requests
    assert (request.path, request.query) == ("/api/v1/nodes", {"fieldSelector": "spec.unschedulable=true"})


def test_nodes_that_may_not_be_listed(environ: dict[str, str]) -> None:
    with serving(lambda request: status(403, "Forbidden", "nodes is forbidden")) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        with pytest.raises(ApiError) as refused:
            cluster.cordoned_nodes()
    assert refused.value.is_forbidden


def test_the_right_is_that_of_a_subresource(environ: dict[str, str]) -> None:
    answer = {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}
    with serving(lambda request: answer) as server:
        cluster = connect(ConnectionFlags(server=server.url, namespace="shop"), environ=environ)
        assert cluster.allows(Right("", "pods/eviction", "create"))
    assert server.requests[0].json["spec"]["resourceAttributes"] == {
        "namespace": "shop",
        "verb": "create",
        "group": "",
        "resource": "pods",
        "subresource": "eviction",
    }
