"""A namespace with a proxy of its own, and the command run in it as a user runs it: another process.

What must be true at the end of every story is asserted here, with a client that shares nothing with the
command.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from testing.chaos.owners import Owners, watched
from testing.chaos.proxy import Proxy, Trap
from testing.client import ApiError, Client
from testing.command import COMMAND, Ended, Running, environment
from testing.kubeconfig import Access, read, write
from testing.kubelet.pod_status import is_ready
from testing.namespace import Namespace, new_name
from testing.objects import Json
from testing.openshift import names

OURS = (
    "kubectl.kubernetes.io/update-source-id",
    "kubectl.kubernetes.io/desired-replicas",
    "kubectl.kubernetes.io/original-replicas",
    "kubectl.kubernetes.io/next-controller-id",
    "rolling-update/",
)
"""Beginnings of the annotations that an update leaves only while it lasts."""


class Site:
    """A cluster, by its kubeconfig: where it is and as whom it is looked at."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self.folder = folder
        self.access = read(kubeconfig)
        self.client = Client(self.access, connections=16)

    def is_openshift(self) -> bool:
        """Whether it knows DeploymentConfigs."""
        return any(group["name"] == names.GROUP for group in self.client.get("/apis")["groups"])

    @contextlib.contextmanager
    def arena(self) -> Iterator[Arena]:
        """An empty namespace, emptied again at the end."""
        name = new_name("chaos")
        folder = self.folder / name
        folder.mkdir()
        arena = Arena(self, name, folder)
        arena.make()
        try:
            yield arena
        finally:
            arena.close()


class Arena(Namespace):
    """A namespace with a proxy before it; one run at a time unless told otherwise."""

    def __init__(self, site: Site, name: str, folder: Path) -> None:
        super().__init__(site.client, name)
        self._access = site.access
        self.folder = folder
        self.proxy = Proxy(site.access)
        self.user: Json = {}
        """The user of the kubeconfigs."""
        self.authority = ""
        """What the proxy's certificate is signed by, in PEM, where it has one."""
        self.served: set[str] = set()
        """uids of the pods there were, where no other ones may come."""
        self.before: Json = {}
        """The controller as ``have`` left it."""
        self._watching = contextlib.ExitStack()
        self._runs: list[Running] = []
        self._kubeconfigs = count()

    def have(self, manifest: Json, *, available: int | None = None) -> Json:
        self.before = super().have(manifest, available=available)
        return self.before

    # --- runs ---

    def file(self, manifest: Json) -> str:
        path = self.folder / "rc.yaml"
        path.write_text(json.dumps(manifest))  # JSON is YAML
        return str(path)

    def start(
        self, *arguments: str, trap: tuple[int, bool] | None = None, beside: bool = False, **options: Any
    ) -> Running:
        """``trap``: kill it at that write, before or after; ``beside``: another run goes on meanwhile."""
        server = self.proxy.join_run() if beside else self.proxy.new_run()
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        variables = environment(KUBECONFIG=str(self.kubeconfig(server)), TMPDIR=str(temporary))
        running = Running([*COMMAND, *arguments], variables, self.folder, **options)
        self._runs.append(running)
        if trap is not None:
            self.proxy.trap = Trap(*trap, running.send)
        return running

    def run(self, *arguments: str, trap: tuple[int, bool] | None = None) -> Ended:
        ended = self.start(*arguments, trap=trap).end()
        self.proxy.end_connections()
        return ended

    def speak_tls(self, certificate: Path, key: Path, authority: Path) -> None:
        """From now on by a proxy of that certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.proxy.close()
        self.proxy = Proxy(self._access, context)
        self.authority = authority.read_text()

    def direct(self) -> Path:
        """The kubeconfig of this namespace for a process that is not under test: no proxy between."""
        return write(self.folder / "kubeconfig-direct", replace(self._access, namespace=self.name))

    def kubeconfig(self, server: str) -> Path:
        access = Access(server=server, authority=self.authority, namespace=self.name)
        return write(self.folder / f"kubeconfig-{next(self._kubeconfigs)}", access, user=self.user)

    def watch_pods(self) -> None:
        """From now on, until it is asked what was seen."""
        self._owners = self._watching.enter_context(watched(self))

    def seen(self) -> Owners:
        """What has become of the pods since ``watch_pods``."""
        self._watching.close()
        return self._owners

    def close(self) -> None:
        self._watching.close()
        for running in self._runs:
            running.close()
        self.proxy.close()
        with contextlib.suppress(ApiError):
            self.remove()

    # --- the end of every story ---

    def assert_clean(self, name: str, image: str, replicas: int, *, as_before: bool = False) -> None:
        """Exactly one controller of the right name, template and size, owning exactly its pods, all
        available, and nothing left of the update. ``as_before``: also its uid, spec and pods' labels."""
        found = self.controllers()
        assert list(found) == [name], f"controllers: {list(found)}"
        self.wait(
            lambda: self._settled(name, replicas), f"{name} owns {replicas} available pods, and all there are"
        )
        controller = self.controller(name)
        annotations = controller["metadata"].get("annotations") or {}
        left = [each for each in annotations if each.startswith(OURS)]
        assert not left, f"annotations left: {left}"
        spec = controller["spec"]
        assert spec["replicas"] == replicas, f"{spec['replicas']} replicas, not {replicas}"
        assert spec["template"]["spec"]["containers"][0]["image"] == image
        for pod in self.pods():
            assert pod["spec"]["containers"][0]["image"] == image
            owners = [each["uid"] for each in pod["metadata"]["ownerReferences"]]
            assert owners == [controller["metadata"]["uid"]]
        if as_before:
            assert spec == self.before["spec"], "the spec is not the one before"
            assert controller["metadata"]["uid"] == self.before["metadata"]["uid"], "another controller"
            labels = spec["template"]["metadata"]["labels"]
            assert all(pod["metadata"]["labels"] == labels for pod in self.pods()), "labels of pods"

    def assert_history(self, name: str, image: str, *, at_least: int) -> None:
        """The revisions that there are belong to the controller, and the last of them is of that image."""
        uid = self.controller(name)["metadata"]["uid"]

        def owners() -> set[str]:
            return {each["metadata"]["ownerReferences"][0]["uid"] for each in self.revisions()}

        self.wait(lambda: owners() <= {uid}, f"no revision of another controller than {name} is left")
        found = [
            (each["revision"], each["data"]["spec"]["template"]["spec"]["containers"][0]["image"])
            for each in self.revisions()
        ]
        assert len(found) >= at_least, f"the history has {found}"
        assert not found or found[-1][1] == image, f"{image} is not the last of {found}"

    def _settled(self, name: str, replicas: int) -> bool:
        uid = self.controller(name)["metadata"]["uid"]
        pods = self.pods()
        ready = [
            pod
            for pod in pods
            if is_ready(pod) and [each["uid"] for each in pod["metadata"].get("ownerReferences", ())] == [uid]
        ]
        return len(pods) == len(ready) == replicas and self.has_available(name, replicas)
