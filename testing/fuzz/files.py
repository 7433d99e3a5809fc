"""What is read from files: kubeconfigs and manifests."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from rollupdate import patches
from rollupdate.cluster import ConnectionFlags, connect, kubeconfig, proxies
from rollupdate.core.changes.base import Naming
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.engine.dry_run import DryRunClock, DryRunCluster
from rollupdate.engine.update import Update
from rollupdate.errors import RollingUpdateError
from rollupdate.manifest import load_controller
from rollupdate.objects import Json
from rollupdate.report.printers import Objects, printed
from testing.fuzz import inputs
from testing.fuzz.guard import DefectError

KUBECONFIG: Json = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "x",
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    "clusters": [
        {
            "name": "c",
            "cluster": {
                "server": "https://127.0.0.1:1",
                "certificate-authority-data": "YQ==",
                "insecure-skip-tls-verify": False,
                "tls-server-name": "n",
                "proxy-url": "http://p:1",
                "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}],
            },
        }
    ],
    "users": [
        {
            "name": "u",
            "user": {
                "token": "t",
                "client-certificate-data": "YQ==",
                "client-key-data": "YQ==",
                "as": "me",
                "as-groups": ["g"],
                "as-user-extra": {"k": ["v"]},
                "exec": {
                    "command": "./c",
                    "args": ["a"],
                    "env": [{"name": "n", "value": "v"}],
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "interactiveMode": "Never",
                },
            },
        }
    ],
}
PLAIN: Json = {
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"username": "u", "password": "p"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
KUBECONFIGS = inputs.texts([KUBECONFIG, PLAIN], yaml_too=True)
KUBECONFIG_SEEDS = [inputs.as_json(KUBECONFIG), inputs.as_yaml(KUBECONFIG), inputs.as_yaml(PLAIN)]


class Kubeconfigs:
    """The file is written before the guard looks."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "kubeconfig"

    def prepare(self, data: bytes) -> None:
        self._path.write_bytes(data)

    def feed(self, _data: bytes) -> None:
        """It can be resolved and connected with, or there is an error for the user."""
        try:
            cluster = connect(ConnectionFlags(kubeconfig=str(self._path)), environ={})
            connection = cluster._connection
            connection._clients_for(connection._source.current(), connection._config.server)
        except RollingUpdateError as error:
            if not error.message:
                raise DefectError("an error without words") from error


_ADDRESS = st.text(alphabet="htps:/@[]%.?#0189afz \\\n\u202e", max_size=24) | st.text(max_size=24)
ADDRESSES: SearchStrategy[bytes] = st.lists(_ADDRESS, min_size=3, max_size=3).map(
    lambda texts: "\0".join(texts).encode()
)
ADDRESS_SEEDS = [b"https://[::1]:6443/a\0http://u:p@proxy:3128\0.local,10.0.0.0/8,[::1],*", b"a:1\0b\0c"]


def an_address(data: bytes) -> None:
    """Of a server, of a proxy, and of whom to reach without it."""
    server, proxy, rules, *_ = (*data.decode("utf-8", "surrogateescape").split("\0"), "", "")
    try:
        config = kubeconfig.resolve(ConnectionFlags(server=server or "x"), {})
        environ = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": rules}
        proxies.proxy_for(config.server, "", environ)
    except RollingUpdateError as error:
        if not error.message:
            raise DefectError("an error without words") from error


CONTROLLER: Json = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {
        "name": "my-nginx",
        "namespace": "default",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 2,
        "labels": {"app": "nginx"},
        "annotations": {"a": "b"},
    },
    "spec": {
        "replicas": 3,
        "minReadySeconds": 0,
        "selector": {"app": "nginx", "deployment": "v1"},
        "template": {
            "metadata": {"labels": {"app": "nginx", "deployment": "v1"}},
            "spec": {
                "containers": [{"name": "nginx", "image": "nginx:1.7.9", "ports": [{"containerPort": 80}]}]
            },
        },
    },
    "status": {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 2},
}
MANIFEST: Json = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {"name": "my-nginx-v4", "labels": {"app": "nginx"}, "annotations": {"a": "b"}},
    "spec": {
        "replicas": 5,
        "minReadySeconds": 1,
        "selector": {"app": "nginx", "deployment": "v4"},
        "template": {
            "metadata": {"labels": {"app": "nginx", "deployment": "v4"}, "annotations": {"c": "d"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.9.1", "args": ["nginx", "-T"]}]},
        },
    },
}
MANIFESTS = inputs.texts([MANIFEST, {"kind": "List", "items": [MANIFEST]}], yaml_too=True)
MANIFEST_SEEDS = [inputs.as_json(MANIFEST), inputs.as_yaml(MANIFEST), b"a: &a {x: 1}\nb: {<<: *a, y: [*a]}\n"]


class Still:
    """A cluster with ``my-nginx`` that nobody may write to."""

    namespace = "default"

    def list_controllers(self) -> list[Json]:
        return [CONTROLLER]

    def list_referring(self, _kind: str) -> list[Json]:
        return []

    def running_pods(self, *_: object, **__: object) -> list[Json]:
        return []

    def __getattr__(self, name: str) -> Any:
        raise DefectError(f"a dry run calls {name}")


def a_manifest(data: bytes) -> None:
    """Refused, or planned: the whole update is planned with it."""
    try:
        manifest = load_controller("-", namespace="default", stdin=io.BytesIO(data))
    except RollingUpdateError as error:
        if not error.message:
            raise DefectError("an error without words") from error
        return
    for keep_name in (False, True):
        clock = DryRunClock()
        cluster: Any = Still()
        naming = Naming(keep_name=keep_name)
        intent = Intent(name="my-nginx", change=FileChange(manifest, "STDIN"), naming=naming)
        update = Update(
            DryRunCluster(cluster, clock, server=False), clock, intent, Policy(), lambda _event: None
        )
        try:
            found = update.run().checked().owner or {}
        except RollingUpdateError as error:
            if not error.message:
                raise DefectError("an error without words") from error
            continue
        for output in ("json", "yaml", "name"):
            printed(Objects((found,)), output)


PATCHES_MADE: list[Any] = [
    {"spec": {"containers": [{"name": "nginx", "image": "a", "$patch": "replace"}], "$retainKeys": ["a"]}},
    [
        {"op": "add", "path": "/spec/containers/0/env", "value": [{"name": "a"}]},
        {"op": "remove", "path": "/a"},
    ],
    [
        {"op": "move", "from": "/spec", "path": "/metadata"},
        {"op": "test", "path": "/metadata/labels/a", "value": 1},
    ],
]
PATCHES = inputs.texts(PATCHES_MADE, yaml_too=True)
PATCH_SEEDS = [inputs.as_json(each) for each in PATCHES_MADE]


def a_patch(data: bytes) -> None:
    """``--patch``: of the pod template, which stays one, or it is refused."""
    before = copy.deepcopy(CONTROLLER["spec"]["template"])
    try:
        after = patches.inline(data.decode("utf-8", "surrogateescape")).apply(CONTROLLER["spec"]["template"])
    except RollingUpdateError as error:
        if not error.message:
            raise DefectError("an error without words") from error
        return
    finally:
        if before != CONTROLLER["spec"]["template"]:
            raise DefectError("the template itself is changed")
    json.dumps(after)
    clock = DryRunClock()
    cluster: Any = Still()
    change = TemplateChange((patches.inline(data.decode("utf-8", "surrogateescape")),))
    intent = Intent(name="my-nginx", change=change)
    try:
        Update(
            DryRunCluster(cluster, clock, server=False), clock, intent, Policy(), lambda _event: None
        ).run().checked()
    except RollingUpdateError as error:
        if not error.message:
            raise DefectError("an error without words") from error
