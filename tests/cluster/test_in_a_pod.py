"""In a pod, beside the newest kubectl: which of two clusters, in which namespace, as whom.

A mount namespace of its own stands for the pod: there, and nowhere else on this machine, a service account is
where both programs look for one.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from testing.command import COMMAND, environment
from testing.objects import Json
from tests.cluster.servers import ApiServer, Authority, Request, listing, serving
from tests.cluster.test_as_kubectl import encoded
from tests.support import needs

DISCOVERY: dict[str, Json] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "replicationcontrollers",
                "singularName": "replicationcontroller",
                "shortNames": ["rc"],
                "namespaced": True,
                "kind": "ReplicationController",
                "verbs": ["get", "list"],
            }
        ],
    },
}
ENTER = (
    "mount -t tmpfs none /var/run && cd /var/run && mkdir -p secrets/kubernetes.io/serviceaccount && "
    'cp "$0"/* secrets/kubernetes.io/serviceaccount && exec "$@"'
)


@dataclass
class Pod:
    """Two clusters: the one of the pod, and another one."""

    own: ApiServer
    other: ApiServer
    authority: Authority
    folder: Path
    kubectl: str

    def config(self, context: Json, **parts: object) -> Json:
        """A kubeconfig for the other cluster, with that context."""
        known = {"server": self.other.url, "certificate-authority-data": encoded(self.authority.pem)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": known}],
            "users": [{"name": "u", "user": {"token": "of-the-kubeconfig"}}],
            "contexts": [{"name": "x", "context": context}],
            "current-context": "x",
            **parts,
        }

    def asked(self, config: Json | None, flags: tuple[str, ...], **variables: str) -> list[tuple[str, ...]]:
        """Of kubectl and of the plugin: which cluster, the path of the list, and the credentials."""
        path = self.folder / "kubeconfig"
        path.unlink(missing_ok=True)
        if config is not None:
            path.write_text(yaml.safe_dump(config))
        host = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.own.port)}
        environ = environment(HOME=str(self.folder), KUBECONFIG=str(path), **host, **variables)
        found: list[tuple[str, ...]] = []
        for command in ([self.kubectl, "get", "rc", "-o", "name"], [*COMMAND, "web", "--status"]):
            for server in (self.own, self.other):
                server.requests.clear()
            self.run([*command, *flags], environ)
            found.append(
                next(
                    (
                        (name, request.path, request.header("Authorization") or "")
                        for name, server in (("own", self.own), ("other", self.other))
                        for request in server.requests
                        if request.path.endswith("/replicationcontrollers")
                    ),
                    ("none",),
                )
            )
        return found

    def run(self, command: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        how = "-m" if os.geteuid() == 0 else "-rm"
        return subprocess.run(
            ["unshare", how, "sh", "-c", ENTER, str(self.folder / "serviceaccount"), *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )


@pytest.fixture
def pod(authority: Authority, tmp_path: Path, newest_kubectl: str) -> Iterator[Pod]:
    needs.program("unshare")

    def answer(request: Request) -> Json | None:
        return DISCOVERY.get(request.path) or listing()

    account = tmp_path / "serviceaccount"
    account.mkdir()
    (account / "token").write_text("of-the-pod")
    (account / "namespace").write_text("of-the-pod")
    (account / "ca.crt").write_bytes(authority.pem)
    context = authority.server_context(tmp_path)
    with serving(answer, context=context) as own, serving(answer, context=context) as other:
        pod = Pod(own, other, authority, tmp_path, newest_kubectl)
        if pod.run(["true"], dict(os.environ)).returncode:
            needs.give_up("a mount namespace, for a pod")
        yield pod


LIST = "/api/v1/namespaces/of-the-pod/replicationcontrollers"
OWN = ("own", LIST, "Bearer of-the-pod")
CLUSTER, USER = {"cluster": "c"}, {"user": "u"}


@pytest.mark.parametrize(
    ("context", "parts", "expected"),
    [
        (None, {}, OWN),
        ({**CLUSTER, **USER}, {}, ("other", LIST, "Bearer of-the-kubeconfig")),
        (USER, {}, OWN),
        ({}, {}, OWN),
        ({"cluster": "", **USER}, {}, OWN),
        (
            {**USER, "namespace": "other"},
            {},
            ("own", LIST.replace("of-the-pod", "other"), "Bearer of-the-pod"),
        ),
        ({"user": "nobody"}, {}, OWN),
        ({"cluster": "none", **USER}, {}, OWN),
        ({**CLUSTER, **USER}, {"clusters": [{"name": "c", "cluster": {}}]}, OWN),
        ({**CLUSTER, **USER}, {"current-context": ""}, OWN),
        ({**CLUSTER, **USER}, {"current-context": "none"}, ("none",)),
    ],
    ids=str,
)
def test_the_cluster_of_the_pod(
    pod: Pod, context: Json | None, parts: dict[str, object], expected: tuple[str, ...]
) -> None:
    """Whatever the context names: without a server it is the pod's own cluster, as the pod's own account. Its
    namespace counts where the context has none."""
    config = None if context is None else pod.config(context, **parts)
    assert pod.asked(config, ()) == [expected, expected]


def test_flags_and_variables_in_a_pod(pod: Pod) -> None:
    """A token, a namespace, another server, the variable with the namespace."""
    without = pod.config(USER)
    theirs, ours = pod.asked(without, ("--token=t", "-n", "other"))
    assert ours == theirs == ("own", LIST.replace("of-the-pod", "other"), "Bearer t")
    authority = str(pod.folder / "serviceaccount" / "ca.crt")
    flags = (f"--server={pod.other.url}", f"--certificate-authority={authority}", "--token=t")
    theirs, ours = pod.asked(None, flags)
    assert ours == theirs == ("other", LIST, "Bearer t")
    theirs, ours = pod.asked(without, (), POD_NAMESPACE="other")
    assert ours == theirs == ("own", LIST.replace("of-the-pod", "other"), "Bearer of-the-pod")
