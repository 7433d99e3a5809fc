"""What is answered about versions that the server has forgotten: 410, the same on both clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testing.client import Client
from testing.controlplane.plane import ControlPlane
from testing.controlplane.private import PrivatePlane
from testing.kubeconfig import read
from testing.sandbox import Sandbox
from testing.sandbox.server import Server
from tests.contract.case import PODS, get, pod
from tests.contract.conftest import new_name
from tests.contract.normal import Normal
from tests.contract.wire import Ask, Wire

Forget = Callable[[str], None]


def _story(wire: Wire, forget: Forget) -> list[Any]:
    """A list in pages, the history of which is compacted away after the first."""
    wire.make()
    for name in ("a", "b", "c"):
        wire.call("POST", wire.path("pods"), pod(name))
    first = wire.send(get(PODS, limit="1")).body["metadata"]
    wire.call("POST", wire.path("pods"), pod("d"))
    forget(wire.call("GET", wire.path("pods"))["metadata"]["resourceVersion"])

    late = wire.send(get(PODS, limit="1", **{"continue": first["continue"]}))
    assert late.status == 410
    again = late.body["metadata"]["continue"]
    rest = wire.send(get(PODS, **{"continue": again}))
    assert [item["metadata"]["name"] for item in rest.body["items"]] == ["b", "c", "d"]
    exact = {"resourceVersion": first["resourceVersion"], "resourceVersionMatch": "Exact"}
    answers = (late, rest, wire.send(Ask("GET", PODS, query=exact)))
    normal = Normal()
    return [(answer.status, normal.of(answer.body)) for answer in answers]


@pytest.mark.realplane
def test_pages_of_a_forgotten_version(
    control_plane: ControlPlane, real_kubeconfig: Path, minor: int, tmp_path: Path
) -> None:
    """410 with a token for the rest as it is now; a list of exactly that version can't be had."""
    if not isinstance(control_plane, PrivatePlane):
        pytest.skip("the history of another's cluster is left alone")

    def forget(version: str) -> None:
        control_plane.compact(version)
        control_plane.restart_apiserver()  # those of today remember lists that their store has forgotten

    name = new_name()
    real = _story(Wire(Client(read(real_kubeconfig)), name), forget)
    with Sandbox(real_time=True, minor=minor) as sandbox, Server(sandbox) as server:
        kubeconfig = server.write_kubeconfig(tmp_path / "kubeconfig")
        assert _story(Wire(Client(read(kubeconfig)), name), lambda version: sandbox.compact()) == real
