"""A real plane: it comes up with acting controllers, keeps its users apart, and survives a restart."""

from __future__ import annotations

import dataclasses
import socket
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
import urllib3

from testing.client import ApiError, Client
from testing.controlplane import audit, private, processes
from testing.controlplane.acquire import KUBECONFIG, acquire
from testing.controlplane.private import PrivatePlane
from testing.controlplane.servers import Binaries
from testing.controlplane.unavailable import Unavailable
from testing.kubeconfig import read
from testing.namespace import Namespace
from tests.support.manifests import my_nginx

pytestmark = pytest.mark.realplane


def test_the_plane_is_ready_and_has_one_node(own_plane: PrivatePlane) -> None:
    """Nothing is left of the probe that start-up used."""
    assert own_plane.admin.get("/readyz") == {"text": "ok", "message": "ok"}
    nodes = own_plane.admin.get("/api/v1/nodes")["items"]
    assert [node["metadata"]["name"] for node in nodes] == ["hollow-node"]
    assert own_plane.admin.get("/api/v1/pods", labelSelector="app=rollupdate-probe")["items"] == []


def test_the_limited_user_reads_and_is_refused_the_rest(
    own_plane: PrivatePlane, namespace: Namespace
) -> None:
    """Pods and controllers can be listed; deleting one is 403."""
    client = own_plane.client("limited")
    limited = Namespace(client, namespace.name)
    assert limited.controllers() == {}
    with pytest.raises(ApiError) as refused:
        limited.delete("x")
    assert refused.value.code == 403
    assert 'User "limited" cannot delete resource' in str(refused.value)
    client.close()


@pytest.mark.parametrize("auth", ["token", "certificate"])
def test_kubeconfigs_work_with_tokens_and_certificates(
    own_plane: PrivatePlane, tmp_path: Path, auth: Literal["token", "certificate"]
) -> None:
    """The server recognises the same user by either."""
    path = own_plane.write_kubeconfig(tmp_path / "config", user="limited", auth=auth)
    client = Client(read(path))
    with pytest.raises(ApiError, match=r'403 .*User "limited" cannot list resource "secrets"'):
        client.get("/api/v1/secrets")
    client.close()


def test_two_planes_side_by_side_share_nothing(
    own_plane: PrivatePlane, namespace: Namespace, programs: Binaries, tmp_path: Path
) -> None:
    """Neither objects nor certificates; and the second one's audit log counts who asked for what."""
    log = tmp_path / "audit.jsonl"
    with PrivatePlane.start(programs, audit_log=log) as second:
        assert second.url != own_plane.url
        with pytest.raises(ApiError, match="404"):
            second.admin.get(f"/api/v1/namespaces/{namespace.name}")
        access = read(own_plane.write_kubeconfig(tmp_path / "config"))
        stranger = Client(dataclasses.replace(access, server=second.url))
        with pytest.raises(urllib3.exceptions.SSLError):
            stranger.get("/version")
        client = second.client("admin", agent="counted")
        for _ in range(3):
            client.get("/api/v1/namespaces/default/pods")
        client.close()
        counted = Counter((r.verb, r.resource, r.status) for r in audit.read(log, agent="counted"))
        assert counted == {("list", "pods", 200): 3}
        folder = second.processes.folder
    assert not folder.exists()
    assert own_plane.admin.get(f"/api/v1/namespaces/{namespace.name}")["status"]["phase"] == "Active"


@pytest.mark.parametrize("kill", [False, True], ids=["SIGTERM", "SIGKILL"])
def test_a_restarted_server_goes_on_where_it_was(
    own_plane: PrivatePlane, namespace: Namespace, kill: bool
) -> None:
    """Address and objects stay, and controllers and kubelet find their way back."""
    namespace.have(my_nginx("web", replicas=1))
    url = own_plane.url
    own_plane.restart_apiserver(kill=kill)
    assert own_plane.url == url
    namespace.scale("web", 2)
    namespace.wait_available("web", 2)


def test_a_cluster_that_was_named_is_used_as_it_is(
    own_plane: PrivatePlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner is not asked for users or restarts, and stopping leaves it running."""
    monkeypatch.setenv(KUBECONFIG, str(own_plane.write_kubeconfig(tmp_path / "named")))
    with acquire() as attached:
        assert attached.url == own_plane.url
        assert attached.kubelet is None
        attached.write_kubeconfig(tmp_path / "copy")
        assert Client(read(tmp_path / "copy")).get("/version")["major"] == "1"
        with pytest.raises(Unavailable, match="has no limited user"):
            attached.write_kubeconfig(tmp_path / "limited", user="limited")
        with pytest.raises(Unavailable, match="not ours to restart"):
            attached.restart_apiserver()
    assert own_plane.admin.get("/readyz")["text"] == "ok"


def test_other_ports_are_tried_when_one_was_taken(
    programs: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between choosing a port and listening on it, another process may be quicker: etcd's, then the API
    server's."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        choices = [processes.free_ports(3) for _ in range(3)]
        choices[0][0] = choices[1][2] = other.getsockname()[1]
        monkeypatch.setattr(private, "free_ports", lambda _: choices.pop(0))
        with PrivatePlane.start(programs) as plane:
            assert choices == []
            assert plane.admin.get("/readyz")["text"] == "ok"


def test_a_server_that_does_not_start_is_a_reason_with_its_last_words(
    programs: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what did start is stopped."""
    broken = tmp_path / "kube-apiserver"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Kubernetes v1.20.2 && exit\necho no luck\nexit 1\n'
    )
    broken.chmod(0o755)
    for name, program in (("etcd", programs.etcd), ("kube-controller-manager", programs.controller_manager)):
        (tmp_path / name).symlink_to(program)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.delenv(KUBECONFIG, raising=False)
    with pytest.raises(Unavailable, match=r"did not start: kube-apiserver exited with status 1; .*\nno luck"):
        acquire()
